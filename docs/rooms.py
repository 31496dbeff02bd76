"""Write the map in CONTRIBUTING.md from the first sentences of the rooms themselves: python docs/rooms.py

The order is the one in which rooms may import each other: a room imports only from those before it.
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "micrograd_plus"
ROOMS = [
    *("_support", "engine", "ops", "nn", "losses", "calculus", "data", "optim", "program", "formulas", "arrivals"),
    *("pictures", "networks", "stepping", "check", "laws", "strategies", "_hypothesis", "plugins", "training"),
    *("sklearn", "cli", "__main__"),
]
BEGIN, END = "<!-- the map: python docs/rooms.py -->\n", "<!-- /the map -->\n"


def sentence(file: Path) -> str:
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def line(room: str) -> str:
    """A room's line of the map: its name, its question, its files."""
    folder = PACKAGE / room
    if not folder.is_dir():
        return f"| `{room}.py` | {sentence(folder.with_suffix('.py'))} | |"
    first = folder / "__init__.py"
    names = [path.stem if path.suffix else f"{path.name}/" for path in sorted(folder.iterdir()) if _is_source(path)]
    files = ", ".join([f"`{name}`" for name in names])
    return f"| `{room}/` | {sentence(first) if first.exists() else 'What does Hypothesis import?'} | {files} |"


def _is_source(path: Path) -> bool:
    if path.is_dir():
        return any(path.rglob("*.py"))
    return path.suffix == ".py" and path.stem != "__init__"


def made() -> str:
    """The map."""
    head = ["| room | the question it answers | its files |", "|---|---|---|"]
    return "\n".join([*head, *[line(room) for room in ROOMS]]) + "\n"


def with_map(text: str) -> str:
    """CONTRIBUTING.md with the map of today."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{made()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    file = ROOT / "CONTRIBUTING.md"
    file.write_text(with_map(file.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(made())
