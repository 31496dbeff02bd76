"""Time the stepper's page: until it is written, until it is seen, and how long a step takes.

    python benchmarks/stepper.py

A graph of 100 nodes, all of them shown; one of 700; and one of 40,000, which folds to some 700 boxes. A step is timed
with the layout that it causes. Needs Chromium on the PATH, and Playwright.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import micrograd_plus as mp

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


CASES: dict[str, Callable[[], mp.Value]] = {
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


def main() -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    print(f"{'':22}   nodes  boxes  stops      bytes  written, s  paint, ms  step, ms")
    with sync_playwright() as playwright, TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name, loss in CASES.items():
            steps, file = mp.backprop(loss()), Path(folder, "page.html")
            begun = perf_counter()
            steps.save(file)
            written = perf_counter() - begun
            tab = browser.new_page(viewport={"width": 1024, "height": 800}, reduced_motion="reduce")
            paint, step, boxes, stops = timed(tab, file)
            tab.close()
            counts = f"{len(steps.names):7,} {boxes:6,} {stops:6,} {file.stat().st_size:10,}"
            print(f"{name:22} {counts} {written:11.2f} {paint:10.0f} {step:9.1f}")
        browser.close()


if __name__ == "__main__":
    main()
