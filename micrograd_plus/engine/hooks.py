"""Functions that see a gradient as it passes: `register_hook`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container
from reprlib import repr as short_repr
from typing import Any, Final, TypeAlias
from weakref import ReferenceType, ref

from micrograd_plus.engine.locking import locked
from micrograd_plus.engine.recording import open_blocks, tell
from micrograd_plus.engine.scalars import number
from micrograd_plus.engine.value import Value

Hook: TypeAlias = Callable[[Any], Any]  # sees a gradient on its way; what it returns, unless None, goes on instead
hooks_lock: Final[Any] = threading.RLock()
hooks: Final[dict[int, tuple[ReferenceType[Value], list[Hook]]]] = {}  # by the id of a value, as long as it lives


class Handle:
    """What `register_hook` returns: `remove()`, or the end of a `with` block, takes the hook away again.

    >>> x = Value(3.0)
    >>> with x.register_hook(print):
    ...     (2 * x).backward()
    2.0
    >>> handle = x.register_hook(print)
    >>> handle.remove()
    >>> (2 * x).backward()
    """

    def __init__(self, value: Value, hook: Hook) -> None:
        if open_blocks:
            tell(value, "a hook")
        if not callable(hook):
            raise TypeError(f"register_hook({short_repr(hook)}): expected a function of a gradient")
        self._key = id(value)
        self._hook = hook
        self._list: list[Hook] = []
        locked(hooks_lock, self._enter, value)

    def _enter(self, value: Value) -> None:
        key = self._key
        if key not in hooks:
            hooks[key] = (ref(value, lambda _: hooks.pop(key, None)), [])
        self._list = hooks[key][1]
        self._list.append(self._hook)

    def remove(self) -> None:
        """Take the hook away; a second time is no error."""
        locked(hooks_lock, self._leave)

    def _leave(self) -> None:
        for i, hook in enumerate(self._list):
            if hook is self._hook:
                del self._list[i]
                break
        if not self._list and self._key in hooks and hooks[self._key][1] is self._list:
            del hooks[self._key]

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def has_hook(value: Value) -> bool:
    """Whether somebody wants to see this value's gradient."""
    return bool(hooks) and id(value) in hooks


def hooks_on(identities: Callable[[], Container[int]]) -> list[Value]:
    """Those of some Values, told by their id(), that have a hook; it takes no time while nothing has one."""
    if not hooks:
        return []
    those = identities()
    found = [(kept(), hooks) for key, (kept, hooks) in list(hooks.items()) if key in those]
    return [value for value, hooks in found if value is not None and hooks]


def hooked(value: Value, gradient: Any) -> Any:
    """The gradient after the value's hooks have seen it."""
    entry = hooks.get(id(value)) if hooks else None
    if entry is None:
        return gradient
    for hook in tuple(entry[1]):
        changed = hook(gradient)
        if changed is not None:
            gradient = changed if isinstance(gradient, Value) else number(changed, "a hook's gradient =")
    return gradient
