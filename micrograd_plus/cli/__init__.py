"""What can be typed? The command `micrograd-plus`."""

from micrograd_plus.cli.entry import main as main
