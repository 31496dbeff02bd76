"""The mean cost of a batch and its gradient, as each peer would have it written: one builder for each of them.

Not a script: what compiled.py and growth.py share. Ours, heyoka and CasADi's SX get the network one scalar at a time
and for one example; NumPy, JAX, torch and CasADi's MX get it in matrices, the whole batch at once, as one writes them.
Weights, inputs and targets lie ready in the form each likes best, in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from engines import allocated, count
from numpy.typing import NDArray
from peers import Peer, Task

Floats = NDArray[Any]
Evaluate = Callable[[], tuple[Any, Any]]  # the loss; the gradient, flat or as a (weights, biases) for each layer


@dataclass(frozen=True)
class Network:
    """A network, its loss and a batch.

    Attributes:
        sizes: the number of inputs, then of neurons in each layer.
        activation, output: "sigmoid", "relu", "tanh" or, for the last layer, "linear".
        loss: "squared_error" or "cross_entropy", with one-hot targets; "hinge", with one output and targets -1 and 1.
        batch: the number of examples.
        penalty: times the sum of the squared parameters.
        seed: of weights, inputs and targets.
        dtype: "float64" or "float32", of all of these.
    """

    sizes: tuple[int, ...]
    activation: str
    output: str
    loss: str
    batch: int
    penalty: float = 0.0
    seed: int = 0
    dtype: str = "float64"

    def __str__(self) -> str:
        single = ", float32" if self.dtype == "float32" else ""
        sizes = "-".join(map(str, self.sizes))
        return f"{sizes} {self.activation}, {self.loss.replace('_', ' ')}, batch {self.batch}{single}"

    @cache  # noqa: B019 - a process has few
    def layers(self) -> list[tuple[Floats, Floats]]:
        """Weights (outputs, inputs) and biases of each layer, of a size that keeps signals at theirs."""
        rng = np.random.default_rng(self.seed)
        pairs = zip(self.sizes[:-1], self.sizes[1:])
        drawn = [(rng.normal(0.0, (2.0 / n) ** 0.5, (nout, n)), rng.normal(0.0, 0.1, nout)) for n, nout in pairs]
        return [(w.astype(self.dtype), b.astype(self.dtype)) for w, b in drawn]

    def theta(self) -> Floats:
        """The parameters in the order of `model.parameters()`: each neuron's weights, then its bias."""
        return flat(self.layers()).astype(self.dtype)

    def data(self, examples: int = 0) -> tuple[Floats, Floats]:
        """Inputs (n, inputs) and targets (n, outputs), of a batch unless told otherwise."""
        rng = np.random.default_rng(self.seed + 1)
        examples = examples or self.batch
        inputs = rng.random((examples, self.sizes[0]))
        if self.loss == "hinge":
            return inputs.astype(self.dtype), rng.choice([-1.0, 1.0], (examples, 1)).astype(self.dtype)
        targets = np.eye(self.sizes[-1])[rng.integers(0, self.sizes[-1], examples)]
        return inputs.astype(self.dtype), targets.astype(self.dtype)


def flat(layers: Any) -> Floats:
    """One vector of (weights, biases) for each layer, in the order of `model.parameters()`; a vector stays as it is."""
    if not isinstance(layers, (list, tuple)):
        return np.array(layers, dtype=float).ravel()
    return np.concatenate([np.column_stack([np.asarray(w), np.asarray(b)]).ravel() for w, b in layers])


# ---------------------------------------------------------------------------------------------------------------- ours


@cache
def model_and_cost(case: Network) -> tuple[Any, Callable[[Any, Any], Any]]:
    """Our network with the case's weights, and its cost of one example."""
    mp = import_module("micrograd_plus")
    model = mp.MLP(case.sizes[0], list(case.sizes[1:]), activation=case.activation, output=case.output, seed=0)
    for parameter, number in zip(model.parameters(), case.theta().tolist(), strict=True):
        parameter.data = number
    loss = getattr(mp.losses, case.loss)

    def cost(x: Any, y: Any) -> Any:
        value = loss(model(x), y)
        return value + case.penalty * sum(p * p for p in model.parameters()) if case.penalty else value

    return model, cost


def program_of(case: Network) -> Any:
    mp = import_module("micrograd_plus")
    _, cost = model_and_cost(case)
    return mp.compile(cost, x=case.sizes[0], y=() if case.loss == "hinge" else case.sizes[-1], dtype=case.dtype)


def ours(case: Network) -> Evaluate:
    program = program_of(case)
    theta, (x, y) = case.theta(), case.data()
    y = y[:, 0] if case.loss == "hinge" else y
    return lambda: program.value_and_grad(x, y, parameters=theta)


# -------------------------------------------------------------------------------------------------------------- NumPy


def by_hand(layers: list[tuple[Floats, Floats]], case: Network, x: Floats, y: Floats) -> tuple[float, Any]:
    """Backpropagation as one writes it in NumPy: whole batches, no temporary that can be spared."""
    n = len(x)
    outs = [x]
    for i, (w, b) in enumerate(layers):
        z = outs[-1] @ w.T
        z += b
        outs.append(bend(z, case.activation if i < len(layers) - 1 else case.output))
    out = outs[-1]
    if case.loss == "squared_error":
        delta = out - y
        loss = np.vdot(delta, delta) / n
        delta *= 2.0 / n
    elif case.loss == "cross_entropy":
        out = out - out.max(axis=1, keepdims=True)
        delta = np.exp(out)
        total = delta.sum(axis=1, keepdims=True)
        loss = (np.log(total).sum() - np.vdot(y, out)) / n
        delta /= total
        delta -= y
        delta /= n
    else:
        margin = 1.0 - y * out
        loss = np.maximum(margin, 0.0).sum() / n
        delta = y * (margin > 0.0)
        delta /= -n
    gradients = []
    for i in range(len(layers) - 1, -1, -1):
        unbend(delta, outs[i + 1], case.activation if i < len(layers) - 1 else case.output)
        gradients.append((delta.T @ outs[i], delta.sum(axis=0)))
        if i > 0:
            delta = delta @ layers[i][0]
    gradients.reverse()
    if case.penalty:
        for (w, b), (dw, db) in zip(layers, gradients):
            loss += case.penalty * (np.vdot(w, w) + np.vdot(b, b))
            dw += 2.0 * case.penalty * w
            db += 2.0 * case.penalty * b
    return float(loss), gradients


def bend(z: Floats, activation: str) -> Floats:
    """The activation, in place."""
    if activation == "sigmoid":
        np.negative(z, out=z)
        np.exp(z, out=z)
        z += 1.0
        return np.divide(1.0, z, out=z)
    if activation == "relu":
        return np.maximum(z, 0.0, out=z)
    return np.tanh(z, out=z) if activation == "tanh" else z


def unbend(delta: Floats, out: Floats, activation: str) -> None:
    """Times the activation's derivative, which its result knows, in place."""
    if activation == "sigmoid":
        delta *= out
        delta *= 1.0 - out
    elif activation == "relu":
        delta *= out > 0.0
    elif activation == "tanh":
        delta *= 1.0 - out * out


def numpy_by_hand(case: Network) -> Evaluate:
    layers, (x, y) = case.layers(), case.data()
    return lambda: by_hand(layers, case, x, y)


# ------------------------------------------------------------------------------------------------------ JAX and torch


def jax_jit(case: Network) -> Evaluate:
    jax = import_module("jax")
    jnp = import_module("jax.numpy")
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_cpu_enable_async_dispatch", False)  # a thread less to wait for: quicker on one core
    jax.clear_caches()  # so that compiling anew is that
    bends = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu, "tanh": jnp.tanh, "linear": lambda z: z}

    def cost(layers: Any, x: Any, y: Any) -> Any:
        for w, b in layers[:-1]:
            x = bends[case.activation](x @ w.T + b)
        w, b = layers[-1]
        out = bends[case.output](x @ w.T + b)
        if case.loss == "squared_error":
            value = ((out - y) ** 2).sum(axis=1).mean()
        elif case.loss == "cross_entropy":
            value = -(y * jax.nn.log_softmax(out)).sum(axis=1).mean()
        else:
            value = jax.nn.relu(1.0 - y * out).mean()
        if case.penalty:
            value += case.penalty * sum((w * w).sum() + (b * b).sum() for w, b in layers)
        return value

    arrays = jax.device_put((case.layers(), *case.data()))
    compiled = jax.jit(jax.value_and_grad(cost))
    compiled(*arrays)
    return lambda: jax.block_until_ready(compiled(*arrays))


def torch_cost(case: Network, layers: Any, x: Any, y: Any) -> Any:
    torch = import_module("torch")
    functional = torch.nn.functional
    bends = {"sigmoid": torch.sigmoid, "relu": torch.relu, "tanh": torch.tanh, "linear": lambda z: z}
    for w, b in layers[:-1]:
        x = bends[case.activation](functional.linear(x, w, b))
    out = bends[case.output](functional.linear(x, *layers[-1]))
    if case.loss == "squared_error":
        value = functional.mse_loss(out, y, reduction="sum") / len(x)
    elif case.loss == "cross_entropy":
        value = functional.cross_entropy(out, y)
    else:
        value = torch.relu(1.0 - y * out).mean()
    if case.penalty:
        value = value + case.penalty * sum((w * w).sum() + (b * b).sum() for w, b in layers)
    return value


def torch_layers(case: Network) -> list[tuple[Any, Any]]:
    torch = import_module("torch")
    torch.set_num_threads(1)
    return [(torch.tensor(w).requires_grad_(), torch.tensor(b).requires_grad_()) for w, b in case.layers()]


def torch_autograd(case: Network) -> Evaluate:
    torch = import_module("torch")
    layers, (x, y) = torch_layers(case), map(torch.tensor, case.data())
    parameters = [p for layer in layers for p in layer]

    def evaluate() -> tuple[Any, Any]:
        value = torch_cost(case, layers, x, y)
        gradients = torch.autograd.grad(value, parameters)
        return value.detach(), list(zip(gradients[::2], gradients[1::2]))

    return evaluate


# --------------------------------------------------------------------------------------------------- CasADi and heyoka


def casadi_function(case: Network, kind: str, examples: int) -> Any:
    """(theta, x, y) -> (sum of the costs of so many examples, its gradient), of scalars (SX) or matrices (MX)."""
    ca = import_module("casadi")
    symbols = getattr(ca, kind)
    theta = symbols.sym("theta", case.theta().size)
    x, y = symbols.sym("x", case.sizes[0], examples), symbols.sym("y", case.sizes[-1], examples)
    bends = {
        "sigmoid": lambda z: 1.0 / (1.0 + ca.exp(-z)),
        "relu": lambda z: ca.fmax(z, 0.0),
        "tanh": ca.tanh,
        "linear": lambda z: z,
    }
    out, at = x, 0
    for i, (n, nout) in enumerate(zip(case.sizes, case.sizes[1:])):
        block = ca.reshape(theta[at : at + nout * (n + 1)], n + 1, nout).T
        at += nout * (n + 1)
        z = block[:, :n] @ out + ca.repmat(block[:, n], 1, examples)
        out = bends[case.activation if i < len(case.sizes) - 2 else case.output](z)
    if case.loss == "squared_error":
        value = ca.sumsqr(out - y)
    elif case.loss == "cross_entropy":
        value = 0.0
        for i in range(examples):
            value += ca.logsumexp(out[:, i]) - ca.dot(y[:, i], out[:, i])
    else:
        value = ca.sum2(ca.fmax(1.0 - y * out, 0.0))
    if case.penalty:
        value += examples * case.penalty * ca.sumsqr(theta)
    return ca.Function("cost", [theta, x, y], [value, ca.gradient(value, theta)])


def casadi_evaluate(case: Network, function: Any) -> Evaluate:
    return casadi_in_place(function, (case.theta(), *case.data()), case.batch)


def casadi_in_place(function: Any, arguments: tuple[Any, ...], batch: int) -> Evaluate:
    """Arguments and results in place, which is the fastest way to call it from Python.

    Args:
        function: it gives the sums over the batch of a value and of its gradient by the first argument.
        arguments: a row for each example is, in CasADi's order, a column.
        batch: how many examples these are.
    """
    buffer, call = function.buffer()
    value, gradient = np.zeros(1), np.zeros(arguments[0].size)
    for i, argument in enumerate(arguments):
        buffer.set_arg(i, argument.data)
    buffer.set_res(0, value.data)
    buffer.set_res(1, gradient.data)

    def evaluate(kept: Any = (buffer, arguments)) -> tuple[Any, Any]:  # noqa: ARG001 - CasADi only points at them
        call()
        return value[0] / batch, gradient / batch

    return evaluate


def casadi_sx(case: Network) -> Evaluate:
    function = casadi_function(case, "SX", 1)
    return casadi_evaluate(case, function.map("batch", "serial", case.batch, [0], [0, 1]))


def casadi_mx(case: Network) -> Evaluate:
    return casadi_evaluate(case, casadi_function(case, "MX", case.batch))


def heyoka_cfunc(case: Network) -> Evaluate:
    hy = import_module("heyoka")
    hy.set_nthreads(1)
    weights = case.theta()
    x = [hy.expression(f"x{i}") for i in range(case.sizes[0])]
    y = [hy.expression(f"y{i}") for i in range(case.sizes[-1])]
    theta = [hy.expression(f"t{i}") for i in range(weights.size)]
    bends = {"sigmoid": hy.sigmoid, "relu": hy.relu, "tanh": hy.tanh, "linear": lambda z: z}
    outs, rest = x, iter(theta)
    for i, (n, nout) in enumerate(zip(case.sizes, case.sizes[1:])):
        bent = bends[case.activation if i < len(case.sizes) - 2 else case.output]
        neurons = [([next(rest) for _ in range(n)], next(rest)) for _ in range(nout)]
        outs = [bent(hy.sum([*[p * q for p, q in zip(w, outs)], b])) for w, b in neurons]
    if case.loss == "squared_error":
        value = hy.sum([(p - q) * (p - q) for p, q in zip(outs, y)])
    elif case.loss == "cross_entropy":
        value = hy.log(hy.sum([hy.exp(p) for p in outs])) - hy.sum([p * q for p, q in zip(outs, y)])
    else:
        value = hy.relu(1.0 - y[0] * outs[0])
    if case.penalty:
        value += case.penalty * hy.sum([p * p for p in theta])
    derivatives = hy.diff_tensors([value], diff_args=theta, diff_order=1).gradient
    function = hy.cfunc([value, *derivatives], vars=[*x, *y, *theta], compact_mode=True)
    inputs = np.vstack([*[numbers.T for numbers in case.data()], np.zeros((weights.size, case.batch))])
    results, share = np.empty((1 + weights.size, case.batch)), np.full(case.batch, 1.0 / case.batch)

    def evaluate() -> tuple[Any, Any]:
        inputs[-weights.size :] = weights[:, None]  # it takes the parameters anew with each example
        function(inputs, outputs=results)
        means = results @ share
        return means[0], means[1:]

    return evaluate


# --------------------------------------------------------------------------------------------------------------- tasks

BUILDERS: dict[str, Callable[[Network], Evaluate]] = {
    "ours": ours, "NumPy by hand": numpy_by_hand, "JAX jit": jax_jit, "torch": torch_autograd,
    "CasADi MX": casadi_mx, "CasADi SX": casadi_sx, "heyoka": heyoka_cfunc,
}  # fmt: skip
PACKAGES = {"JAX jit": "jax", "torch": "torch", "CasADi MX": "casadi", "CasADi SX": "casadi", "heyoka": "heyoka"}


def peer(name: str, prepare: Callable[..., Task]) -> Peer:
    """A peer of this name; `prepare` gets the name, and then the case."""
    return Peer(name, prepare, PACKAGES.get(name, ""), first=(name,))


def gradient(name: str, case: Network) -> Task:
    """Built once; the gradient is timed, and for ours the bytes of a scalar node are counted."""
    evaluate = BUILDERS[name](case)
    return Task(evaluate, lambda: numbers(evaluate()), lambda: bytes_a_node(case))


def building(name: str, case: Network) -> Task:
    """Tracing, compiling and a first gradient are timed; for ours the bytes of a node are counted too."""

    def run() -> object:
        return BUILDERS[name](case)()

    return Task(run, lambda: numbers(BUILDERS[name](case)()), lambda: bytes_a_node(case))


def scalar_nodes(case: Network) -> int:
    """How many nodes the eager graph of one example has, parameters and inputs included."""
    value = import_module("micrograd_plus").Value
    _, cost = model_and_cost(case)
    x, y = [[value(number) for number in row] for row in (array[0].tolist() for array in case.data())]
    return count(cost(x, y[0] if case.loss == "hinge" else y))


def bytes_a_node(case: Network) -> float:
    """What a compiled program holds, after a gradient, for each scalar node; the network is there before."""
    program_of(Network((2, 2, 2), case.activation, case.output, case.loss, 1))  # imports are not counted
    (x, y), theta = case.data(), case.theta()

    def make() -> Any:
        program = program_of(case)
        program.value_and_grad(x, y[:, 0] if case.loss == "hinge" else y, parameters=theta)
        return program

    return allocated(make) / scalar_nodes(case)


def numbers(result: tuple[Any, Any]) -> Floats:
    return np.concatenate([[float(result[0])], flat(result[1])])
