"""What did a network that reads digits get right, and what wrong?"""

from __future__ import annotations

from math import isqrt

from click import echo

from micrograd_plus.cli import terminal
from micrograd_plus.data.dataset import Dataset


def show_answers(held_out: Dataset, beliefs: list[list[float]]) -> None:
    """The table of mistakes, a few digits that were read, and those misread with the most confidence."""
    from rich.console import Console

    console = Console()
    said = [belief.index(max(belief)) for belief in beliefs]
    echo("\nwhat was drawn (a row), and what the network said (a column)")
    console.print(terminal.confusion(held_out.labels, said, plain=not console.is_terminal))

    right: dict[int, int] = {}
    for i, label in enumerate(held_out.labels):
        if said[i] == label:
            right.setdefault(label, i)
    sure = [max(belief) for belief in beliefs]
    wrong = sorted((i for i, label in enumerate(held_out.labels) if said[i] != label), key=lambda i: -sure[i])
    count = 4 if isqrt(len(held_out.images[0])) <= 16 else 2
    ramp = terminal.shades()
    for title, chosen in (("right", [right[label] for label in sorted(right)]), ("wrong, the surest first", wrong)):
        pictures = [(held_out.images[i], _caption(said[i], sure[i], held_out.labels[i])) for i in chosen[:count]]
        if pictures:
            echo(f"\n{title} (in brackets how sure it was):\n")
            echo(terminal.gallery(pictures, width=console.width, ramp=ramp))
    echo()


def _caption(said: int, sure: float, label: int) -> list[str]:
    """The lines under a picture: what the network said, and what it should have said."""
    verdict = f"said {said} ({100 * sure:.0f} %)"
    return [verdict] if said == label else [verdict, f"it is {'an' if label == 8 else 'a'} {label}"]
