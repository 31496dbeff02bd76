"""What does a graph look like? Folded where it is large, laid out by Graphviz, on any machine."""

from micrograd_plus.pictures.drawing import draw as draw
from micrograd_plus.pictures.images import Picture as Picture
