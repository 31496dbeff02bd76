"""Hold what leaves to the engine, by every way out, and time it beside the program that it was.

    python benchmarks/exports.py [--programs 1000] [--seed 0] [--jobs 2] [--rounds 9] [--ways C ONNX] [--only times]

rows: how many rows of the table leave with their gradients, and equal the engine within 1e-12 at 80 points, among them
    zeros, infinities, nan and the largest and smallest of floats; in single floats within 1e-4, where these suffice.
programs: how many programs, drawn by seed from all rows, with edges for numbers, equal it within 1e-12, value and
    gradient. Single floats are not asked: which way a comparison goes may hang on rounding there.
files: the bytes of what is written.
times: the forward pass and the gradient of the batch's mean, one thread each, after answers agree; single floats apart.

An example is excused, and counted so, where the engine's own answer hangs on rounding or on the order of a sum (as in
answers.py). What does not agree is printed, with the seed that draws it again. JAX is asked without jit, which would
take seconds for each program; examples are repeated to 20, since JAX compiles its functions for each shape once. It
takes numbers below 2.2e-308 for 0, which three of the first 1,000 programs show.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from functools import partial
from importlib.util import find_spec
from math import inf
from multiprocessing import get_context
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from exported import FILES, MODELS, SINGLES, TASKS, in_wasm, prepare
from leaving import POINTS, TOLERANCE, Answers, Case, in_c, in_jax, in_onnx, in_torch, judged, random_case, row_case
from peers import ROUNDS, Peer, print_times, race, versions
from programs import ROWS_OF_THE_TABLE
from rich.console import Console
from rich.progress import track

NEEDS = {"WebAssembly": ("ziglang", "wasmtime"), "torch": ("torch",), "JAX": ("jax",), "ONNX": ("onnx", "onnxruntime")}
WAYS = ("C", "C float", *NEEDS)  # whose answers are compared
TIMED = {"ours": "ours", **{name: name.split()[0] for name in TASKS if name != "ours"}}  # and the way that it needs
TOGETHER = 25  # programs that one process takes at a time: those in C are built together
SINGLE = 1e-4
TAME = [point for point in POINTS if not 0.0 < abs(point) < 1e-3 and not 10.0 < abs(point) < inf]
SECTIONS = ("rows", "programs", "files", "times")


def answered(way: str, cases: list[Case], folder: Path) -> list[Answers]:
    """What the programs answer there."""
    if way == "C":
        return in_c(cases, folder)
    if way == "C float":
        return in_c(cases, folder, "float32")
    if way == "WebAssembly":
        return in_wasm(cases, folder)
    if way == "JAX":
        return [in_jax(case._replace(examples=(case.examples * 80)[: max(20, len(case.examples))])) for case in cases]
    ask = {"torch": in_torch, "ONNX": in_onnx}[way]
    return [ask(case) for case in cases]


def tried(way: str, asked: list[int | str]) -> tuple[Counter[str], list[str]]:
    """The counts of some programs, or rows, and what was wrong."""
    points = TAME if way == "C float" else POINTS
    tolerance = SINGLE if way == "C float" else TOLERANCE
    cases = [random_case(each) if isinstance(each, int) else row_case(each, points) for each in asked]
    counts, reports = Counter[str](tried=len(cases)), []
    try:
        with TemporaryDirectory() as folder:
            answers = answered(way, cases, Path(folder))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is wrong
        if len(cases) > 1:  # whose is it?
            return _added([tried(way, [each]) for each in asked])
        return counts, [f"{way}, {cases[0].name}: {type(error).__name__}: {error}"]
    for case, answer in zip(cases, answers):
        found, excused = judged(case, answer, tolerance)
        counts += Counter(equal=not found, examples=len(case.examples), excused=excused)
        reports += [f"{way}, {report}" for report in found]
    return counts, reports


def _added(results: list[tuple[Counter[str], list[str]]]) -> tuple[Counter[str], list[str]]:
    total, reports = Counter[str](), []
    for counts, found in results:
        total += counts
        reports += found
    return total, reports


def count(way: str, what: str, asked: list[int | str], jobs: int) -> bool:
    """Try all of them, and print one line; whether all are equal."""
    parts = [asked[i : i + TOGETHER] for i in range(0, len(asked), TOGETHER)]
    with get_context("spawn").Pool(jobs, maxtasksperchild=4) as pool:  # JAX keeps what it has compiled
        found = pool.imap(partial(tried, way), parts)
        total, reports = _added(list(track(found, f"{way}, {what}", len(parts), console=Console(stderr=True))))
    print(*reports, sep="\n", end="\n" if reports else "")
    within = f"within {SINGLE if way == 'C float' else TOLERANCE:.0e}"
    told = f"of {total['examples']:,} examples {total['excused']:,} excused"
    print(f"  {way:12} {total['equal']:,} of {total['tried']:,} {what} equal {within}; {told}", flush=True)
    return total["equal"] == total["tried"]


def print_files() -> None:
    """What is written, and how large it is."""
    print(f"\n{'bytes':24}" + "".join([f"{name:>20}" for name in MODELS]))
    for what, sizes in FILES.items():
        made = [sizes(name) for name in MODELS]
        if None not in made:
            print(f"  {what:22}" + "".join([f"{size:20,}" for size in made]))


def print_times_of(ways: list[str], rounds: int) -> None:
    """Each model by all ways, in doubles and then in single floats."""
    for singles in (False, True):
        wanted = [n for n, way in TIMED.items() if (n in SINGLES) == singles and (n.startswith("ours") or way in ways)]
        peers = [Peer(name, prepare, first=(name,)) for name in wanted]
        for model, (title, _) in MODELS.items():
            for work in ("forward", "gradient"):
                medians, difference = race(peers, model, work, rounds=rounds, tolerance=SINGLE if singles else 1e-9)
                kind = "float32" if singles else "float64"
                print_times(f"{work}, {kind}: {title}", peers, medians, difference)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=1_000, help="(default 1000)")
    parser.add_argument("--seed", type=int, default=0, help="the first of as many (default 0)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"(default {ROUNDS})")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, metavar="WAY", help=f"of {', '.join(WAYS)}")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, metavar="SECTION", help="what to do")
    chosen = parser.parse_args()
    print(versions(["torch", "jax", "onnx", "onnxruntime", "ziglang", "wasmtime"]))
    ways = []
    for way in chosen.ways:
        lacking = [package for package in NEEDS.get(way, ()) if find_spec(package) is None]
        lacking += ["gcc"] if way.startswith("C") and which("gcc") is None else []
        if lacking:
            print(f"  {way:12} left out: it needs {' and '.join(lacking)}")
        else:
            ways.append(way)
    fine = True
    asked: dict[str, list[int | str]] = {"rows": [function.__name__ for function in ROWS_OF_THE_TABLE]}
    asked["programs"] = list(range(chosen.seed, chosen.seed + chosen.programs))
    for what in [section for section in asked if section in chosen.only]:
        print(f"\n{what}")
        for way in [way for way in ways if what == "rows" or way != "C float"]:
            fine = count(way, what, asked[what], chosen.jobs) and fine
    if "files" in chosen.only:
        print_files()
    if "times" in chosen.only:
        print(f"\nMedians of {chosen.rounds} rounds, all in turn.")
        print_times_of(ways, chosen.rounds)
    sys.exit(not fine)


if __name__ == "__main__":
    main()
