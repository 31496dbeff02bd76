"""DOT becomes a picture: by whichever Graphviz there is, in time, with letters, or with one clear error."""

from __future__ import annotations

import os
import shutil
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

import micrograd_plus as mp
from micrograd_plus.pictures import rendering
from micrograd_plus.pictures.plain import MOST
from micrograd_plus.pictures.rendering import drawn_together, positions, render

GRAPH = 'digraph { bgcolor="white"; a [label="Grüße"]; a -> b }'
EMPTY = '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>'
needs_pygraphviz = pytest.mark.skipif(not rendering._has_pygraphviz(), reason="pygraphviz is not installed")
needs_a_shell = pytest.mark.skipif(os.name != "posix", reason="the fake dot is a shell script")


def fake_dot(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


@needs_pygraphviz
@pytest.mark.parametrize(("format", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_each_format_is_what_it_says(format: str, start: bytes) -> None:
    assert render(GRAPH, format).startswith(start)


@needs_pygraphviz
def test_an_svg_keeps_its_text() -> None:
    assert ">Grüße</text>" in render(GRAPH, "svg").decode()


def ink(png: bytes) -> int:
    """How many bytes of the PNG's rows are neither black nor white nor unchanged: the smooth edges of letters."""
    chunks, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            chunks += png[at + 8 : at + 8 + length]
        at += 12 + length
    return sum([byte not in (0, 255) for byte in zlib.decompress(chunks)])


@needs_pygraphviz
@pytest.mark.skipif(os.name != "posix", reason="fontconfig is what finds fonts on Linux")
@pytest.mark.parametrize("format", ["png", "pdf"])
def test_letters_are_drawn_on_a_machine_without_fonts(
    format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "fonts.conf").write_text(EMPTY)
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "fonts.conf"))
    drawn = render(GRAPH, format)
    monkeypatch.setattr(rendering, "FONTS", tmp_path)
    bare = render(GRAPH, format)
    if format == "png":
        assert ink(drawn) > ink(bare) + 100
    else:
        assert b"/FontFile" in drawn
        assert b"/FontFile" not in bare


@needs_a_shell
def test_dot_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_dot(tmp_path, monkeypatch, 'echo "$1"; cat')
    assert render(GRAPH, "svg").decode() == f"-Tsvg\n{GRAPH}"


@needs_a_shell
def test_what_a_failing_dot_says_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_dot(tmp_path, monkeypatch, "cat >/dev/null; echo 'Format: \"png\" not recognized' >&2; exit 3")
    with pytest.raises(RuntimeError, match=r'^dot could not draw this graph as png: Format: "png" not recognized$'):
        render(GRAPH, "png")


@needs_a_shell
@pytest.mark.parametrize(
    ("script", "what"),
    [("exit 3", "exit status 3"), ("cat >/dev/null", "exit status 0"), ("kill -9 $$", "killed by signal 9")],
)
def test_a_dot_that_says_nothing(script: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_dot(tmp_path, monkeypatch, script)
    with pytest.raises(RuntimeError, match=f"it said nothing .{what}"):
        render(GRAPH * 10_000, "svg")


@needs_a_shell
def test_a_hanging_dot_is_stopped_with_what_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_dot(tmp_path, monkeypatch, f"sleep 60 & echo $! > {tmp_path}/child; wait")
    with pytest.raises(TimeoutError, match=r"dot did not finish within 0\.5 s; draw fewer nodes") as caught:
        render(GRAPH, "svg", timeout=0.5)
    assert caught.value.__cause__ is None
    child = int((tmp_path / "child").read_text())
    stat = Path(f"/proc/{child}/stat")
    assert not stat.exists() or stat.read_text().split()[2] == "Z"


@needs_pygraphviz
def test_pygraphviz_is_stopped_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    crowd = "digraph {" + ";".join([f"{i} -> {j}" for i in range(300) for j in range(i)]) + "}"
    with pytest.raises(TimeoutError, match=r"pygraphviz did not finish within 0\.3 s"):
        render(crowd, "svg", timeout=0.3)


@needs_pygraphviz
def test_a_file_of_the_user_is_not_taken_for_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pygraphviz.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert render(GRAPH, "svg")


@needs_pygraphviz
def test_wrong_dot_text_gives_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="pygraphviz could not draw this graph as svg: ") as caught:
        render("digraph {", "svg")
    assert len(str(caught.value)) < 600


@needs_a_shell
def test_a_dot_that_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_dot(tmp_path, monkeypatch, "")
    (tmp_path / "dot").write_text("#!/no/such/shell\n")
    with pytest.raises(RuntimeError, match=r"dot .* does not start"):
        render(GRAPH, "svg")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Graphviz."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(rendering, "version", lambda name: "1.14")  # needs a dot itself


@pytest.mark.usefixtures("bare")
def test_no_renderer_names_both_ways_out() -> None:
    crowd = "digraph {" + ";".join([f"{i}" for i in range(MOST + 1)]) + "}"
    with pytest.raises(
        RuntimeError, match=r"apt install graphviz.*pip install 'pygraphviz>=2'.*61 boxes with 0 arrows are too many"
    ):
        render(crowd, "svg")
    with pytest.raises(RuntimeError, match=r"apt install graphviz.*there is no PDF, but SVG"):
        render(GRAPH, "pdf")
    with pytest.raises(RuntimeError, match=r"apt install graphviz.*expected }"):
        render("digraph {", "svg")


@pytest.mark.usefixtures("bare")
def test_small_graphs_need_no_renderer() -> None:
    assert ">Grüße</text>" in render(GRAPH, "svg").decode()
    assert positions(GRAPH)["objects"][0]["name"] == "a"


def test_an_unknown_format() -> None:
    with pytest.raises(ValueError, match=r"format='gif'.: expected 'svg', 'png', 'pdf'"):
        render(GRAPH, "gif")


GRAPHS = ["digraph { a -> b }", "digraph { b -> c -> d }", "graph { "]  # the last one is none


def starts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is started from now on, by name."""
    found: list[str] = []
    run = rendering._run

    def noted(name: str, *rest: Any) -> tuple[bytes, bytes, int]:
        found.append(name)
        return run(name, *rest)

    monkeypatch.setattr(rendering, "_run", noted)
    return found


@pytest.mark.parametrize("has_dot", [False, True])
def test_several_graphs_at_once_are_what_each_is_alone(
    has_dot: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if has_dot:  # which this machine may lack
        script = f"#!/bin/sh\nexec {sys.executable} -c '{rendering._PYGRAPHVIZ}' \"${{1#-T}}\"\n"
        dot = tmp_path / "dot"
        dot.write_text(script)
        dot.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    elif shutil.which("dot"):
        pytest.skip("there is a dot, which takes one graph at a time")
    alone = [render(GRAPHS[0], "svg"), render(GRAPHS[1], "svg"), render(GRAPHS[1], "png")]
    started = starts(monkeypatch)
    with drawn_together([(GRAPHS[0], "svg"), (GRAPHS[2], "svg"), (GRAPHS[1], "svg"), (GRAPHS[1], "png")]):
        assert len(started) == (4 if has_dot else 1)
        begun = len(started)
        assert [render(GRAPHS[0], "svg"), render(GRAPHS[1], "svg"), render(GRAPHS[1], "png")] == alone
        assert len(started) == begun
        with pytest.raises(RuntimeError, match="could not draw this graph"):
            render(GRAPHS[2], "svg")
        assert len(positions(GRAPHS[1])["objects"]) == 3  # which nobody has asked for before
    assert len(started) == begun + 2
    render(GRAPHS[0], "svg")
    assert len(started) == begun + 3


def test_where_all_takes_too_long_each_is_tried_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("dot"):
        pytest.skip("there is a dot, which takes one graph at a time")
    monkeypatch.setattr(rendering, "_SEVERAL", "import time; time.sleep(60)")
    with drawn_together([(graph, "svg") for graph in GRAPHS[:2]], timeout=0.2):
        assert render(GRAPHS[0], "svg")[:5] == b"<?xml"


def test_a_cell_starts_graphviz_once(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("dot"):
        pytest.skip("there is a dot, which takes one graph at a time")
    model = mp.MLP(2, [4, 4, 1], seed=1)
    loss = model([0.5, -1.0]) ** 2
    steps = mp.backprop(loss)
    started = starts(monkeypatch)
    assert set(steps._repr_mimebundle_()) == {"text/html", "text/plain", "image/png"}
    assert started == ["pygraphviz"]
    assert set(mp.draw(loss)._repr_mimebundle_()) == {"text/html", "text/plain", "image/png"}
    assert started == ["pygraphviz"] * 2
