"""Optimizers, schedules and clipping, step for step against PyTorch's."""

from __future__ import annotations

import copy
import inspect
import math
import pickle
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus import Value, optim

STEPS = 60
NAMES = [made.__name__ for made in optim.OPTIMIZERS.values()]
HOW_TENSORS_RUN = {"foreach", "fused", "capturable", "differentiable"}  # PyTorch's options that change no number
WITH = {
    "nesterov": {"momentum": 0.9},
    "decoupled_weight_decay": {"weight_decay": 0.1},
}  # what an option needs beside it


def defaults(made: Any) -> dict[str, Any]:
    """The options of an optimizer, by name, from its signature."""
    return {p.name: p.default for p in inspect.signature(made).parameters.values() if p.default is not p.empty}


def another(default: Any) -> Any:
    """A value that an option can have instead of its default."""
    if isinstance(default, bool):
        return not default
    return tuple(map(another, default)) if isinstance(default, tuple) else 0.6 * default + 0.05


def each_alone(name: str) -> list[tuple[str, dict[str, Any]]]:
    """An optimizer as it comes, and with each of its options changed."""
    options = defaults(getattr(optim, name))
    return [(name, {}), *[(name, {k: another(default)} | WITH.get(k, {})) for k, default in options.items()]]


# every option of every optimizer, alone; and with those it meets in the formulas, and at the ends of its range
CASES: list[tuple[str, dict[str, Any]]] = [
    *[case for name in NAMES for case in each_alone(name)],
    *[(n, {"maximize": True, "weight_decay": 0.1}) for n in NAMES if "maximize" in defaults(getattr(optim, n))],
    *[(n, {"betas": (0.0, 0.0), "lr": 0.1}) for n in NAMES if "betas" in defaults(getattr(optim, n))],
    ("SGD", {"momentum": 0.9, "dampening": 0.5}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {"eps": 0.0}),
    ("RMSprop", {"centered": True, "momentum": 0.9, "weight_decay": 0.1, "alpha": 0.8}),
    ("Adam", {"amsgrad": True, "betas": (0.5, 0.5), "weight_decay": 0.1}),
    ("AdamW", {"weight_decay": 0.0}),
    ("Adadelta", {"rho": 1.0}),
    ("NAdam", {"momentum_decay": 0.0}),
    ("Lion", {"betas": (0.6, 0.9), "weight_decay": 0.1, "lr": 0.05}),
]
over_each_option = pytest.mark.parametrize(("name", "options"), CASES, ids=str)


@pytest.fixture(scope="module")
def torch() -> Iterator[Any]:
    """PyTorch in float64 throughout.

    Its NAdam keeps the product of momenta in the default dtype, whatever the parameters have; in float32 that costs it
    all but six digits.
    """
    module = pytest.importorskip("torch")
    before = module.get_default_dtype()
    module.set_default_dtype(module.float64)
    yield module
    module.set_default_dtype(before)


def values(data: list[float]) -> list[Value]:
    return [Value(x) for x in data]


def give(params: list[Value], gradient: list[float]) -> None:
    for p, g in zip(params, gradient):
        p.grad = g


def gradients(count: int, steps: int = STEPS, seed: int = 7) -> list[list[float]]:
    rng = np.random.default_rng(seed)
    return [row.tolist() for row in rng.normal(size=(steps, count)) * rng.uniform(0.1, 3.0, size=(steps, 1))]


def pytorchs(torch: Any, name: str) -> Any:
    if not hasattr(torch.optim, name):
        pytest.skip(f"PyTorch has no {name}")
    return getattr(torch.optim, name)


def assert_same_steps(
    torch: Any, name: str, options: dict[str, Any], start: list[float], sequence: list[list[float]], abs: float = 1e-14
) -> None:
    ours, theirs = values(start), torch.tensor(start, requires_grad=True)
    optimizer = optim.by_name(name, ours, **options)
    oracle = pytorchs(torch, name)([theirs], **options)
    for gradient in sequence:
        give(ours, gradient)
        theirs.grad = torch.tensor(gradient)
        optimizer.step()
        oracle.step()
        reached = theirs.tolist()
        assert [v.data for v in ours] == pytest.approx(reached, rel=1e-9, abs=abs, nan_ok=True)
        for v, number in zip(ours, reached):  # on from the same place: weight decay can make much of rounding
            v.data = number


# ------------------------------------------------------------------------------------------------------ PyTorch's steps


@over_each_option
def test_every_step_is_pytorchs(torch: Any, name: str, options: dict[str, Any]) -> None:
    start = [1.0, -2.0, 0.5, 3.0, -0.1, 1e-3, 20.0, 0.0]
    assert_same_steps(torch, name, options, start, gradients(len(start)))


@pytest.mark.parametrize("name", NAMES)
def test_every_step_on_a_real_loss_is_pytorchs(torch: Any, name: str) -> None:
    def loss(a: Any, b: Any, c: Any) -> Any:  # for Values and tensors alike
        points = [(-1.0, 0.3), (0.5, -0.2), (2.0, 0.8)]
        return sum(((a * x + b).tanh() * c - y) ** 2 for x, y in points)

    start = [0.3, -0.2, 0.7]
    ours, theirs = values(start), [torch.tensor(x, requires_grad=True) for x in start]
    lr = 2e-3  # larger ones reach a minimum, where PyTorch's own steps blow up a last digit to 1e-8
    optimizer, oracle = getattr(optim, name)(ours, lr=lr), pytorchs(torch, name)(theirs, lr=lr)
    first = loss(*ours).data
    for _ in range(STEPS):
        for one, params in ((optimizer, ours), (oracle, theirs)):
            one.zero_grad()
            loss(*params).backward()
            one.step()
        assert [v.data for v in ours] == pytest.approx([t.item() for t in theirs], rel=1e-9)
    assert loss(*ours).data < first


small = st.floats(0.0, 0.5)
starts = st.lists(st.floats(-10, 10), min_size=1, max_size=4)
seeds = st.integers(0, 2**32 - 1)


@given(starts, seeds, st.floats(0.0, 0.1), st.floats(0.0, 0.99), st.floats(-1, 1), small, st.booleans(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_sgd_with_any_options_is_pytorchs(
    torch: Any,
    start: list[float],
    seed: int,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    nesterov = nesterov and momentum > 0
    options = {"lr": lr, "momentum": momentum, "dampening": 0.0 if nesterov else dampening, "nesterov": nesterov}
    options |= {"weight_decay": weight_decay, "maximize": maximize}
    assert_same_steps(torch, "SGD", options, start, gradients(len(start), seed=seed), abs=1e-11)


betas = st.tuples(st.floats(0.0, 0.999), st.floats(0.0, 0.9999))


@given(starts, seeds, st.floats(0.0, 0.5), betas, st.floats(1e-8, 1.0), small, st.lists(st.booleans(), min_size=3))
@settings(max_examples=40, deadline=None)
def test_adam_with_any_options_is_pytorchs(
    torch: Any,
    start: list[float],
    seed: int,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
    flags: list[bool],
) -> None:
    options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
    options |= zip(["amsgrad", "maximize", "decoupled_weight_decay"], flags)
    assert_same_steps(torch, "Adam", options, start, gradients(len(start), seed=seed), abs=1e-11)


def rounding_decides(options: dict[str, Any]) -> bool:
    """Whether the last digit, or a fused multiplication, decides between infinite and nan."""
    return options.get("centered", False) or options.get("eps") == 0.0 or options.get("betas") == (0.0, 0.0)


@pytest.mark.parametrize(("name", "options"), [case for case in CASES if not rounding_decides(case[1])], ids=str)
def test_extreme_gradients_give_pytorchs_numbers_and_no_exception(
    torch: Any, name: str, options: dict[str, Any]
) -> None:
    edges = [0.0, -0.0, math.inf, -math.inf, math.nan, 1e308, -1e308, 1e200, 5e-324, 1.0]
    assert_same_steps(torch, name, options, [1.0] * len(edges), [edges, edges, edges[::-1]])


def test_a_gradient_of_zero_with_an_eps_of_zero_is_nan_as_in_pytorch(torch: Any) -> None:
    for name in [name for name in NAMES if "eps" in defaults(getattr(optim, name))]:
        assert_same_steps(torch, name, {"eps": 0.0}, [1.0, 1.0], [[0.0, 1.0]] * 8)


@pytest.mark.parametrize("name", NAMES)
def test_names_order_and_defaults_are_pytorchs(torch: Any, name: str) -> None:
    theirs = {k: default for k, default in defaults(pytorchs(torch, name)).items() if k not in HOW_TENSORS_RUN}
    assert list(defaults(getattr(optim, name)).items()) == list(theirs.items())
    assert next(iter(inspect.signature(getattr(optim, name)).parameters)) == "params"


@pytest.mark.parametrize("name", ["StepLR", "ExponentialLR", "CosineAnnealingLR", "LinearLR"])
def test_schedules_names_order_and_defaults_are_pytorchs(torch: Any, name: str) -> None:
    ours, theirs = (
        [(p.name, p.default) for p in inspect.signature(getattr(module, name)).parameters.values()]
        for module in (optim, torch.optim.lr_scheduler)
    )
    assert ours == theirs


def test_the_lookup_knows_every_optimizer_there_is() -> None:
    made = {c.__name__ for c in vars(optim).values() if inspect.isclass(c) and issubclass(c, optim.Optimizer)}
    assert made - {"Optimizer"} == set(NAMES) >= {"SGD", "Adam", "AdamW", "Lion"}
    assert list(optim.OPTIMIZERS) == [name.lower() for name in NAMES]


@pytest.mark.parametrize(("name", "options"), [case for case in CASES if case[0] == "Lion"], ids=str)
def test_every_step_of_lion_is_the_papers(name: str, options: dict[str, Any]) -> None:
    """Chen et al. 2023, algorithm 2, in the order of the paper's repository: the decay comes first."""
    lr, (beta1, beta2), decay = (defaults(optim.Lion) | options).values()
    start = np.array([1.0, -2.0, 0.5, 3.0, 0.0])
    ours, theta, m = values(start.tolist()), start, np.zeros(len(start))
    optimizer = optim.by_name(name, ours, **options)
    for g in map(np.array, gradients(len(start))):
        give(ours, g.tolist())
        optimizer.step()
        theta = theta * (1.0 - lr * decay) - lr * np.sign(beta1 * m + (1.0 - beta1) * g)
        m = beta2 * m + (1.0 - beta2) * g
        assert [v.data for v in ours] == pytest.approx(theta.tolist(), rel=1e-12)


# -------------------------------------------------------------------------------------------- Values and a flat vector


@over_each_option
def test_a_flat_vector_takes_the_same_steps_as_values(name: str, options: dict[str, Any]) -> None:
    start = [1.0, -2.0, 0.5, 20.0]
    ours, theta = values(start), np.array(start)
    scalar, flat = optim.by_name(name, ours, **options), optim.by_name(name, values(start), **options)
    for gradient in gradients(len(start)):
        give(ours, gradient)
        scalar.step()
        before = theta.copy()
        moved = flat.update(theta, np.array(gradient))
        assert (str(moved.dtype), theta.tolist()) == ("float64", before.tolist())
        theta = moved
        assert [v.data for v in ours] == theta.tolist()
    assert all(type(v.data) is float for v in ours)
    assert [v.data for v in flat.params] == start
    assert [list(column) for column in scalar.state] == [column.tolist() for column in flat.state]


@over_each_option
def test_steps_on_values_and_on_a_vector_may_take_turns(name: str, options: dict[str, Any]) -> None:
    start = [1.0, -2.0, 0.5]
    alone, mixed = values(start), values(start)
    one, other = optim.by_name(name, alone, **options), optim.by_name(name, mixed, **options)
    for t, gradient in enumerate(gradients(len(start), steps=12)):
        give(alone, gradient)
        one.step()
        give(mixed, gradient)
        if t % 3:
            other.step()
        else:
            for p, x in zip(mixed, other.update([p.data for p in mixed], gradient)):
                p.data = x
    assert [v.data for v in mixed] == [v.data for v in alone]
    assert all(type(x) is float for column in other.state for x in column)


@over_each_option
def test_an_update_overwrites_nothing_that_was_given_to_it(name: str, options: dict[str, Any]) -> None:
    optimizer = optim.by_name(name, values([1.0, -2.0]), **options)
    theta, gradient = np.array([1.0, -2.0]), np.array([0.5, 3.0])
    optimizer.update(theta, gradient)
    kept = optimizer.state
    before = [column.tolist() for column in (theta, gradient, *kept)]
    runs = []
    for _ in range(2):
        optimizer.state, optimizer.steps = list(kept), 1
        runs.append([optimizer.update(theta, gradient).tolist() for _ in range(3)])
    assert [column.tolist() for column in (theta, gradient, *kept)] == before
    assert runs[0] == runs[1]


def test_extreme_gradients_in_a_vector_warn_of_nothing() -> None:
    edges = [0.0, math.inf, math.nan, 1e308, 5e-324]
    for name, options in CASES:
        ours = values([1.0] * len(edges))
        scalar, flat = optim.by_name(name, ours, **options), optim.by_name(name, ours, **options)
        theta = flat.update(flat.update([1.0] * len(edges), edges), edges)
        for _ in range(2):
            give(ours, edges)
            scalar.step()
        assert np.array_equal(theta, [v.data for v in ours], equal_nan=True), name


# --------------------------------------------------------------------------------------------------- what else it does


def test_a_rule_of_ones_own_is_asked_once_a_step_and_gets_the_options() -> None:
    asked: list[tuple[int, float, str]] = []

    def rule(t: int, *, lr: float, mood: str) -> Callable[..., tuple[Any, ...]]:
        asked.append((t, lr, mood))
        return lambda theta, g, last: (theta - lr * (g + last), g)

    params = values([1.0, 2.0])
    optimizer = optim.Optimizer(params, rule, 0.5, [10.0], mood="calm", maximize=True)
    give(params, [1.0, -2.0])
    optimizer.step()
    assert [v.data for v in params] == [1.0 - 0.5 * 9.0, 2.0 - 0.5 * 12.0]
    optimizer.lr = 0.25
    optimizer.step()
    assert asked == [(1, 0.5, "calm"), (2, 0.25, "calm")]
    assert [v.data for v in params] == [-3.5 - 0.25 * -2.0, -4.0 - 0.25 * 4.0]


def test_a_learning_rate_that_a_class_works_out_itself_is_that_of_its_steps() -> None:
    class Warming(optim.SGD):
        lr: Any = property(lambda self: 0.25 * (self.steps + 1))

    params = values([1.0])
    optimizer = Warming(params)
    give(params, [1.0])
    optimizer.step()
    assert optimizer.update(np.array([params[0].data]), np.array([1.0])) == [1.0 - 0.25 - 0.5]
    assert "lr=0.75" in repr(optimizer)


def test_zero_grad_forgets_the_gradients_and_nothing_else() -> None:
    params = values([1.0, 2.0])
    optimizer = optim.SGD(iter(params), lr=0.5)
    give(params, [1.0, -1.0])
    optimizer.zero_grad()
    assert ([v.grad for v in params], [v.data for v in params]) == ([0.0, 0.0], [1.0, 2.0])
    assert optimizer.params == params


@pytest.mark.parametrize("change", [lambda params: params.append(Value(3.0)), lambda params: params.pop(0)])
def test_an_optimizer_steps_the_parameters_it_was_made_for(change: Any) -> None:
    """One more was never stepped; after one less the next went on with what is remembered of that."""
    params = values([1.0, 2.0])
    optimizer = optim.Adam(params)
    change(params)
    optimizer.step()  # the list is the optimizer's own
    change(optimizer.params)
    with pytest.raises(ValueError, match=r"Adam: [13] parameters, and a state of 2; expected .* another optimizer"):
        optimizer.step()
    assert optimizer.steps == 1


def test_a_copied_or_pickled_optimizer_goes_on_where_it_was() -> None:
    for name, options in CASES:
        params = values([1.0, -2.0])
        optimizer = optim.by_name(name, params, **options)
        schedule = optim.ExponentialLR(optimizer, 0.9)
        copies = [(optimizer, schedule)]
        for t, gradient in enumerate(gradients(2, steps=10)):
            if t == 5:
                copies += [copy.deepcopy(copies[0]), pickle.loads(pickle.dumps(copies[0]))]
            for one, its_schedule in copies:
                give(one.params, gradient)
                one.step()
                its_schedule.step()
        first, *others = [[v.data for v in one.params] for one, _ in copies]
        assert others == [first, first], name


def test_repr_tells_the_options() -> None:
    expected = "SGD(1 parameters, lr=0.5, momentum=0.0, dampening=0.0, nesterov=False, weight_decay=0.0, maximize=True)"
    assert repr(optim.SGD(values([1.0]), lr=0.5, maximize=True)) == expected


# ----------------------------------------------------------------------------------------------------------- schedules

SCHEDULES: list[list[tuple[str, dict[str, Any]]]] = [
    [("StepLR", {"step_size": 7})],
    [("StepLR", {"step_size": 1, "gamma": 0.9})],
    [("ExponentialLR", {"gamma": 0.93})],
    [("CosineAnnealingLR", {"T_max": 60})],
    [("CosineAnnealingLR", {"T_max": 13, "eta_min": 0.01})],  # past T_max, four times
    [("CosineAnnealingLR", {"T_max": 1})],
    [("LinearLR", {})],
    [("LinearLR", {"start_factor": 0.1, "end_factor": 0.5, "total_iters": 40})],  # past total_iters
    [("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 60})],
    [("LinearLR", {"total_iters": 10}), ("ExponentialLR", {"gamma": 0.95})],
    [("ExponentialLR", {"gamma": 0.95}), ("CosineAnnealingLR", {"T_max": 17})],
    [("LinearLR", {"total_iters": 3}), ("CosineAnnealingLR", {"T_max": 10, "eta_min": 0.05})],
    [("ExponentialLR", {"gamma": 0.5}), ("CosineAnnealingLR", {"T_max": 10, "eta_min": 0.05})],  # below 0
    [("StepLR", {"step_size": 5, "gamma": 0.5}), ("StepLR", {"step_size": 3, "gamma": 1.5})],
    [("CosineAnnealingLR", {"T_max": 9}), ("StepLR", {"step_size": 4, "gamma": 0.5}), ("LinearLR", {})],
]


@pytest.mark.parametrize("chain", SCHEDULES, ids=lambda chain: "+".join(name for name, _ in chain))
def test_every_rate_of_chained_schedules_is_pytorchs(torch: Any, chain: list[tuple[str, dict[str, Any]]]) -> None:
    optimizer, oracle = optim.SGD(values([1.0]), lr=0.3), torch.optim.SGD([torch.zeros(1)], lr=0.3)
    ours = [getattr(optim, name)(optimizer, **options) for name, options in chain]
    theirs = [getattr(torch.optim.lr_scheduler, name)(oracle, **options) for name, options in chain]
    lowest = min(optimizer.lr, 0.0)
    for _ in range(STEPS + 1):
        assert [optimizer.lr] == pytest.approx([oracle.param_groups[0]["lr"]], rel=1e-12, abs=1e-15)
        for one, other in zip(ours, theirs):
            assert one.get_last_lr() == pytest.approx(other.get_last_lr(), rel=1e-12, abs=1e-15)
            assert one.last_epoch == other.last_epoch
        optimizer.step()
        oracle.step()
        for schedule in (*ours, *theirs):
            schedule.step()
        lowest = min(lowest, optimizer.lr)
    assert (lowest < -0.01) == (chain == SCHEDULES[12])


@pytest.mark.parametrize("last_epoch", [0, 3, 4, 13])
@pytest.mark.parametrize("chain", SCHEDULES[:9], ids=lambda chain: str(chain))
def test_a_schedule_that_takes_over_is_pytorchs(
    torch: Any, chain: list[tuple[str, dict[str, Any]]], last_epoch: int
) -> None:
    [(name, options)] = chain
    optimizer, oracle = optim.SGD(values([1.0]), lr=0.2), torch.optim.SGD([torch.zeros(1)], lr=0.2)
    optimizer.initial_lr = oracle.param_groups[0]["initial_lr"] = 0.4
    ours = getattr(optim, name)(optimizer, **options, last_epoch=last_epoch)
    theirs = getattr(torch.optim.lr_scheduler, name)(oracle, **options, last_epoch=last_epoch)
    oracle.step()
    for _ in range(20):
        assert ours.get_last_lr() == pytest.approx(theirs.get_last_lr(), rel=1e-12, abs=1e-15)
        ours.step()
        theirs.step()


def test_a_linear_schedule_is_micrograds_for_the_moons() -> None:
    optimizer = optim.SGD(values([1.0]), lr=1.0)
    schedule = optim.LinearLR(optimizer, start_factor=1.0, end_factor=0.1, total_iters=100)
    for k in range(100):
        assert optimizer.lr == pytest.approx(1.0 - 0.9 * k / 100, rel=1e-12)
        schedule.step()


def test_a_schedule_moves_the_steps() -> None:
    [x] = params = values([1.0])
    optimizer = optim.SGD(params, lr=1.0)
    schedule = optim.StepLR(optimizer, 1, gamma=0.5)
    moves = []
    for _ in range(3):
        x.data, x.grad = 0.0, 1.0
        optimizer.step()
        schedule.step()
        moves.append(x.data)
    assert moves == [-1.0, -0.5, -0.25]


# ------------------------------------------------------------------------------------------------------------ clipping

norms: st.SearchStrategy[float | str] = st.sampled_from([1.0, 2.0, 3.0, 0.5, math.inf, "inf"])
gradient_lists = st.lists(st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0]), min_size=1, max_size=6)
wild_lists = st.lists(st.sampled_from([0.0, -1.0, 2.5, math.inf, -math.inf, math.nan]), min_size=1, max_size=4)


@given(gradient_lists | wild_lists, st.floats(0.0, 1e6) | st.just(math.inf), norms)
@settings(deadline=None)
def test_clipping_by_norm_is_pytorchs(torch: Any, gradient: list[float], max_norm: float, norm_type: Any) -> None:
    ours, theirs = values([0.0] * len(gradient)), torch.zeros(len(gradient))
    give(ours, gradient)
    theirs.grad = torch.tensor(gradient)
    norm = optim.clip_grad_norm_(ours, max_norm, norm_type)
    expected = torch.nn.utils.clip_grad_norm_([theirs], max_norm, norm_type).item()
    assert type(norm) is float
    assert norm == pytest.approx(expected, rel=1e-12, nan_ok=True)
    assert [v.grad for v in ours] == pytest.approx(theirs.grad.tolist(), rel=1e-12, nan_ok=True)


def test_a_norm_neither_overflows_nor_vanishes() -> None:
    for size in (1e200, 1e-200):
        params = values([0.0, 0.0])
        give(params, [3.0 * size, -4.0 * size])
        assert optim.clip_grad_norm_(params, 1.0) == pytest.approx(5.0 * size, rel=1e-15)


@given(gradient_lists | wild_lists, st.floats(0.0, 1e6) | st.just(math.inf))
@settings(deadline=None)
def test_clipping_by_value_is_pytorchs(torch: Any, gradient: list[float], clip_value: float) -> None:
    ours, theirs = values([0.0] * len(gradient)), torch.zeros(len(gradient))
    give(ours, gradient)
    theirs.grad = torch.tensor(gradient)
    optim.clip_grad_value_(ours, clip_value)
    torch.nn.utils.clip_grad_value_([theirs], clip_value)
    assert [v.grad for v in ours] == pytest.approx(theirs.grad.tolist(), rel=0, abs=0, nan_ok=True)


# ----------------------------------------------------------------------------------------------------------- bad input

x, y = Value(1.0, label="x"), Value(2.0, label="y")
finite = "expected a finite number of at least 0"
pair = "expected two numbers from 0 up to, but not including, 1"
as_given = "expected Values, as model.parameters() gives"

wrong: Any = optim  # the type checker would see most of these mistakes

MISTAKES: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: wrong.SGD([]), ValueError, f"SGD(params): got an empty list, {as_given}"),
    (lambda: wrong.Adam([x, 3.0]), TypeError, f"Adam(params): got 3.0, a float, {as_given}"),
    (lambda: wrong.Adam(x), TypeError, "Adam(params): got Value("),
    (lambda: wrong.SGD(mp.MLP(1, [1])), TypeError, "SGD(params): got MLP of"),
    (lambda: wrong.SGD([x, y, x]), ValueError, "SGD(params): got Value(data=1.0, grad=0.0, label='x') twice"),
    (
        lambda: wrong.SGD([x, x * y]),
        ValueError,
        "SGD(params): got Value(data=2.0, grad=0.0), which was computed from others; expected leaves, as x.detach()",
    ),
    (lambda: wrong.SGD({x}), TypeError, "SGD(params): got {Value(data=1.....0, label='x')}, expected a list of Values"),
    (lambda: wrong.SGD([x], lr=-0.1), ValueError, f"SGD: lr -0.1; {finite}"),
    (lambda: wrong.SGD([x], lr=math.nan), ValueError, f"SGD: lr nan; {finite}"),
    (lambda: wrong.SGD([x], lr=math.inf), ValueError, f"SGD: lr inf; {finite}"),
    (lambda: wrong.SGD([x], lr="fast"), TypeError, "SGD: lr = 'fast': expected a real number, got str"),
    (lambda: wrong.SGD([x], lr=None), TypeError, "SGD: lr = None: expected a real number, got NoneType"),
    (lambda: setattr(wrong.SGD([x]), "lr", -1.0), ValueError, f"SGD: lr -1.0; {finite}"),
    (lambda: wrong.SGD([x], momentum=-0.9), ValueError, f"SGD: momentum -0.9; {finite}"),
    (lambda: wrong.SGD([x], dampening=math.nan), ValueError, "SGD: dampening nan; expected a finite number"),
    (lambda: wrong.SGD([x], weight_decay=-1), ValueError, f"SGD: weight_decay -1; {finite}"),
    (
        lambda: wrong.SGD([x], nesterov=True),
        ValueError,
        "SGD: nesterov=True with momentum 0.0 and dampening 0.0; expected a momentum above 0 and a dampening of 0",
    ),
    (
        lambda: wrong.SGD([x], momentum=0.9, dampening=0.1, nesterov=True),
        ValueError,
        "SGD: nesterov=True with momentum 0.9 and dampening 0.1; expected",
    ),
    (lambda: wrong.SGD([x], maximize="no"), TypeError, "SGD: maximize 'no'; expected True or False, got str"),
    (lambda: wrong.Adagrad([x], lr_decay=-1.0), ValueError, f"Adagrad: lr_decay -1.0; {finite}"),
    (
        lambda: wrong.Adagrad([x], initial_accumulator_value=-1.0),
        ValueError,
        f"Adagrad: initial_accumulator_value -1.0; {finite}",
    ),
    (lambda: wrong.Adagrad([x], eps=-1e-9), ValueError, f"Adagrad: eps -1e-09; {finite}"),
    (lambda: wrong.RMSprop([x], alpha=1.5), ValueError, "RMSprop: alpha 1.5; expected a number from 0 to 1"),
    (lambda: wrong.RMSprop([x], centered=1), TypeError, "RMSprop: centered 1; expected True or False, got int"),
    (lambda: wrong.Adadelta([x], rho=-0.1), ValueError, "Adadelta: rho -0.1; expected a number from 0 to 1"),
    (lambda: wrong.Adam([x], betas=(0.9, 1.0)), ValueError, f"Adam: betas (0.9, 1.0); {pair}"),
    (lambda: wrong.AdamW([x], betas=(-0.1, 0.9)), ValueError, f"AdamW: betas (-0.1, 0.9); {pair}"),
    (lambda: wrong.RAdam([x], betas=0.9), ValueError, f"RAdam: betas 0.9; {pair}"),
    (lambda: wrong.RAdam([x], betas=(0.9,)), ValueError, f"RAdam: betas (0.9,); {pair}"),
    (lambda: wrong.Adam([x], betas=("a", 0)), TypeError, "Adam: betas = 'a': expected a real number, got str"),
    (lambda: wrong.NAdam([x], momentum_decay=-1.0), ValueError, f"NAdam: momentum_decay -1.0; {finite}"),
    (
        lambda: wrong.SGD([x, y]).update([1.0], [1.0, 2.0]),
        ValueError,
        "SGD.update: theta of shape (1,); expected (2,), one number for each parameter",
    ),
    (
        lambda: wrong.SGD([x]).update([1.0], [[1.0]]),
        ValueError,
        "SGD.update: gradient of shape (1, 1); expected (1,), one number for each parameter",
    ),
    (lambda: wrong.by_name("adamm", [x]), ValueError, "unknown optimizer 'adamm'; did you mean 'adam'?"),
    (lambda: wrong.by_name("zzz", [x]), ValueError, "unknown optimizer 'zzz'; known are adadelta, adagrad, adam,"),
    (lambda: wrong.by_name(3, [x]), ValueError, "unknown optimizer 3; known are"),
    (lambda: wrong.by_name("sgd", [x], lr=-1), ValueError, f"SGD: lr -1; {finite}"),
    (lambda: wrong.by_name("sgd", [x], rho=1), TypeError, "unexpected keyword argument 'rho'"),
    (lambda: wrong.StepLR("adam", 1), TypeError, "StepLR(optimizer): got 'adam', a str, expected an optimizer"),
    (
        lambda: wrong.StepLR(wrong.SGD([x]), 0),
        ValueError,
        "StepLR(step_size=0): expected a whole number",
    ),
    (lambda: wrong.StepLR(wrong.SGD([x]), 1.5), TypeError, "StepLR(step_size=1.5): expected a whole number"),
    (lambda: wrong.ExponentialLR(wrong.SGD([x]), -0.5), ValueError, f"ExponentialLR: gamma -0.5; {finite}"),
    (lambda: wrong.CosineAnnealingLR(wrong.SGD([x]), 0), ValueError, "CosineAnnealingLR(T_max=0): expected"),
    (lambda: wrong.LinearLR(wrong.SGD([x]), 0.0), ValueError, "LinearLR: start_factor 0.0; expected a number above 0"),
    (lambda: wrong.LinearLR(wrong.SGD([x]), 1.0, 2.0), ValueError, "LinearLR: end_factor 2.0; expected a number from"),
    (lambda: wrong.LinearLR(wrong.SGD([x]), total_iters=0), ValueError, "LinearLR(total_iters=0): expected"),
    (lambda: wrong.StepLR(wrong.SGD([x]), 1, last_epoch=-2), ValueError, "StepLR(last_epoch=-2): expected"),
    (
        lambda: wrong.StepLR(wrong.SGD([x]), 1, last_epoch=3),
        ValueError,
        "StepLR: last_epoch 3 but no earlier schedule; expected -1, or an optimizer whose initial_lr is set",
    ),
    (lambda: wrong.clip_grad_norm_([], 1.0), ValueError, "clip_grad_norm_(parameters): got an empty list"),
    (lambda: wrong.clip_grad_norm_([x], -1.0), ValueError, "clip_grad_norm_: max_norm -1.0; expected a number of at"),
    (lambda: wrong.clip_grad_norm_([x], math.nan), ValueError, "clip_grad_norm_: max_norm nan; expected"),
    (lambda: wrong.clip_grad_norm_([x], 1.0, 0), ValueError, "clip_grad_norm_: norm_type 0; expected a number above 0"),
    (lambda: wrong.clip_grad_norm_([x], 1.0, "two"), TypeError, "clip_grad_norm_: norm_type = 'two': expected a real"),
    (lambda: wrong.clip_grad_value_([x], -1.0), ValueError, "clip_grad_value_: clip_value -1.0; expected a number of"),
    (lambda: wrong.clip_grad_value_([1.0], 1.0), TypeError, "clip_grad_value_(parameters): got 1.0, a float"),
]


@pytest.mark.parametrize(("mistake", "kind", "message"), MISTAKES, ids=[message[:40] for _, _, message in MISTAKES])
def test_bad_input_is_quoted_with_what_was_expected(
    mistake: Callable[[], object], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as error:
        mistake()
    assert type(error.value) is kind
    assert message in str(error.value)


@pytest.mark.parametrize("spelling", ["adamw", "AdamW", "ADAMW"])
def test_an_optimizer_is_found_whatever_its_capitals(spelling: str) -> None:
    optimizer = optim.by_name(spelling, [x], lr=0.5, betas=[0.5, 0.6])
    assert (type(optimizer), optimizer.lr, optimizer.options["betas"]) == (optim.AdamW, 0.5, (0.5, 0.6))


def test_every_optimizer_trains_a_network() -> None:
    generator = random.Random(1)
    points = [(generator.uniform(-1, 1), generator.uniform(-1, 1)) for _ in range(8)]
    for name in NAMES:
        model = mp.MLP(2, [4, 1], activation="tanh", seed=3)
        optimizer = optim.by_name(name, model.parameters(), lr=1.0 if name == "Adadelta" else 0.05)

        def cost(model: mp.MLP = model) -> Any:
            return mp.mean([(model([a, b]) - a * b) ** 2 for a, b in points])

        first = cost().data
        for _ in range(20):
            optimizer.zero_grad()
            cost().backward()
            optimizer.step()
        assert cost().data < first, name


def test_what_a_rule_keeps_of_its_arguments_stays_what_it_was() -> None:
    """A rule may take the first gradient whole, or the new parameters, as its state."""

    def first_whole(t: int, *, lr: float) -> Any:
        def update(theta: Any, g: Any, velocity: Any, average: Any) -> tuple[Any, ...]:
            if t == 1:
                velocity = g
            else:
                velocity *= 0.5
                velocity += g
            new = theta - lr * velocity
            if t == 1:
                average = new
            else:
                average *= 0.5
                average += 0.5 * new
            return new, velocity, average

        return update

    xs = [Value(1.0), Value(2.0)]
    stepped, updated = [optim.Optimizer(xs, first_whole, lr=0.1, state=[0.0, 0.0]) for _ in range(2)]
    theta, buffer, found = np.array([1.0, 2.0]), np.zeros(2), []
    for _ in range(4):
        for x in xs:
            x.grad = 2.0 * x.data
        stepped.step()
        buffer[:] = 2.0 * theta  # one array for all gradients
        theta = updated.update(theta, buffer)
        found.append((theta, theta.copy()))
    assert theta.tolist() == pytest.approx([x.data for x in xs], rel=1e-14)
    assert all(given.tolist() == then.tolist() for given, then in found)


def test_a_copy_of_an_optimizer_keeps_its_averages() -> None:
    optimizer = optim.Adam(values([1.0]))
    optimizer.update([1.0], [0.1])
    copied = copy.copy(optimizer)
    before = [column.tolist() for column in copied.state]
    optimizer.update([1.0], [9.0])
    assert ([column.tolist() for column in copied.state], copied.steps, type(copied)) == (before, 1, optim.Adam)


def test_a_norm_that_is_too_large_for_a_float_is_inf() -> None:
    xs = values([0.0, 0.0])
    xs[0].grad, xs[1].grad = 3.0, 4.0
    assert optim.clip_grad_norm_(xs, 1.0, 1e-5) == math.inf
