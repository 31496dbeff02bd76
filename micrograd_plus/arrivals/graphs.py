"""The graph that PyTorch's autograd keeps of a calculation, as a graph of Values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_plus.arrivals.agreeing import check_same
from micrograd_plus.arrivals.nodes import INVERSES, Node, Numbers, UnknownNumberError, floats, known, rule
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.variables import callers_namespace

if TYPE_CHECKING:
    import torch

LARGEST = 50_000  # scalars in one tensor: a Value each
SAVED = {  # under which names PyTorch keeps a node's arguments
    "Mm": ("self", "mat2"),
    "Bmm": ("self", "mat2"),
    "Mv": ("self", "vec"),
    "Dot": ("self", "tensor"),
    "Addmm": ("", "mat1", "mat2"),
    "Pow": ("self", "exponent"),
}


def from_torch_graph(loss: torch.Tensor, names: Mapping[str, torch.Tensor] | None = None) -> Value:
    """A graph of Values that computes what a tensor was computed from, number by number, with equal gradients.

    It is read off PyTorch's own graph, the tensor's `grad_fn`, which must still be whole: before `backward()`, or after
    `backward(retain_graph=True)`. What needs a gradient becomes leaves, with labels: `w`, or `model.0.weight[1, 2]`.
    The rest are plain numbers. So a small model of PyTorch's can be drawn, stepped through, and asked why a gradient is
    what it is.

    Args:
        loss: a tensor that holds a single number, and was computed from others that need a gradient.
        names: what the leaves are called, such as `dict(model.named_parameters())`; None looks among the caller's
            variables, also for modules there.

    Returns:
        The Value of the loss.

    Raises:
        TypeError: it is no tensor, or one that was not computed from anything that needs a gradient.
        ValueError: it holds several numbers; its graph was freed; a tensor in it is too large, or empty; there is a
            number that PyTorch does not keep and nothing that came out tells, such as what was added within a closed
            relu, or right before a sum or a mean of several numbers; or the loss, or a derivative by PyTorch's own
            `autograd.grad`, is another than here, because of a hook for one.
        NotImplementedError: there is an operation without a rule here; the message names it, and those that have one.

    >>> import torch
    >>> import micrograd_plus as mp
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True, dtype=torch.float64)
    >>> loss = torch.tanh(w @ torch.tensor([0.5, 0.25], dtype=torch.float64)) ** 2
    >>> root = mp.from_torch_graph(loss)
    >>> root.backward()
    >>> leaves = [node for node in mp.engine.toposort(root) if node.op is None]
    >>> [leaf.label for leaf in leaves]
    ['w[0]', 'w[1]']
    >>> loss.backward()
    >>> [leaf.grad for leaf in leaves] == w.grad.tolist()
    True
    """
    root = _root(loss)
    named: dict[int, str] = {}
    for name, tensor in _callers() if names is None else names.items():
        named.setdefault(id(tensor), name)
    order = _ordered(root)
    try:
        out = _outcomes(order, loss)
    except RuntimeError as error:
        if "second time" not in str(error):
            raise
        way_out = "call it before backward(), or backward(retain_graph=True)"
        raise ValueError(f"from_torch_graph({loss!r}): PyTorch has freed its graph; {way_out}") from None
    made: dict[tuple[Any, int], Numbers] = {}
    operations = {function.name() for function in order if not hasattr(function, "variable")}
    with np.errstate(all="ignore"):  # edges are as in PyTorch, which warns of none
        for function in order:
            _made(function, made, out.get(function), named)
        found = _single(made[root, 0])
        leaves = [(function.variable, made[function, 0]) for function in order if hasattr(function, "variable")]
        check_same(loss, found, leaves, ", ".join(sorted(operations)))
    return found


def _root(loss: Any) -> Any:
    """The node that made the loss."""
    if not hasattr(loss, "grad_fn"):
        raise TypeError(f"from_torch_graph: expected a tensor of PyTorch, got {type(loss).__name__}")
    if loss.numel() != 1:
        way_out = "expected a single number, such as its .sum()"
        raise ValueError(f"from_torch_graph: a tensor of shape {tuple(loss.shape)}; {way_out}")
    if loss.grad_fn is None:
        way_out = "nothing that it was computed from needs a gradient; make that with requires_grad=True"
        raise TypeError(f"from_torch_graph({loss!r}): {way_out}")
    return loss.grad_fn


def _callers() -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors among the caller's variables, in lists and dicts there, and in modules."""
    import torch

    for name, thing in callers_namespace().items():
        if name.startswith("_"):
            continue
        if isinstance(thing, torch.Tensor):
            yield name, thing
        elif isinstance(thing, torch.nn.Module):
            yield from [(f"{name}.{path}", parameter) for path, parameter in thing.named_parameters()]
        elif isinstance(thing, (list, tuple, dict)):
            parts = thing.items() if isinstance(thing, dict) else enumerate(thing)
            yield from [(f"{name}[{key!r}]", part) for key, part in parts if isinstance(part, torch.Tensor)]


def _ordered(root: Any) -> list[Any]:
    """All nodes under one, arguments before results; iterative."""
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        function, ready = stack.pop()
        if ready:
            order.append(function)
        elif function not in seen:
            seen.add(function)
            stack.append((function, True))
            stack += [(under, False) for under, _ in function.next_functions if under is not None]
    return order


def _outcomes(order: list[Any], loss: Any) -> dict[Any, Any]:
    """The numbers that came out of nodes, as far as PyTorch keeps them: as results, or as somebody's arguments."""
    out: dict[Any, Any] = {order[-1]: floats(loss)}
    for function in order:
        kept = {name[len("_saved_") :] for name in dir(function) if name.startswith("_saved_")}
        if "result" in kept:
            out.setdefault(function, floats(function._saved_result))
        names = SAVED.get(_stem(function), ("self", "other"))
        for name, (under, number) in zip(names, function.next_functions):
            tensor = getattr(function, f"_saved_{name}") if name in kept else None
            if under is not None and not number and hasattr(tensor, "detach"):
                out.setdefault(under, floats(tensor))
    for function in reversed(order):  # then those that follow from a result, perhaps with fewer digits
        for under, number in function.next_functions if function in out else ():
            if under is not None and not number and under not in out:
                came = _came_in(_stem(function), _shape(under), out[function])
                out |= {} if came is None else {under: came}
    return out


def _came_in(stem: str, shape: tuple[int, ...], result: Any) -> Any:
    """What must have come in for such a result; None where that can't be told."""
    if stem in INVERSES:
        with np.errstate(all="ignore"):
            return INVERSES[stem](result)
    if stem in ("View", "UnsafeView", "ReshapeAlias", "Unsqueeze", "Squeeze", "Clone", "Alias", "ToCopy"):
        return result.reshape(shape)
    if stem in ("Sum", "Mean") and result.size == int(np.prod(shape)) == 1:  # of one number
        return result.reshape(shape)
    return result.T if stem == "T" else None


def _made(function: Any, made: dict[tuple[Any, int], Numbers], out: Any, named: Mapping[int, str]) -> None:
    """Add what a node computes."""
    if hasattr(function, "variable"):
        made[function, 0] = _leaves(function.variable, named.get(id(function.variable), ""))
        return
    name, shape = function.name(), _shape(function)
    if not 0 < int(np.prod(shape)) <= LARGEST:
        raise ValueError(f"from_torch_graph: {name} gives {tuple(shape)} numbers; expected 1 to {LARGEST:,}")
    compute = rule(name)
    if compute is None:
        supported = ", ".join(known())
        raise NotImplementedError(f"from_torch_graph: there is no rule for {name}; there are for {supported}")
    given = [None if under is None else made[under, number] for under, number in function.next_functions]
    try:
        result = compute(Node(function, name, shape, given, out))
    except UnknownNumberError:
        way_out = "make it a tensor with requires_grad=True, and it is a leaf"
        raise ValueError(
            f"from_torch_graph: PyTorch keeps no number for a constant that {name} was given; {way_out}"
        ) from None
    except NotImplementedError as error:
        raise NotImplementedError(f"from_torch_graph: there is no rule for {name} with {error}") from None
    for number, part in enumerate(result if isinstance(result, list) else [result]):
        made[function, number] = np.asarray(part, dtype=object)


def _leaves(variable: Any, name: str) -> Numbers:
    """A Value for each number of a tensor."""
    count = variable.numel()
    if not 0 < count <= LARGEST:
        raise ValueError(f"from_torch_graph: {name or 'a tensor'} has {count:,} numbers; expected 1 to {LARGEST:,}")
    data = floats(variable)
    made = np.empty(data.shape, dtype=object)
    for place in np.ndindex(data.shape):
        index = f"[{', '.join(map(str, place))}]" if place else ""
        made[place] = Value(float(data[place]), label=f"{name}{index}" if name else "")
    return made


def _single(made: Numbers) -> Value:
    (root,) = np.ravel(made)
    return root if isinstance(root, Value) else Value(root)  # a number, where all that counts was left out


def _stem(function: Any) -> str:
    stem: str = function.name().partition("Backward")[0]
    return stem


def _shape(function: Any) -> tuple[int, ...]:
    """That of a node's result."""
    if hasattr(function, "variable"):
        return tuple(function.variable.shape)
    return tuple(function._input_metadata[0].shape)
