"""A dictionary that tells its keys apart by identity, as Values must be: a subclass may have its own `==` and hash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from itertools import repeat
from typing import Any, Generic, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")


class Identities(MutableMapping[K, V], Generic[K, V]):
    """A dictionary from objects to what belongs to each, in the order of insertion; a key is that very object.

    It never asks a key for its hash, nor whether it equals another one, and keeps its keys alive. `fromkeys` makes one
    that serves as a set. It begins with the keys and values of a mapping, or of a list of any number of pairs.

    Raises:
        KeyError: a key that is not there is asked for, as of a dict.

    >>> a, b = [1], [1]
    >>> called = Identities([(a, "a"), (b, "b")])
    >>> called[b], [1] in called, list(called.values())
    ('b', False, ['a', 'b'])
    """

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Iterable[tuple[K, V]] | Mapping[K, V] = ()) -> None:
        self._pairs: dict[int, tuple[K, V]] = {}
        for key, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
            self._pairs[id(key)] = (key, value)

    @overload
    @classmethod
    def fromkeys(cls, keys: Iterable[K]) -> Identities[K, None]: ...
    @overload
    @classmethod
    def fromkeys(cls, keys: Iterable[K], value: D) -> Identities[K, D]: ...
    @classmethod
    def fromkeys(cls, keys: Iterable[K], value: Any = None) -> Identities[K, Any]:
        """The keys, each once, all with one value.

        Args:
            keys: any number of objects of any kind.
            value: what belongs to each of them.

        >>> list(Identities.fromkeys("abba"))
        ['a', 'b']
        """
        made: Identities[K, Any] = Identities()
        keys = list(keys)
        made._pairs = dict(zip(map(id, keys), zip(keys, repeat(value))))
        return made

    def __getitem__(self, key: K) -> V:
        try:
            return self._pairs[id(key)][1]
        except KeyError:
            return self.__missing__(key)

    def __missing__(self, key: K) -> V:
        raise KeyError(key)

    def __setitem__(self, key: K, value: V) -> None:
        self._pairs[id(key)] = (key, value)

    def __delitem__(self, key: K) -> None:
        try:
            del self._pairs[id(key)]
        except KeyError:
            raise KeyError(key) from None

    def __contains__(self, key: object) -> bool:
        return id(key) in self._pairs

    def __iter__(self) -> Iterator[K]:
        return iter([key for key, _ in self._pairs.values()])

    def __len__(self) -> int:
        return len(self._pairs)

    @overload
    def get(self, key: K, /) -> V | None: ...
    @overload
    def get(self, key: K, default: V | D, /) -> V | D: ...
    def get(self, key: K, default: Any = None, /) -> Any:
        """What belongs to the key, or the default.

        Args:
            key: any object.
            default: whatever is wanted where the key is not there.

        Returns:
            The value, or the default.

        >>> print(Identities().get("a"))
        None
        """
        pair = self._pairs.get(id(key))
        return default if pair is None else pair[1]

    def __or__(self, other: Mapping[K, V]) -> Identities[K, V]:
        both = Identities(self)
        both.update(other)
        return both

    def __ior__(self, other: Mapping[K, V]) -> Identities[K, V]:
        self.update(other)
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return len(self) == len(other) and all(key in self and self[key] == value for key, value in other.items())

    def __reduce__(self) -> tuple[Any, ...]:  # the keys of a copy are other objects
        return _empty, (type(self),), getattr(self, "__dict__", None), None, iter(self.items())

    def __repr__(self) -> str:
        return f"Identities({list(self._pairs.values())!r})"


def distinct(objects: Iterable[K]) -> list[K]:
    """Each of the objects once, by identity, in the order in which they are first met.

    >>> distinct([a := [1], b := [1], a]) == [a, b]
    True
    """
    objects = list(objects)
    if len(set(map(id, objects))) == len(objects):
        return objects
    return list(dict(zip(map(id, objects), objects)).values())


def _empty(kind: type[Identities[Any, Any]]) -> Identities[Any, Any]:
    """One without keys, whatever a subclass asks for in its `__init__`; pickle and copy fill it."""
    new = kind.__new__(kind)
    new._pairs = {}
    return new
