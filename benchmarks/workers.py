"""From what cost of a batch on does it pay to let two processes compute its parts?

    python benchmarks/workers.py

One step of a training after the other, alone and by two processes, for batches that take a millisecond to a second; the
answers are compared first. Beside them what a step sends: parameters to each part, a gradient back from each.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

import micrograd_plus as mp
from micrograd_plus.training.workers import Crew, Workers

SHAPE = (784, [64, 10])
SIZES = [30, 300, 3_000, 30_000, 100_000]


def seconds(run: Any, rounds: int) -> float:
    """The median time of a call."""
    times = []
    for _ in range(rounds):
        begin = perf_counter()
        run()
        times.append(perf_counter() - begin)
    return median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="steps of each kind, of which the median counts")
    parser.add_argument("--parts", type=int, default=2, help="into how many parts a batch is split")
    options = parser.parse_args()
    model = mp.MLP(SHAPE[0], SHAPE[1], activation="tanh", init="xavier", seed=1)
    program = mp.compile(lambda x, y: mp.losses.cross_entropy(model(x), y), x=SHAPE[0], y=SHAPE[1][-1])
    theta = np.array([p.data for p in model.parameters()])
    rng = np.random.default_rng(1)
    x = rng.normal(size=(max(SIZES), SHAPE[0]))
    y = np.eye(SHAPE[1][-1])[rng.integers(0, SHAPE[1][-1], len(x))]
    print(f"{len(theta):,} parameters: {options.parts} x {theta.nbytes / 1e3:.0f} kB go out a step, as much comes back")
    print(f"{'examples':>9}  {'alone':>9}  {'two processes':>13}  {'times as fast':>13}")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for size in SIZES:
            crew = Crew(Workers(pool, parts=options.parts), program, x[:size], y[:size])
            batch = slice(0, size)

            def alone(size: int = size) -> Any:
                return program.value_and_grad(x[:size], y[:size], parameters=theta)

            def together(crew: Crew = crew, batch: slice = batch) -> Any:
                return crew.value_and_grad(batch, theta)

            for one, other in zip(alone(), together()):
                assert np.allclose(one, other, rtol=1e-10, atol=1e-15)
            together()  # so that both processes know the data
            one, other = seconds(alone, options.rounds), seconds(together, options.rounds)
            print(f"{size:>9,}  {1e3 * one:>6.1f} ms  {1e3 * other:>10.1f} ms  {one / other:>13.2f}")
            crew.close()


if __name__ == "__main__":
    main()
