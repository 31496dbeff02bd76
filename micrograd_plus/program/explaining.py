"""Say what a program found in a graph."""

from __future__ import annotations

from collections import Counter

from micrograd_plus._support.markup import paragraph, table
from micrograd_plus._support.texts import plural
from micrograd_plus.program.arrays import Arrays
from micrograd_plus.program.flat_graphs import Listing
from micrograd_plus.program.fusing import (
    NUMBERS,
    PRODUCTS,
    SHARED_NUMBERS,
    SHARED_PRODUCTS,
    STEPS,
    WEIGHTED,
    Group,
)

SHOWN = 30  # how many lines at most


def described(listing: Listing, found: list[Group], arrays: Arrays | None) -> str:
    """What became of the scalar nodes: so many groups, and which of them are matrix products."""
    if arrays is None:
        return (
            f"{listing.nodes:,} scalar nodes → {len(found):,} groups, too many for arrays: "
            "run number by number, example by example"
        )
    products = Counter([array.sizes for array in arrays.made if array.kind == "matmul" and array.batched])
    lines = [_group(group) for group in found]
    if len(lines) > SHOWN:
        lines[SHOWN:] = [f"... and {len(lines) - SHOWN:,} more"]
    head = f"{listing.nodes:,} scalar nodes → {plural(len(found), 'group')}"
    if products:
        sizes = [
            f"{m} x {k}" + (f" for {q} columns an example" if q > 1 else "") + (f", {times} times" if times > 1 else "")
            for (m, k, q), times in products.items()
        ]
        lines.append(f"matrix products over the whole batch: {'; '.join(sizes)}")
    return "\n  ".join([head, *lines])


def as_table(found: str, way: str) -> str:
    """What `described` says of a way through the function, as a table for Jupyter: how many of what."""
    head, *lines = found.split("\n  ")
    rows = []
    for line in lines:
        count, times, what = line.partition(" x ")
        rows.append([count, what] if times and count.replace(",", "").isdigit() else ["", line])
    title = f"where {way}: {head}" if way else head
    return table(title, ["how many", "of what"], rows, numbers=[0]) if rows else paragraph(title)


def _group(group: Group) -> str:
    count = len(group.members)
    shared = "" if group.batched else ", once for all examples"
    if group.op is not None:
        return f"{count:,} x {group.op.name}{shared}"
    terms = [len(part[0].first) for part in group.terms]
    parts = {
        "weighted input": terms[WEIGHTED],
        "product": terms[PRODUCTS] + terms[SHARED_PRODUCTS],
        "number": terms[NUMBERS] + terms[SHARED_NUMBERS],
        "step": terms[STEPS],
    }
    said = " and ".join([plural(n, what) for what, n in parts.items() if n])
    return f"{count:,} x the sum of {said}{shared}"
