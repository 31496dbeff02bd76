"""An `Identities` is a dictionary of ids that keeps its keys alive."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_plus._support.identities import Identities


class Alike:
    """All of them are equal, and none can be hashed."""

    def __eq__(self, other: object) -> bool:
        return True


KEYS = [Alike() for _ in range(4)]
steps = st.lists(st.tuples(st.sampled_from(["set", "delete", "setdefault", "pop", "update", "or"]), st.integers(0, 3)))


@given(steps)
def test_it_does_what_a_dictionary_of_ids_does(steps: list[tuple[str, int]]) -> None:
    table: Identities[Alike, int] = Identities()
    model: dict[int, int] = {}
    for number, (step, place) in enumerate(steps):
        key = KEYS[place]
        if step == "set":
            table[key] = model[place] = number
        elif step == "delete" and place in model:
            del table[key], model[place]
        elif step == "setdefault":
            assert table.setdefault(key, number) == model.setdefault(place, number)
        elif step == "pop":
            assert table.pop(key, None) == model.pop(place, None)
        elif step == "update":
            table.update([(key, number)])
            model[place] = number
        elif step == "or":
            table = table | Identities([(key, number)])
            table |= Identities([(key, number)])
            model[place] = number
        assert [id(key) for key in table] == [id(KEYS[place]) for place in model]
        assert list(table.values()) == list(model.values())
        assert [(id(key), value) for key, value in table.items()] == [(id(KEYS[i]), n) for i, n in model.items()]
        assert [key in table for key in KEYS] == [place in model for place in range(4)]
        assert [table.get(key, -1) for key in KEYS] == [model.get(place, -1) for place in range(4)]
        assert table == Identities(table.items())
        assert table == Identities(table)
    for place, key in enumerate(KEYS):
        if place not in model:
            with pytest.raises(KeyError):
                table[key]
            with pytest.raises(KeyError):
                del table[key]


def pickled(table: Any) -> Any:
    return pickle.loads(pickle.dumps(table))


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickled])
def test_a_copy_knows_its_own_keys(again: Callable[[Any], Any]) -> None:
    table = Identities([(KEYS[0], "a"), (KEYS[1], "b")])
    copied = again(table)
    assert [copied[key] for key in copied] == ["a", "b"]
    copied[KEYS[3]] = "c"
    assert (len(copied), len(table)) == (3, 2)


def test_its_keys_live_as_long_as_it() -> None:
    table: Identities[Alike, int] = Identities()
    for number in range(1000):
        table[Alike()] = number  # whose place in memory would be taken again, were it free
    assert list(table.values()) == list(range(1000))
