"""How many small faults, planted where derivatives are made and judged, do the tests notice?

    pip install mutmut==2.5.1
    python benchmarks/mutants.py --sample 400 --verdicts verdicts.txt

mutmut 2 makes the faults (it reaches the lambdas of the table, as its successor does not); each is planted in a copy of
the repository, where the tests named below run until the first one fails. Not part of the normal tests: it takes an
hour or so, and goes on where it was broken off.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from compileall import compile_dir
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from py_compile import PycInvalidationMode
from queue import Queue
from time import perf_counter
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import track

ROOT = Path(__file__).parents[1]
# where a derivative is judged
CHECKS = ["orders", "judging", "kinks", "rounding", "complex_steps", "stops", "samples", "operations", "culprits"]
# what is mutated, and the tests that are closest to it; then come the others, the quick ones first
ENGINE_FILES = [
    *("recording", "operations", "scalars", "value", "sums", "walking", "hooks", "chain", "backward", "handmade"),
    "copying",
]
ENGINE = ["tests/test_engine.py", "micrograd_plus/engine", "tests/test_anomalies.py", "tests/test_copying.py"]
MUTATED = {
    **dict.fromkeys([f"engine/{name}" for name in ENGINE_FILES], ENGINE),
    "ops/table": ["micrograd_plus/ops/table.py", "tests/test_vectors.py", "tests/test_ops.py"],
    "calculus/flowing": ["tests/test_calculus.py", "micrograd_plus/calculus"],
    "calculus/functions": ["tests/test_calculus.py", "micrograd_plus/calculus"],
    "calculus/gradients": ["tests/test_calculus.py", "micrograd_plus/calculus"],
    "calculus/leaks": ["tests/test_calculus.py", "micrograd_plus/calculus"],
    **{f"check/{name}": ["tests/test_check.py", "micrograd_plus/check"] for name in CHECKS},
    **{
        f"program/{name}": ["tests/test_tracing.py", "tests/test_program_calls.py", "micrograd_plus/program"]
        for name in ("tracing", "stand_ins", "flat_graphs", "comparing")
    },
}
OTHERS = ["tests/test_formulas.py", "tests/test_package.py", "tests/test_program.py", "tests/test_training.py"]
TESTS = [*(test for close in MUTATED.values() for test in close), *OTHERS]
SLOW = "not million and not type_checkers and not 200_000 and not deep"  # what takes long and judges no derivative
PATIENCE = 2.0  # times as long as without a fault: a fault that makes the tests hang is noticed


class Mutant(NamedTuple):
    """One planted fault: the file, the line before and after, and the file's whole text with it."""

    file: str
    number: int
    before: str
    after: str
    text: str


def mutants(sample: int, seed: int) -> list[Mutant]:
    """A random sample of all faults that mutmut knows to plant in these files."""
    mutmut: Any = import_module("mutmut")
    places = []
    for name in MUTATED:
        path = f"micrograd_plus/{name}.py"
        source = (ROOT / path).read_text(encoding="utf-8")
        places += [
            (path, source, place) for place in mutmut.list_mutations(mutmut.Context(source=source, filename=path))
        ]
    chosen = random.Random(seed).sample(places, min(sample, len(places)))
    made = []
    for path, source, place in chosen:
        text, _ = mutmut.mutate(mutmut.Context(source=source, filename=path, mutation_id=place))
        lines = zip(source.splitlines(), text.splitlines())
        number, (before, after) = next((i, pair) for i, pair in enumerate(lines, 1) if pair[0] != pair[1])
        made.append(Mutant(path, number, before.strip(), after.strip(), text))
    return made


def copied(folder: Path) -> Path:
    """A copy of the repository, with its modules compiled: each is compiled anew only where its text is another."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".git", ".venv", ".others", "dist", "*_cache"))
    compile_dir(folder, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    return folder


def run(folder: Path, tests: Iterable[str], seconds: float | None = None) -> str:
    """What comes of the tests, run until one fails: "failed", "hung" or, if all pass, ""."""
    switches = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-k", SLOW]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "MICROGRAD_PLUS_PURE": "1"}
    command = [sys.executable, "-m", "pytest", *switches, *tests]
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return "hung"
    if done.returncode and seconds is None:
        print(done.stdout.decode()[-2000:])
    return "failed" if done.returncode else ""


def noticed(folder: Path, mutant: Mutant, seconds: float) -> str:
    """How the tests notice a fault: those that are closest to it come first."""
    file = folder / mutant.file
    original = file.read_text(encoding="utf-8")
    close = MUTATED[mutant.file.removeprefix("micrograd_plus/").removesuffix(".py")]
    others = [test for test in dict.fromkeys(TESTS) if test not in close]
    file.write_text(mutant.text, encoding="utf-8")
    try:
        return run(folder, close, seconds) or run(folder, others, seconds)
    finally:
        file.write_text(original, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=400, help="how many faults (default 400)")
    parser.add_argument("--seed", type=int, default=0, help="draws the sample")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at a time")
    parser.add_argument("--verdicts", type=Path, help="a file to keep verdicts in: those in it are not sought again")
    options = parser.parse_args()
    chosen = mutants(options.sample, options.seed)
    known: dict[str, str] = {}
    if options.verdicts and options.verdicts.exists():
        known = dict(map(json.loads, options.verdicts.read_text(encoding="utf-8").splitlines()))
    with tempfile.TemporaryDirectory() as place:
        folders: Queue[Path] = Queue()
        for i in range(options.jobs):
            folders.put(copied(Path(place) / str(i)))
        start = perf_counter()
        if run(folders.queue[0], dict.fromkeys(TESTS)):
            sys.exit("the tests fail without any fault planted; mend that first")
        seconds = PATIENCE * (perf_counter() - start)

        def judge(mutant: Mutant) -> str:
            key = sha256(mutant.text.encode()).hexdigest()
            found = known.get(key)
            if found is None:
                folder = folders.get()
                try:
                    found = noticed(folder, mutant, seconds)
                finally:
                    folders.put(folder)
                if options.verdicts:
                    with options.verdicts.open("a", encoding="utf-8") as file:
                        file.write(json.dumps([key, found]) + "\n")
            if not found:
                print(f"survived  {mutant.file}:{mutant.number}\n  - {mutant.before}\n  + {mutant.after}", flush=True)
            return found

        with ThreadPoolExecutor(options.jobs) as pool:
            judged = pool.map(judge, chosen)
            fates = Counter(track(judged, "faults", len(chosen), console=Console(stderr=True)))
    killed = fates["failed"] + fates["hung"]
    print(f"noticed {killed} of {len(chosen)} faults: {100 * killed / len(chosen):.1f} %; {fates['hung']} of them hung")


if __name__ == "__main__":
    main()
