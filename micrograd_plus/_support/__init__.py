"""What is no part of differentiation, and every room needs: arguments checked, errors worded, files written whole."""
