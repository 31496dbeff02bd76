"""Find the regular in a flat graph: sums of products, and groups of nodes of one depth and one kind.

A chain of additions becomes one sum with many terms, which takes in the products it alone uses. A chain of maxima
through which no gradient flows becomes one maximum of many. Nodes that compute the same function of things at the same
depth become a group, which one array instruction can compute for all of them. Built natively, in a group without the
engine: columns are given their types here, so that they are gone through as C does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from micrograd_plus.engine.operations import ADD, MUL, NEG, SUB, TABLE, Op
from micrograd_plus.program.flat_graphs import Listing
from micrograd_plus.program.lookups import LOOKUP, found_lookups

NO_PLACE: Final = -1  # as in engine.flattening
# the kinds of terms that a sum is sorted into; a factor or a number is batched where it differs between examples
WEIGHTED, PRODUCTS, SHARED_PRODUCTS, NUMBERS, SHARED_NUMBERS, STEPS = KINDS = range(6)
EXTREMES = (TABLE["maximum"], TABLE["minimum"])


class Terms(NamedTuple):
    """The terms of a sum, coefficient · first factor · second factor, as columns: places of factors.

    The second is NO_PLACE where there is none.
    """

    coefficients: list[float]
    first: list[int]
    second: list[int]


class Group(NamedTuple):
    """Nodes that one instruction computes.

    Attributes:
        op: their operation; None for sums of products, LOOKUP for entries of tables.
        members: their places.
        args: for an operation, the places of its arguments, argument by argument.
        terms: for sums, by kind the terms of each member. WEIGHTED are products of a batched and a shared factor, the
            batched one first; PRODUCTS those of two batched factors, SHARED_PRODUCTS of two shared ones; NUMBERS are
            single batched numbers, SHARED_NUMBERS single shared ones; and STEPS those that are steps, 0 or 1 say, which
            are added to the constant first, so that what is whole stays so.
        constants: for sums, what is added to each member.
        batched: whether they differ from example to example.
    """

    op: Op | None
    members: list[int]
    args: list[list[int]]
    terms: tuple[list[Terms], ...]
    constants: list[float]
    batched: bool


def batched_places(listing: Listing) -> list[bool]:
    """For each place whether its number depends on the example."""
    first: list[int] = listing.first
    second: list[int] = listing.second
    more: dict[int, list[int]] = listing.more
    inputs = sum(listing.inputs)
    flags = [True] * inputs + [False] * (len(first) - inputs)
    for place in range(inputs, len(first)):
        a, b = first[place], second[place]
        if a == NO_PLACE:
            continue
        flags[place] = flags[a] or (b != NO_PLACE and flags[b])
        if place in more:
            flags[place] = any(flags[arg] for arg in more[place])
    return flags


def _uses(listing: Listing) -> list[int]:
    """How often each place is an argument."""
    first: list[int] = listing.first
    second: list[int] = listing.second
    more: dict[int, list[int]] = listing.more
    uses = [0] * len(first)
    for column in (first, second):
        for arg in column:
            if arg != NO_PLACE:
                uses[arg] += 1
    for args in more.values():
        for arg in args[1:]:  # the first one stands in its column
            uses[arg] += 1
    wanted: list[int] = [*listing.roots, *[guard.value for guard in listing.guards]]
    for place in wanted:
        uses[place] += 2  # it is wanted for itself
    return uses


def flowing(listing: Listing) -> list[bool]:
    """For each place whether a gradient comes to it from a root."""
    ops: list[Any] = listing.ops
    first: list[int] = listing.first
    second: list[int] = listing.second
    flows = [False] * len(ops)
    roots: list[int] = listing.roots
    for place in roots:
        flows[place] = True
    for place in range(len(ops) - 1, -1, -1):
        op = ops[place]
        if not flows[place] or op is None:
            continue
        if op.halts is None and second[place] != NO_PLACE:
            flows[first[place]] = flows[second[place]] = True
        else:
            args: Sequence[int] = listing.args(place)
            for i, arg in enumerate(args):
                if op.flows_to(i):
                    flows[arg] = True
    return flows


def _longer_maxima(listing: Listing, uses: list[int], flows: list[bool], taken: list[bool]) -> dict[int, Sequence[int]]:
    """The arguments of maxima that others were put into, by their places; what was taken in is noted in `taken`."""
    ops: list[Any] = listing.ops
    longer: dict[int, Sequence[int]] = {}
    for place, op in enumerate(ops):
        if op is None or op not in EXTREMES or flows[place]:
            continue
        given: list[int] = []
        for arg in listing.args(place):
            if ops[arg] is op and uses[arg] == 1:
                given.extend(longer.get(arg, listing.args(arg)))
                taken[arg] = True
            else:
                given.append(arg)
        longer[place] = given
    return longer


def _sums_of_products(listing: Listing, uses: list[int], taken: list[bool]) -> dict[int, tuple[Terms, float]]:
    """The terms and the constant of each sum, by its place; what a sum takes in is noted in `taken`."""
    ops: list[Any] = listing.ops
    sums: dict[int, tuple[Terms, float]] = {}
    for place in range(len(ops) - 1, -1, -1):
        op = ops[place]
        if (op is not ADD and op is not SUB) or taken[place]:
            continue
        terms, constant, inside = _terms_under(listing, uses, place)
        count = len(terms.first)
        if count < 2 or (count == 2 and terms.second == [NO_PLACE, NO_PLACE]):
            continue  # an operation like others
        sums[place] = (terms, constant)
        for at in inside:
            taken[at] = True
        taken[place] = False
    return sums


def _terms_under(listing: Listing, uses: list[int], place: int) -> tuple[Terms, float, list[int]]:
    """The terms and the constant that a chain of sums adds up, and the places of the nodes that this takes in."""
    ops: list[Any] = listing.ops
    first: list[int] = listing.first
    second: list[int] = listing.second
    constants: dict[int, float] = listing.constants
    coefficients: list[float] = []
    firsts: list[int] = []
    seconds: list[int] = []
    inside: list[int] = []
    constant = 0.0
    stack, signs = [place], [1]  # only signs come down a chain: whole numbers, which need no memory
    while stack:
        at, sign = stack.pop(), signs.pop()
        op = ops[at]
        factor = float(sign)
        if op is None or (uses[at] != 1 and at != place):
            if at in constants:
                constant += factor * constants[at]
                continue
            a, b = at, NO_PLACE
        else:
            a, b = first[at], second[at]
            if op is ADD or (op is SUB and not _is_step(ops[b])):  # exp(0) - 1 is exact only by itself
                stack.append(b)
                stack.append(a)
                signs.append(sign if op is ADD else -sign)
                signs.append(sign)
                inside.append(at)
                continue
            if op is NEG:
                stack.append(a)
                signs.append(-sign)
                inside.append(at)
                continue
            if op is MUL:
                inside.append(at)
                factor, a, b = _product(factor, a, b, constants)
            else:
                a, b = at, NO_PLACE
        coefficients.append(factor)
        firsts.append(a)
        seconds.append(b)
    return Terms(coefficients, firsts, seconds), constant, inside


def _product(factor: float, a: int, b: int, constants: dict[int, float]) -> tuple[float, int, int]:
    """A product as a term: a constant in it belongs to the coefficient."""
    if a in constants:
        return factor * constants[a], b, NO_PLACE
    if b in constants:
        return factor * constants[b], a, NO_PLACE
    return factor, a, b


def _is_step(op: Op | None) -> bool:
    return op is not None and op.flat and op.name != "stop_gradient"


def _sorted(terms: Terms, ops: list[Any], batched: list[bool]) -> tuple[Terms, ...]:
    """The terms of a sum by their kind."""
    coefficients: list[float] = terms.coefficients
    first: list[int] = terms.first
    second: list[int] = terms.second
    kinds = tuple([Terms([], [], []) for _ in KINDS])
    for i in range(len(first)):
        a, b = first[i], second[i]
        if b == NO_PLACE:
            kind = STEPS if _is_step(ops[a]) else NUMBERS if batched[a] else SHARED_NUMBERS
        elif batched[a]:
            kind = PRODUCTS if batched[b] else WEIGHTED
        elif batched[b]:
            kind, a, b = WEIGHTED, b, a
        else:
            kind = SHARED_PRODUCTS
        chosen = kinds[kind]
        chosen.coefficients.append(coefficients[i])
        chosen.first.append(a)
        chosen.second.append(b)
    return kinds


def _kind(op: Any, args: Sequence[int], constants: dict[int, float], batched: list[bool]) -> tuple[Any, ...]:
    """What operations of a group have in common: what they are, of what kind their arguments are, and the options."""
    plain = len(args) - len(op.options)
    kinds = ["c" if arg in constants else batched[arg] for arg in args[:plain]]
    return (op, *kinds, *[constants[arg] for arg in args[plain:]])


def _deepest(depth: list[int], places: Sequence[int]) -> int:
    """The largest depth at these places, but for those that are none."""
    deepest = 0
    for place in places:
        if place != NO_PLACE and depth[place] > deepest:
            deepest = depth[place]
    return deepest


def groups(listing: Listing) -> list[Group]:
    """The nodes that must be computed, as groups in an order in which they can be."""
    ops: list[Any] = listing.ops
    constants: dict[int, float] = listing.constants
    batched = batched_places(listing)
    uses = _uses(listing)
    flows = flowing(listing)
    changed: dict[int, Sequence[int]]
    taken: list[bool]
    changed, taken = found_lookups(listing, batched, uses)
    looked_up = set(changed)
    changed |= _longer_maxima(listing, uses, flows, taken)
    sums = _sums_of_products(listing, uses, taken)

    depth = [0] * len(ops)
    found: dict[Any, list[int]] = {}
    sorted_terms: dict[int, tuple[Terms, ...]] = {}
    for place, op in enumerate(ops):
        if op is None or taken[place]:
            continue
        key: tuple[Any, ...]
        if place in sums:
            terms = sums[place][0]
            sorted_terms[place] = kinds = _sorted(terms, ops, batched)
            deepest = max(_deepest(depth, terms.first), _deepest(depth, terms.second))
            key = tuple([len(kind.first) for kind in kinds])
        else:
            args: Sequence[int] = changed[place] if place in changed else listing.args(place)
            deepest = _deepest(depth, args)
            key = (LOOKUP, len(args)) if place in looked_up else _kind(op, args, constants, batched)
        depth[place] = deepest + 1
        # where no gradient comes, none is computed: not even 0 · inf
        found.setdefault((deepest + 1, batched[place], flows[place], key), []).append(place)
    made = []
    for (_, each, _, key), members in sorted(found.items(), key=lambda item: item[0][0]):
        if members[0] in sums:
            parts = tuple([[sorted_terms[place][kind] for place in members] for kind in KINDS])
            made.append(Group(None, members, [], parts, [sums[place][1] for place in members], each))
        else:
            given = [changed[place] if place in changed else listing.args(place) for place in members]
            made.append(Group(key[0], members, [list(places) for places in zip(*given)], (), [], each))
    return made
