"""Pictures of networks hold every neuron and weight once, well-formed, whatever the labels."""

from __future__ import annotations

import base64
import importlib.util
import math
import re
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image  # Matplotlib brings it

import micrograd_plus as mp
from micrograd_plus import MLP, Layer, Neuron
from micrograd_plus.networks.compact import compacted
from micrograd_plus.networks.drawing import GREYS, draw_network
from micrograd_plus.networks.scenes import CROWD, Drawing, _on_paper
from micrograd_plus.networks.shapes import RGBA, Box, Circle, Line, Pixels, Text, clean, elements
from micrograd_plus.networks.weights import draw_weights
from micrograd_plus.networks.wishes import nudges
from micrograd_plus.pictures.form import MARK, MIDDLE, WEIGHTS, rgb

SVG = "{http://www.w3.org/2000/svg}"
needs_matplotlib = pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="PNG and PDF need matplotlib")


def parts(drawing: Drawing, kind: type[Any]) -> list[Any]:
    return [shape for shape in drawing.shapes if isinstance(shape, kind)]


def texts(drawing: Drawing) -> list[str]:
    return [text.text for text in parts(drawing, Text)]


def weight_lines(drawing: Drawing) -> list[Line]:
    return [line for line in parts(drawing, Line) if line.x2 - line.x1 > 18.5]  # the legend's are shorter


def neurons(drawing: Drawing) -> list[Circle]:
    return [circle for circle in parts(drawing, Circle) if circle.title]


def root(drawing: Drawing) -> Element:
    return fromstring(drawing.svg)


def inside(drawing: Drawing) -> bool:
    """Whether nothing is cut off, a letter taken to be as wide as those of DejaVu Sans are on average."""
    for shape in drawing.shapes:
        if isinstance(shape, Text):
            wide = 0.57 * shape.size * len(shape.text)
            left = shape.x - {"start": 0.0, "middle": wide / 2, "end": wide}[shape.anchor]
            box = (left, shape.y - shape.size / 2, left + wide, shape.y + shape.size / 2)
        elif isinstance(shape, Circle):
            box = (shape.x - shape.r, shape.y - shape.r, shape.x + shape.r, shape.y + shape.r)
        elif isinstance(shape, (Box, Pixels)):
            box = (shape.x, shape.y, shape.x + shape.width, shape.y + shape.height)
        else:
            continue
        if box[0] < 0 or box[1] < 0 or box[2] > drawing.width or box[3] > drawing.height:
            return False
    return True


sizes = st.lists(st.integers(1, 20), min_size=2, max_size=5)


@settings(max_examples=40)
@given(sizes, st.integers(2, 24), st.booleans(), st.integers(0, 99))
def test_each_shown_neuron_and_each_weight_between_them_is_drawn_once(
    sizes: list[int], shown: int, awake: bool, seed: int
) -> None:
    model = MLP(sizes[0], sizes[1:], activation="tanh", seed=seed)
    x = [math.sin(i + seed) for i in range(sizes[0])] if awake else None
    drawing = draw_network(model, x, shown=shown, image=False)
    kept = [min(size, shown) for size in sizes]
    assert len(neurons(drawing)) == sum(kept)
    assert len({(circle.x, circle.y) for circle in neurons(drawing)}) == sum(kept)
    lines = weight_lines(drawing)
    assert len(lines) == len(set(lines)) == sum(a * b for a, b in pairwise(kept))
    assert len(parts(drawing, Circle)) - len(neurons(drawing)) == 3 * sum(size > shown for size in sizes)
    assert inside(drawing)
    svg = root(drawing)
    drawn = [path.attrib["d"] for path in svg.findall(f"{SVG}path")]
    assert "".join(drawn).count("M") == len(parts(drawing, Line))
    assert len(svg.findall(f"{SVG}circle")) == len(parts(drawing, Circle))
    assert [element.text or "" for element in svg.findall(f"{SVG}text")] == texts(drawing)


def test_lines_are_coloured_by_sign_and_grow_with_strength() -> None:
    model = MLP(4, [1], seed=1)
    for weight, number in zip(model.layers[0].neurons[0].w, (2.0, -1.0, 0.0, math.nan)):
        weight.data = number
    lines = sorted(weight_lines(draw_network(model)), key=lambda line: line.y1)
    assert [line.colour for line in lines] == [WEIGHTS.positive, WEIGHTS.negative, MIDDLE, MIDDLE]
    strong, weak, none, unknown = lines
    assert strong.width > weak.width > none.width
    assert strong.opacity > weak.opacity > none.opacity > 0
    assert unknown.width == strong.width  # what is nan should be seen


def test_the_legend_says_what_a_grey_is_where_there_are_any() -> None:
    model = mp.MLP(2, [3, 1], seed=1)
    rest, shown, wanted = draw_network(model), draw_network(model, [0.0, 1.0]), nudges(model, [0.0, 1.0], [1.0]).draw()
    told = [[part.text for part in parts(drawing, Text)] for drawing in (rest, shown, wanted)]
    assert [GREYS in words for words in told] == [False, True, True]
    assert all(part.y < drawing.height for drawing in (rest, shown, wanted) for part in parts(drawing, Text))


def test_activations_are_grey_with_their_number() -> None:
    model = MLP(5, [1], seed=1)
    drawing = draw_network(model, [0.0, 1.0, 0.5, 0.25, 0.871])
    assert [circle.fill for circle in neurons(drawing)[:5]] == ["#000000", "#ffffff", "#808080", "#404040", "#dedede"]
    assert {"0.00", "1.00", "0.50", "0.25", "0.87"} <= set(texts(drawing))
    assert neurons(drawing)[5].title.startswith("layers.0.neurons.0, bias 0, activation ")
    wide = neurons(draw_network(model, [-2.0, 2.0, 0.0, math.nan, math.inf]))
    assert [circle.fill for circle in wide[:5]] == ["#000000", "#ffffff", "#808080", "#808080", "#ffffff"]
    assert {circle.fill for circle in neurons(draw_network(model))} == {"none"}


@given(st.lists(st.floats(), min_size=16, max_size=16), st.lists(st.floats(), min_size=4, max_size=4))
@example([0.0] * 16, [1.7e308, -1.7e308, math.inf, math.nan])
def test_any_numbers_draw(weights: list[float], x: list[float]) -> None:
    model = MLP(4, [3, 1], activation="tanh", seed=1)
    for parameter, number in zip(model.parameters(), weights):
        parameter.data = number
    for drawing in (
        draw_network(model, x, image=True),
        draw_weights(model.layers[0]),
        nudges(model, x, weights[0]).draw(),
    ):
        assert inside(drawing)
        fromstring(drawing.svg)
        assert not re.search(r'="-?(nan|inf)', drawing.svg)


def test_the_strongest_output_is_marked_and_a_draw_is_not() -> None:
    model = MLP(1, [3], seed=1)
    for i, neuron in enumerate(model.layers[0].neurons):
        neuron.w[0].data = [1.0, 3.0, 2.0][i]

    def winners(x: float) -> list[str]:
        drawing = draw_network(model, [x], labels=["cat", "dog", "cow"])
        assert len([box for box in parts(drawing, Box) if box.stroke == MARK]) == any(
            text.bold for text in parts(drawing, Text)
        )
        return [text.text for text in parts(drawing, Text) if text.bold]

    assert winners(1.0) == ["dog"]
    assert winners(-1.0) == ["cat"]
    assert winners(0.0) == []
    assert winners(math.nan) == []
    assert [t.text for t in parts(draw_network(MLP(1, [1], seed=1), [1.0]), Text) if t.bold] == []


def test_a_winner_that_is_left_out_is_named_beside_the_dots() -> None:
    model = MLP(1, [30], seed=1)
    model.layers[0].neurons[12].w[0].data = 5.0
    drawing = draw_network(model, [1.0])
    (label,) = [text for text in parts(drawing, Text) if text.bold]
    dots = [circle for circle in parts(drawing, Circle) if not circle.title]
    assert label.text == "12"
    assert label.y == dots[1].y
    assert inside(drawing)


def test_the_digit_is_shown_where_the_inputs_are_a_square() -> None:
    digit = mp.data.load_digits().images[0]
    model = MLP(64, [16, 16, 10], activation="sigmoid", output="sigmoid", seed=1)
    drawing = draw_network(model, digit)
    (picture,) = parts(drawing, Pixels)
    greys = [pixel[0] for row in picture.rows for pixel in row]
    assert greys == [round(255 * ink) for ink in digit]
    assert len(neurons(drawing)) == 16 + 16 + 16 + 10
    assert inside(drawing)
    assert parts(draw_network(model, digit, image=False), Pixels) == []
    assert parts(draw_network(model), Pixels) == []
    assert parts(draw_network(MLP(9, [1]), [1.0] * 9), Pixels) == []
    assert len(parts(draw_network(MLP(9, [1]), [1.0] * 9, image=True), Pixels)) == 1


def test_784_inputs_show_their_first_and_last_eight() -> None:
    model = MLP(784, [16, 16, 10], activation="sigmoid", output="sigmoid", seed=1)
    drawing = draw_network(model, [0.5] * 784)
    names = [circle.title.split(",")[0] for circle in neurons(drawing)[:16]]
    assert names == [f"input {i}" for i in (*range(8), *range(776, 784))]
    assert "784 inputs" in texts(drawing)
    assert len(drawing.svg) < 150_000
    assert inside(drawing)


NASTY = ["<b>&\"'\\", "]]></svg></script>", "\x00\x07\ud800\ufffe", "😀", "$a_{$", "x" * 10_000, ""]


@given(st.lists(st.text(max_size=30) | st.sampled_from(NASTY), min_size=3, max_size=3))
def test_labels_stay_text(labels: list[str]) -> None:
    drawing = draw_network(MLP(2, [3], seed=1), [1.0, 2.0], labels=labels)
    tags = {element.tag.removeprefix(SVG) for element in root(drawing).iter()}
    assert tags == {"svg", "title", "path", "circle", "rect", "text"}
    drawing.svg.encode()
    assert inside(drawing)


def test_long_labels_are_shortened() -> None:
    drawing = draw_network(MLP(1, [2], seed=1), labels=["x" * 10_000, 7])
    assert "x" * 23 + "…" in texts(drawing)
    assert "7" in texts(drawing)
    assert drawing.width < 600


def test_it_shows_itself_in_jupyter_as_an_image() -> None:
    drawing = draw_network(MLP(2, [3, 1], seed=1))
    bundle = drawing._repr_mimebundle_()
    assert bundle["text/plain"] == "<Drawing of a network 2-3-1, 456 x 260>"
    match = re.fullmatch(
        r'<style>[^<]*</style><div [^>]*><img alt="a network 2-3-1; 9 weights[^"]*" src="data:image/svg\+xml,([^"]+)" '
        r'class="micrograd-plus-image" style=".*"/></div>',
        bundle["text/html"],
    )
    assert match is not None
    shown, saved = fromstring(unquote(match[1])), root(drawing)
    assert not shown.findall(f".//{SVG}title")  # an image shows none
    assert all(written(shown, kind) == written(saved, kind) for kind in ("circle", "text", "rect"))
    assert segments(shown) == pytest.approx(segments(saved), abs=0.01)


def written(svg: Any, kind: str) -> list[tuple[list[tuple[str, str]], str]]:
    """The elements of a kind, each with what it says and what its group says for it."""
    groups = {child: group.attrib for group in svg.iter(f"{SVG}g") for child in group}
    return sorted(
        [(sorted((groups.get(part, {}) | part.attrib).items()), part.text or "") for part in svg.iter(f"{SVG}{kind}")]
    )


def segments(svg: Any) -> dict[tuple[Any, ...], float]:
    """Each straight line of the paths, its look and its ends in either order, after all transforms; and its width."""
    groups = {child: group for group in svg.iter(f"{SVG}g") for child in group}
    found: dict[tuple[Any, ...], float] = {}
    for path in svg.iter(f"{SVG}path"):
        around = [path]
        while around[-1] in groups:
            around.append(groups[around[-1]])
        said = {name: text for each in reversed(around) for name, text in each.attrib.items()}
        moved = re.fullmatch(r"translate\((\S+) (\S+)\)scale\((\S+)\)", said.get("transform", "translate(0 0)scale(1)"))
        assert moved is not None
        left, top, scale = map(float, moved.groups())
        opacity = float(said.get("stroke-opacity", said.get("opacity", 1)))
        for trail in path.attrib["d"].removeprefix("M").split("M"):
            places = [float(number) for number in trail.split()]
            points = [
                (round(left + scale * x, 1), round(top + scale * y, 1)) for x, y in zip(places[::2], places[1::2])
            ]
            assert len(points) > 1
            width = scale * float(said["stroke-width"])
            found |= {(said["stroke"], opacity, *sorted(ends)): width for ends in pairwise(points)}
    return found


def test_lines_on_a_grid_are_counted_in_its_steps() -> None:
    drawing = draw_network(MLP(6, [8, 4], seed=1), [0.1 * i for i in range(6)])
    match = re.search(r'src="data:image/svg\+xml,([^"]+)"', drawing._repr_html_())
    assert match is not None
    shown = fromstring(unquote(match[1]))
    style, lines = shown[:2]
    assert "prefers-color-scheme:dark" in str(style.text)
    assert "scale" in lines.attrib["transform"]
    assert all(
        float(number).is_integer()
        for path in lines.iter(f"{SVG}path")
        for number in re.findall(r"[\d.]+", path.attrib["d"])
    )
    assert segments(shown) == pytest.approx(segments(root(drawing)), abs=0.01)


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 4), min_size=1, max_size=30))
def test_lines_in_few_letters_are_the_same_lines(ends: list[tuple[int, int, int, int]]) -> None:
    lines = [Line(*each, "red") for each in ends]
    whole, few = [fromstring(f'<svg xmlns="{SVG[1:-1]}">{"".join(f(lines))}</svg>') for f in (elements, compacted)]
    assert segments(few) == segments(whole)
    drawn = "".join([path.attrib["d"] for path in few.iter(f"{SVG}path")])
    assert len(re.findall(r"\d+ \d+", drawn)) - drawn.count("M") == len(ends)  # each once


def test_images_of_one_size_are_one_of_which_each_shows_its_part() -> None:
    black, white = (0, 0, 0, 255), (255, 255, 255, 255)
    images = [Pixels(10 * i, 0, 8, 8, ((colour,), (black,))) for i, colour in enumerate((black, white, black))]
    svg = fromstring(f'<svg xmlns="{SVG[1:-1]}">{"".join(compacted([*images, Pixels(0, 9, 8, 8, ((white,),))]))}</svg>')
    first, second = svg.findall(f".//{SVG}image")
    assert [each.attrib["height"] for each in (first, second)] == ["6", "1"]
    parts = svg.findall(f"{SVG}svg")
    assert [part.attrib["viewBox"] for part in parts] == ["0 0 1 2", "0 2 1 2", "0 4 1 2", "0 0 1 1"]
    used = [part.find(f"{SVG}use").attrib["href"] for part in parts]  # type: ignore[union-attr]
    assert used == [f"#{first.attrib['id']}"] * 3 + [f"#{second.attrib['id']}"]


def test_the_png_of_a_crowd_of_lines_has_the_strong_ones() -> None:
    drawing = draw_network(MLP(16, [16, 4], seed=1), [0.5] * 16, image=False)
    kept = [shape for shape in _on_paper(drawing.shapes) if isinstance(shape, Line) and not shape.smooth]
    lines = sorted(weight_lines(drawing), key=lambda line: -line.opacity)
    assert len(lines) > CROWD >= len(kept) > CROWD / 2
    assert {ends(line) for line in kept} == {ends(line) for line in lines[: len(kept)]}
    few = draw_network(MLP(4, [4, 4], seed=1)).shapes
    assert len(_on_paper(few)) == len(few)


def ends(line: Line) -> tuple[float, ...]:
    return line.x1, line.y1, line.x2, line.y2


# ------------------------------------------------------------------------------------------------------------- weights


def test_a_neurons_weights_are_blue_orange_and_nothing() -> None:
    neuron = Neuron(4, seed=1)
    for weight, number in zip(neuron.w, (2.0, -2.0, 0.0, 1.0)):
        weight.data = number
    image, bar = parts(draw_weights(neuron), Pixels)
    (positive, negative), (zero, half) = image.rows
    assert "#{:02x}{:02x}{:02x}".format(*positive[:3]) == WEIGHTS.positive
    assert "#{:02x}{:02x}{:02x}".format(*negative[:3]) == WEIGHTS.negative
    assert [pixel[3] for pixel in (positive, negative, zero, half)] == [255, 255, 0, 128]
    assert (bar.rows[0][0], bar.rows[0][-1]) == (negative, positive)
    assert {"-2", "0", "+2"} <= set(texts(draw_weights(neuron)))
    (image, _) = parts(draw_weights(neuron, scale=4.0), Pixels)
    assert image.rows[0][0][3] == 128
    neuron.w[3].data = math.nan
    assert parts(draw_weights(neuron), Pixels)[0].rows[1][1] == (*rgb(WEIGHTS.neither), 255)


@pytest.mark.parametrize(("nin", "nout", "shape"), [(784, 16, (28, 28)), (64, 1, (8, 8)), (1, 40, (1, 1))])
def test_a_layer_is_a_grid_of_images(nin: int, nout: int, shape: tuple[int, int]) -> None:
    drawing = draw_weights(Layer(nin, nout, seed=1))
    images = parts(drawing, Pixels)[:-1]
    assert len({(image.x, image.y) for image in images}) == len(images) == nout
    assert {(len(image.rows), len(image.rows[0])) for image in images} == {shape}
    assert len(root(drawing).findall(f"{SVG}image")) == nout + 1
    assert inside(drawing)


def test_any_shape_when_asked_for() -> None:
    image = parts(draw_weights(Neuron(6, seed=1), shape=(2, 3)), Pixels)[0]
    assert (len(image.rows), len(image.rows[0])) == (2, 3)
    assert image.width / image.height == pytest.approx(1.5)


def test_weights_of_zero_and_infinity_draw() -> None:
    neuron = Neuron(4, init="zeros")
    assert {pixel[3] for row in parts(draw_weights(neuron), Pixels)[0].rows for pixel in row} == {0}
    neuron.w[0].data = -math.inf
    assert parts(draw_weights(neuron), Pixels)[0].rows[0][0][3] == 255


@given(st.integers(1, 6), st.integers(1, 6), st.booleans(), st.data())
def test_an_image_is_the_png_of_its_pixels(width: int, height: int, bare: bool, data: st.DataObject) -> None:
    byte = st.integers(0, 255)
    line = st.lists(st.tuples(byte, byte, byte, byte), min_size=width, max_size=width).map(tuple)
    shows(tuple(data.draw(st.lists(line, min_size=height, max_size=height))), bare=bare)


@pytest.mark.parametrize("count", [256, 257])
def test_an_image_of_many_colours_keeps_them(count: int) -> None:
    shows((tuple([(i % 256, i // 256, 7, i % 251) for i in range(count)]),), bare=True)


def shows(rows: tuple[tuple[RGBA, ...], ...], *, bare: bool) -> None:
    """Whether the PNG has these pixels: each once, or as a block of them."""
    drawn = Pixels(0, 0, 10, 10, rows)
    source = (compacted([drawn])[0] if bare else drawn.svg()).split("base64,")[1].split('"')[0]
    image = Image.open(BytesIO(base64.b64decode(source))).convert("RGBA")
    scale = image.width // len(rows[0])
    assert image.size == (scale * len(rows[0]), scale * len(rows))
    assert scale == 1 if bare else scale > 15
    for x in range(image.width):
        for y in range(image.height):
            assert image.getpixel((x, y)) == rows[y // scale][x // scale]


# -------------------------------------------------------------------------------------------------------------- saving


def test_svg_and_html_are_saved(tmp_path: Path) -> None:
    drawing = draw_network(MLP(2, [2], seed=1), [1.0, 2.0], labels=["<i>", "é😀"])
    drawing.save(tmp_path / "x.svg")
    assert (tmp_path / "x.svg").read_text(encoding="utf-8") == drawing.svg
    drawing.save(str(tmp_path / "x.HTML"))
    page = (tmp_path / "x.HTML").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert drawing.svg in page


@needs_matplotlib
@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_png_and_pdf_are_saved(tmp_path: Path, ending: str, magic: bytes) -> None:
    path = tmp_path / f"x.{ending}"
    model = MLP(16, [3], seed=1)
    drawings = [draw_network(model, [0.5] * 16, labels=NASTY[2:5]), draw_weights(model.layers[0])]
    wanted = nudges(model, [0.5] * 16, [0.0] * 3).draw()
    for drawing in (*drawings, wanted):
        drawing.save(path)
        assert path.read_bytes().startswith(magic)
        assert len(path.read_bytes()) > 5_000


@needs_matplotlib
def test_a_png_has_the_pictures_colours_and_no_background(tmp_path: Path) -> None:
    image = pytest.importorskip("matplotlib.image")
    red, clear = (255, 0, 0, 255), (0, 0, 0, 0)
    Drawing(40, 20, (Pixels(0, 0, 20, 20, ((red, clear),)), Circle(30, 10, 5, "#00ff00")), "a test").save(
        tmp_path / "x.png"
    )
    rows = image.imread(tmp_path / "x.png")
    assert rows.shape == (40, 80, 4)
    assert [list(rows[20, x]) for x in (10, 60)] == [[1, 0, 0, 1], [0, 1, 0, 1]]
    assert [rows[20, x][3] for x in (30, 75)] == [0, 0]


def test_an_unknown_ending_or_folder_is_an_error(tmp_path: Path) -> None:
    drawing = draw_network(MLP(1, [1], seed=1))
    with pytest.raises(ValueError, match=r"'\.svgz'; did you mean '\.svg'"):
        drawing.save(tmp_path / "x.svgz")
    with pytest.raises(ValueError, match=r"known are \.html, \.pdf, \.png, \.svg"):
        drawing.save(tmp_path / "x")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        drawing.save(tmp_path / "none" / "x.svg")
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_png_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'micrograd-plus\[plot\]'"):
        draw_network(MLP(1, [1], seed=1)).save(tmp_path / "x.png")


# -------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: draw_network(Neuron(2)), TypeError, "expected an MLP or a list of Layers, got Neuron"),  # type: ignore[arg-type]
        (lambda: draw_network(MLP(2, [1]), [1.0]), ValueError, "x has 1 numbers; expected 2"),
        (lambda: draw_network(MLP(4, [1]), [[1.0, 2.0], [3.0, 4.0]]), ValueError, "rows must stand in one list"),  # type: ignore[list-item]
        (lambda: draw_network(MLP(2, [1]), "ab"), TypeError, r"x='ab'\): expected a list of 2 numbers"),  # type: ignore[arg-type]
        (lambda: draw_network(MLP(2, [3]), labels=["a"]), ValueError, "1 labels; expected 3"),
        (lambda: draw_network(MLP(2, [3]), labels="abc"), TypeError, "expected a list, such as"),
        (lambda: draw_network(MLP(2, [3]), [1.0, 2.0], image=True), ValueError, "2 inputs are no square"),
        (lambda: draw_network(MLP(2, [3]), shown=1), ValueError, r"shown=1\): expected a whole number of at least 2"),
        (lambda: draw_weights(MLP(4, [1])), TypeError, r"got MLP; give one of its layers, such as model.layers\[0\]"),  # type: ignore[arg-type]
        (lambda: draw_weights(Neuron(12)), ValueError, r"12 weights are no square image; .* shape=\(3, 4\)"),
        (lambda: draw_weights(Neuron(12), shape=(3, 3)), ValueError, "9 pixels; expected 12"),
        (lambda: draw_weights(Neuron(4), scale=0.0), ValueError, "scale=0.0.: expected a positive number"),
    ],
)
def test_errors_quote_and_show_the_way_out(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


@given(st.text())
def test_clean_text_parses_back(text: str) -> None:
    assert (fromstring(f"<a>{clean(text)}</a>").text or "") == re.sub(
        "[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]", "�", text
    )


def test_what_computes_in_its_own_way_is_not_drawn_as_if_it_did_not() -> None:
    class Scaled(mp.MLP):
        def __call__(self, x: Any) -> Any:
            return super().__call__([2 * v for v in x])

    class Residual(mp.Layer):
        def __call__(self, x: Any) -> Any:
            return [out + own for out, own in zip(super().__call__(x), x)]

    model = mp.MLP(2, [2, 2], seed=1)
    model.layers[0] = Residual(2, 2, seed=3)
    for own, name in ((Scaled(2, [3, 2], seed=1), "Scaled"), (model, "Residual")):
        with pytest.raises(TypeError, match=f"nudges: {name} has a __call__ of its own"):
            mp.nudges(own, [0.5, -0.3], [0.0, 1.0])
        with pytest.raises(TypeError, match=f"draw_network: {name} has a __call__ of its own"):
            mp.draw_network(own, [0.5, -0.3])
        assert mp.draw_network(own)  # without an example, its weights alone
