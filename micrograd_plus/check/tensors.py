"""Functions of PyTorch's tensors and of JAX's arrays as problems: it is their own engine that is checked.

Differences are taken in float64 wherever the function goes along with that, also where its arguments are float32. Then
its derivatives in float64 are held to them as strictly as any, and those in float32 to these, by float32's digits.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from math import isfinite, prod
from reprlib import repr as short_repr
from typing import Any

from micrograd_plus.check.problems import Problem, Trace, argument_names, named_parts, names_within, unheard
from micrograd_plus.check.rounding import EPSILON

SINGLE = 2.0**-23  # the spacing of float32 at 1
LOOSE = 2e3  # times the spacing: how far derivatives may be off that have less than float64's digits


def engine_of(f: Any, args: tuple[Any, ...]) -> type[_Engine] | None:
    """Whose function it is, by its arguments, or by itself where it is a module; None for neither's."""
    for name, engine in ENGINES.items():
        library = sys.modules.get(name)  # whoever has such an argument has imported it
        if library is not None and (engine.has_module(f) or any(map(engine.is_tensor, _parts(args)))):
            return engine
    return None


def problem_of_tensors(f: Callable[..., Any], name: str, args: tuple[Any, ...], engine: type[_Engine]) -> Problem:
    """A function of tensors, or a module together with its parameters, by the engine that it was written for.

    Raises:
        TypeError: it returns something else than floating-point numbers, or something given is float16 or bfloat16.
        ValueError: there is nothing to differentiate by.
    """
    made = engine(f, name, args)
    if made.digits > SINGLE:
        told = "floats of 16 bits have too few digits for a derivative to be judged by differences"
        raise TypeError(f"check_grads({name}): {told}; give float32, or better float64")
    if not made.point:
        wanted = "expected a floating-point tensor or a float among its arguments"
        raise ValueError(f"check_grads({name}, {short_repr(args)}): nothing to differentiate by; {wanted}")

    def trace(at: list[float], _: Any = unheard) -> Trace:
        return Trace(made.derivatives(at, 0), (), lambda order: made.derivatives(at, order), made.unit)

    def given(order: int) -> list[float]:
        own = made.derivatives(made.point, order, wide=made.digits == EPSILON)
        if made.digits == EPSILON or not made.goes_wide:
            return own
        wide = made.derivatives(made.point, order)
        size = max([abs(x) for x in wide if isfinite(x)], default=0.0)
        return [x if abs(x - y) <= LOOSE * made.digits * (abs(x) + 0.1 * size) else y for x, y in zip(wide, own)]

    problem = Problem(name, made.names, made.point, trace, lambda *_: None, given=given)
    if made.digits > EPSILON and not made.goes_wide:
        size = max(map(abs, given(1)), default=0.0)
        problem.rtol, problem.atol = LOOSE * made.digits, 0.1 * LOOSE * made.digits * size
    return problem


class _Engine:
    """A function of somebody else's tensors: its numbers, and its derivatives of any order.

    Attributes:
        names, point: the numbers that it is differentiated by.
        digits: the spacing at 1 of the least accurate of its floats.
    """

    def __init__(self, f: Callable[..., Any], name: str, args: tuple[Any, ...]) -> None:
        self.f, self.name, self.args = f, name, args
        places = [place for names, arg in zip(argument_names(f, len(args)), args) for place in named_parts(arg, names)]
        self.moved = [self.is_moved(part) for _, part in places]
        parts = [*[place for place, moved in zip(places, self.moved) if moved], *self.parameters()]
        self.names = [number for place, part in parts for number in names_within(place, self.shape(part))]
        self.shapes = [self.shape(part) for _, part in parts]
        self.point = [x for _, part in parts for x in self.floats(part)]
        self.digits = max([self.spacing(part) for _, part in parts], default=EPSILON)

    @cached_property
    def unit(self) -> float:
        """How large rounding errors are beside the numbers that differences are taken of."""
        return EPSILON if self.goes_wide else 4.0 * self.digits

    @cached_property
    def goes_wide(self) -> bool:
        """Whether the function takes float64 in place of its own floats, and gives such."""
        if self.digits == EPSILON:
            return True
        try:
            return self.is_wide(self.point)
        except Exception:  # noqa: BLE001 - whatever it is: then not
            return False

    def filled(self, tensors: Iterator[Any]) -> list[Any]:
        """The arguments with other tensors in the places of those that are moved."""
        moved = iter(self.moved)
        return [_replaced(arg, lambda part: next(tensors) if next(moved) else part) for arg in self.args]

    def cut(self, numbers: Any) -> Iterator[Any]:
        """A vector of all numbers, as tensors of the shapes that they stand in."""
        ends = accumulate(map(prod, self.shapes))
        return (numbers[end - prod(shape) : end].reshape(shape) for shape, end in zip(self.shapes, ends))

    def results(self, out: Any) -> list[Any]:
        """What the function returned, as a list of tensors.

        Raises:
            TypeError: something in it is no tensor of floats.
        """
        parts = list(_parts(out))
        for part in parts:
            if not self.is_moved(part) or isinstance(part, float):
                wanted = f"expected {self.kind}, or a nest of such"
                raise TypeError(f"check_grads({self.name}): it returned {short_repr(part)}; {wanted}")
        return parts

    kind = "a tensor of floating-point numbers"

    @staticmethod
    def has_module(f: Any) -> bool:
        raise NotImplementedError

    @staticmethod
    def is_tensor(part: Any) -> bool:
        raise NotImplementedError

    @staticmethod
    def spacing(part: Any) -> float:
        """The spacing of a tensor's floats at 1; that of float64 for what has more, too, and for Python's floats."""
        raise NotImplementedError

    def is_moved(self, part: Any) -> bool:
        """Whether it is differentiated by: not by indices, counts and masks."""
        raise NotImplementedError

    def parameters(self) -> list[tuple[str, Any]]:
        return []

    def is_wide(self, at: Sequence[float]) -> bool:
        raise NotImplementedError

    def derivatives(self, at: Sequence[float], order: int, *, wide: bool = True) -> list[float]:
        """Those of the first result by each number, then of the next; of order 0 the results.

        Args:
            at: the numbers.
            order: of the derivatives.
            wide: in float64, where the function goes along; else in its own floats.
        """
        raise NotImplementedError

    @staticmethod
    def shape(part: Any) -> tuple[int, ...]:
        return tuple(getattr(part, "shape", ()))

    @staticmethod
    def floats(part: Any) -> list[float]:
        return [float(part)] if isinstance(part, float) else [float(x) for x in part.reshape(-1).tolist()]


class _Torch(_Engine):
    @staticmethod
    def has_module(f: Any) -> bool:
        return isinstance(f, sys.modules["torch"].nn.Module)

    @staticmethod
    def is_tensor(part: Any) -> bool:
        return isinstance(part, sys.modules["torch"].Tensor)

    @staticmethod
    def spacing(part: Any) -> float:
        return EPSILON if isinstance(part, float) else float(sys.modules["torch"].finfo(part.dtype).eps)

    def is_moved(self, part: Any) -> bool:
        return isinstance(part, float) or (self.is_tensor(part) and part.is_floating_point())

    def parameters(self) -> list[tuple[str, Any]]:
        f: Any = self.f
        return [(name, part) for name, part in f.named_parameters() if part.requires_grad] if self.has_module(f) else []

    def is_wide(self, at: Sequence[float]) -> bool:
        return all(part.dtype == sys.modules["torch"].float64 for part in self._called(at, wide=True)[0])

    def derivatives(self, at: Sequence[float], order: int, *, wide: bool = True) -> list[float]:
        torch = sys.modules["torch"]
        with torch.inference_mode(False), torch.enable_grad():  # whatever its caller has switched off
            parts, variables = self._called(at, wide=wide and self.goes_wide)
            numbers = [y for part in parts for y in part.reshape(-1)]
            for _ in range(order):
                numbers = [slope for y in numbers for slope in self._slopes(y, variables)]
            return [float(y.detach()) for y in numbers]

    def _slopes(self, y: Any, variables: list[Any]) -> list[Any]:
        torch = sys.modules["torch"]
        slopes = [None] * len(variables)
        if y.requires_grad:
            slopes = torch.autograd.grad(y, variables, create_graph=True, allow_unused=True)
        full = [torch.zeros_like(x) if slope is None else slope for slope, x in zip(slopes, variables)]
        return [slope for part in full for slope in part.reshape(-1)]

    def _called(self, at: Sequence[float], *, wide: bool) -> tuple[list[Any], list[Any]]:
        """The results there, and the tensors that they were made from."""
        torch = sys.modules["torch"]
        dtype = torch.float64 if wide else {SINGLE: torch.float32}.get(self.digits, torch.float64)
        variables = [part.clone().requires_grad_() for part in self.cut(torch.tensor(at, dtype=dtype))]
        free = iter(variables)
        args = self.filled(free)
        if not self.has_module(self.f):
            return self.results(self.f(*args)), variables
        kept = dict(zip([name for name, _ in self.parameters()], free))
        f: Any = self.f
        for name, part in f.named_buffers():  # copies, for a module in training writes to them
            kept[name] = part.double().clone() if wide and part.is_floating_point() else part.clone()
        return self.results(torch.func.functional_call(f, kept, tuple(args))), variables


class _Jax(_Engine):
    kind = "an array of floating-point numbers"

    @staticmethod
    def has_module(f: Any) -> bool:  # noqa: ARG004 - there are none
        return False

    @staticmethod
    def is_tensor(part: Any) -> bool:
        return isinstance(part, sys.modules["jax"].Array)

    @staticmethod
    def spacing(part: Any) -> float:
        return EPSILON if isinstance(part, float) else float(sys.modules["jax"].numpy.finfo(part.dtype).eps)

    def is_moved(self, part: Any) -> bool:
        jnp = sys.modules["jax"].numpy
        return isinstance(part, float) or (self.is_tensor(part) and bool(jnp.issubdtype(part.dtype, jnp.floating)))

    def is_wide(self, at: Sequence[float]) -> bool:
        jax = sys.modules["jax"]
        with jax.enable_x64(True):
            return bool(self._flat(jax.numpy.asarray(at, dtype="float64")).dtype == "float64")

    def derivatives(self, at: Sequence[float], order: int, *, wide: bool = True) -> list[float]:
        jax = sys.modules["jax"]
        wide = wide and self.goes_wide
        derived: Callable[[Any], Any] = self._flat
        for _ in range(order):
            derived = jax.jacrev(derived)
        with jax.enable_x64(wide):
            numbers = derived(jax.numpy.asarray(at, dtype="float64" if wide else "float32"))
            return [float(y) for y in numbers.reshape(-1).tolist()]

    def _flat(self, numbers: Any) -> Any:
        """The results as one vector, as a function of one."""
        parts = self.results(self.f(*self.filled(self.cut(numbers))))
        return sys.modules["jax"].numpy.concatenate([part.reshape(-1) for part in parts])


ENGINES: dict[str, type[_Engine]] = {"torch": _Torch, "jax": _Jax}


def _parts(tree: Any) -> Iterator[Any]:
    """What lists, tuples and dicts hold, inside and out."""
    return (part for _, part in named_parts(tree, ""))


def _replaced(tree: Any, make: Callable[[Any], Any]) -> Any:
    if isinstance(tree, Mapping):
        return {key: _replaced(part, make) for key, part in tree.items()}
    if isinstance(tree, (list, tuple)):
        parts = [_replaced(part, make) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return make(tree)
