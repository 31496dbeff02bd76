"""Turn Graphviz's DOT text into a picture, on machines with Graphviz and on machines without.

`dot` is taken from the PATH; where there is none, pygraphviz (2.0 or newer) brings Graphviz inside its wheel. Either
runs as a process of its own, since a layout that takes too long can be stopped in no other way. In a browser there are
no processes: there the page may give Graphviz, as `globalThis.graphviz`, what `Graphviz.load()` of the npm package
@hpcc-js/wasm-graphviz gives. Where there is none at all, `plain` draws graphs that are small.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.sax.saxutils import escape

from micrograd_plus.pictures.form import FONT
from micrograd_plus.pictures.plain import drawn

NONE = (
    "no Graphviz on this machine: install it (apt install graphviz; brew install graphviz; winget install graphviz)"
    " so that `dot` is on the PATH, or pip install 'pygraphviz>=2', which brings it along"
)
NONE_IN_PAGE = "no Graphviz in this page: it may set globalThis.graphviz, from the npm package @hpcc-js/wasm-graphviz"
FORMATS = ("svg", "png", "pdf")
TIMEOUT = 30.0  # seconds
FONTS = Path(__file__).parent / "fonts"  # a wide one: text that fits its box in it does so in a viewer's font, too

_WIDE = "DejaVu Sans"  # as wide as the package's own

_PYGRAPHVIZ = """
import sys
try:
    from pygraphviz import AGraph
    graph = AGraph(string=sys.stdin.buffer.read().decode())
    sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
except Exception as error:
    sys.exit(str(error) or type(error).__name__)
"""
# the same for several: of each that is drawn its place, its length and the file; others are left out
_SEVERAL = """
import json, sys
from pygraphviz import AGraph
for i, (source, kind) in enumerate(json.load(sys.stdin)):
    try:
        drawn = AGraph(string=source).draw(format=kind, prog="dot")
    except Exception:
        continue
    sys.stdout.buffer.write(b"%d %d\\n" % (i, len(drawn)) + drawn)
    sys.stdout.buffer.flush()
"""
Job = tuple[str, str]  # DOT text, and the format in which it is wanted
_DRAWN: ContextVar[dict[Job, bytes]] = ContextVar("drawn")

_FONTCONFIG = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
{machine}
<dir>{package}</dir>
<match target="pattern">
<edit name="family" mode="prepend" binding="strong"><string>Micrograd Plus Sans</string></edit>
</match>
<cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"""


def render(source: str, format: str, *, timeout: float = TIMEOUT) -> bytes:
    """The picture that DOT text describes, laid out by Graphviz's `dot`.

    Args:
        source: a graph in the DOT language.
        format: "svg", "png" or "pdf".
        timeout: how many seconds the layout may take.

    Returns:
        The content of the file. An SVG keeps its text as text, which the viewer's font shows. The letters in a PNG or a
        PDF are those of a font in the package, so that they are there on a machine without fonts.

    Raises:
        ValueError: the format is none of the three.
        TimeoutError: the layout took longer than `timeout`.
        RuntimeError: Graphviz failed, and what it said is quoted; or there is none, and the graph is too large, or the
            format another one than SVG, to be drawn without it.

    >>> render("digraph { a -> b }", "svg")[:5]
    b'<?xml'
    """
    if format not in FORMATS:
        raise ValueError(f"render(format={format!r}): expected {', '.join(map(repr, FORMATS))}")
    return _output(source, format, timeout)


def positions(source: str, *, timeout: float = TIMEOUT) -> dict[str, Any]:
    """Where Graphviz's `dot` puts what DOT text describes: its JSON, which holds the strokes of each node and edge.

    Args:
        source: a graph in the DOT language.
        timeout: how many seconds the layout may take.

    Raises:
        TimeoutError: the layout took longer than `timeout`.
        RuntimeError: Graphviz failed, and what it said is quoted; or there is none, and the graph is too large.

    >>> [node["name"] for node in positions("digraph { a -> b }")["objects"]]
    ['a', 'b']
    """
    placed: dict[str, Any] = json.loads(_output(source, "json", timeout))
    return placed


def _output(source: str, format: str, timeout: float) -> bytes:
    """What Graphviz writes for DOT text in one of its formats."""
    known = _DRAWN.get({}).get((source, format))
    if known is not None:
        return known
    if sys.platform == "emscripten":
        return _by_page(source, format)
    found = _renderer(format)
    if found is None:
        return _without(source, format, NONE)
    name, command = found
    with TemporaryDirectory(prefix="micrograd_plus-") as folder:
        picture, complaint, status = _run(name, command, source.encode(), _environment(command[0], folder), timeout)
    if status or not picture:
        said = [line for line in complaint.decode(errors="replace").splitlines() if "ontconfig" not in line]
        ended = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
        quoted = "; ".join(said)[-500:] or f"it said nothing ({ended})"
        raise RuntimeError(f"{name} could not draw this graph as {format}: {quoted}")
    return picture


@contextmanager
def drawn_together(jobs: Iterable[Job], *, timeout: float = TIMEOUT) -> Iterator[None]:
    """Draw several graphs at once, before they are asked for: within the block `render` and `positions` have them.

    A process takes longer to start than to lay out a small graph: so pygraphviz gets all of them in one, and `dot`,
    which takes one graph, runs as often, but at the same time. What cannot be drawn so is left to those who ask for it.

    Args:
        jobs: DOT texts, each with the format in which it will be asked for: "svg", "png", "pdf" or "json".
        timeout: how many seconds all of it may take.

    >>> with drawn_together([("digraph { a -> b }", "json"), ("digraph { a -> b }", "svg")]):
    ...     [node["name"] for node in positions("digraph { a -> b }")["objects"]]
    ['a', 'b']
    """
    wanted = [job for job in dict.fromkeys(jobs) if job not in _DRAWN.get({})]
    found = _at_once(wanted, timeout) if len(wanted) > 1 and sys.platform != "emscripten" else {}
    token = _DRAWN.set(_DRAWN.get({}) | found)
    try:
        yield
    finally:
        _DRAWN.reset(token)


def _at_once(jobs: list[Job], timeout: float) -> dict[Job, bytes]:
    """What could be drawn of several graphs."""
    found = _renderer("svg")
    if found is None:
        return {}
    name, command = found
    if name == "dot":

        def one(job: Job) -> bytes:
            with suppress(RuntimeError, TimeoutError):
                return _output(*job, timeout)
            return b""

        with ThreadPoolExecutor(len(jobs)) as pool:
            return {job: drawn for job, drawn in zip(jobs, pool.map(one, jobs)) if drawn}
    with TemporaryDirectory(prefix="micrograd_plus-") as folder, suppress(RuntimeError, TimeoutError):
        asked = json.dumps(jobs).encode()
        several = [*command[:-2], _SEVERAL]
        written, _, _ = _run(name, several, asked, _environment(command[0], folder), timeout)
        return dict(_parted(jobs, written))
    return {}


def _parted(jobs: Sequence[Job], written: bytes) -> Iterator[tuple[Job, bytes]]:
    """The files that stand one after another, each with its job; none that ends too early."""
    at = 0
    while b"\n" in written[at : at + 40]:
        head, _, _ = written[at : at + 40].partition(b"\n")
        i, length = map(int, head.split())
        at += len(head) + 1
        if len(written) >= at + length:
            yield jobs[i], written[at : at + length]
        at += length


def _renderer(format: str) -> tuple[str, list[str]] | None:
    """What draws on this machine: its name, and the command that reads DOT and writes the picture."""
    if dot := shutil.which("dot"):
        return "dot", [dot, f"-T{format}"]
    if sys.executable and _has_pygraphviz():
        # -P: a file graphviz.py or random.py in the user's folder must not be taken for the package
        return "pygraphviz", [sys.executable, "-P", "-c", _PYGRAPHVIZ, format]
    return None


def _by_page(source: str, format: str) -> bytes:
    """What the page's Graphviz draws; it cannot be stopped, but for the worker that it runs in."""
    import js  # type: ignore[import-not-found]  # Pyodide's
    from pyodide.ffi import JsException  # type: ignore[import-not-found]

    given = getattr(js, "graphviz", None)
    if given is None or format not in ("svg", "json"):
        return _without(source, format, NONE_IN_PAGE)
    try:  # it has no fonts, but knows how wide the letters of some are
        picture: str = given.layout(source.replace(FONT, _WIDE), format, "dot").replace(_WIDE, FONT)
    except JsException as error:
        raise RuntimeError(f"the page's Graphviz could not draw this graph as {format}: {str(error)[-500:]}") from None
    return picture.encode()


def _without(source: str, format: str, way_out: str) -> bytes:
    """A picture that needs no Graphviz; else the error says what to do."""
    if format not in ("svg", "json"):
        raise RuntimeError(f"{way_out}; without it there is no {format.upper()}, but SVG")
    try:
        return drawn(source, format)
    except ValueError as error:
        raise RuntimeError(f"{way_out}: {error}") from None


def _has_pygraphviz() -> bool:
    """Whether it is there, and new enough to bring Graphviz along."""
    try:
        return int(version("pygraphviz").partition(".")[0]) >= 2
    except (PackageNotFoundError, ValueError):
        return False


def _run(
    name: str, command: list[str], source: bytes, environment: dict[str, str], timeout: float
) -> tuple[bytes, bytes, int]:
    """What the command writes, what it complains of, and its exit status."""
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(  # noqa: S603 - the command is one of ours
            command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=True
        )
    except OSError as error:
        raise RuntimeError(f"{name} ({command[0]}) does not start: {error.strerror or error}") from None
    try:
        with process:
            try:
                picture, complaint = process.communicate(source, timeout)
            except BaseException:  # too late, or Ctrl-C
                _stop(process)
                raise
    except subprocess.TimeoutExpired:
        raise TimeoutError(
            f"{name} did not finish within {timeout:g} s; draw fewer nodes (limit=, depth=), or give it more time"
            " (timeout=)"
        ) from None
    return picture, complaint, process.returncode


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it started, which may hold its pipes open."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    for stream in (process.stdin, process.stdout, process.stderr):
        with suppress(OSError):
            stream.close()  # type: ignore[union-attr]


def _environment(program: str, folder: str) -> dict[str, str]:
    """The environment in which fontconfig takes the package's font, and those of the machine for what it lacks."""
    given = os.environ.get("FONTCONFIG_FILE")
    usual = ["/etc/fonts/fonts.conf", str(Path(program).resolve().parents[1] / "etc/fonts/fonts.conf")]
    machine = [f'<include ignore_missing="yes">{escape(path)}</include>' for path in ([given] if given else usual)]
    machine += [] if given else ["<dir>/usr/share/fonts</dir>"]  # where fontconfig itself looks without any file
    file = Path(folder, "fonts.conf")
    text = _FONTCONFIG.format(machine="\n".join(machine), package=escape(str(FONTS)))
    file.write_text(text, encoding="utf-8")
    return {**os.environ, "FONTCONFIG_FILE": str(file)}
