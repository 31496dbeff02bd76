"""Hold an engine to exact derivatives of expressions drawn at random, and show the smallest that fails."""

from __future__ import annotations

from collections.abc import Collection

from micrograd_plus.laws.duals import Dual
from micrograd_plus.laws.programs import Failure, Program, Run

# what a random expression is made of: l and r are nodes, c is a number; a form is drawn if the law of its name holds
_FORMS = {
    "Value + Value": "{l} + {r}",
    "Value * Value": "{l} * {r}",
    "Value - Value": "{l} - {r}",
    "-Value": "-{l}",
    "Value + number": "{l} + {c}",
    "number + Value": "{c} + {l}",
    "Value * number": "{l} * {c}",
    "number * Value": "{c} * {l}",
    "Value - number": "{l} - {c}",
    "number - Value": "{c} - {l}",
    "Value ** number": "{l} ** 2",
    "Value ** -number": "{l} ** -1",
    "Value / Value": "{l} / {r}",
    "Value / number": "{l} / {c}",
    "number / Value": "{c} / {l}",
    "relu": "{l}.relu()",
}


def agrees_with_fractions(run: Run, held: Collection[str]) -> Failure | None:
    """Draw expressions until one fails, and shrink it; what is drawn is the same every time."""
    from hypothesis import Phase, find, settings
    from hypothesis import strategies as st
    from hypothesis.errors import HypothesisException

    forms = [form for name, form in _FORMS.items() if name in held] or list(_FORMS.values())
    latest = st.sampled_from([0, 0, 0, 1, 2])  # mostly the node before, so that few nodes go unused
    steps = st.tuples(st.sampled_from(forms), latest, st.integers(0, 5), st.sampled_from([2, 3.0, 0.5]))
    leaves = st.lists(st.sampled_from([1.0, 2.0, 3.0, 0.5, 0.0, -1.0, -2.0]), min_size=1, max_size=3)
    smallest: list[Failure] = []

    def fails(drawn: tuple[list[float], list[tuple[str, int, int, float]]]) -> bool:
        if run.place.late():  # of a slow engine fewer are tried; one that has ended is not asked again
            return False
        program = _program(*drawn)
        failure = program and run(program)
        if failure:
            smallest[:] = [failure]
        return bool(failure)

    once = settings(
        max_examples=200, derandomize=True, database=None, deadline=None, phases=[Phase.generate, Phase.shrink]
    )
    try:
        found = find(st.tuples(leaves, st.lists(steps, min_size=1, max_size=6)), fails, settings=once)
    except HypothesisException:  # none fails; or one did that then did not, as in an engine that asks the hash
        return smallest[0] if smallest else None
    program = _program(*found)
    again = None if run.place.late() or program is None else run(program)
    return again or smallest[0]


def _program(leaves: list[float], steps: list[tuple[str, int, int, float]]) -> Program | None:
    """The program that takes these steps, each from nodes counted backwards; None where floats would be no judge."""
    names = list("abc"[: len(leaves)])
    formulas: dict[str, str] = {}
    for name, (form, left, right, number) in zip("uvwxyz", steps):
        operands = [names[-1 - place % len(names)] for place in (left, right)]
        formulas[name] = form.format(l=operands[0], r=operands[1], c=number)
        names.append(name)
    try:
        duals = [_last_dual(names, leaves, formulas, leaf) for leaf in range(len(leaves))]
    except ArithmeticError:
        return None
    assignments = [f"{name} = Value({number})" for name, number in zip(names, leaves)]
    assignments += [f"{name} = {formula}" for name, formula in formulas.items()]
    ask = "".join(f", {name}.grad" for name in names[: len(leaves)])
    lines = "\n".join([*assignments, f"{names[-1]}.backward()", f"print({names[-1]}.data{ask})"])
    why = "the same steps in exact fractions, each number together with its derivative (forward mode), give this."
    return Program(lines, (float(duals[-1].value), *[float(dual.slope) for dual in duals]), why)


def _last_dual(names: list[str], leaves: list[float], formulas: dict[str, str], by: int) -> Dual:
    """The last formula's exact number, with its derivative by one leaf."""
    duals = {name: Dual(number, leaf == by) for leaf, (name, number) in enumerate(zip(names, leaves))}
    for name, formula in formulas.items():
        duals[name] = eval(formula, {}, duals)  # noqa: S307 - a form from above, filled in
    return duals[names[-1]]
