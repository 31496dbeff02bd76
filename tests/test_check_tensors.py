"""check_grads on functions of PyTorch's tensors and JAX's arrays: wrong rules are caught, right ones are not."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from micrograd_plus.check.checking import check_grads
from micrograd_plus.check.reports import GradientError
from micrograd_plus.strategies.small_tensors import tensors

PLUGIN = Path(__file__).parents[1] / "micrograd_plus" / "plugins"


def wrong(f: Any, args: Any, **options: Any) -> list[Any]:
    with pytest.raises(GradientError) as caught:
        check_grads(f, args, **options)
    return caught.value.report.of("wrong")


# ------------------------------------------------------------------------------------------------------------- PyTorch


class TestTorch:
    torch: Any

    @pytest.fixture(autouse=True)
    def _torch(self) -> None:
        self.torch = pytest.importorskip("torch")

    def tensor(self, *numbers: float, dtype: str = "float64") -> Any:
        return self.torch.tensor(numbers, dtype=getattr(self.torch, dtype))

    def rule(self, derivative: Any) -> Any:
        """A sine whose backward pass multiplies by this function of x."""
        torch = self.torch

        class Sine(torch.autograd.Function):  # type: ignore[name-defined,misc]
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.save_for_backward(x)
                return x.sin()

            @staticmethod
            def backward(ctx: Any, gradient: Any) -> Any:
                return gradient * derivative(ctx.saved_tensors[0])

        def sine(x: Any) -> Any:
            return Sine.apply(x)

        return sine

    @pytest.mark.parametrize("off", ["no_grad", "inference_mode", "set_grad_enabled"])
    def test_where_the_caller_has_switched_gradients_off_they_are_checked(self, off: str) -> None:
        switch = getattr(self.torch, off)
        with switch(False) if off == "set_grad_enabled" else switch():
            assert check_grads(lambda x: (x * x).sum(), self.tensor(1.0, 2.0)).findings == ()
            assert wrong(self.rule(lambda x: x.sin()), self.tensor(1.0))

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_right_gradients_of_two_orders_agree(self, dtype: str) -> None:
        torch = self.torch
        x, w = self.tensor(0.3, -1.2, dtype=dtype), self.tensor(0.5, 2.0, dtype=dtype)
        for f in (
            lambda x, w: (x * w).sum().tanh(),
            lambda x, w: torch.softmax(x * w, 0),
            lambda x, w: torch.nn.functional.cross_entropy((x * w)[None], torch.tensor([1])),
            lambda x, w: {"both": [x.exp() @ w, (x / w).norm()]},
            lambda x, w: torch.where(x > 0, x.clamp(min=0.1).sqrt(), w),
        ):
            assert check_grads(f, (x, w)).findings == ()

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_a_wrong_rule_is_caught(self, dtype: str) -> None:
        (finding,) = wrong(self.rule(lambda x: 1.001 * x.cos()), self.tensor(0.5, dtype=dtype)[0])
        assert (finding.derivative, finding.argument) == ("∂sine/∂x", "x")
        assert finding.expected == pytest.approx(math.cos(0.5), rel=1e-6)

    def test_a_rule_that_is_wrong_only_at_the_second_order_is_caught_there(self) -> None:
        (finding,) = wrong(self.rule(lambda x: x.detach().cos()), self.tensor(0.5)[0])
        assert (finding.derivative, finding.order, finding.got) == ("∂²sine/∂x²", 2, 0.0)
        assert check_grads(self.rule(lambda x: x.detach().cos()), self.tensor(0.5)[0], order=1).agreed == 1

    def test_kinks_are_reported_not_blamed(self) -> None:
        for dtype in ("float32", "float64"):
            report = check_grads(self.torch.relu, self.tensor(0.0, 1.0, -1.0, dtype=dtype), order=1)
            (kink,) = report.findings
            assert kink.status == "kink"
            assert (kink.left, kink.right) == pytest.approx((0.0, 1.0))
            assert report.agreed == 8

    def test_numbers_are_called_by_their_place(self) -> None:
        def f(p: Any, scale: float, i: int) -> Any:
            return p["w"][0].detach().sum() * scale + p["b"][i]

        arguments = {"w": [self.tensor(1.0, 2.0), self.tensor(3.0)], "b": self.tensor(0.5, 0.7)}
        assert [finding.argument for finding in wrong(f, (arguments, 2.0, 1))] == ["p['w'][0][0]", "p['w'][0][1]"]
        grid = self.tensor(1.0, 2.0, 3.0, 4.0).reshape(2, 2)
        assert [f.argument for f in wrong(lambda x: x[1].detach().sum() + x[0].prod(), grid)] == ["x[1, 0]", "x[1, 1]"]

    def test_a_module_is_checked_with_its_parameters(self) -> None:
        torch = self.torch
        torch.manual_seed(1)
        model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.BatchNorm1d(3).eval())
        before = {name: part.clone() for name, part in model.state_dict().items()}
        report = check_grads(model, (torch.randn(1, 2),), order=1)
        assert (report.agreed, report.findings) == (3 * (2 + 9 + 6), ())
        assert all(torch.equal(part, before[name]) for name, part in model.state_dict().items())

        class Leaky(torch.nn.Module):  # type: ignore[name-defined,misc]
            def __init__(self) -> None:
                super().__init__()
                self.line = torch.nn.Linear(2, 1)

            def forward(self, x: Any) -> Any:
                return self.line.weight.detach() @ x + self.line.bias

        assert [f.argument for f in wrong(Leaky(), (torch.randn(2),))] == ["line.weight[0, 0]", "line.weight[0, 1]"]

    def test_a_function_that_insists_on_float32_is_checked_in_float32(self) -> None:
        torch = self.torch
        weights = torch.tensor([0.5, 2.0])  # float32: torch refuses to multiply them with float64
        assert check_grads(lambda x: torch.dot(x, weights).sin(), torch.tensor([0.3, -1.2]), order=1).findings == ()
        assert wrong(lambda x: torch.dot(x.detach(), weights).sin() + x[0], torch.tensor([0.3, -1.2]), order=1)

    # not at 1e-100, where torch's own second derivative of a product divides by what is nearly 0, and the check says so
    @given(st.lists(st.floats(-3.0, 3.0).map(lambda x: round(x, 3)), min_size=2, max_size=3), st.integers(0, 5))
    @settings(max_examples=30)
    def test_no_false_alarms_wherever_it_is(self, numbers: list[float], which: int) -> None:
        torch = self.torch
        f = [
            lambda x: torch.logsumexp(x, 0),
            lambda x: x.abs().max(),
            lambda x: torch.nn.functional.gelu(x)[0] * torch.nn.functional.gelu(x)[1],
            lambda x: torch.relu(x) - torch.relu(-x),
            lambda x: x.clamp(-1.0, 1.0).sum() ** 2,
            lambda x: torch.nn.functional.huber_loss(x, torch.zeros_like(x)),
        ][which]
        if which != 3 or 0.0 not in numbers:  # there both slopes are 1, and torch's gradient is 0: no kink, and wrong
            check_grads(f, torch.tensor(numbers, dtype=torch.float64))

    def test_what_cannot_be_differentiated_is_told(self) -> None:
        torch = self.torch
        with pytest.raises(ValueError, match="nothing to differentiate by; expected a floating-point tensor"):
            check_grads(lambda x: x, torch.tensor([1, 2]))
        with pytest.raises(TypeError, match=r"it returned tensor\(True\); expected a tensor of floating-point numbers"):
            check_grads(lambda x: x > 0, self.tensor(1.0)[0])
        with pytest.raises(TypeError, match=r"it returned 1\.0; expected a tensor"):
            check_grads(lambda x: x.detach().item(), self.tensor(1.0)[0])


# ----------------------------------------------------------------------------------------------------------------- JAX


class TestJax:
    jax: Any
    jnp: Any

    @pytest.fixture(autouse=True)
    def _jax(self) -> None:
        self.jax = pytest.importorskip("jax")
        self.jnp = self.jax.numpy

    def rule(self, derivative: Any) -> Any:
        """A sine whose backward pass multiplies by this function of x."""

        sine = self.jax.custom_vjp(lambda x: self.jnp.sin(x))
        sine.defvjp(lambda x: (self.jnp.sin(x), x), lambda x, gradient: (gradient * derivative(x),))
        return sine

    def test_right_gradients_of_two_orders_agree(self) -> None:
        jnp = self.jnp
        x, w = jnp.array([0.3, -1.2]), jnp.array([0.5, 2.0])
        for f in (
            lambda x, w: jnp.tanh(x @ w),
            lambda x, w: self.jax.nn.softmax(x * w),
            lambda x, w: {"both": [jnp.exp(x) @ w, jnp.linalg.norm(x / w)]},
            self.jax.jit(lambda x, w: jnp.where(x > 0, jnp.sqrt(jnp.maximum(x, 0.1)), w)),
        ):
            assert check_grads(f, (x, w)).findings == ()

    def test_wrong_rules_are_caught_at_their_order(self) -> None:
        jnp, stop = self.jnp, self.jax.lax.stop_gradient
        (finding,) = wrong(self.rule(lambda x: 1.001 * jnp.cos(x)), jnp.array(0.5))
        assert (finding.order, finding.got) == (1, pytest.approx(1.001 * math.cos(0.5), rel=1e-6))
        (finding,) = wrong(self.rule(lambda x: jnp.cos(stop(x))), jnp.array(0.5))
        assert (finding.order, finding.got) == (2, 0.0)

    def test_kinks_are_reported_not_blamed(self) -> None:
        report = check_grads(self.jax.nn.relu, self.jnp.array([0.0, 1.0]), order=1)
        assert [finding.status for finding in report.findings] == ["kink"]

    def test_indices_and_masks_are_left_alone(self) -> None:
        jnp = self.jnp
        report = check_grads(lambda x, i, mask: jnp.sum(x[i] * mask), (jnp.array([1.0, 2.0]), 1, jnp.array([True])))
        assert (report.agreed, report.findings) == (2 + 4, ())

    def test_its_own_switch_for_float64_stays_as_it_was(self) -> None:
        check_grads(self.jnp.sin, self.jnp.array(0.5))
        assert self.jnp.array(0.5).dtype == "float32"
        with self.jax.enable_x64(True):
            (finding,) = wrong(self.rule(lambda x: (1.0 + 1e-5) * self.jnp.cos(x)), self.jnp.array(0.5))
            assert finding.tolerance < 1e-6

    def test_what_cannot_be_differentiated_is_told(self) -> None:
        with pytest.raises(TypeError, match=r"expected an array of floating-point numbers"):
            check_grads(lambda x: x > 0, self.jnp.array(0.5))


# ------------------------------------------------------------------------------------------------- tensors at random

LOOKED_FOR = settings(database=None, deadline=None, max_examples=300)


@pytest.mark.parametrize("library", ["numpy", "torch", "jax"])
def test_tensors_are_drawn_small_and_plain_and_shrink(library: Any) -> None:
    pytest.importorskip(library)
    seen: set[tuple[int, ...]] = set()

    @settings(LOOKED_FOR, derandomize=True)
    @given(tensors(library, min_value=-2.0, dtype="float32"))
    def drawn(x: Any) -> None:
        seen.add(tuple(x.shape))
        assert type(x).__module__.split(".")[0] in (library, "jaxlib")
        assert str(x.dtype).removeprefix("torch.") == "float32"
        assert -2.0 <= float(x.min()) <= float(x.max()) <= 3.0

    drawn()
    assert {(), (3,), (2, 3)} <= seen
    assert all(len(shape) <= 2 and max(shape, default=1) <= 3 for shape in seen)
    smallest = find(tensors(library), lambda x: float(x.sum()) > 1.0, settings=LOOKED_FOR)
    assert smallest.tolist() == 2.0


def test_tensors_of_one_shape_go_together() -> None:
    shapes = st.shared(st.tuples(st.integers(1, 3), st.integers(1, 3)))

    @settings(LOOKED_FOR, max_examples=30)
    @given(tensors("numpy", shapes), tensors("numpy", shapes), tensors("numpy", 4), tensors("numpy", ()))
    def drawn(x: Any, y: Any, z: Any, number: Any) -> None:
        assert x.shape == y.shape
        assert (z.shape, number.shape) == ((4,), ())
        assert {x.dtype, y.dtype, z.dtype, number.dtype} == {np.dtype("float64")}

    drawn()


def test_the_smallest_tensor_that_breaks_a_rule_is_found() -> None:
    torch = pytest.importorskip("torch")

    class Largest(torch.autograd.Function):  # type: ignore[name-defined,misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x.max()

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            (x,) = ctx.saved_tensors
            return gradient * (x == x.max(-1, keepdim=True).values)  # of each row, not of all

    def largest(x: Any) -> Any:
        return Largest.apply(x)

    def fails(x: Any) -> bool:
        try:
            check_grads(largest, x, order=1)
        except GradientError:
            return True
        return False

    assert find(tensors("torch", (2, 1)), fails, settings=LOOKED_FOR).tolist() in ([[0.0], [1.0]], [[1.0], [0.0]])


@pytest.mark.parametrize(
    ("arguments", "options", "error", "said"),
    [
        (["tensorflow"], {}, ValueError, "unknown library 'tensorflow'"),
        (
            ["numpy", 0],
            {},
            ValueError,
            r"tensors\(shape=0\): expected a whole number of at least 1, or a tuple of such",
        ),
        (["numpy", (2, 1.5)], {}, TypeError, r"tensors\(shape=1.5\): expected a whole number"),
        (["numpy"], {"dtype": "int64"}, ValueError, r"dtype='int64'\): expected 'float64', 'float32' or None"),
        (["numpy"], {"max_side": 0}, ValueError, r"max_side=0\): expected a whole number of at least 1"),
        (["numpy"], {"min_value": 4.0}, ValueError, r"min_value=4.0, max_value=3.0\): expected two finite numbers"),
        (["numpy"], {"max_value": math.inf}, ValueError, "expected two finite numbers, the smaller one first"),
        (
            ["jax"],
            {"dtype": "float64"},
            ValueError,
            r"JAX has float32 alone; jax.config.update\('jax_enable_x64', True\)",
        ),
    ],
)
def test_what_is_no_strategy_is_told(arguments: Any, options: Any, error: type[Exception], said: str) -> None:
    if arguments[0] == "jax":
        pytest.importorskip("jax")
    with pytest.raises(error, match=said):
        tensors(*arguments, **options)


def test_a_library_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("micrograd_plus.strategies.small_tensors.find_spec", lambda _: None)
    with pytest.raises(ImportError, match=r"tensors\('torch'\): it is not installed: pip install torch"):
        tensors("torch")


# -------------------------------------------------------------------------------------------- the page, and pytest


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_the_examples_of_the_page_hold(library: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip(library)
    page = (PLUGIN.parents[1] / "docs" / "how-to" / "check-a-gradient.md").read_text(encoding="utf-8")
    (block,) = [
        block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if f"import {library}\n" in block
    ]
    code, _, said = block.partition("\n# says:\n")
    exec(code, {})
    assert capsys.readouterr().out == "".join([line.removeprefix("# ") for line in said.splitlines(keepends=True)])


TEST = """
import sys
from hypothesis import given, strategies as st
BEFORE = "micrograd_plus" in sys.modules  # as this module is collected, the plugin has long been there

def test_a_fixture(gradcheck):
    assert not BEFORE
    gradcheck(lambda x: x * x, (3.0,))

@given(st.floats(-3.0, 3.0))
def test_many(gradcheck, x):
    gradcheck(lambda x: x * x, (x,))

def test_a_failure(gradcheck):
    gradcheck(lambda x: x * x.data, (3.0,))
"""


def test_the_fixture_of_pytest_imports_nothing_until_a_test_asks_for_it(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TEST, encoding="utf-8")
    script = (
        f"import sys; sys.path[:0] = {[str(PLUGIN), str(PLUGIN.parents[1])]}; import pytest; sys.exit(pytest.main())"
    )
    plain = ["-p", "_micrograd_plus_pytest", "-p", "no:hypothesispytest", "-q", "-p", "no:cacheprovider"]
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": " ".join(plain)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    assert "GradientError: check_grads(<lambda>): 0 of 1 derivatives" in done.stdout


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_floats_of_16_bits_are_refused(kind: str) -> None:
    torch = pytest.importorskip("torch")
    halves = torch.ones(1, dtype=getattr(torch, kind))
    for args in ((halves,), (torch.ones(2, dtype=torch.float64), halves)):
        with pytest.raises(TypeError, match="floats of 16 bits have too few digits for a derivative"):
            check_grads(lambda *given: sum(x.sin().sum() for x in given), args)


def test_beside_a_large_derivative_a_small_one_of_float32_is_judged_by_its_own_size() -> None:
    torch = pytest.importorskip("torch")
    forward, backward = staticmethod(lambda ctx, x: x.sin()), staticmethod(lambda ctx, g: 20.0 * g)
    wrong: Any = type("Wrong", (torch.autograd.Function,), {"forward": forward, "backward": backward})
    x, y = torch.tensor([0.5]), torch.tensor([0.5])
    with pytest.raises(GradientError, match="1 of 2 derivatives"):
        check_grads(lambda x, y: (1e6 * x + wrong.apply(y)).sum(), (x, y), order=1)
    assert not check_grads(lambda x, y: (1e6 * x + y.sin()).sum(), (x, y), order=1).findings


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_a_module_in_training_keeps_its_buffers(kind: str) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    module = torch.nn.BatchNorm1d(2).to(getattr(torch, kind))
    before = {name: part.clone() for name, part in module.named_buffers()}
    check_grads(module, (torch.randn(4, 2, dtype=getattr(torch, kind)) + 5.0,), order=1)
    assert all(torch.equal(part, before[name]) for name, part in module.named_buffers())
