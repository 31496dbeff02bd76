"""Find in a flat graph what `mp.lookup` writes there: the entry of a table at an index that comes with the example.

Written one scalar at a time, that is a sum over the whole table, of the entry where the index is its place and of 0
elsewhere, divided by the count of such places, which is 1, or 0 for an index that is none. Arrays take the entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from micrograd_plus.engine.operations import ADD, DIV, TABLE, Op
from micrograd_plus.program.flat_graphs import Listing

LOOKUP = Op("lookup")  # of an index and all entries; no row of the table, since it takes any number of them
EQUAL, WHERE = TABLE["equal"], TABLE["where"]


class Lookups(NamedTuple):
    """What was found.

    Attributes:
        args: by the place of what is looked up, those of the index and of the entries.
        taken: for each place whether it is only there to find an entry.
    """

    args: dict[int, Sequence[int]]
    taken: list[bool]


def found_lookups(listing: Listing, batched: Sequence[bool], uses: list[int]) -> Lookups:
    """What is looked up by an index that differs from example to example.

    Args:
        listing: the graph.
        batched: for each place whether its number depends on the example.
        uses: how often each place is an argument; what is taken here uses nothing any more, which is noted.
    """
    found = Lookups({}, [False] * len(listing.ops))
    for place in listing.flat.places(DIV):
        if (looked_up := _looked_up(listing, *listing.args(place))) and batched[looked_up[0]]:
            found.args[place] = looked_up
    for place, args in found.args.items():
        for arg in args:
            uses[arg] += 1
        left = list(listing.args(place))
        while left:
            at = left.pop()
            uses[at] -= 1
            if uses[at] == 0 and listing.ops[at] is not None:
                found.taken[at] = True
                left.extend(listing.args(at))
    return found


def _looked_up(listing: Listing, chosen: int, count: int) -> tuple[int, ...]:
    """The places of the index and of the entries, if these two are what `mp.lookup` divides; else none."""
    ops, constants = listing.ops, listing.constants
    if ops[_last(listing, count)] is not EQUAL or ops[_last(listing, chosen)] is not WHERE:
        return ()
    matches, choices = _terms(listing, count), _terms(listing, chosen)
    index = listing.first[matches[0]]
    entries = []
    for i, (match, choice) in enumerate(zip(matches, choices)):
        if ops[match] is not EQUAL or ops[choice] is not WHERE or len(matches) != len(choices):
            return ()
        (at, number), (here, entry, nothing) = listing.args(match), listing.args(choice)
        if at != index or constants.get(number) != i or here != match or constants.get(nothing) != 0.0:
            return ()
        entries.append(entry)
    return (index, *entries)


def _last(listing: Listing, place: int) -> int:
    return listing.second[place] if listing.ops[place] is ADD else place


def _terms(listing: Listing, place: int) -> list[int]:
    """What was added up, one after the other."""
    terms = []
    while listing.ops[place] is ADD:
        place, term = listing.args(place)
        terms.append(term)
    return [place, *reversed(terms)]
