"""Give what is computed a name, by which a picture shows it as one box that opens."""

from __future__ import annotations

from reprlib import repr as short_repr

from micrograd_plus.engine.calls import Scope
from micrograd_plus.engine.recording import Block, _Region, scoping


def scope(name: str) -> _Region:
    """Give what is computed in this block, or in a function decorated with it, a name: pictures fold it into one box.

    The package's own functions over lists and its losses are such boxes from the beginning, as are modules. Each pass
    through the block is a box of its own. Outside of such blocks nothing costs more; in one, each new node takes some
    0.2 microseconds more.

    Args:
        name: what the box is called, and by which `draw(..., open=name)` opens it.

    Raises:
        TypeError: the name is no string, as where `@mp.scope` stands without one.
        ValueError: the name is empty.

    >>> import micrograd_plus as mp
    >>> @mp.scope("attention")
    ... def attention(query, keys, values):
    ...     weights = mp.softmax([mp.dot(query, key) for key in keys])
    ...     return mp.dot(weights, values)
    >>> x = [mp.Value(1.0), mp.Value(2.0)]
    >>> print(mp.draw(attention(x, [x, x], x)).captions[0])
    folded: 20 nodes in 3 boxes; open one by its name, such as open='attention'
    """
    if not isinstance(name, str):
        raise TypeError(f"scope({short_repr(name)}): expected a name, as in @scope('attention')")
    if not name.strip():
        raise ValueError(f"scope({name!r}): expected a name that is not empty")
    return _Region(lambda: Block(scoping, Scope(name, None, scoping.get())))
