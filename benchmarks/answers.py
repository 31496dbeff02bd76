"""Hold compiled programs, drawn from all rows at random, to the eager engine: every answer, edge numbers included.

    python benchmarks/answers.py [--programs 20000] [--seed 0] [--jobs 2]

Each is run by kernels, NumPy, the interpreter and Python, in a batch and example by example. What does not agree is
printed, with the seed that draws it again; the last line counts. An example may differ where the engine's own answer
hangs on the order of a sum: an intermediate overflows, or the last bits decide, or the sign of a nan or of a computed
zero.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from programs import EXECUTORS, Random, executor, hold
from rich.console import Console
from rich.progress import track

import micrograd_plus as mp


def tried(seed: int) -> tuple[Counter[str], list[str]]:
    """The counts of one program, and what was wrong."""
    program = Random(random.Random(seed))
    counts, wrong = Counter[str](programs=1), []
    for name in EXECUTORS:
        with executor(name):
            try:
                compiled = mp.compile(program, program.inputs, parameters=program.parameters)
                counts.update(hold(compiled, program, program.examples))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is wrong
                wrong.append(f"seed {seed}, {name}: {type(error).__name__}: {error}\n{program}\n{program.examples}\n")
    counts["wrong"] = bool(wrong)
    return counts, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=20_000, help="(default 20000)")
    parser.add_argument("--seed", type=int, default=0, help="the first of as many (default 0)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    chosen = parser.parse_args()
    total = Counter[str]()
    with ProcessPoolExecutor(chosen.jobs) as pool:
        found = pool.map(tried, range(chosen.seed, chosen.seed + chosen.programs), chunksize=50)
        for counts, wrong in track(found, "programs", chosen.programs, console=Console(stderr=True)):
            total.update(counts)
            for report in wrong:
                print(report)
    print(", ".join([f"{name} {count:,}" for name, count in total.items()]))
    sys.exit(total["wrong"] > 0)


if __name__ == "__main__":
    main()
