"""Time the stepper's page: until a cell shows it, until it is written, until it is seen, and how long a step takes.

    python benchmarks/stepper.py
    python benchmarks/stepper.py --in-view

A graph of 10 nodes; one of 100, all of them shown; one of 700; and one of 40,000, which folds to some 700 boxes. A cell
is timed by the processor, too, with the processes that it starts, which other work on the machine does not change. A
step is timed with the layout that it causes. With `--in-view` the share of steps is printed at which all boxes that
the step tells of are wholly in view, for three graphs at three widths. Needs Chromium on the PATH, and Playwright.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import micrograd_plus as mp

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # what tests look at

from in_view import IN_VIEW

STEP = """() => {
    const begun = performance.now();
    for (const k of level.stops) {
        go(k);
        document.querySelector("#graph .target")?.getBoundingClientRect();
    }
    return [(performance.now() - begun) / level.stops.length, boxes.length, level.stops.length];
}"""
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def network(inputs: int, sizes: list[int], samples: int) -> mp.Value:
    """The loss of a network over a few samples."""
    model = mp.MLP(inputs, sizes, seed=1)
    outputs = [model([(i * j % 7) / 7.0 for j in range(inputs)]) for i in range(1, samples + 1)]
    loss: mp.Value = mp.losses.mean_squared_error(outputs, [1.0] * samples)
    return loss


def few() -> mp.Value:
    """The loss of 10 nodes."""
    a, b = mp.Value(2.0, label="a"), mp.Value(-3.0, label="b")
    c = a * b
    return mp.tanh(c * (c + 1.0)) + c * a * b


CASES: dict[str, Callable[[], mp.Value]] = {
    "10 nodes": few,
    "100 nodes": lambda: network(2, [4, 4, 1], 1),
    "700 nodes": lambda: network(3, [8, 8, 1], 3),
    "40,000 nodes, folded": lambda: network(30, [20, 1], 31),
}


def timed(tab: Any, file: Path) -> tuple[float, float, int, int]:
    """Milliseconds to the first paint and per step; the boxes, and the steps."""
    tab.goto(file.as_uri())
    tab.wait_for_function(PAINT)
    step, boxes, stops = tab.evaluate(STEP)
    return tab.evaluate(PAINT), step, boxes, stops


def celled(loss: mp.Value) -> tuple[float, float]:
    """Seconds until a cell has what it shows, and those of the processor, with what is started for it."""
    used, begun = sum(os.times()[:4]), perf_counter()
    mp.backprop(loss)._repr_mimebundle_()
    return perf_counter() - begun, sum(os.times()[:4]) - used


def in_view(browser: Any, file: Path) -> None:
    """Print at how many steps all is in view that is told of."""
    for name in ("10 nodes", "100 nodes", "700 nodes"):
        mp.backprop(CASES[name]()).save(file)
        for width in (380, 1024, 1920):
            tab = browser.new_page(viewport={"width": width, "height": 800}, reduced_motion="reduce")
            tab.goto(file.as_uri())
            steps = [lit == inside > 0 for lit, inside, _ in tab.evaluate(IN_VIEW)]
            tab.close()
            print(f"{name:22} {width:5} pixels: {sum(steps):4} of {len(steps):4} steps, {sum(steps) / len(steps):.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--in-view", action="store_true", help="print what is in view instead")
    asked = parser.parse_args()
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright, TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        file = Path(folder, "page.html")
        if asked.in_view:
            return in_view(browser, file)
        print(f"{'':22}   nodes  boxes  stops      bytes   cell, s  by CPU  written, s  paint, ms  step, ms")
        for name, loss in CASES.items():
            cell, by_cpu = celled(loss())
            steps = mp.backprop(loss())
            begun = perf_counter()
            steps.save(file)
            written = perf_counter() - begun
            tab = browser.new_page(viewport={"width": 1024, "height": 800}, reduced_motion="reduce")
            paint, step, boxes, stops = timed(tab, file)
            tab.close()
            counts = f"{len(steps.names):7,} {boxes:6,} {stops:6,} {file.stat().st_size:10,}"
            print(f"{name:22} {counts} {cell:9.2f} {by_cpu:7.2f} {written:11.2f} {paint:10.0f} {step:9.1f}")
        browser.close()
    return None


if __name__ == "__main__":
    main()
