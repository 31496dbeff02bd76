"""How many digits do derivatives of orders 1, 2 and 3 keep, mixed ones too, over the whole range of floats?

Each row is tried at points of all magnitudes and both signs, at ordinary ones and close to the ends of its domain, but
not at its kinks; the word of mpmath, at as many digits as it takes, decides. Counted is where the true value is a
normal number. `python benchmarks/digits.py --points 300 --seed 1 hypot atan2` prints, for each row and order, how many
derivatives were compared, the share of those that are more than 1e-10 off, the share of those so close to a root of the
derivative that no float is better (4 units in the last place of an argument change it as much), and the worst relative
error of the others, with its place.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from definitions import DEFINITIONS
from exactness import BOUND, Found, errors, points

from micrograd_plus.engine.operations import TABLE, Op


def rows(names: Sequence[str]) -> list[Op]:
    """The rows of these names, or all through which something flows back."""
    if unknown := [name for name in names if name not in DEFINITIONS]:
        raise SystemExit(f"no such row: {', '.join(unknown)}; there are {', '.join(DEFINITIONS)}")
    return [TABLE[name] for name in names or DEFINITIONS if not TABLE[name].flat]


def main() -> None:
    """Print a line for each row and order."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help="which rows; all by default")
    parser.add_argument("--points", type=int, default=100, help="how many for each row and order")
    parser.add_argument("--orders", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=0, metavar="N", help="and the N worst points of each")
    given = parser.parse_args()
    print(f"{'row':<16} order  counted  beyond 1e-10  at a root  worst    where")
    for op in rows(given.rows):
        for order in given.orders:
            source = points(op, random.Random(f"{given.seed} {op.name} {order}"))
            found = [one for _ in range(given.points) for one in errors(op, next(source), order)]
            others = sorted([one for one in found if not one.root], key=lambda one: -one.error)
            beyond = [one for one in others if one.error > BOUND]
            line = f"{op.name:<16} {order:>5} {len(found):>8}"
            if found:
                line += f" {len(beyond) / len(found):>13.2%} {1.0 - len(others) / len(found):>10.2%}"
            if others:
                line += f"  {others[0].error:<8.1e}"
            print(line, _place(op, beyond[0]) if beyond else "", flush=True)
            for one in beyond[1 : given.show]:
                print(f"{'':<60}{one.error:<8.1e} {_place(op, one)}")


def _place(op: Op, one: Found) -> str:
    names = "xyz" if op.name != "where" else "cxy"
    by = "".join([names[i] for i in one.by])
    return f"{op.name}_{by}({', '.join(map(repr, one.args))}) = {one.got:.6g}, not {one.want:.6g}"


if __name__ == "__main__":
    main()
