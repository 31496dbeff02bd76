"""Take screenshots of everything that is drawn, to be looked at: before a change and after it.

    python benchmarks/screenshots.py FOLDER
    python benchmarks/screenshots.py FOLDER --only draw --widths 380 --themes dark

What people look at: a neuron, MLP(2, [4, 4, 1]) with its loss, softmax with cross-entropy, a batch, and 784-16-16-10.
Each is drawn as a graph, as a stepper at three moments, as a film, the models also as networks, the last one with its
weights and with what an example wants; then a history and the film of a training. Each at three widths, light and dark,
as a notebook or a browser shows it. Needs Graphviz, Matplotlib, Chromium on the PATH, and Playwright. Some minutes.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import micrograd_plus as mp

WIDTHS = (380, 1024, 1920)
HEIGHTS = {380: 760, 1024: 768, 1920: 1080}
THEMES = ("light", "dark")
# a notebook's cell: JupyterLab's attribute and its colours
CELL = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<body data-jp-theme-light="{is_light}" style="margin: 8px; background: {back}; color: {text}; font: 14px sans-serif">
{html}</body></html>"""
GROUNDS = {
    "light": {"is_light": "true", "back": "#ffffff", "text": "#222"},
    "dark": {"is_light": "false", "back": "#111111", "text": "#ddd"},
}
MOMENTS = {  # of a stepper: the leaves alone, the middle of the way back, the end
    "opened": "0",
    "halfway": "made.length + Math.round(steps.length / 2)",
    "ended": "final",
}


class Subject(NamedTuple):
    """What is looked at: a graph and, where it has one, its model with an input and a target."""

    loss: mp.Value
    model: mp.MLP | None = None
    x: list[float] | None = None
    target: list[float] | None = None


def neuron() -> Subject:
    out = mp.Neuron(2, activation="tanh", seed=1)([0.5, -1.0])
    return _passed(Subject(out))


def mlp() -> Subject:
    model = mp.MLP(2, [4, 4, 1], seed=1)
    x = [0.5, -1.0]
    return _passed(Subject((model(x) - 1.0) ** 2, model, x, [1.0]))


def cross_entropy() -> Subject:
    logits = [mp.Value(number, label=f"logit {i}") for i, number in enumerate((1.0, -0.5, 2.0))]
    probabilities = mp.softmax(logits)
    return _passed(Subject(0.0 - mp.log(probabilities[2])))


def batch() -> Subject:
    model = mp.MLP(2, [3, 1], seed=1)
    xs = [[0.5, -1.0], [1.0, 2.0], [-1.5, 0.25]]
    return _passed(Subject(mp.losses.mean_squared_error([model(x) for x in xs], [1.0, 0.0, -1.0])))


def digits() -> Subject:
    model = mp.MLP(784, [16, 16, 10], activation="sigmoid", output="sigmoid", init="xavier", seed=1)
    x = [max(0.0, 1.0 - abs(((i % 28) - 14) ** 2 + ((i // 28) - 14) ** 2 - 60) / 50) for i in range(784)]
    target = [float(i == 0) for i in range(10)]
    return _passed(Subject(mp.losses.squared_error(model(x), target), model, x, target))


def _passed(subject: Subject) -> Subject:
    subject.loss.backward()
    return subject


SUBJECTS: dict[str, Callable[[], Subject]] = {
    "neuron": neuron,
    "mlp": mlp,
    "cross-entropy": cross_entropy,
    "batch": batch,
    "digits": digits,
}


def cells(name: str, it: Subject) -> Iterator[tuple[str, str]]:
    """What a notebook's cell shows of a subject: its name, and HTML."""
    names = {"model": it.model} if it.model is not None else None
    yield f"draw-{name}", mp.draw(it.loss, names=names)._repr_html_()
    if name != "digits":
        yield f"draw-{name}-edges", mp.draw(it.loss, names=names, edges="contribution", open="+")._repr_html_()
    if it.model is not None and it.x is not None and it.target is not None:
        yield f"network-{name}", mp.draw_network(it.model, it.x)._repr_html_()
        yield f"nudges-{name}", mp.nudges(it.model, it.x, it.target)._repr_html_()
    if name == "digits" and it.model is not None:
        yield "weights-digits", mp.draw_weights(it.model.layers[0])._repr_html_()


def trained() -> Any:
    """The history of a training on moons, with snapshots."""
    points, labels = mp.data.make_moons(40, noise=0.1, seed=1)
    model = mp.MLP(2, [8, 8, 1], seed=1)

    def cost(x: Any, y: Any) -> Any:
        return mp.losses.hinge(model(x), y)

    optimizer = mp.optim.Adam(model.parameters(), lr=0.05)
    data = (points, [2 * label - 1 for label in labels])
    return mp.fit(cost, data, optimizer, batch_size=20, epochs=25, accuracy=model, record=2, progress=False, seed=1)


def shots(only: str, folder: Path) -> Iterator[tuple[str, Path | str, bool]]:
    """What is to be photographed: a name, a file or HTML for a cell, and whether it is a stepper."""
    for name, make in SUBJECTS.items():
        if not any(only in kind + name for kind in ("draw-", "network-", "nudges-", "weights-", "step-", "film-")):
            continue
        it = make()
        yield from [(label, html, False) for label, html in cells(name, it) if only in label]
        steps = mp.backprop(it.loss)
        for kind, ending in (("step", "html"), ("film", "svg")):
            if only in f"{kind}-{name}":
                file = folder / f"{kind}-{name}.{ending}"
                steps.save(file)
                yield f"{kind}-{name}", file, kind == "step"
    if only in "history training":
        history = trained()
        yield "history", history._repr_html_(), False
        file = folder / "training.html"
        history.film().save(file)
        yield "training", file, False


def photograph(browser: Any, folder: Path, only: str, widths: list[int], themes: list[str]) -> None:
    for name, shown, is_stepper in shots(only, folder):
        for theme in themes:
            file = shown if isinstance(shown, Path) else folder / f"{name}.{theme}.html"
            if isinstance(shown, str):
                file.write_text(CELL.format(html=shown, **GROUNDS[theme]), encoding="utf-8")
            for width in widths:
                size = {"width": width, "height": HEIGHTS[width]}
                tab = browser.new_page(viewport=size, color_scheme=theme, reduced_motion="reduce")
                tab.goto(file.as_uri())
                tab.wait_for_timeout(300)
                for moment, at in MOMENTS.items() if is_stepper else [("", "")]:
                    if moment:
                        tab.evaluate(f"() => go({at})")
                        tab.wait_for_timeout(150)
                    label = f"{name}-{moment}" if moment else name
                    tab.screenshot(path=folder / f"{label}.{width}.{theme}.png", full_page=file.suffix != ".svg")
                tab.close()
        print(name, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="a part of the names of what is wanted, such as step or mlp")
    parser.add_argument("--widths", type=int, nargs="+", default=WIDTHS, choices=WIDTHS)
    parser.add_argument("--themes", nargs="+", default=THEMES, choices=THEMES)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        photograph(browser, asked.folder.resolve(), asked.only, asked.widths, asked.themes)
        browser.close()


if __name__ == "__main__":
    main()
