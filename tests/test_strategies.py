"""What the strategies draw: inside domains, off kinks, shared, short when shrunk, and known to Hypothesis by type."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import toposort
from micrograd_plus.ops.rows import FUNCTIONS, HOME
from micrograd_plus.strategies.builders import LARGEST, MARGIN, Builder, Wish
from micrograd_plus.strategies.drawing import _chosen, expressions
from micrograd_plus.strategies.leaves import values
from micrograd_plus.strategies.networks import mlps
from micrograd_plus.strategies.programs import Expression, Step, defaults

Call = tuple[Step, tuple[float, ...]]

OURS = [name for name, function in FUNCTIONS.items() if function.__module__ == HOME]  # not other tests' primitives
ALONE = settings(database=None, max_examples=1000)  # examples of other runs would not be shrunk
QUICK = settings(phases=[Phase.generate], max_examples=2000, database=None)


def calls(expression: Expression) -> Iterator[Call]:
    """Each step with the numbers it is applied to, options last."""
    nodes = expression.nodes(*expression.inputs)
    for step in expression.steps:
        yield step, (*[nodes[x] if isinstance(x, int) else x for x in step.args], *step.options)


def op_of(step: Step) -> Op:
    return TABLE[step.function.__name__]


def on_a_kink(call: Call) -> bool:
    kinks = op_of(call[0]).kinks
    return kinks is not None and kinks(*call[1]) == 0.0


def slopes(call: Call) -> list[float]:
    step, numbers = call
    op = op_of(step)
    assert op.forward is not None
    out = op.forward(*numbers)
    rules = zip(op.partials, op.masks)
    return [float(rule(out, *numbers)) if rule and (not mask or mask(out, *numbers)) else 0.0 for rule, mask in rules]


# ------------------------------------------------------------------------------------------------------------- numbers


@given(values())
def test_values_are_fresh_leaves_of_ordinary_size(x: Value) -> None:
    assert type(x) is Value
    assert (x.grad, x.args) == (0.0, ())
    assert x.data == 0.0 or 1e-4 < abs(x.data) <= 10.0
    assert str(x.data) != "-0.0"


bounds = st.tuples(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300)).map(sorted)


@given(bounds, st.data())
def test_values_stay_between_their_bounds(bounds: list[float], data: st.DataObject) -> None:
    low, high = bounds
    assert low <= data.draw(values(low, high)).data <= high


@pytest.mark.parametrize(("above", "simplest"), [(-11.0, 0.0), (0.0, 1.0), (1.0, 2.0), (9.0, 10.0)])
def test_values_shrink_to_numbers_that_can_be_read(above: float, simplest: float) -> None:
    assert find(values(), lambda x: x.data > above, settings=ALONE).data == simplest


@pytest.mark.parametrize("wrong", [(1.0, 0.0), (0.0, math.inf), (math.nan, 1.0)])
def test_bounds_in_the_wrong_order_or_not_finite_are_told(wrong: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"values\(.*expected two finite numbers, the smaller one first"):
        values(*wrong)


def test_a_bound_that_is_no_number_is_told() -> None:
    with pytest.raises(TypeError, match="values: min_value = '3': expected a real number, got str"):
        values("3")  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------ what expressions hold


@given(expressions(max_nodes=40))
def test_every_node_is_inside_its_domain_and_off_the_kinks(expression: Expression) -> None:
    for call in calls(expression):
        step, numbers = call
        op = op_of(step)
        for x, (low, high) in zip(numbers, op.domain[: len(step.args)]):
            assert low < x < high
        assert op.kinks is None or abs(op.kinks(*numbers)) >= MARGIN
        assert all(math.isfinite(slope) for slope in slopes(call))


@given(expressions(max_nodes=40, near_kinks=True))
def test_near_kinks_numbers_and_partials_are_still_finite(expression: Expression) -> None:
    assert all(abs(x) <= 10.0 * LARGEST for x in expression.nodes(*expression.inputs))
    assert all(math.isfinite(slope) for call in calls(expression) for slope in slopes(call))


@given(st.integers(2, 200), st.integers(0, 198), st.integers(1, 6), st.data())
@settings(max_examples=40)
def test_sizes_are_those_that_were_asked_for(most: int, fewer: int, leaves: int, data: st.DataObject) -> None:
    least = max(1, most - fewer)
    expression = data.draw(expressions(min_nodes=least, max_nodes=most, max_leaves=leaves))
    assert least <= len(expression) <= most
    assert 1 <= len(expression.inputs) <= leaves


@given(expressions(max_nodes=40))
def test_the_graph_is_all_of_the_program(expression: Expression) -> None:
    """The result depends on every line; floats and Values give the same number; building again builds anew."""
    leaves, out = expression.build()
    assert len(toposort(out)) == len(expression)
    assert [leaf.data for leaf in leaves] == list(expression.inputs)
    assert out.data == expression(*expression.inputs)
    again, _ = expression.build()
    assert not {*leaves} & {*again}


@given(expressions(), st.data())
def test_at_other_inputs_floats_and_values_agree(expression: Expression, data: st.DataObject) -> None:
    inputs = [data.draw(st.floats(-5.0, 5.0)) for _ in expression.inputs]
    number, value = expression(*inputs), expression(*map(Value, inputs))
    assert type(number) is float
    assert value.data == number or (math.isnan(number) and math.isnan(value.data))


@given(expressions(OURS, max_nodes=40))
def test_the_printed_program_is_the_expression(expression: Expression) -> None:
    names: dict[str, Any] = {"mp": mp}
    exec(str(expression), names)
    assert names[expression.names[-1]] == expression(*expression.inputs)
    assert set(names) >= set(expression.names)
    assert len(set(expression.names)) == len(expression)


def test_a_name_is_no_keyword_however_many_there_are() -> None:
    expression = Expression((1.0,), (Step(mp.neg, (0,)),) * 200)
    assert expression.names[24:29] == ["y", "z", "a1", "b1", "c1"]
    assert all(name.isidentifier() and len(set(expression.names)) == 201 for name in expression.names)


def test_a_negative_constant_keeps_its_sign_in_front_of_a_power() -> None:
    mul, power = FUNCTIONS["mul"], FUNCTIONS["pow"]
    assert str(Expression((2.0,), (Step(power, (-1.0, 0)), Step(mul, (-2.0, 1))))) == (
        "a = 2.0\nb = (-1.0) ** a\nc = (-2.0) * b"
    )


def test_options_are_written_where_they_are_not_thedefaults() -> None:
    steps = (Step(mp.elu, (0,), (2.0,)), Step(mp.elu, (1,), (1.0,)))
    assert str(Expression((2.0,), steps)) == "a = 2.0\nb = mp.elu(a, alpha=2.0)\nc = mp.elu(b)"


def test_a_wrong_number_of_inputs_is_told() -> None:
    with pytest.raises(TypeError, match="an expression of a, b got 1 input"):
        Expression((0.5, 2.0), (Step(FUNCTIONS["mul"], (0, 1)),))(1.0)


# -------------------------------------------------------------------------------------------------- what they can reach


def test_every_function_occurs() -> None:
    seen = set()

    @given(expressions(OURS, max_nodes=100))
    @settings(derandomize=True, max_examples=600)
    def drawn(expression: Expression) -> None:
        seen.update(expression.functions)

    drawn()
    assert seen == set(OURS)


@pytest.mark.parametrize("name", OURS)
def test_every_function_can_be_had_alone(name: str) -> None:
    @given(expressions(name))
    @settings(max_examples=8)
    def drawn(expression: Expression) -> None:
        assert expression.functions == {name}

    drawn()


@pytest.mark.parametrize("near_kinks", [False, True])
@pytest.mark.parametrize("name", OURS)
def test_every_function_finds_a_leaf_that_it_goes_with(name: str, near_kinks: bool) -> None:
    """However bad the first one is, at the first try: another try might be the last."""
    [function] = _chosen(name)
    for first in (0.0, -0.0, 1.0, -1.0, 0.5, 3.0, -3.0, 1e-3, 2.5):
        for pick in range(4):
            builder = Builder([function], 20, 4, near_kinks)
            builder.add(first)
            builder.grant(Wish(function, (pick,), defaults(function)))
            assert builder.expression().functions == {name}, (first, pick)


def test_nodes_are_shared() -> None:
    def shares(expression: Expression) -> bool:
        first = len(expression.inputs)
        used = [x for step in expression.steps for x in {*step.args} if isinstance(x, int) and x >= first]
        return len(used) > len({*used})

    shared = find(expressions(["add", "tanh"]), shares, settings=ALONE, random=Random(1))
    assert shares(shared)
    assert len(shared) <= 5


@given(expressions(["tanh", mp.mul, "sin"]))
def test_a_list_of_functions_is_respected(expression: Expression) -> None:
    assert expression.functions <= {"tanh", "mul", "sin"}


def test_a_primitive_of_ones_own_is_drawn_and_written_without_mp() -> None:
    cube = mp.primitive("cube_of_a_test", lambda x: x * x * x, lambda out, x: 3.0 * x * x, domain=(1.0, 2.0))
    try:
        shown = find(expressions([cube]), lambda expression: True, settings=ALONE)
        assert 1.0 < shown.inputs[0] < 2.0
        assert str(shown).endswith("b = cube_of_a_test(a)")
    finally:
        del TABLE["cube_of_a_test"]
        del FUNCTIONS["cube_of_a_test"]
        delattr(Value, "cube_of_a_test")


@pytest.mark.parametrize("name", ["relu", "abs", "maximum", "floor", "where", "less"])
def test_near_kinks_some_are_on_them(name: str) -> None:
    near = expressions(name, near_kinks=True)
    find(near, lambda expression: any(map(on_a_kink, calls(expression))), settings=QUICK)


# ------------------------------------------------------------------------------------------------------- what they show


@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("tanh", "a = 0.0\nb = mp.tanh(a)"),
        ("add", "a = 0.0\nb = a + a"),
        ("neg", "a = 0.0\nb = -a"),
        ("log", "a = 1.0\nb = mp.log(a)"),
        ("relu", "a = 1.0\nb = mp.relu(a)"),
    ],
)
def test_an_expression_shrinks_to_a_program_that_can_be_read(name: str, program: str) -> None:
    shown = find(expressions(max_nodes=8), lambda e: name in e.functions, settings=ALONE, random=Random(1))
    assert str(shown) == program


def test_a_failing_test_shows_the_program() -> None:
    @given(expressions(["add", "tanh"]))
    @settings(database=None)
    def no_tanh(expression: Expression) -> None:
        assert "tanh" not in expression.functions

    with pytest.raises(AssertionError) as failure:
        no_tanh()
    shown = "\n".join(failure.value.__notes__)
    assert "b = mp.tanh(a)" in shown


# ------------------------------------------------------------------------------------------------------------ networks


@given(mlps())
def test_networks_are_small_and_run(model: mp.MLP) -> None:
    count = len(model.layers[0].neurons[0].w)
    assert count <= 3
    assert len(model.layers) <= 3
    out = model([1.0] * count)
    assert all(isinstance(x, Value) for x in (out if isinstance(out, list) else [out]))


def test_a_network_shrinks_to_one_neuron_and_a_failing_test_shows_how_to_make_it() -> None:
    @given(mlps())
    @settings(database=None)
    def fails(model: mp.MLP) -> None:
        raise ArithmeticError

    with pytest.raises(ArithmeticError) as failure:
        fails()
    shown = "".join("".join(failure.value.__notes__).split())
    assert "model=MLP(1,[1],activation='relu',output='relu',seed=0)" in shown


# ------------------------------------------------------------------------------------------------------ wrong arguments


@pytest.mark.parametrize(
    ("error", "match", "arguments"),
    [
        (ValueError, "unknown function 'tahn'; did you mean 'tanh'", {"functions": ["sin", "tahn"]}),
        (ValueError, "unknown function 'tahn'; did you mean 'tanh'", {"functions": "tahn"}),
        (ValueError, "expected at least one function", {"functions": []}),
        (TypeError, r"functions=\[3\]\): expected a name such as 'tanh'", {"functions": [3]}),
        (TypeError, r"sin>\]\): expected a name such as 'tanh', a function such as mp.tanh", {"functions": math.sin}),
        (ValueError, r"max_nodes=1\): expected a whole number of at least 2", {"max_nodes": 1}),
        (ValueError, r"max_nodes=20\): expected a whole number of at least 30, and of min_nodes", {"min_nodes": 30}),
        (TypeError, r"max_nodes=2.5\): expected a whole number", {"max_nodes": 2.5}),
        (ValueError, r"max_leaves=0\): expected a whole number of at least 1", {"max_leaves": 0}),
    ],
)
def test_wrong_arguments_of_expressions_are_told(error: type[Exception], match: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(error, match=match):
        expressions(**arguments)


@pytest.mark.parametrize(
    ("match", "arguments"),
    [
        (r"mlps\(max_width=0\)", {"max_width": 0}),
        (r"mlps\(activations='relu'\): expected a list", {"activations": "relu"}),
        ("unknown activation 'rleu'; did you mean 'relu'", {"activations": ["rleu"]}),
    ],
)
def test_wrong_arguments_of_mlps_are_told(match: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=match):
        mlps(**arguments)


# ------------------------------------------------------------------------------------------------------------- by type

USE = """
from hypothesis import given, strategies as st
def pair(x: micrograd_plus.Value, model: micrograd_plus.MLP): return x, model
@given(st.from_type(micrograd_plus.Value), st.builds(pair))
def drawn(x, pair):
    assert all(type(v) is micrograd_plus.Value and -10.0 <= v.data <= 10.0 for v in (x, pair[0]))
drawn()
print("drawn")
"""


def python(code: str, folder: Path) -> str:
    """What the code prints, run where nothing but what is installed can be imported."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout.strip()


@pytest.mark.parametrize("order", ["hypothesis, micrograd_plus", "micrograd_plus, hypothesis"])
def test_hypothesis_knows_our_types_whichever_is_imported_first(order: str, tmp_path: Path) -> None:
    assert python(f"import {order}\n{USE}", tmp_path) == "drawn"


def test_hypothesis_alone_does_not_import_the_package(tmp_path: Path) -> None:
    assert python("import hypothesis, sys; print('micrograd_plus' in sys.modules)", tmp_path) == "False"
