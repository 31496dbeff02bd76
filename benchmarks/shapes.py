"""Time the gradient of networks that nobody chose: the distribution of our time over that of others.

    python benchmarks/shapes.py [--shapes 50] [--seed 1] [--rounds 3]

Shapes, activations, losses and batch sizes are drawn by the seed. For NumPy by hand and JAX's jit, one thread each, in
float64, after answers agree: the median of the ratios ours / theirs, the worst three with their networks, and in how
many of the shapes ours is the faster.
"""

from __future__ import annotations

import random
from statistics import median

from networks import Network, gradient, peer
from peers import duration, options, race, versions

PEERS = ("ours", "NumPy by hand", "JAX jit")
LOSSES = (("sigmoid", "squared_error"), ("linear", "cross_entropy"), ("tanh", "squared_error"), ("linear", "hinge"))


def drawn(draw: random.Random) -> Network:
    """Small and large ones alike: sizes are even on a scale of logarithms."""

    def size(low: float, high: float) -> int:
        return int(low * (high / low) ** draw.random() + 0.5)

    output, loss = draw.choice(LOSSES)
    hidden = [size(4, 128) for _ in range(draw.randint(1, 3))]
    sizes = (size(2, 800), *hidden, 1 if loss == "hinge" else size(2, 20))
    activation = draw.choice(["sigmoid", "relu", "tanh"])
    return Network(sizes, activation, output, loss, size(1, 2000), seed=draw.randrange(10**6))


def main() -> None:
    chosen = options(__doc__, shapes=50, seed=1)
    draw = random.Random(chosen.seed)
    peers = [peer(name, gradient) for name in PEERS]
    print(versions(["jax"]))
    ratios: dict[str, list[tuple[float, str]]] = {name: [] for name in PEERS[1:]}
    for _ in range(chosen.shapes):
        network = drawn(draw)
        medians, _ = race(peers, network, rounds=chosen.rounds)
        ours = medians[peers[0]]
        for other in [p for p in peers[1:] if p in medians]:
            told = f"{network}: {duration(ours)} beside {duration(medians[other])}"
            ratios[other.name].append((ours / medians[other], told))
    for name, found in ratios.items():
        if not found:
            continue
        found.sort()
        faster = sum([ratio < 1.0 for ratio, _ in found])
        middle = median([ratio for ratio, _ in found])
        print(f"\nours / {name}: median {middle:.2f}, worst {found[-1][0]:.2f}; faster in {faster} of {len(found)}")
        for ratio, told in found[:-4:-1]:
            print(f"  {ratio:.2f}  {told}")


if __name__ == "__main__":
    main()
