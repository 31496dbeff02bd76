"""How are small graphs drawn where there is no Graphviz? In layers, by plain Python, from the same DOT text."""

from micrograd_plus.pictures.plain.writing import MOST as MOST
from micrograd_plus.pictures.plain.writing import drawn as drawn
