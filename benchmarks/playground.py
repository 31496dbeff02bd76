"""Time the playground: from an empty tab to the first stepper, and to the table of laws; and what it fetches.

    python benchmarks/playground.py [FOLDER]

The folder is what docs/playground/build.py makes; without one it is made first. A tab is cold where the browser has
kept nothing, warm where it was there before: what the service worker keeps, and code that Chromium has compiled.
Where the time goes is read from the marks that the page sets. Needs Chromium on the PATH, and Playwright; take figures
on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread
from time import perf_counter
from typing import Any

BUILD = Path(__file__).parent.parent / "docs" / "playground" / "build.py"
ROUNDS = 5
MARKS = ("ready", "told", "shown")  # in the order in which they come: Python runs, has run, the stepper is seen
SEEN = "() => performance.getEntriesByName('shown').length > 0"
TIMES = "() => performance.getEntriesByType('mark').map(({ name, startTime }) => [name, startTime])"
ENGINE = "13-your-own-engine"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def opened(context: Any, address: str) -> tuple[Any, dict[str, float]]:
    """A tab that shows its first stepper, and after how many milliseconds it had come how far."""
    tab = context.new_page()
    tab.goto(address)
    tab.wait_for_function(SEEN, timeout=120_000)
    times: dict[str, float] = {}
    for name, at in tab.evaluate(TIMES):
        times.setdefault(name, at)
    return tab, times


def laws(tab: Any) -> float:
    """Milliseconds from the click to the table of laws, of the menu's example, whose engine is wrong."""
    tab.select_option("#examples-menu", ENGINE)
    tab.wait_for_function("() => !document.querySelector('[data-what=laws]').hidden", timeout=60_000)
    tab.wait_for_function("() => document.documentElement.dataset.state === 'idle'")
    tab.click("[data-what=laws]")
    begun = perf_counter()
    tab.click("#laws-run")
    tab.wait_for_function("() => /laws hold/.test(document.getElementById('laws-note').textContent)", timeout=120_000)
    return 1000 * (perf_counter() - begun)


def told(what: str, found: Sequence[dict[str, float]]) -> None:
    """A line of the table: the medians, and the spread of the last."""
    last = [times[MARKS[-1]] / 1000 for times in found]
    columns = [f"{median([times[name] for times in found if name in times] or [0.0]) / 1000:8.2f}" for name in MARKS]
    print(f"{what:12}{''.join(columns)}   {min(last):.2f} to {max(last):.2f}")


def sizes(folder: Path) -> None:
    """What is in the folder, as it is and as a server sends it compressed."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    whole = sum([file.stat().st_size for file in files]) / 1e6
    later = sum([(folder / name).stat().st_size for name in ("laws.zip", "LICENSES.txt")]) / 1e6
    print(f"{whole:.1f} MB in all, {whole - later:.1f} MB until the first stepper, {later:.1f} MB of it for the laws")


def measured(folder: Path, rounds: int) -> None:
    from playwright.sync_api import sync_playwright

    sizes(folder)
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores; seconds, medians of {rounds}")
    print(f"{'':12}{''.join([f'{name:>8}' for name in MARKS])}   all")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright, TemporaryDirectory() as kept:
        cold, warm, law = [], [], []
        for i in range(rounds):
            context = playwright.chromium.launch_persistent_context(
                Path(kept, str(i)), executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            tab, times = opened(context, address)
            cold.append(times)
            tab.wait_for_function("() => navigator.serviceWorker.controller !== null", timeout=60_000)
            tab.wait_for_timeout(500)
            tab.close()
            tab, times = opened(context, address)
            warm.append(times)
            law.append(laws(tab))
            context.close()
        told("cold", cold)
        told("warm", warm)
    spread = f"{min(law) / 1000:.2f} to {max(law) / 1000:.2f}"
    print(f"the table of laws, from the click: {median(law) / 1000:.2f} s, {spread}")
    print(f"load average {os.getloadavg()[0]:.1f}")
    server.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    if asked.folder is not None:
        measured(asked.folder, asked.rounds)
        return
    with TemporaryDirectory() as made:
        subprocess.run([sys.executable, str(BUILD), f"{made}/playground"], check=True, stdout=subprocess.DEVNULL)
        measured(Path(made, "playground"), asked.rounds)


if __name__ == "__main__":
    main()
