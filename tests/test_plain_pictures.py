"""Pictures without Graphviz: the same things in the same places, by what must hold of any of them."""

from __future__ import annotations

import json
import re
import sys
from itertools import combinations, pairwise
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.pictures import rendering
from micrograd_plus.pictures.images import Picture
from micrograd_plus.pictures.plain import MOST, drawn
from micrograd_plus.pictures.plain.reading import read
from micrograd_plus.pictures.rendering import positions

Sides = tuple[float, float, float, float]  # left, lower, right, upper
SVG = "{http://www.w3.org/2000/svg}"
DIRECTIONS = ["LR", "RL", "TB", "BT"]


def expression() -> Picture:
    a, b = Value(2.0), Value(-3.0)
    c = a * b
    d = (c * (c + 1.0) - a).tanh()
    d.backward()
    return mp.draw(d, edges="local", names=locals())


def network(direction: str = "LR", depth: int = 3) -> Picture:
    model = mp.MLP(2, [2, 1], seed=1)
    y = model([Value(1.0), Value(-2.0)])
    y.backward()
    return mp.draw(y, depth=depth, direction=direction, names={"model": model, "y": y})


def softmax() -> Picture:
    shares = mp.softmax([Value(1.0), Value(2.0), Value(3.0)])
    y = shares[0] * 2.0 + shares[1].log()
    y.backward()
    return mp.draw(y, open="softmax", edges="contribution", names={})


PICTURES = {
    "expression": expression(),
    "shapes": mp.draw(Value(1.0).exp() + 1.0, node=lambda v: {"shape": "hexagon" if v.op else "circle"}, names={}),
    "softmax": softmax(),
    "layers": network(depth=2),
    **{direction: network(direction) for direction in DIRECTIONS},
}


def placed(source: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(drawn(source, "json"))
    return found


def shown(things: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [thing for thing in things if "_draw_" in thing and thing.get("style") != "invis"]


def sides(box: dict[str, Any]) -> Sides:
    if "bb" in box:
        left, lower, right, upper = map(float, box["bb"].split(","))
        return min(left, right), min(lower, upper), max(left, right), max(lower, upper)
    (x, y), width, height = map(float, box["pos"].split(",")), 72 * float(box["width"]), 72 * float(box["height"])
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def overlap(one: Sides, other: Sides) -> bool:
    return all(min(one[k + 2], other[k + 2]) - max(one[k], other[k]) > 0.01 for k in (0, 1))


def inside(one: Sides, other: Sides) -> bool:
    return all(one[k] >= other[k] - 0.01 and one[k + 2] <= other[k + 2] + 0.01 for k in (0, 1))


def stroke(edge: dict[str, Any], kind: str, drawing: str) -> list[tuple[float, float]]:
    (points,) = [each["points"] for each in edge[drawing] if each["op"] == kind]
    return [(x, y) for x, y in points]


def far(point: tuple[float, float], box: Sides) -> float:
    """How far a point is from the border of a box, outside of it."""
    return max(0.0, *[max(box[k] - point[k], point[k] - box[k + 2]) for k in (0, 1)])


def check(found: dict[str, Any], direction: str) -> None:
    """What must hold of any picture in layers, Graphviz's, too."""
    boxes = [thing for thing in found["objects"] if "pos" in thing and thing.get("style") != "invis"]
    for one, other in combinations(boxes, 2):
        assert not overlap(sides(one), sides(other)), (one["name"], other["name"])
    by_number = {thing["_gvid"]: thing for thing in found["objects"]}
    axis, sign = ("LR", "RL").count(direction) == 0, 1 if direction in ("LR", "BT") else -1
    for edge in shown(found.get("edges", [])):
        tail, head = sides(by_number[edge["tail"]]), sides(by_number[edge["head"]])
        assert (head[axis] - tail[axis]) * sign > 0, "arguments stand before results"
        tip = stroke(edge, "P", "_hdraw_")[1]
        start = stroke(edge, "b", "_draw_")[0]
        assert far(tip, head) < 9  # a broad pen keeps back
        assert far(start, tail) < (14 if edge.get("dir") == "both" else 6)  # where there is an arrow's head, too


@pytest.mark.parametrize("name", PICTURES)
def test_what_holds_of_graphviz_holds_without_it(name: str) -> None:
    source = PICTURES[name].source
    direction = name if name in DIRECTIONS else "LR"
    check(positions(source), direction)
    found = placed(source)
    check(found, direction)
    theirs = [thing["name"] for thing in positions(source)["objects"] if thing["name"][0] != "%"]  # not unnamed ones
    assert sorted(theirs) == sorted([thing["name"] for thing in found["objects"]])


@pytest.mark.parametrize("name", PICTURES)
def test_no_arrow_runs_through_a_box(name: str) -> None:
    found = placed(PICTURES[name].source)
    boxes = {thing["_gvid"]: sides(thing) for thing in found["objects"] if "pos" in thing and "_draw_" in thing}
    for edge in shown(found["edges"]):
        others = [box for i, box in boxes.items() if i not in (edge["tail"], edge["head"])]
        curve = stroke(edge, "b", "_draw_")
        for start in range(0, len(curve) - 1, 3):
            for t in (k / 20 for k in range(21)):
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
                x, y = (sum([w * p[k] for w, p in zip(weights, curve[start : start + 4])]) for k in (0, 1))
                assert all(far((x, y), box) > 0 for box in others)


@pytest.mark.parametrize("name", PICTURES)
def test_the_svg_has_graphvizs_things_and_words(name: str) -> None:
    theirs = PICTURES[name].svg
    ours = drawn(PICTURES[name].source, "svg").decode()

    def told(svg: str, wanted: str) -> list[str]:
        return sorted(re.findall(wanted, svg))

    for wanted in (r'<g id="(n[^"]+)" class="node">', r'<g id="([^"]+)" class="edge">', r"<text[^>]*>([^<]*)</text>"):
        assert told(ours, wanted) == told(theirs, wanted)
    page = ElementTree.fromstring(ours)
    width, height = map(float, page.attrib["viewBox"].split()[2:])
    for polygon in page.iter(f"{SVG}polygon"):
        for point in polygon.attrib["points"].split():
            x, y = map(float, point.split(","))
            assert -1 <= x <= width
            assert -1 <= y <= height


def test_frames_hold_their_boxes_and_no_others() -> None:
    for name in ("softmax", *DIRECTIONS):
        found = placed(PICTURES[name].source)
        frames = {thing["name"]: sides(thing) for thing in found["objects"] if thing["name"].startswith("cluster")}
        assert frames
        boxes = {thing["name"]: sides(thing) for thing in found["objects"] if "pos" in thing and "_draw_" in thing}
        for cluster in read(PICTURES[name].source).clusters:
            held = [each for each, _ in cluster.every()]
            for box, where in boxes.items():
                if box in held:
                    assert inside(where, frames[cluster.name])
                else:
                    assert not overlap(where, frames[cluster.name])


def test_a_frame_that_arrows_leave_and_enter_again_is_not_drawn() -> None:
    found = placed("digraph { subgraph cluster_a { a c } a -> b -> c; subgraph cluster_d { d e } c -> d -> e }")
    assert [thing["name"] for thing in found["objects"]] == ["cluster_d", "b", "a", "c", "d", "e"]
    check(found, "TB")


def test_arguments_stand_in_their_order() -> None:
    terms = [Value(float(i)) for i in range(6)]
    found = placed(mp.draw(mp.dot([1.0] * 6, terms), names={f"x{i}": each for i, each in enumerate(terms)}).source)
    heights = {
        re.sub(".*<b>(.*)</b>.*", r"\1", t["label"]): sides(t)[1] for t in found["objects"] if "<b>x" in t["label"]
    }
    ordered = [heights[f"x{i}"] for i in range(6)]
    assert all(one > next for one, next in pairwise(ordered))


def test_boxes_of_one_layer_keep_the_order_of_their_chain() -> None:
    found = placed("digraph { rankdir=LR; r -> c; r -> b; r -> a; {rank=same a -> b -> c [style=invis]} }")
    places = {thing["name"]: sides(thing) for thing in found["objects"]}
    assert places["a"][1] > places["b"][1] > places["c"][1]
    assert len({round(places[name][0] + places[name][2], 1) for name in "abc"}) == 1


GRAPHS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=45)


@given(GRAPHS, st.sampled_from(DIRECTIONS))
@settings(deadline=None)
def test_any_graph(pairs: list[tuple[int, int]], direction: str) -> None:
    edges = [f"{min(pair)} -> {max(pair)}" for pair in pairs if pair[0] != pair[1]]
    nodes = [str(node) for node in {node for pair in pairs for node in pair}]
    check(placed(f"digraph {{ rankdir={direction}; {'; '.join(nodes + edges)} }}"), direction)


@pytest.mark.parametrize(
    "source",
    [
        "digraph {}",
        "digraph { a }",
        "digraph { a -> a }",
        "digraph { a -> b -> a; b -> b }",
        'digraph { a [label=""] }',
    ],
)
def test_odd_graphs(source: str) -> None:
    assert b"</svg>" in drawn(source, "svg")
    assert "objects" in placed(source)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "expected digraph"),
        ("digraph { a [label=<<b>x] }", "expected >"),
        ("digraph { a [label] }", "expected label="),
        ("digraph { \\ }", "not DOT"),
        ("digraph { a -> b", "expected }"),
    ],
)
def test_what_is_not_dot_is_told(source: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        drawn(source, "svg")


def test_large_graphs_are_not_drawn() -> None:
    chain = " -> ".join([f"n{i}" for i in range(MOST)])
    assert drawn(f"digraph {{ {chain} }}", "svg")
    with pytest.raises(ValueError, match="61 boxes with 60 arrows are too many"):
        drawn(f"digraph {{ {chain} -> more }}", "svg")
    dense = "; ".join([f"{i} -> {j}" for j in range(MOST) for i in range(j)])
    with pytest.raises(ValueError, match="60 boxes with 1,770 arrows are too many"):
        drawn(f"digraph {{ {dense} }}", "svg")


def test_pictures_and_pages_need_no_graphviz(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rendering, "_renderer", lambda format: None)
    x = Value(3.0, label="x")
    y = (x * x + 1.0).tanh()
    y.backward()
    bundle = mp.draw(y)._repr_mimebundle_()
    assert "text/html" in bundle
    assert "image/png" not in bundle
    mp.backprop(y).save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text().count('class="node') == 4


def test_a_page_may_give_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Pyodide does: the modules js and pyodide, no processes."""

    class JsException(Exception):  # noqa: N818 - Pyodide's name for it
        pass

    class Graphviz:
        def layout(self, source: str, format: str, engine: str) -> str:
            if "{" not in source:
                raise JsException("syntax error")
            return f"{engine}: {source} as {format}"

    js, ffi = ModuleType("js"), ModuleType("pyodide.ffi")
    js.graphviz = Graphviz()  # type: ignore[attr-defined]
    ffi.JsException = JsException  # type: ignore[attr-defined]
    monkeypatch.setattr(sys, "platform", "emscripten")
    for name, module in (("js", js), ("pyodide", ModuleType("pyodide")), ("pyodide.ffi", ffi)):
        monkeypatch.setitem(sys.modules, name, module)
    assert rendering.render("digraph { a }", "svg") == b"dot: digraph { a } as svg"
    with pytest.raises(RuntimeError, match="the page's Graphviz could not draw this graph as svg: syntax error"):
        rendering.render("", "svg")
    with pytest.raises(RuntimeError, match=r"no Graphviz in this page.*there is no PNG, but SVG"):
        rendering.render("digraph { a }", "png")
    del js.graphviz
    assert b"laid out without Graphviz" in rendering.render("digraph { a }", "svg")
