"""Is the graph that came the one that PyTorch has? It must give the same loss and the same derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_plus.arrivals.nodes import Numbers, floats
from micrograd_plus.engine.backward import derivatives
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import toposort


def check_same(loss: Any, root: Value, leaves: Sequence[tuple[Any, Numbers]], names: str) -> None:
    """Raise where it is not, so that nothing which no rule here knows is passed by, a hook for one.

    What is no number in PyTorch, as 0 · inf behind a branch that was not taken, may be one here.

    Args:
        loss: PyTorch's, a single number.
        root: ours.
        leaves: the tensors it was computed from, each with an array of the Values made of it.
        names: the operations in it, for the error.

    Raises:
        ValueError: something differs by more than half of the digits that the loss has.
    """
    import torch

    eps = torch.finfo(loss.dtype).eps
    way_out = (
        "Something in its graph works otherwise than its rule here, an option or a hook; or a constant in it was kept "
        f"nowhere and has lost its digits: make that a tensor with requires_grad=True. Its operations are {names}"
    )
    largest = max([size for node in toposort(root) if (size := abs(node.data)) < np.inf], default=0.0)
    (wanted,) = np.ravel(floats(loss))
    if np.isfinite(wanted) and not abs(wanted - root.data) <= eps**0.5 * abs(wanted) + 100.0 * eps * largest:
        raise ValueError(f"from_torch_graph: the loss is {float(wanted)!r}, read as {root.data!r}. {way_out}")
    tensors, flat = [tensor for tensor, _ in leaves], [leaf for _, array in leaves for leaf in np.ravel(array)]
    kept = torch.autograd.grad(loss, tensors, torch.ones_like(loss), retain_graph=True, allow_unused=True)
    slopes = [np.zeros(tensor.numel()) if its is None else np.ravel(floats(its)) for its, tensor in zip(kept, tensors)]
    theirs, ours = np.concatenate(slopes), np.array(derivatives(root, flat))
    finite = np.isfinite(theirs)
    steepest = np.abs(theirs[finite]).max(initial=0.0)
    for place in np.flatnonzero(finite & ~(np.abs(theirs - ours) <= eps**0.5 * steepest)):
        by = f"derivative by {flat[place].label}" if flat[place].label else "derivative"
        pair = f"{float(theirs[place])!r}, read as {float(ours[place])!r}"
        raise ValueError(f"from_torch_graph: the {by} is {pair}. {way_out}")
