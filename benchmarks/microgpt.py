"""Time one gradient of a tiny GPT: 16 wide, 4 heads, one layer, 8 letters of 27, one text and 16, one thread each.

    python benchmarks/microgpt.py [--letters 8]

Ours is written one scalar at a time, with letters as numbers (`mp.lookup`), and compiled; the peers are written in
arrays: NumPy with its gradient by hand, JAX jitted, torch. Needs `pip install 'micrograd-plus[bench]' torch==2.13.0`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from networks import numbers
from peers import Peer, Task, options, print_times, race, versions

LETTERS, WIDTH, HEADS, EPSILON = 27, 16, 4, 1e-5
SIZE = WIDTH // HEADS  # of a head
# a matrix for each, (rows, columns); the last but one axis counts what comes out
SHAPES = {
    "letter": (LETTERS, WIDTH), "query": (WIDTH, WIDTH), "key": (WIDTH, WIDTH), "value": (WIDTH, WIDTH),
    "mix": (WIDTH, WIDTH), "up": (4 * WIDTH, WIDTH), "down": (WIDTH, 4 * WIDTH), "head": (LETTERS, WIDTH),
}  # fmt: skip


def weights(length: int) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    shapes = SHAPES | {"place": (length, WIDTH)}
    return {name: draw.normal(0.0, 0.3, shape) for name, shape in shapes.items()}


def texts(batch: int, length: int) -> tuple[Any, Any]:
    """Letters, and those that come after them."""
    letters = np.random.default_rng(1).integers(0, LETTERS, (batch, length + 1))
    return letters[:, :-1], letters[:, 1:]


def ours(batch: int, length: int) -> Callable[[], Any]:
    mp = import_module("micrograd_plus")
    w = {
        name: [[mp.Value(number) for number in row] for row in matrix.tolist()]
        for name, matrix in weights(length).items()
    }
    parameters = [number for matrix in w.values() for row in matrix for number in row]

    def norm(state: Any) -> Any:
        scale = mp.rsqrt(mp.mean([number * number for number in state]) + EPSILON)
        return [number * scale for number in state]

    def times(matrix: Any, states: Any) -> Any:
        return [[mp.dot(row, state) for row in matrix] for state in states]

    def cost(x: Any, y: Any) -> Any:
        states = [norm([a + b for a, b in zip(mp.lookup(w["letter"], i), place)]) for i, place in zip(x, w["place"])]
        normed = [norm(state) for state in states]
        queries, keys, values = [times(w[name], normed) for name in ("query", "key", "value")]
        taken: Any = [[] for _ in states]
        for at in range(0, WIDTH, SIZE):
            for t, query in enumerate(queries):
                heard = [mp.dot(query[at : at + SIZE], key[at : at + SIZE]) * SIZE**-0.5 for key in keys[: t + 1]]
                shares = mp.softmax(heard)
                taken[t] += [mp.dot(shares, [value[i] for value in values[: t + 1]]) for i in range(at, at + SIZE)]
        states = [[a + b for a, b in zip(s, m)] for s, m in zip(states, times(w["mix"], taken))]
        thought = [[mp.relu(number) for number in row] for row in times(w["up"], map(norm, states))]
        states = [[a + b for a, b in zip(s, m)] for s, m in zip(states, times(w["down"], thought))]
        return mp.mean([mp.losses.cross_entropy(out, i) for out, i in zip(times(w["head"], states), y)])

    program = mp.compile(cost, x=length, y=length, parameters=parameters)
    x, y = texts(batch, length)
    theta = np.array([parameter.data for parameter in parameters])
    return lambda: program.value_and_grad(x, y, parameters=theta)


def forward(f: Any, w: dict[str, Any], x: Any, y: Any, gather: Callable[[Any, Any], Any]) -> Any:
    """The mean loss in arrays, for JAX and torch, whose names for all of this are the same."""

    def norm(s: Any) -> Any:
        return s * ((s * s).mean(-1)[..., None] + EPSILON) ** -0.5

    batch, length = x.shape
    s = norm(w["letter"][x] + w["place"])
    n = norm(s)
    q, k, v = [(n @ w[name].T).reshape(batch, length, HEADS, SIZE).swapaxes(1, 2) for name in ("query", "key", "value")]
    heard = (q @ k.swapaxes(2, 3)) * SIZE**-0.5 + f.triu(f.full((length, length), -float("inf")), 1)
    exponentials = f.exp(heard - f.amax(heard, -1)[..., None])
    shares = exponentials / exponentials.sum(-1)[..., None]
    s = s + (shares @ v).swapaxes(1, 2).reshape(batch, length, WIDTH) @ w["mix"].T
    h = norm(s) @ w["up"].T
    s = s + (h * (h > 0)) @ w["down"].T
    out = s @ w["head"].T
    top = f.amax(out, -1)
    return (f.log(f.exp(out - top[..., None]).sum(-1)) + top - gather(out, y)).mean()


def torch_autograd(batch: int, length: int) -> Callable[[], Any]:
    torch = import_module("torch")
    torch.set_num_threads(1)
    w = {name: torch.tensor(matrix, requires_grad=True) for name, matrix in weights(length).items()}
    x, y = [torch.tensor(part) for part in texts(batch, length)]

    def evaluate() -> Any:
        loss = forward(torch, w, x, y, lambda out, at: out.gather(-1, at[..., None])[..., 0])
        gradients = torch.autograd.grad(loss, list(w.values()))
        return loss.item(), np.concatenate([gradient.numpy().ravel() for gradient in gradients])

    return evaluate


def jax_jit(batch: int, length: int) -> Callable[[], Any]:
    jax = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    jnp = import_module("jax.numpy")
    w = {name: jnp.asarray(matrix) for name, matrix in weights(length).items()}
    x, y = [jnp.asarray(part) for part in texts(batch, length)]

    def cost(w: Any) -> Any:
        return forward(jnp, w, x, y, lambda out, at: jnp.take_along_axis(out, at[..., None], -1)[..., 0])

    step = jax.jit(jax.value_and_grad(cost))

    def evaluate() -> Any:
        loss, gradients = step(w)
        return float(loss), np.concatenate([np.asarray(gradients[name]).ravel() for name in w])

    return evaluate


def numpy_by_hand(batch: int, length: int) -> Callable[[], Any]:
    w = weights(length)
    x, y = texts(batch, length)
    rows, places = np.arange(batch)[:, None], np.arange(length)
    masked = np.triu(np.full((length, length), -np.inf), 1)
    share = 1.0 / (batch * length)

    def norm(s: Any) -> tuple[Any, Any]:
        scale = (np.einsum("...i,...i->...", s, s)[..., None] / WIDTH + EPSILON) ** -0.5
        return s * scale, scale

    def back(d: Any, n: Any, scale: Any) -> Any:
        """By what was normed, from what came back to n = s · scale."""
        return scale * (d - n * (np.einsum("...i,...i->...", d, n)[..., None] / WIDTH))

    def split(a: Any) -> Any:
        return a.reshape(batch, length, HEADS, SIZE).swapaxes(1, 2)

    def joined(a: Any) -> Any:
        return a.swapaxes(1, 2).reshape(batch, length, WIDTH)

    def outer(d: Any, a: Any) -> Any:
        return d.reshape(-1, d.shape[-1]).T @ a.reshape(-1, a.shape[-1])

    def evaluate() -> Any:
        s0, scale0 = norm(w["letter"][x] + w["place"])
        n, scale1 = norm(s0)
        q, k, v = [split(n @ w[name].T) for name in ("query", "key", "value")]
        heard = (q @ k.swapaxes(2, 3)) * SIZE**-0.5 + masked
        shares = np.exp(heard - heard.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        taken = joined(shares @ v)
        s1 = s0 + taken @ w["mix"].T
        m, scale2 = norm(s1)
        h = np.maximum(m @ w["up"].T, 0.0)
        s2 = s1 + h @ w["down"].T
        out = s2 @ w["head"].T
        out -= out.max(-1, keepdims=True)
        p = np.exp(out)
        total = p.sum(-1)
        loss = (np.log(total) - out[rows, places, y]).sum() * share

        p *= (share / total)[..., None]
        p[rows, places, y] -= share
        d: dict[str, Any] = {"head": outer(p, s2)}
        ds = p @ w["head"]
        d["down"] = outer(ds, h)
        dh = (ds @ w["down"]) * (h > 0.0)
        d["up"] = outer(dh, m)
        ds = ds + back(dh @ w["up"], m, scale2)
        d["mix"] = outer(ds, taken)
        dt = split(ds @ w["mix"])
        dshares = dt @ v.swapaxes(2, 3)
        dv = shares.swapaxes(2, 3) @ dt
        dheard = shares * (dshares - (dshares * shares).sum(-1, keepdims=True)) * SIZE**-0.5
        parts = {"query": joined(dheard @ k), "key": joined(dheard.swapaxes(2, 3) @ q), "value": joined(dv)}
        for name, part in parts.items():
            d[name] = outer(part, n)
        dn = parts["query"] @ w["query"] + parts["key"] @ w["key"] + parts["value"] @ w["value"]
        ds = back(ds + back(dn, n, scale1), s0, scale0)
        d["place"] = ds.sum(0)
        d["letter"] = np.zeros((LETTERS, WIDTH))
        np.add.at(d["letter"], x, ds)
        return loss, np.concatenate([d[name].ravel() for name in w])

    return evaluate


BUILDERS: dict[str, Callable[[int, int], Callable[[], Any]]] = {
    "ours": ours, "NumPy by hand": numpy_by_hand, "JAX jit": jax_jit, "torch": torch_autograd,
}  # fmt: skip
PACKAGES = {"JAX jit": "jax", "torch": "torch"}


def prepare(name: str, batch: int, length: int) -> Task:
    evaluate = BUILDERS[name](batch, length)
    return Task(evaluate, lambda: numbers(evaluate()))


def main() -> None:
    chosen = options(__doc__, letters=8)
    peers = [Peer(name, prepare, PACKAGES.get(name, ""), first=(name,)) for name in BUILDERS]
    print(versions(["jax", "torch"]))
    for batch in (1, 16):
        medians, difference = race(peers, batch, chosen.letters, rounds=chosen.rounds)
        title = f"a gradient of a GPT 16 wide, 4 heads, one layer, {chosen.letters} letters, {batch} texts"
        print_times(title, peers, medians, difference)


if __name__ == "__main__":
    main()
