"""A picture holds every node and every edge once, folds without loss, and shows nothing that it was not given."""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus._support.texts import one_line
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import toposort
from micrograd_plus.formulas.naming import under
from micrograd_plus.formulas.numerals import shorter
from micrograd_plus.pictures import images, rendering
from micrograd_plus.pictures.drawing import NEAREST, NOT_YET, STALE, draw
from micrograd_plus.pictures.edges import slopes_of
from micrograd_plus.pictures.folding import fold
from micrograd_plus.pictures.form import GREY, INK, LINES, PAPER, SHADE, TINTS, tint
from micrograd_plus.pictures.images import Picture
from micrograd_plus.pictures.labels import LONGEST, symbol_of
from micrograd_plus.pictures.pruning import long_edges, nearest_boxes
from micrograd_plus.strategies.drawing import expressions
from micrograd_plus.strategies.programs import Expression

SVG = "{http://www.w3.org/2000/svg}"


def parts(picture: Picture, kind: str) -> dict[str, list[str]]:
    """The nodes or the edges of the SVG by id, with their text."""
    found: dict[str, list[str]] = {}
    for group in ElementTree.fromstring(picture.svg).iter(f"{SVG}g"):
        if group.get("class") == kind:
            name = group.get("id") or ""
            assert name not in found, f"{name} is drawn twice"
            found[name] = [text.text or "" for text in group.iter(f"{SVG}text")]
    return found


def lines(picture: Picture, kind: str) -> list[str]:
    return [line for texts in parts(picture, kind).values() for line in texts]


def expected(root: mp.Value) -> tuple[set[str], set[str]]:
    """The ids of the nodes and of the edges of a graph that is drawn whole."""
    order = toposort(root)
    number = {node: i for i, node in enumerate(order)}
    nodes, edges = {f"n{i}" for i in number.values()}, set()
    for node, i in number.items():
        for place, arg in enumerate(node.args):
            tail = f"n{number[arg]}" if isinstance(arg, mp.Value) else f"c{i}-{place}"
            if node.op is not None and node.op.name == "pow" and tail[0] == "c" and place == 1:
                continue  # an exponent that is a number stands in the symbol: x²
            nodes.add(tail)
            edges.add(f"{tail}-n{i}-{place}")
    return nodes, edges


# --------------------------------------------------------------------------------------------------------- whole graphs


@settings(max_examples=15)
@given(expressions(max_nodes=12))
def test_every_node_and_edge_is_in_the_svg_once(expression: Expression) -> None:
    _, root = expression.build()
    picture = draw(root, open="+")
    nodes, edges = expected(root)
    drawn = parts(picture, "node")
    assert set(drawn) == nodes
    assert set(parts(picture, "edge")) == edges
    for i, node in enumerate(toposort(root)):
        assert f"data {shorter(node.data)}" in drawn[f"n{i}"]
        assert not node.label or node.label in drawn[f"n{i}"]
        assert node.op is None or drawn[f"n{i}"][0] == symbol_of(node)


def test_signs_are_those_of_books() -> None:
    x, y = Value(3.0, label="x"), Value(2.0, label="y")
    shown = [parts(draw(v), "node")["n1" if v.args[1:] != (y,) else "n2"][0] for v in (2.0 * x, x**2, x**-1.5, x**y)]
    assert shown == ["×", "x²", "x^(-1.5)", "xʸ"]
    assert "-0" not in draw(Value(-0.0)).source.replace("-0.", "")


@given(expressions(max_nodes=30), st.sampled_from([None, "local", "contribution"]), st.booleans())
def test_every_node_and_edge_is_in_the_source_once(expression: Expression, edges: Any, passed: bool) -> None:
    _, root = expression.build()
    if passed:
        root.backward()
    source = draw(root, edges=edges, open="+").source
    ids = Counter(re.findall(r'\bid="?([^"\s\]]+)', source))
    nodes, arrows = expected(root)
    assert ids == Counter(nodes | arrows)


def test_a_square_has_two_edges() -> None:
    x = mp.Value(3.0)
    assert set(parts(draw(x * x), "edge")) == {"n0-n1-0", "n0-n1-1"}


def test_a_graph_of_one_node() -> None:
    x = mp.Value(3.0)
    assert parts(draw(x), "node") == {"n0": ["x", "data 3"]}
    assert repr(draw(x)) == "<Picture of 1 node>"


def test_several_values_at_once() -> None:
    x = mp.Value(2.0)
    y, z = x + 1.0, x * x
    assert set(parts(draw([y, z, y]), "node")) == {"n0", "n1", "c1-1", "n2"}


def test_names_come_from_the_caller_and_from_what_is_given() -> None:
    x = mp.Value(2.0)
    q = x * x
    assert "q" in parts(draw(q), "node")["n1"]
    assert "speed" in parts(draw(q, names={"speed": q}), "node")["n1"]
    assert parts(draw(q, names={}), "node")["n1"] == ["×", "data 4"]


def test_options_of_functions_are_told_by_name() -> None:
    assert parts(draw(mp.leaky_relu(mp.Value(1.0), 0.25)), "node")["c1-1"] == ["negative_slope=0.25"]


def test_a_node_with_a_rule_of_the_learners() -> None:
    x = mp.Value(0.5)
    out = mp.Value(math.tanh(0.5), (x,), "my tanh")
    out._backward = lambda: None
    out.grad = 1.0
    picture = draw(out, edges="local")
    assert parts(picture, "node")["n1"][0] == "my tanh"
    assert parts(picture, "edge") == {"n0-n1-0": []}
    plain = mp.Value(1.0, (x,))
    assert parts(draw(plain), "node")["n1"][0] == "?"


def test_the_graph_of_a_gradient() -> None:
    x = mp.Value(0.5)
    slope = mp.gradient(mp.tanh(x) * x, [x], create_graph=True)[0]
    nodes, edges = expected(slope)
    assert set(parts(draw(slope), "node")) == nodes
    assert set(parts(draw(slope), "edge")) == edges


# ------------------------------------------------------------------------------------------------------------ gradients


def test_before_the_backward_pass_the_picture_says_so() -> None:
    x = mp.Value(3.0)
    y = x * x
    assert NOT_YET in draw(y).svg
    assert parts(draw(y), "node")["n0"] == ["x", "data 3"]
    y.backward()
    assert NOT_YET not in draw(y).svg
    assert parts(draw(y), "node")["n0"] == ["x", "data 3", "grad 6"]


def test_gradients_of_leaves_from_an_earlier_pass() -> None:
    x = mp.Value(3.0)
    (x * x).backward()
    y = x + 1.0
    assert STALE in draw(y).captions
    assert parts(draw(y), "node")["n0"] == ["x", "data 3", "grad 6"]
    assert parts(draw(y), "node")["n1"] == ["+", "y", "data 4"]


def test_a_picture_says_which_numbers_are_outdated() -> None:
    w, x = mp.Value(2.0), mp.Value(3.0)
    v = w * x
    loss = mp.square(v - 1.0)
    loss.backward()
    told = "v is no longer what its arguments give"
    assert told not in "".join(draw(loss).captions)
    w.data -= 0.1 * w.grad
    for picture in (draw(loss), draw(loss, depth=0)):
        assert any(caption.startswith(told) for caption in picture.captions)
        assert told in picture._repr_html_()
    del v  # what has no name is counted
    assert any(caption.startswith("1 node is no longer") for caption in draw(loss).captions)


def test_edges_bear_local_derivatives_or_contributions() -> None:
    x, y = mp.Value(3.0), mp.Value(-5.0)
    z = mp.sin(x * y) * 2.0
    assert parts(draw(z, edges="local"), "edge")["n0-n2-0"] == ["-5"]
    assert parts(draw(z, edges="contribution"), "edge")["n0-n2-0"] == []
    z.backward()
    assert parts(draw(z, edges="contribution"), "edge")["n0-n2-0"] == [f"{x.grad:.4g}"]


@given(expressions(max_nodes=10))
def test_contributions_add_up_to_the_gradient(expression: Expression) -> None:
    leaves, root = expression.build()
    root.backward()
    total = dict.fromkeys(leaves, 0.0)
    for node in toposort(root):
        for arg, (slope, stopped) in zip(node.args, slopes_of(node)):
            if isinstance(arg, Value) and arg in total and not stopped:
                total[arg] += node.grad * (slope or 0.0)
    for leaf in leaves:
        if leaf is not root:
            assert math.isclose(total[leaf], leaf.grad, rel_tol=1e-9, abs_tol=1e-9)


def test_a_mask_stops_even_an_infinite_gradient() -> None:
    x = mp.Value(-1.0)
    y = mp.relu(x)
    z = mp.sqrt(y)
    z.backward()
    assert y.grad == math.inf
    assert parts(draw(z, edges="contribution"), "edge")["n0-n1-0"] == ["0"]


def test_nan_and_infinity_are_shown() -> None:
    x = mp.Value(-1.0)
    y = mp.log(x) + mp.Value(math.inf)
    y.backward()
    x.grad = math.nan
    drawn = parts(draw(y), "node")
    assert drawn["n0"] == ["x", "data -1", "grad nan"]
    assert drawn["n1"] == ["data inf", "grad 1"]
    assert drawn["n2"][:2] == ["log", "data nan"]


def test_blue_is_positive_orange_negative_and_the_largest_has_the_full_tint() -> None:
    x, y = mp.Value(2.0), mp.Value(-4.0)
    (x * y).backward()
    z = x * y
    z.backward()
    assert (x.grad, y.grad) == (-8.0, 4.0)
    source = draw(z).source
    assert TINTS.negative in source
    assert TINTS.positive not in source
    blue = tint(4.0, 8.0)
    assert blue in source
    assert int(blue[5:], 16) > int(blue[1:3], 16)  # more blue than red


def colours(picture: Picture) -> dict[str, str]:
    """By the id of a node what lies behind it."""
    return dict(re.findall(r"^\t+(\w+) \[label=<<table[^>]*bgcolor=\"(#\w{6})\"", picture.source, re.MULTILINE))


def test_nodes_are_coloured_by_what_one_asks_for() -> None:
    x, y = mp.Value(2.0, label="x"), mp.Value(-4.0, label="y")
    z = x * y
    z.backward()
    shown = {"n0": x, "n1": y, "n2": z}
    for kind, number in {"grad": "grad", "data": "data"}.items():
        largest = max([abs(getattr(node, number)) for node in shown.values()])
        found = {name: tint(getattr(node, number), largest) for name, node in shown.items()}
        assert colours(draw(z, tint=kind)) == found  # type: ignore[arg-type]
    share = colours(draw(z, tint="contribution"))
    assert share == {name: tint(-8.0, 8.0) for name in shown}  # 2 * -4, -4 * 2, -8 * 1
    assert colours(draw(z, tint=None)) == dict.fromkeys(shown, PAPER)
    assert colours(draw(z)) == colours(draw(z, tint="grad"))
    assert draw(z, tint="data").captions == ["colours tell the data: blue above 0, orange below, the deepest for 8"]
    assert draw(z, tint=None).captions == []


def test_before_the_backward_pass_only_data_has_colours() -> None:
    y = mp.Value(2.0) * 3.0
    assert set(colours(draw(y)).values()) == set(colours(draw(y, tint="contribution")).values()) == {PAPER}
    assert PAPER not in colours(draw(y, tint="data")).values()


def test_numbers_that_are_not_finite_have_the_full_colour() -> None:
    y = mp.Value(-1.0).log() + mp.Value(2.0)
    assert colours(draw(y, tint="data"))["n2"] == TINTS.neither


def test_nodes_look_as_the_user_wants() -> None:
    x, y = mp.Value(2.0, label="x"), mp.Value(-4.0, label="y")
    z = x * y
    picture = draw(z, node=lambda v: {"fill": "#202020", "color": "gold"} if v is x else None)
    assert colours(picture) == {"n0": "#202020", "n1": PAPER, "n2": PAPER}
    assert 'color="#ffd700"' in picture.source
    assert f'fontcolor="{PAPER}" id=n0' in picture.source  # light letters on a dark box
    assert draw(z, node={x: {"fill": "#202020", "color": "gold"}}).source == picture.source
    assert draw(z, node={mp.Value(0.0): {"fill": "gold"}, y: {}}).source == draw(z).source
    for shape in ("rounded", "ellipse", "circle", "diamond", "hexagon", "octagon"):
        assert parts(draw(z, node={z: {"shape": shape, "text": "#f00"}}), "node") == parts(draw(z), "node")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"colour": "red"}, "unknown key in draw.node=.*, 'colour'; did you mean 'color'"),
        ({"fill": "rred"}, "'fill' is 'rred'; did you mean 'red'"),
        ({"fill": 'red"]; evil'}, "expected a colour such as '#1f6fd0'"),
        ({"fill": "#12"}, "expected a colour such as"),
        ({"fill": None}, "'fill' is None; expected a colour"),
        ({"shape": "star"}, "unknown shape"),
    ],
)
def test_a_style_that_nobody_knows(given: Any, message: str) -> None:
    x = mp.Value(1.0)
    for wanted in ({x: given}, lambda _: given):
        with pytest.raises(ValueError, match=message):
            draw(x, node=wanted)


@pytest.mark.parametrize("wrong", ["red", {"x": {"fill": "red"}}, lambda _: "red", 3.0])
def test_what_is_no_style(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"draw\(node=.*expected"):
        draw(mp.Value(1.0), node=wrong)


def luminance(color: str) -> float:
    """Of a colour, as WCAG 2.2 defines it."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum([weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear)])


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("background", ["#ffffff", "#000000"])
def test_what_lies_outside_of_boxes_can_be_read_on_white_and_on_black(background: str) -> None:
    assert contrast(GREY, background) >= 4.5
    for line in LINES:
        assert contrast(line, background) >= 3.0


@pytest.mark.parametrize("behind", [PAPER, SHADE, *TINTS])
def test_what_lies_in_boxes_can_be_read(behind: str) -> None:
    assert contrast(INK, behind) >= 7.0


# ------------------------------------------------------------------------------------------------------------- folding


def batch(model: mp.MLP, nin: int, samples: int, values: bool) -> mp.Value:
    total = mp.Value(0.0)
    for i in range(samples):
        xs = [0.1 * (i + j) - 0.3 for j in range(nin)]
        out = model([mp.Value(x) for x in xs] if values else xs)
        total = total + mp.losses.mean_squared_error(
            out if isinstance(out, list) else [out], [1.0] * len(model.layers[-1].neurons)
        )
    return total


@settings(max_examples=60)
@given(
    st.integers(1, 3),
    st.lists(st.integers(1, 3), min_size=1, max_size=3),
    st.integers(1, 3),
    st.integers(0, 6),
    st.booleans(),
    st.booleans(),
    st.data(),
)
def test_folding_loses_no_node_no_parameter_and_no_edge(
    nin: int, sizes: list[int], samples: int, depth: int, values: bool, decay: bool, data: st.DataObject
) -> None:
    model = mp.MLP(nin, sizes, activation="tanh")
    loss = batch(model, nin, samples, values)
    if decay:
        loss = loss + sum([p * p for p in model.parameters()], mp.Value(0.0))
    nodes = under([loss])
    number = {node: i for i, node in enumerate(nodes)}
    paths = [f"model.{path}" if path else "model" for path, _ in model.named_modules()]
    opened = data.draw(st.lists(st.sampled_from(paths), max_size=2))
    modules: list[tuple[str, mp.Module]] = [("model", model)]
    folded = fold(nodes, [loss], modules, {}, number=number, limit=10**6, depth=depth, open=opened)
    members = [member for box in folded.boxes for member in box.members]
    assert len(members) == len(nodes)
    assert set(members) == set(nodes)
    home = {member: box for box in folded.boxes for member in box.members}
    uses = [(node, place, arg) for node in nodes for place, arg in enumerate(node.args) if isinstance(arg, mp.Value)]
    distinct = {  # into a node by itself each use, into a group each value
        (home[arg].id, home[node].id, id(arg), 0 if home[node].title else (id(node), place))
        for node, place, arg in uses
        if home[arg] is not home[node]
    }
    crossing = Counter([(tail, head) for tail, head, *_ in distinct])
    drawn: Counter[tuple[str, str]] = Counter()
    for edge in folded.edges:
        drawn[edge.tail, edge.head] += edge.count
    assert drawn == crossing
    assert len({edge.id for edge in folded.edges}) == len(folded.edges)
    assert len({box.id for box in folded.boxes}) == len(folded.boxes)
    owned = set(model.parameters())
    assert sum([box.parameters for box in folded.boxes if box.title]) == len(
        [member for box in folded.boxes if box.title for member in box.members if member in owned]
    )
    if depth > 5:  # three levels of modules, then the loss, then the mean in it, then long sums
        assert len(folded.boxes) == len(nodes)


def test_the_levels_of_a_network() -> None:
    model = mp.MLP(2, [3, 1])
    loss = (model([1.0, 2.0]) - 1.0) ** 2
    titles = [[box for box in parts(draw(loss, depth=depth), "node") if box[0] == "g"] for depth in range(4)]
    assert [len(boxes) for boxes in titles] == [1, 2, 4, 0]
    text = lines(draw(loss, depth=0), "node")
    assert "model" in text
    assert "4 neurons, 13 parameters, 34 nodes" in text
    assert any("folded: 36 nodes in 3 boxes" in caption for caption in draw(loss, depth=0).captions)


def test_boxes_open_by_name_and_by_module() -> None:
    model = mp.MLP(2, [3, 1])
    loss = (model([1.0, 2.0]) - 1.0) ** 2
    for one in ("model.layers.0", model.layers[0], [model.layers[0]]):
        text = lines(draw(loss, depth=0, open=one), "node")
        shown = [line for line in text if line.startswith("model")]
        assert sorted(shown) == [*[f"model.layers.0.neurons.{i}" for i in range(3)], "model.layers.1"]


def test_samples_of_a_batch() -> None:
    model = mp.MLP(2, [3, 1])
    loss = batch(model, 2, 4, False)
    text = lines(draw(loss, depth=0), "node")
    assert [line for line in text if line.startswith("sample")] == [f"sample {i}, model" for i in range(4)]
    assert "parameters of model" in text
    assert [count for count in lines(draw(loss, depth=0), "edge") if "×" in count] == ["×13"] * 4
    text = lines(draw(loss, depth=0, open="sample 2"), "node")
    assert "sample 2, model.layers.0" in text
    assert "sample 1, model" in text


def test_a_parameter_that_two_boxes_share_has_a_box_of_its_own() -> None:
    model = mp.MLP(1, [1, 1])
    decay = model([1.0]) + sum([p * p for p in model.parameters()], mp.Value(0.0))
    text = lines(draw(decay, depth=0), "node")
    assert "parameters of model" in text
    assert "4 parameters" in text


def test_a_large_graph_folds_by_itself_and_says_so() -> None:
    model = mp.MLP(100, [16, 10])
    loss = mp.losses.squared_error(model([mp.Value(0.1)] * 50 + [0.5] * 50), [0.0] * 10)
    picture = draw(loss)
    assert len(parts(picture, "node")) < 100
    assert any("folded: " in caption for caption in picture.captions)
    assert all(caption[:7] in picture.svg for caption in picture.captions)


def test_a_deep_chain_is_cut() -> None:
    x = v = mp.Value(0.0)
    for _ in range(80_000):
        v = v + x  # x is near, and so is drawn
    picture = draw(v)
    drawn = parts(picture, "node")
    assert len([name for name in drawn if name[0] == "n"]) == NEAREST
    more = sum([int(line.split()[1].replace(",", "")) for texts in drawn.values() for line in texts if "more" in line])
    assert more + NEAREST == 80_001
    assert f"{more:,} more nodes are not shown" in picture.svg


def test_long_edges_begin_at_a_name_and_none_is_lost() -> None:
    x = v = mp.Value(1.0)
    for _ in range(150):
        v = v * x
    picture = draw(v)
    nodes, edges = expected(v)
    drawn = parts(picture, "node")
    assert set(parts(picture, "edge")) == edges
    again = {name: text for name, text in drawn.items() if name not in nodes}
    assert {name.removeprefix("far-") for name in again} < edges
    assert set(map(tuple, again.values())) == {("x",)}
    assert any("long edges" in caption for caption in picture.captions)
    number = {node: i for i, node in enumerate(toposort(v))}
    whole = fold(toposort(v), [v], [], {}, number=number, limit=1000)
    assert long_edges(whole, 10**6) == set()
    assert len(long_edges(whole, 0)) == 149  # all but that to the first product, twice


def test_a_neuron_called_again_and_again_has_a_box_for_each_call() -> None:
    neuron = mp.Neuron(1, activation="tanh")
    out: Any = 0.5
    for _ in range(3):
        out = neuron([out])
    text = lines(draw(out, depth=0), "node")
    assert [line for line in text if "call" in line] == [f"neuron, call {i}" for i in range(3)]
    assert text.count("parameters of neuron") == 1
    assert [line for line in lines(draw(out, limit=2), "node") if "neuron" in line] == ["neuron"]


@given(expressions(max_nodes=20), st.integers(1, 25))
def test_the_nearest_are_so_many_and_the_rest_is_counted(expression: Expression, k: int) -> None:
    _, root = expression.build()
    nodes = toposort(root)
    number = {node: i for i, node in enumerate(nodes)}
    whole = fold(nodes, [root], [], {}, number=number, limit=100, open="+")
    near = nearest_boxes(whole, [root], k)
    assert len(near.boxes) == min(k, len(nodes))
    assert sum(near.hidden.values()) == len(nodes) - len(near.boxes)
    assert root in [box.members[0] for box in near.boxes]


def test_more_results_than_boxes() -> None:
    x = mp.Value(1.0)
    results = [mp.sin(x) * float(i) for i in range(20)]
    picture = draw(results, nearest=5)
    assert len([name for name in parts(picture, "node") if name[0] == "n"]) == 5
    assert "the 5 nodes nearest to the result; 36 more nodes are not shown" in picture.captions
    assert "the node nearest to the result; one more node is not shown" in draw(-x, nearest=1).captions


def test_only_the_paths_from_one_node() -> None:
    a, b = mp.Value(1.0), mp.Value(2.0)
    c = a * b
    d = c + mp.sin(b)
    e = d * 3.0
    picture = draw(e, path_from=a)
    assert set(parts(picture, "node")) == {f"n{toposort(e).index(x)}" for x in (a, c, d, e)} | {
        f"c{toposort(e).index(e)}-1"
    }
    assert any("only the paths" in caption for caption in picture.captions)
    with pytest.raises(ValueError, match=r"path_from=Value.*expected a Value that the result was made from"):
        draw(c, path_from=d)
    picture = draw([d, mp.sin(b)], path_from=a)  # which leads to one of the results
    assert set(parts(picture, "node")) == {"n0", "n2", "n4"}  # a, c, d


def test_a_parameter_that_is_not_on_the_paths_is_in_no_box() -> None:
    neuron, x = mp.Neuron(2, seed=1), mp.Value(0.5)
    with mp.scope("block"):
        out = neuron([x, 1.0]) * 2.0
    picture = draw(out, path_from=x, depth=0)
    assert picture.captions[1] == "folded: 6 nodes in 2 boxes; open one by its name, such as open='block'"


def test_neurons_that_no_variable_holds_are_called_alike_with_and_without_path_from() -> None:
    out = mp.MLP(2, [2, 1], seed=1)([1.0, 2.0])
    calls = [node for node in toposort(out) if node.scope is not None]
    weight = calls[1].scope.w[0]
    texts = [lines(draw(out, depth=0, names={}, path_from=start), "node") for start in (None, weight)]
    titles = [[text for text in found if text.startswith("neuron")] for found in texts]
    assert sorted(titles[0]) == ["neuron1", "neuron2", "neuron3"]
    assert sorted(titles[1]) == ["neuron2", "neuron3"]


# ------------------------------------------------------------------------------------------------------- safe and clear


NASTY = [
    '<b>&"\\N\\l</b>',
    "\\\\N &#92; &lt; \\",
    "</script><script>alert(1)</script>",
    "😀 é ∂ 漢字",
    "a" * 10_000,
    'x" onload="alert(1)',
    "]];}digraph",
    "a\nb\x00\x1b[31m\u202e\ud800",
    "-->",
    "<>",
    "%s{0}$",
]


@pytest.mark.parametrize("label", NASTY)
def test_nothing_gets_out_of_a_label(label: str) -> None:
    x = mp.Value(1.0, label=label)
    y = mp.Value(2.0, (x,), label or "op")
    plain = draw(mp.Value(2.0, (mp.Value(1.0, label="q"),), "op"), names={})
    picture = draw(y, names={})
    shown = parts(picture, "node")["n0"][0]
    assert len(shown) <= LONGEST
    assert shown == one_line(label, LONGEST)
    kinds = [[element.tag for element in ElementTree.fromstring(p.svg).iter()] for p in (picture, plain)]
    assert kinds[0] == kinds[1]


@given(st.text(max_size=60))
def test_any_name_gives_a_picture_of_the_same_shape(label: str) -> None:
    source = draw(mp.Value(1.0, label=label), names={}).source
    assert source.count("<table") == source.count("</table>") == 1
    source.encode()


def test_module_names_are_safe_too() -> None:
    name = 'm["<b>\\"]'
    model = mp.MLP(1, [1])
    svg = draw(model([1.0]) * 2.0, names={name: model}, depth=0).svg
    ElementTree.fromstring(svg)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"edges": "locale"}, "did you mean 'local'"),
        ({"tint": "gard"}, "unknown tint 'gard'; did you mean 'grad'"),
        ({"direction": "left"}, "direction='left'.: expected 'LR'"),
        ({"depth": -1}, r"depth=-1.: expected a whole number, 0 or more"),
        ({"nearest": 0}, r"nearest=0.: expected a whole number, 1 or more"),
        ({"limit": "many"}, r"limit='many'.: expected a whole number"),
        ({"open": "model"}, "it has no neurons"),
    ],
)
def test_a_wrong_argument(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw(mp.Value(1.0), **arguments)


def test_a_box_that_is_not_there() -> None:
    model = mp.MLP(1, [1])
    with pytest.raises(ValueError, match=r"'model.layer.0'; did you mean 'model.layers.0'"):
        draw(model([1.0]) * 2.0, open="model.layer.0")


@pytest.mark.parametrize("wrong", [3.0, "x", None, [mp.Value(1.0), 2.0]])
def test_only_values_are_drawn(wrong: Any) -> None:
    with pytest.raises(TypeError, match="expected a Value or a list of Values, got"):
        draw(wrong)


def test_a_model_is_to_be_called_first() -> None:
    with pytest.raises(TypeError, match=r"try draw\(model\(x\)\)"):
        draw(mp.MLP(1, [1]))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one"):
        draw([])


# ------------------------------------------------------------------------------------------------------ shown and saved


@pytest.mark.parametrize(
    ("name", "start"),
    [("x.svg", b"<?xml"), ("x.PNG", b"\x89PNG"), ("x.pdf", b"%PDF"), ("x.dot", b"digraph"), ("x.gv", b"digraph")],
)
def test_saved_by_the_ending_of_the_name(name: str, start: bytes, tmp_path: Path) -> None:
    draw(mp.Value(1.0)).save(tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)
    assert len(os.listdir(tmp_path)) == 1


@pytest.mark.parametrize("name", ["x.gif", "x", ".svg", "svg"])
def test_an_unknown_ending_writes_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected a name that ends in .svg, .png, .pdf"):
        draw(mp.Value(1.0)).save(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="does not exist; make it first"):
        draw(mp.Value(1.0)).save(tmp_path / "no" / "x.svg")


def test_a_failing_renderer_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.svg"
    path.write_text("old")

    def fail(*_: Any, **__: Any) -> bytes:
        raise RuntimeError("no Graphviz")

    monkeypatch.setattr(images, "render", fail)
    with pytest.raises(RuntimeError, match="no Graphviz"):
        draw(mp.Value(1.0)).save(path)
    assert path.read_text() == "old"
    assert draw(mp.Value(1.0))._repr_mimebundle_() == {"text/plain": "<Picture of 1 node>, not drawn: no Graphviz"}


def test_in_a_notebook_it_is_an_image_that_needs_no_trust() -> None:
    bundle = draw(mp.Value(1.0))._repr_mimebundle_()
    assert 'src="data:image/svg+xml,' in bundle["text/html"]
    assert "<script" not in bundle["text/html"]
    assert bundle["text/plain"] == "<Picture of 1 node>"


def test_from_plain_python_a_browser_shows_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(images, "mkdtemp", lambda prefix: str(tmp_path))
    shown: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: shown.append(url) or True)  # type: ignore[func-returns-value]
    page = draw(mp.Value(1.0)).view()
    assert shown == [page.as_uri()]
    assert "data:image/svg+xml," in page.read_text()
    monkeypatch.setattr("webbrowser.open", lambda _: False)
    with pytest.raises(RuntimeError, match="no browser on this machine: the picture lies in"):
        draw(mp.Value(1.0)).view()


def test_the_time_limit_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "render", lambda *_, timeout: str(timeout).encode())
    assert draw(mp.Value(1.0), timeout=7.0).svg == "7.0"
    assert draw(mp.Value(1.0)).svg == str(rendering.TIMEOUT)


# ------------------------------------------------------------------------------------------------- what stands where


@given(expressions(max_nodes=12))
def test_the_source_tells_where_each_node_is(expression: Expression) -> None:
    _, root = expression.build()
    root.backward()
    picture = draw(root, names={}, open="+")
    order = toposort(root)
    assert [picture.source.count(f" id=n{i}]") for i in range(len(order))] == [1] * len(order)
    assert all(picture._texts[f"n{i}"][-2:] == ["data", "grad"] for i in range(len(order)))
    assert picture.source.count("<tr><td") >= len(order)


def test_lines_of_text_have_classes() -> None:
    x = mp.Value(1.0, label="x")
    y = mp.sin(x)
    y.backward()
    svg = draw(y, names={}, tint=None).svg
    classes = [text.get("class") for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert classes == ["name", "data", "grad", "op", "data", "grad"]
