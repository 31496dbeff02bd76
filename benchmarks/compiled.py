"""Time compiled programs beside NumPy by hand, JAX, torch, CasADi and heyoka, one thread each.

    python benchmarks/compiled.py [--quick] [--only gradient step moons chains trace] [--seed 1] [--optimizer Adam]

gradient: the gradient of the mean cost of a batch: 784-16-16-10, sigmoid and squared error, batch 32; the same network
    with relu and cross-entropy; and a network of random shape, activations, loss and batch size (--seed).
step: a whole training step of 784-16-16-10, batch in, optimizer stepped, at batch 10, 32 and 256.
moons: the gradient of micrograd's moons step: MLP(2, [16, 16, 1]), relu, hinge loss and penalty, 100 samples.
chains: the gradient of SimpleChains.jl's published benchmark, 4-32-16-4 with tanh and 10,000 samples, in both floats.
trace: from the function to the first gradient of 784-16-16-10: tracing and compiling; and the bytes that a compiled
    program holds for each of its scalar nodes.

Needs `pip install 'micrograd-plus[bench]' torch==2.13.0`; what is not installed is left out. --quick leaves out heyoka
and CasADi's scalars (SX), which take long to compile.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from dataclasses import replace

from networks import BUILDERS, PACKAGES, Network, building, gradient, peer, scalar_nodes
from peers import ROUNDS, TOLERANCE, Peer, Task, print_times, race, versions
from steps import MAKERS, training_step

DIGITS = Network((784, 16, 16, 10), "sigmoid", "sigmoid", "squared_error", 32)
RELU = Network((784, 16, 16, 10), "relu", "linear", "cross_entropy", 32)
MOONS = Network((2, 16, 16, 1), "relu", "linear", "hinge", 100, penalty=1e-4)
CHAINS = Network((4, 32, 16, 4), "tanh", "linear", "squared_error", 10_000)
SLOW = ("heyoka", "CasADi SX")
NOT_TRACED = ("NumPy by hand", "torch")
WORK: dict[str, Callable[..., Task]] = {"gradient": gradient, "trace": building, "step": training_step}
SECTIONS = ("gradient", "step", "moons", "chains", "trace")
SINGLE = 1e-4  # by how much answers in float32 may differ


def drawn(seed: int) -> Network:
    """A network nobody chose; `shapes.py` draws many."""
    draw = random.Random(seed)
    hidden = [draw.randint(8, 64) for _ in range(draw.randint(1, 3))]
    activation = draw.choice(["sigmoid", "relu", "tanh"])
    output, loss = draw.choice([("sigmoid", "squared_error"), ("linear", "cross_entropy"), ("tanh", "squared_error")])
    sizes = (draw.randint(20, 500), *hidden, draw.randint(2, 12))
    return Network(sizes, activation, output, loss, draw.randint(8, 200), seed=seed)


def prepare(name: str, work: str, *case: object) -> Task:
    return WORK[work](name, *case)


def compare(
    peers: list[Peer],
    title: str,
    *case: object,
    rounds: int,
    per: int = 1,
    trace: bool = False,
    tolerance: float = TOLERANCE,
) -> None:
    medians, difference = race(peers, *case, rounds=rounds, tolerance=tolerance)
    sizes = {p: p.size() for p in medians if p.name == "ours"} if trace else None
    print_times(title, peers, medians, difference, per=per, sizes=sizes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"(default {ROUNDS})")
    parser.add_argument("--quick", action="store_true", help="leave out what takes long to compile")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, metavar="SECTION", help="what to time")
    parser.add_argument("--seed", type=int, default=1, help="of the random network (default 1)")
    parser.add_argument("--optimizer", choices=["SGD", "Adam"], default="SGD", help="(default SGD)")
    chosen = parser.parse_args()
    rounds, only = chosen.rounds, chosen.only
    peers = {name: peer(name, prepare) for name in BUILDERS if not (chosen.quick and name in SLOW)}
    everybody = list(peers.values())
    print(versions(dict.fromkeys(PACKAGES.values())))
    print(f"Medians of {rounds} rounds, all in turn.")
    if "gradient" in only:
        for network in (DIGITS, RELU, drawn(chosen.seed)):
            title = f"gradient, per example: {network}"
            compare(everybody, title, "gradient", network, rounds=rounds, per=network.batch)
    if "moons" in only:
        compare(everybody, "gradient: moons, 2-16-16-1 relu, hinge, 100 samples", "gradient", MOONS, rounds=rounds)
    if "chains" in only:
        matrices = [p for p in everybody if p.name in ("ours", "NumPy by hand", "JAX jit", "torch")]
        for network in (CHAINS, replace(CHAINS, dtype="float32")):
            tolerance = SINGLE if network.dtype == "float32" else TOLERANCE
            compare(matrices, f"gradient: {network}", "gradient", network, rounds=rounds, tolerance=tolerance)
    if "step" in only:
        for batch in (10, 32, 256):
            network = Network(DIGITS.sizes, "sigmoid", "sigmoid", "squared_error", batch)
            title = f"training step, {chosen.optimizer}: {network}"
            compare([peers[n] for n in MAKERS], title, "step", network, chosen.optimizer, rounds=rounds)
    if "trace" in only:
        title = f"trace, compile, first gradient: 784-16-16-10, {scalar_nodes(DIGITS):,} scalar nodes"
        tracers = [p for p in everybody if p.name not in NOT_TRACED]
        compare(tracers, title, "trace", DIGITS, rounds=rounds, trace=True)


if __name__ == "__main__":
    main()
