"""What can be typed? The command `micrograd-plus`."""

from micrograd_plus.cli.commands import main as main
