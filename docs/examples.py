"""The code of a page: its blocks, and the examples in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from doctest import DocTestParser
from typing import Any

FENCED = re.compile(r"^```python\n(>>> .*?)^```$", re.DOTALL | re.MULTILINE)
_parser = DocTestParser()


@dataclass(frozen=True)
class Example:
    """What is typed after one `>>>`, and what comes then."""

    source: str
    want: str
    raises: str  # the error that the page shows, such as "TypeError"; "" for none

    def run(self, names: dict[str, Any]) -> Any:
        """Run it among these names: what it gives, None for a statement.

        Raises:
            what it raises, unless the page shows that.
        """
        try:
            try:
                code = compile(ast.parse(self.source, mode="eval"), "<the page's code>", "eval")
            except SyntaxError:  # a statement
                exec(compile(self.source, "<the page's code>", "exec"), names)  # noqa: S102 - of our own pages
                return None
            return eval(code, names)  # noqa: S307
        except Exception:
            if not self.raises:
                raise
            return None


@dataclass(frozen=True)
class Block:
    """A block of code in a page, and where it ends."""

    examples: list[Example]
    end: int


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a page that are tested."""
    for found in FENCED.finditer(text):
        examples = [
            Example(each.source, each.want, (each.exc_msg or "").partition(":")[0].rpartition(".")[2])
            for each in _parser.get_examples(found[1])
        ]
        yield Block(examples, found.end())
