"""How many small faults, planted where derivatives are made and judged, do the tests notice?

    pip install mutmut==2.5.1 pytest-cov
    python benchmarks/mutants.py --sample 400 --verdicts verdicts.txt

mutmut 2 makes the faults (it reaches the lambdas of the table, as its successor does not); each is planted in a copy of
the repository, where tests run until the first one fails, the quick ones first, for a minute at most: of those named
below the ones that reach its line; for a row of the table those with its name in theirs, then all. What they pass is
shown to ruff (its rules F: a line that grew too long is no fault found) and mypy, as `.ci/run` does. Not part of the
normal tests: it takes an hour or so, and goes on where it was broken off, with what the tests reach kept beside the
verdicts.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping
from compileall import compile_dir
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from importlib import import_module
from itertools import accumulate
from pathlib import Path
from py_compile import PycInvalidationMode
from queue import Queue
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import track

ROOT = Path(__file__).parents[1]
# where a derivative is judged
CHECKS = ["orders", "judging", "kinks", "rounding", "complex_steps", "stops", "samples", "operations", "culprits"]
MUTATED = [
    *(f"engine/{name}" for name in ("recording", "partials", "operations", "scalars", "value", "sums", "walking")),
    *(f"engine/{name}" for name in ("hooks", "leaves", "chain", "backward", "handmade", "micrograd_names")),
    *(f"engine/{name}" for name in ("copying", "pickling")),
    "ops/table",
    *(f"calculus/{name}" for name in ("flowing", "functions", "gradients", "leaks")),
    *(f"check/{name}" for name in CHECKS),
    *(f"program/{name}" for name in ("tracing", "stand_ins", "flat_graphs", "comparing")),
]
TESTS = [
    *(f"tests/test_{name}.py" for name in ("engine", "anomalies", "copying", "vectors", "ops", "calculus", "check")),
    *(f"tests/test_{name}.py" for name in ("tracing", "program_calls", "formulas", "package", "program", "training")),
    *(f"tests/test_{name}.py" for name in ("numpy", "rows", "subclasses", "passes_within", "isolation", "reaching")),
    *(f"tests/test_{name}.py" for name in ("check_parts", "scopes", "sharing", "lines", "wishes", "program_edges")),
    *(f"micrograd_plus/{room}" for room in ("engine", "ops/table.py", "calculus", "check", "program")),
]
SLOW = "not million and not type_checkers and not 200_000 and not deep"  # what takes long and judges no derivative
SWITCHES = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist", "--hypothesis-seed=0", "-k", SLOW]
# seconds that the quickest tests of a line take together, without a fault: those tried first, and those tried at all
FIRST, ALL = 5.0, 60.0
START = 30.0  # seconds until pytest has imported all and found the tests, at most
PATIENCE = 4.0  # times as long as without a fault: a fault that makes the tests hang is noticed


class Mutant(NamedTuple):
    """One planted fault: the file, the line before and after, and the file's whole text with it."""

    file: str
    number: int
    before: str
    after: str
    text: str


def mutants(sample: int, seed: int) -> list[Mutant]:
    """A random sample of all faults that mutmut knows to plant in these files.

    Those in annotations, which nothing that runs reads, are left out of it: mypy judges them.
    """
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
        if _running(text) == _running(source):
            continue
        lines = zip(source.splitlines(), text.splitlines())
        number, (before, after) = next((i, pair) for i, pair in enumerate(lines, 1) if pair[0] != pair[1])
        made.append(Mutant(path, number, before.strip(), after.strip(), text))
    return made


def _running(source: str) -> str:
    """What of a file runs: its tree, without annotations."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            if getattr(node, name, None) is not None:
                setattr(node, name, ast.Constant(...))
    return ast.dump(tree)


def copied(folder: Path) -> Path:
    """A copy of the repository, with its modules compiled: each is compiled anew only where its text is another."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".git", ".venv", ".others", "dist", "*_cache"))
    compile_dir(folder, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    return folder


class Test(NamedTuple):
    """A test's name, the seconds that it takes without a fault, and the lines that it reaches, by file."""

    name: str
    seconds: float
    lines: Mapping[str, frozenset[int]]


NOTES = ("times.txt", ".coverage")
REPORTER = """
import json
def pytest_runtest_logreport(report):
    with open("times.txt", "a", encoding="utf-8") as file:
        file.write(json.dumps([report.nodeid, report.duration]) + "\\n")
"""


def environment(folder: Path) -> dict[str, str]:
    """The variables under which the copy's tests run, in plain Python."""
    return {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "MICROGRAD_PLUS_PURE": "1"}


def tried(folder: Path) -> None:
    """Run all tests once without a fault, and note how long each takes and which lines it reaches."""
    (folder / "reporter.py").write_text(REPORTER, encoding="utf-8")
    switches = ["-p", "reporter", "--cov=micrograd_plus", "--cov-context=test", "--cov-report="]
    command = [sys.executable, "-m", "pytest", *SWITCHES, *switches, *TESTS]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True)
    if done.returncode:
        sys.exit(f"the tests fail without any fault planted; mend that first\n{done.stdout.decode()[-2000:]}")
    if refused(folder):
        sys.exit("ruff or mypy refuses the package without any fault planted; mend that first")


def noted(folder: Path) -> list[Test]:
    """The tests that were tried, the quickest first."""
    coverage: Any = import_module("coverage")
    seconds: dict[str, float] = defaultdict(float)
    for name, took in map(json.loads, (folder / "times.txt").read_text(encoding="utf-8").splitlines()):
        seconds[name] += took
    data = coverage.CoverageData(str(folder / ".coverage"))
    data.read()
    reached: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for name in MUTATED:
        file = f"micrograd_plus/{name}.py"
        (measured,) = [path for path in data.measured_files() if path.endswith(f"/{file}")]
        for line, contexts in data.contexts_by_lineno(measured).items():
            for context in contexts:
                reached[context.split("|")[0]][file].add(line)
    tests = [
        Test(name, took, {file: frozenset(lines) for file, lines in reached[name].items()})
        for name, took in seconds.items()
    ]
    return sorted(tests, key=lambda test: test.seconds)


def fate(folder: Path, tests: list[Test]) -> str:
    """What comes of the tests, run until one fails: "failed", "hung" or, if all pass, ""."""
    if not tests:
        return ""
    (folder / "tests.txt").write_text("\n".join([test.name for test in tests]), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-x", *SWITCHES, "@tests.txt"]
    limit = PATIENCE * (START + sum([test.seconds for test in tests]))
    try:
        done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return "hung"
    return "failed" if done.returncode else ""


def refused(folder: Path) -> str:
    """Whether ruff or mypy finds something in the copy: "refused", or ""."""
    tools = (["ruff", "check", "-q", "--select=F", "micrograd_plus"], ["mypy"])
    done = [subprocess.run([sys.executable, "-m", *tool], cwd=folder, capture_output=True) for tool in tools]
    return "refused" if any(one.returncode for one in done) else ""


def _row(table: str, number: int) -> str:
    """The row of the table that a line belongs to; it is read as the table is made, where no test reaches it."""
    rows = re.findall(r"^(\w+) += ", "\n".join(table.splitlines()[:number]), flags=re.MULTILINE)
    return rows[-1] if rows else ""


def noticed(folder: Path, mutant: Mutant, tests: list[Test]) -> str:
    """How the tests that reach a fault's line notice it; all tests, where it is reached as the module is imported."""
    file = folder / mutant.file
    original = file.read_text(encoding="utf-8")
    in_table = mutant.file.endswith("ops/table.py")
    named = re.compile(rf"\b{_row(original, mutant.number)}\b") if in_table else None
    reaching = [
        test
        for test in tests
        if mutant.number in test.lines.get(mutant.file, ()) or (named and named.search(test.name))
    ]
    if in_table or not reaching:  # a column may matter to any test: it is read as the table is made
        first = {test.name for test in reaching}
        reaching += [test for test in tests if test.name not in first]
    spent = list(accumulate([test.seconds for test in reaching]))
    quick, slow = [sum([total < limit for total in spent]) for limit in (FIRST, ALL)]
    file.write_text(mutant.text, encoding="utf-8")
    try:
        return fate(folder, reaching[:quick]) or fate(folder, reaching[quick:slow]) or refused(folder)
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
        known_tests = options.verdicts.with_suffix(".tests") if options.verdicts else Path(place) / "tests"
        first = folders.queue[0]
        if not known_tests.exists():
            tried(first)
            known_tests.mkdir()
            for name in NOTES:
                shutil.copy(first / name, known_tests)
        tests = noted(known_tests)

        def judge(mutant: Mutant) -> str:
            key = sha256(mutant.text.encode()).hexdigest()
            found = known.get(key)
            if found is None:
                folder = folders.get()
                try:
                    found = noticed(folder, mutant, tests)
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
    killed = len(chosen) - fates[""]
    how = f"{fates['hung']} of them hung, {fates['refused']} were left to ruff and mypy"
    print(f"noticed {killed} of {len(chosen)} faults: {100 * killed / len(chosen):.1f} %; {how}")


if __name__ == "__main__":
    main()
