"""Run what is typed and tell what it shows. This runs in the page's worker, beside the engine, and in the tests."""

from __future__ import annotations

import ast
import builtins
import io
import linecache
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import micrograd_plus as mp

FILE = "<your code>"
MOST = 20_000  # letters of what is printed
DERIVATIVES = 8
# known without an import, so that `tanh(Value(2.0))` is enough: what Python calls otherwise is left alone
KNOWN = {name: thing for name, thing in vars(mp).items() if name in vars(mp)["__all__"] and callable(thing)} | {
    "mp": mp
}
KNOWN = {name: thing for name, thing in KNOWN.items() if not hasattr(builtins, name)}


class Session:
    """What was run last, and the Value that it gave.

    >>> session = Session()
    >>> told = session.run("x = Value(3.0)" + chr(10) + "x * x")
    >>> told["error"], told["name"], told["data"]
    ('', '', '9')
    >>> session.formula()["text"]
    'x * x'
    """

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.root: mp.Value | None = None

    def run(self, code: str) -> dict[str, Any]:
        """Run code afresh; what its last line gives is shown, else the Value that was named last.

        Returns:
            A dict: "output", what was printed; "error" and "line", where it failed; of a Value "name", "data" and
            "count"; of what else shows itself as HTML "html"; "engine", the name of a class that can be held to
            the laws.
        """
        self.names = {"__name__": "__main__", "__builtins__": vars(builtins) | KNOWN}
        self.root = None
        linecache.cache[FILE] = len(code), None, code.splitlines(keepends=True), FILE
        told: dict[str, Any] = {"error": "", "line": 0, "html": "", "engine": ""}
        printed = io.StringIO()
        last = None
        with redirect_stdout(printed), redirect_stderr(printed):
            try:
                last = self._last(code)
            except BaseException as error:  # noqa: BLE001 - whatever it raises is shown
                told["error"], told["line"] = _error(error)
        told["output"] = printed.getvalue()[:MOST]
        self.root = last if isinstance(last, mp.Value) else None if last is not None else self._named()
        if last is not None and self.root is None:
            told |= _shown(last, told["output"])
        if self.root is not None:
            told |= self._about(self.root)
        told["engine"] = next((name for name, thing in reversed(self.names.items()) if _is_engine(thing)), "")
        return told

    def _last(self, code: str) -> Any:
        """Run it; what the last line gives, if that is an expression."""
        tree = ast.parse(code, FILE)
        tail = tree.body[-1] if tree.body else None
        if isinstance(tail, ast.Expr):
            tree.body.pop()
        exec(compile(tree, FILE, "exec"), self.names)  # noqa: S102 - it is what the page is for
        if not isinstance(tail, ast.Expr):
            return None
        return eval(compile(ast.Expression(tail.value), FILE, "eval"), self.names)  # noqa: S307

    def _named(self) -> mp.Value | None:
        """The Value that was named last: a variable of the code's own that is a result, else any."""
        values = [thing for thing in self.names.values() if isinstance(thing, mp.Value)]
        return next((value for value in reversed(values) if value.op is not None), values[-1] if values else None)

    def _about(self, root: mp.Value) -> dict[str, Any]:
        name = next((name for name, thing in self.names.items() if thing is root), "")
        count = len(mp.engine.toposort(root))
        return {"name": name, "data": f"{root.data:.6g}", "count": count}

    def _in_their_names(self, call: str, *given: Any) -> Any:
        """Call a function of the package from where the code's variables are, so that it finds their names."""
        function: Callable[..., Any] = eval(compile(f"lambda _mp, _v, *_more: {call}", FILE, "eval"), self.names)  # noqa: S307
        return function(mp, self.root, *given)

    def formula(self, wrt: mp.Value | None = None) -> dict[str, str]:
        """The formula of the Value, or of a derivative of it, as text and as MathML; empty where there is no Value."""
        from latex2mathml.converter import convert  # takes half a second, so after the first picture

        if self.root is None:
            return {"text": "", "mathml": ""}
        try:
            written = self._in_their_names("_mp.formula(_v, *_more)", *([] if wrt is None else [wrt]))
        except (TypeError, ValueError) as error:  # a rule that was set by hand
            return {"text": str(error), "mathml": ""}
        return {"text": str(written), "mathml": convert(written.latex, display="block")}

    def show(self, what: str) -> str:
        """A picture of the Value: "step", a page; "graph", an SVG; "" where there is no Value.

        Raises:
            RuntimeError, ValueError: it is too large, or cannot be shown.
        """
        if self.root is None:
            return ""
        shown: str = self._in_their_names({"step": "_mp.backprop(_v).html()", "graph": "_mp.draw(_v).svg"}[what])
        return shown

    def derivatives(self) -> list[dict[str, str]]:
        """The derivatives by the leaves that have names: each "name", "text", "mathml"."""
        leaves = [] if self.root is None else [node for node in mp.engine.toposort(self.root) if node.op is None]
        named = [(name, thing) for name, thing in self.names.items() if any(thing is leaf for leaf in leaves)]
        return [{"name": name, **self.formula(leaf)} for name, leaf in named[:DERIVATIVES]]

    def laws(self) -> dict[str, Any]:
        """The report on the class that was defined last, as data."""
        engine = next(thing for thing in reversed(self.names.values()) if _is_engine(thing))
        return mp.check_engine(engine).as_dict()


def _is_engine(thing: object) -> bool:
    """Whether it is a class of the code's own that has what micrograd's has."""
    own = isinstance(thing, type) and thing.__module__ == "__main__"
    return own and callable(getattr(thing, "backward", None))


def _shown(thing: object, output: str) -> dict[str, str]:
    """What the last line gave that is no Value: as HTML, if it has any, else as a prompt would show it."""
    html = getattr(thing, "_repr_html_", None)
    if callable(html) and not isinstance(thing, type):
        try:
            return {"html": html() or ""}
        except (RuntimeError, TimeoutError, ImportError) as error:
            return {"output": f"{output}{thing!r}: {error}\n"}
    return {"output": f"{output}{thing!r}\n"[:MOST]}


def _error(error: BaseException) -> tuple[str, int]:
    """What went wrong, without the lines that are not the code's; and in which of its lines."""
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILE]
    if isinstance(error, SyntaxError) and error.filename == FILE:
        return f"{type(error).__name__}: {error.msg}", error.lineno or 0
    if isinstance(error, ModuleNotFoundError):
        return f"{error}; in the browser there are Python's own modules, micrograd_plus and Graphviz", _line(lines)
    text = "".join(traceback.format_exception_only(error)).strip()
    calls = [f"  line {frame.lineno}: {frame.line}" for frame in lines[-6:]]
    return "\n".join([text, *(calls if len(lines) > 1 else [])]), _line(lines)


def _line(lines: list[traceback.FrameSummary]) -> int:
    return (lines[-1].lineno or 0) if lines else 0


sys.setrecursionlimit(min(sys.getrecursionlimit(), 1000))  # the browser's own stack is small
