"""Which blocks of a page's code the playground can run, and the link to it with the code.

Each is run as the playground would: with what is before it in the page, in plain Python, without NumPy or any other
package that is not there. This happens in a process of its own, to which no such package is let in.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from time import process_time
from zlib import compress

from examples import Block, Example, blocks

THERE = ("micrograd_plus", "graphviz", "latex2mathml", "runner")  # besides Python's own modules
LONGEST = 1.5  # seconds of the processor: a browser takes some five times as long


def links(pages: Mapping[str, str]) -> dict[str, list[str]]:
    """For each page, Markdown, what follows the playground's address for each block; "" where it cannot run."""
    environment = os.environ | {"MICROGRAD_PLUS_PURE": "1"}
    done = subprocess.run(
        [sys.executable, __file__], input=json.dumps(pages), env=environment, capture_output=True, text=True, check=True
    )
    return {page: [_fragment(code) for code in codes] for page, codes in json.loads(done.stdout).items()}


def _fragment(code: str) -> str:
    """As src/share.js writes it."""
    return code and f"#code={urlsafe_b64encode(compress(code.encode(), 9)).decode().rstrip('=')}"


def runnable(text: str) -> list[str]:
    """The code of each block, after what it needs of those before it; "" where the playground cannot run that."""
    from runner import Session

    before: list[str] = []
    out = []
    for block in blocks(text):
        code = "\n".join([*before, *shown(block)])
        begun = process_time()
        told = Session().run(code)
        error = told["error"].partition(":")[0].rpartition(".")[2]
        runs = process_time() - begun < LONGEST and error == block.examples[-1].raises
        shows = told["error"] or told["output"] or told["html"] or "count" in told
        out.append(code if runs and shows else "")
        if runs:
            before += [each.source.rstrip("\n") for each in block.examples if not each.want]
    return out


def shown(block: Block) -> list[str]:
    """A block as a program that prints what a prompt would show; its last line is left to the playground."""
    *first, last = [each for each in block.examples if not each.raises or each is block.examples[-1]]
    return [*[_printing(each) for each in first], last.source.rstrip("\n")]


def _printing(example: Example) -> str:
    """An example that prints its result."""
    source = example.source.rstrip("\n")
    try:
        body = ast.parse(source, mode="eval").body
    except SyntaxError:  # a statement
        return source
    if not example.want or ast.unparse(body).startswith("print("):
        return source
    expression = ast.get_source_segment(source, body) or ""
    return source.replace(expression, f"print({expression})", 1)


class _Absent:
    """A finder that knows of modules that they are not there."""

    @staticmethod
    def find_spec(name: str, _path: Sequence[str] | None = None, _target: object = None) -> ModuleSpec | None:
        """None for what may be there."""
        root = name.partition(".")[0]
        if root in sys.stdlib_module_names or root in THERE:
            return None
        raise ModuleNotFoundError(f"No module named {root!r}", name=root)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent / "playground" / "src"))
    given = json.load(sys.stdin)
    sys.meta_path.insert(0, _Absent())
    print(json.dumps({page: runnable(text) for page, text in given.items()}))  # noqa: T201
