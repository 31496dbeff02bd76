"""A function of one example, compiled: its value and its gradient for a whole batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from reprlib import repr as short_repr
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from micrograd_plus._support.identities import Identities
from micrograd_plus._support.markup import paragraph
from micrograd_plus._support.texts import plural
from micrograd_plus.engine.hooks import hooks_on
from micrograd_plus.engine.locking import locked
from micrograd_plus.engine.recording import tracing
from micrograd_plus.engine.value import Value
from micrograd_plus.program.errors import CompileError
from micrograd_plus.program.errors import ExportError as ExportError
from micrograd_plus.program.explaining import as_table
from micrograd_plus.program.flat_graphs import Listing
from micrograd_plus.program.inputs import cast, examples, numbers
from micrograd_plus.program.ordering import held, identities, ordered
from micrograd_plus.program.paths import Choices, Path
from micrograd_plus.program.tracing import Shape, goes_on, trace

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from micrograd_plus.program.exports.jax_function import JaxFunction

    Floats = NDArray[Any]

PATHS = 16  # a function with more ways through it should choose between results by mp.where


class Program:
    """A compiled function of one example, made by `compile`, which runs whole batches, also from several threads.

    In every call, `x` holds an example in each row, and `y` its target: arrays (n, 784) and (n, 10) for x=784 and
    y=10, (n,) for x=(); anything that NumPy makes an array of numbers of will do. And `parameters` is a flat vector
    in the order of `program.parameters`, and nothing else is read then: the fast way. Without it the Values are
    read afresh: those that the function's names stood for when it was compiled. A name that is given another Value
    later changes nothing here.

    Attributes:
        parameters: the Values that the gradient is taken by, in the order of `model.parameters()`.
        function: what was compiled; None where the program was unpickled.
        several: whether it returns a list of outputs.

    >>> import micrograd_plus as mp
    >>> slope = mp.Value(3.0)
    >>> program = mp.compile(lambda x, y: (slope * x - y) ** 2, x=(), y=())
    >>> X, Y = [1.0, 2.0], [0.0, 4.0]
    >>> program(X, Y)                                 # the mean over the batch
    6.5
    >>> program.values(X, Y)
    array([9., 4.])
    >>> program.value_and_grad(X, Y)
    (6.5, array([7.]))
    >>> program.gradients(X, Y)
    array([[6.],
           [8.]])
    >>> program(X, Y, parameters=[2.0])
    2.0
    >>> print(program.explain())
    6 scalar nodes → 2 groups
    ...
    """

    def __init__(
        self,
        function: Callable[..., Any],
        shapes: Sequence[Shape],
        parameters: Sequence[Value] | None,
        dtype: str,
        backend: str | None = None,
        threads: int = 1,
    ) -> None:
        self._backend, self._threads = backend, threads
        self.function: Callable[..., Any] | None = function
        self._name = getattr(function, "__name__", type(function).__name__)
        self._shapes = tuple(shapes)
        self._dtype = np.dtype(dtype)
        listing = trace(function, shapes)
        leaves = listing.leaves.values()
        models = held(function)
        self.parameters = ordered(models, leaves) if parameters is None else list(parameters)
        self._others: list[Value] = []  # constants that may change between calls
        if parameters is not None:
            given = set(map(id, self.parameters))
            self._others = [leaf for leaf in leaves if id(leaf) not in given]
        self._before = listing.before  # nodes older than the program, which it computes anew
        self.several = listing.several
        self._listings = [listing] if listing.guards else []  # of the paths, against which the function is held again
        self._lock = RLock()  # one thread at a time looks for a new way
        known = self._identities()
        self._paths: list[Path] = [self._path(listing, known)]
        self._reached = identities(models, known)

    @np.errstate(all="ignore")
    def __call__(self, x: ArrayLike, y: ArrayLike | None = None, *, parameters: ArrayLike | None = None) -> Any:
        """The mean of the function over the examples; where it gives a list of outputs, these for each example.

        Returns:
            A float. For a function that returns a list of k outputs, a prediction for instance, an array (n, k).

        Raises:
            TypeError: y is missing, or there should be none, or something holds no plain numbers.
            ValueError: something is of another shape; the error says what was expected.
            CompileError: an example goes a way through the function that cannot be compiled.
        """
        values = self.values(x, y, parameters=parameters)
        return values if self.several else float(values.mean(dtype=float))

    @np.errstate(all="ignore")
    def values(self, x: ArrayLike, y: ArrayLike | None = None, *, parameters: ArrayLike | None = None) -> Floats:
        """The function's value for each example: an array (n,); or (n, k) where it returns a list of k.

        Its errors are those of `Program.__call__`.
        """
        theta, xs, ys = self._inputs(x, y, parameters)
        out: Floats | None = None
        for path, rows in self._ways(theta, xs, ys):
            values = path.values(theta, xs[rows], ys[rows])
            if out is None:
                out = np.empty((len(xs), len(values)), dtype=self._dtype)
            out[rows] = values.T
        assert out is not None
        return out if self.several else out[:, 0]

    @np.errstate(all="ignore")
    def value_and_grad(
        self, x: ArrayLike, y: ArrayLike | None = None, *, parameters: ArrayLike | None = None
    ) -> tuple[float, Floats]:
        """The mean over the examples, and its derivative by each parameter: a vector of the program's dtype, in order.

        Its errors are those of `Program.__call__`; it is a TypeError, too, if the function returns several outputs, and
        a CompileError if a Value has a hook by now, which would not be called.
        """
        self._demand_gradient("value_and_grad")
        theta, xs, ys = self._inputs(x, y, parameters)
        n = len(xs)
        first = self._paths[0]
        if not first.outcomes and len(self._paths) == 1:
            loss, gradient = first.gradient(theta, xs, ys, 1.0 / n)
        else:
            loss, gradient = 0.0, np.zeros((len(self.parameters), 1), dtype=self._dtype)
            for path, rows in self._ways(theta, xs, ys):
                more, part = path.gradient(theta, xs[rows], ys[rows], 1.0 / n)
                loss, gradient = loss + more, gradient + part[: len(self.parameters)]
        whole = gradient[: len(self.parameters), 0].astype(self._dtype, copy=False)  # kernels sum up in doubles
        return loss / n, whole

    @np.errstate(all="ignore")
    def gradients(self, x: ArrayLike, y: ArrayLike | None = None, *, parameters: ArrayLike | None = None) -> Floats:
        """The gradient of each example's own value: an array with a row for each example, a column a parameter.

        Its errors are those of `Program.__call__` and `Program.value_and_grad`.
        """
        self._demand_gradient("gradients")
        theta, xs, ys = self._inputs(x, y, parameters)
        out = np.empty((len(xs), len(self.parameters)), dtype=self._dtype)
        for path, rows in self._ways(theta, xs, ys):
            out[rows] = path.gradients(theta, xs[rows], ys[rows])[: len(self.parameters)].T
        return out

    def to_c(
        self, path: str | PathLike[str], *, gradient: bool = False, dtype: Literal["float64", "float32"] | None = None
    ) -> None:
        """Write it as C, for microcontrollers and other languages: a file and, beside it, its header.

        The file is C99, allocates nothing and needs only `<math.h>`. A function of the file's name computes one example
        with the parameters that it is given; the parameters of today are in the file, too. With `-DMODEL_MAIN`, for a
        file model.c, it is a program that tries itself on three examples.

        Args:
            path: a name in `.c`, which the function gets, too.
            gradient: whether there is a second function, `model_gradient`, for the derivative by each parameter.
            dtype: "float64" writes `double`, "float32" `float`; None what the program computes in.

        Raises:
            ExportError: an operation of one's own is Python alone; or the program was unpickled.
            ValueError: the name is not in `.c`, or can't name a function in C; the dtype is none; or a gradient is
                asked for, and there are no parameters.
            TypeError: a gradient is asked of a function that returns a list of outputs.
            OSError: a file cannot be written.

        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> import micrograd_plus as mp
        >>> program = mp.compile(mp.MLP(2, [3, 1], seed=1), x=2)
        >>> with TemporaryDirectory() as folder:
        ...     program.to_c(Path(folder, "model.c"))
        ...     print(*[line for line in Path(folder, "model.h").read_text().splitlines() if "(const" in line])
        int model(const double x[], const double parameters[], double out[], double work[]);
        """
        from micrograd_plus.program.exports import c_file

        c_file.write(self, path, gradient, self._leaving("to_c", gradient, dtype))

    def _leaving(self, how: str, gradient: bool, dtype: str | None) -> str:
        """The dtype in which it leaves, once what is asked for is possible."""
        if dtype not in ("float64", "float32", None):
            raise ValueError(f"{self!r}.{how}(dtype={short_repr(dtype)}): expected 'float64', 'float32' or None")
        if gradient:
            self._demand_gradient(f"{how}(gradient=True)")
            if not self.parameters:
                raise ValueError(f"{self!r}.{how}(gradient=True): it has no parameters to differentiate by")
        return dtype or str(self._dtype)

    def to_onnx(
        self, path: str | PathLike[str], *, gradient: bool = False, dtype: Literal["float64", "float32"] | None = None
    ) -> None:
        """Write it as an ONNX model, for onnxruntime and whatever else reads such files.

        The model has standard operators of opset 20 only; a row of the table that ONNX lacks, or for which onnxruntime
        has no kernel in the dtype, is written in others. A layer is a Gemm with its activation. Inputs are `x` and `y`,
        with as many examples in their rows as one likes, the output is `out`; parameters are initializers by the names
        of the model's, `layers.0.weight`. Where Python chose between ways, an example that goes none of those that are
        known gives nan.

        Args:
            path: a name in `.onnx`.
            gradient: whether there is for each parameter an output, `gradient.layers.0.weight`, the derivative of the
                batch's mean by it; parameters may be given as inputs then, in place of those in the file.
            dtype: of all numbers; None what the program computes in.

        Raises:
            ImportError: the package onnx is not installed.
            ExportError: an operation of one's own is Python alone; or the program was unpickled.
            ValueError: the name is not in `.onnx`; the dtype is none; or a gradient is asked for, and there are no
                parameters.
            TypeError: a gradient is asked of a function that returns a list of outputs.
            OSError: the file cannot be written.

        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> import micrograd_plus as mp
        >>> import onnx
        >>> program = mp.compile(mp.MLP(2, [3, 1], activation="tanh", seed=1), x=2)
        >>> with TemporaryDirectory() as folder:
        ...     program.to_onnx(Path(folder, "model.onnx"))
        ...     graph = onnx.load(Path(folder, "model.onnx")).graph
        >>> [node.op_type for node in graph.node]
        ['Gemm', 'Tanh', 'Gemm', 'Squeeze']
        >>> [initializer.name for initializer in graph.initializer][:2]
        ['layers.0.weight', 'layers.0.bias']
        """
        try:
            from micrograd_plus.program.exports import onnx_file
        except ImportError as error:
            way_out = "pip install 'micrograd-plus[onnx]'"
            raise ImportError(f"{self!r}.to_onnx needs the package onnx ({error}): {way_out}") from None
        onnx_file.write(self, path, gradient, self._leaving("to_onnx", gradient, dtype))

    def to_torch(self) -> Any:
        """It as a `torch.nn.Module`, whose `forward` takes a batch, or a single example, as the program does; but where
        Python chose between ways, an example that goes none of those that are known by now gives nan.

        A network, compiled by itself, becomes what one would write by hand: an `nn.Sequential` of `nn.Linear` and
        activations, whose result for a batch is a matrix. Anything else becomes a module whose parameters bear the
        names of the model's, `layers.0.weight`, or those of the function's variables. Derivatives, of every order and
        by the inputs, too, are the table's own, at kinks and behind masks. Its numbers are of the program's dtype;
        `.float()` makes it one in PyTorch's usual floats.

        Returns:
            The module; training it leaves the Values here as they are.

        Raises:
            ImportError: PyTorch is not installed.
            ExportError: an operation of one's own is Python alone; or the program was unpickled.

        >>> import micrograd_plus as mp
        >>> mp.compile(mp.MLP(2, [3, 1], activation="tanh"), x=2).to_torch()
        Sequential(
          (0): Linear(in_features=2, out_features=3, bias=True)
          (1): Tanh()
          (2): Linear(in_features=3, out_features=1, bias=True)
        )
        """
        try:
            from micrograd_plus.program.exports import torch_module
        except ImportError as error:
            raise ImportError(f"{self!r}.to_torch needs PyTorch ({error}): pip install torch") from None
        return torch_module.module_of(self)

    def to_jax(self) -> JaxFunction:
        """It as a pure function for JAX, of parameters and an example, or a batch.

        It goes through `jax.jit`, `jax.vmap`, `jax.grad` and their like, also by the inputs, to every order, by the
        table's own derivatives: at kinks and behind masks, too. What it computes in is the dtype of the parameters
        that it gets; JAX makes it float32 unless `jax_enable_x64` is set. Where Python chose between ways, an example
        that goes none of those that are known by now gives nan.

        Returns:
            `function(parameters, x)`, or `function(parameters, x, y)`; `function.parameters` are those of today, a
            dictionary of arrays by the names of the model's, `layers.0.weight`, or of the function's variables.

        Raises:
            ImportError: JAX is not installed.
            ExportError: an operation of one's own is Python alone; or the program was unpickled.

        >>> import jax
        >>> import micrograd_plus as mp
        >>> slope = mp.Value(3.0)
        >>> function = mp.compile(lambda x: slope * x, x=()).to_jax()
        >>> function.parameters
        {'slope': array(3.)}
        >>> print(jax.vmap(function, (None, 0))(function.parameters, jax.numpy.array([1.0, 2.0])))
        [3. 6.]
        """
        try:
            from micrograd_plus.program.exports import jax_function
        except ImportError as error:
            raise ImportError(f"{self!r}.to_jax needs JAX ({error}): pip install jax") from None
        return jax_function.JaxFunction(self)

    def explain(self) -> str:
        """What was found in the graph: its groups, and which became matrix products; and what runs it."""
        if len(self._paths) == 1:
            return self._paths[0].explained()
        return "\n".join([f"where {path.way}:\n{path.explained()}" for path in self._paths])

    def _repr_html_(self) -> str:
        """What `explain` says as a table, one for each way through the function."""
        return paragraph(repr(self)) + "".join([as_table(path.explained(), path.way) for path in self._paths])

    def rebound(self) -> bool:
        """Whether names in the function stand for other Values by now; the program goes on with those it has.

        >>> import micrograd_plus as mp
        >>> slope = mp.Value(3.0)
        >>> program = mp.compile(lambda x: slope * x, x=())
        >>> slope = mp.Value(5.0)
        >>> program([1.0]), program.rebound()
        (3.0, True)
        """
        return self.function is not None and identities(held(self.function), self._identities()) != self._reached

    def __repr__(self) -> str:
        nodes = max([path.nodes for path in self._paths], default=0)
        ways = f", {len(self._paths)} ways" if len(self._paths) > 1 else ""
        count = plural(len(self.parameters), "parameter")
        return f"Program({self._name}, {nodes:,} nodes, {count}{ways})"

    def __getstate__(self) -> dict[str, Any]:
        """What pickle takes: all but the function itself, so that no new way through it can be traced elsewhere."""
        return self.__dict__ | {"function": None, "_lock": None, "_reached": [], "_before": [], "_listings": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = RLock()

    # ------------------------------------------------------------------------------------------------------ the inputs

    def _inputs(self, x: Any, y: Any, parameters: Any) -> tuple[Floats, Floats, Floats]:
        theta = self._theta(parameters)
        xs = examples(self, "X", x, self._shapes[0], self._dtype)
        if len(self._shapes) == 1:
            if y is not None:
                raise TypeError(f"{self!r}: got Y, but it was compiled without targets; expected X alone")
            return theta, xs, np.empty((len(xs), 0), dtype=self._dtype)
        if y is None:
            raise TypeError(f"{self!r}: got X alone; expected targets Y, too, as it was compiled with y=")
        ys = examples(self, "Y", y, self._shapes[1], self._dtype)
        if len(xs) != len(ys):
            raise ValueError(f"{self!r}: {len(xs)} examples and {len(ys)} targets; expected as many of each")
        return theta, xs, ys

    def _theta(self, parameters: Any) -> Floats:
        if parameters is None:
            values = [*self.parameters, *self._others]
            if (trace := tracing.get()) is not None and values:  # a program inside of a function that is traced
                trace.asked(values[0], "a program's answer")
            return cast(np.fromiter([value._data for value in values], dtype=float, count=len(values)), self._dtype)
        theta = np.ascontiguousarray(cast(numbers(self, "parameters", parameters, ()), self._dtype))
        if theta.shape != (len(self.parameters),):
            expected = f"expected ({len(self.parameters)},), a number for each of program.parameters"
            raise ValueError(f"{self!r}: parameters of shape {theta.shape}; {expected}")
        if self._others:
            others = np.fromiter([value._data for value in self._others], dtype=float)
            theta = np.concatenate([theta, cast(others, self._dtype)])
        return theta

    def _demand_gradient(self, name: str) -> None:
        if self.several:
            wanted = "expected a single one to differentiate: compile a function that returns their sum, or a loss"
            raise TypeError(f"{self!r}.{name}: the function returns a list of outputs; {wanted}")
        if hooked := hooks_on(lambda: self._identities().union(map(id, self._before))):
            way_out = "a program would not call it: remove it, or run the function eagerly"
            raise CompileError(f"{self!r}.{name}: {hooked[0]!r} has a hook; {way_out}")

    # -------------------------------------------------------------------------------------------------------- the ways

    def _identities(self) -> set[int]:
        return set(map(id, [*self.parameters, *self._others]))

    def _path(self, listing: Listing, known: set[int]) -> Path:
        lines = ", ".join(dict.fromkeys([guard.line for guard in listing.guards]))
        if not known.issuperset(map(id, listing.leaves.values())):
            way_out = "let each way use them: choose between results by mp.where(condition, a, b)"
            way_out += ", or name all that are to be differentiated: compile(..., parameters=[...])"
            raise CompileError(f"{self!r}: a choice at {lines} leads to Values that the first way lacks; {way_out}")
        got, first = [
            f"a list of {len(way.roots)}" if way.several else "a single output"
            for way in (listing, (self._listings or [listing])[0])
        ]
        if got != first:
            raise CompileError(
                f"{self!r}: a choice at {lines} leads to {got}, the first way to {first}; return as many"
            )
        return Path(listing, [*self.parameters, *self._others], str(self._dtype), self._backend, self._threads)

    def _ways(self, theta: Floats, xs: Floats, ys: Floats) -> Iterator[tuple[Path, Any]]:
        """Each way that some of the examples go, and which they are."""
        if not self._paths[0].outcomes:
            yield self._paths[0], slice(None)
            return
        left = np.arange(len(xs))
        for path in self._paths:
            here = path.matches(theta, xs[left], ys[left])
            if here.any():
                yield path, left[here]
            left = left[~here]
            if not len(left):
                return
        while len(left):
            path = locked(self._lock, self._traced, theta, xs[left[0]], ys[left[0]])
            here = path.matches(theta, xs[left], ys[left])
            here[0] = True  # it was led this way by the same numbers, rounding aside
            yield path, left[here]
            left = left[~here]

    def _traced(self, theta: Floats, x: Floats, y: Floats) -> Path:
        """The way that an example goes through the function, for which there is no path yet."""
        lines = ", ".join(dict.fromkeys([line for path in self._paths for line in path.lines]))
        way_out = "choose between results by mp.where(condition, a, b)"
        if self.function is None:
            raise CompileError(f"{self!r}: an unpickled program can't go a new way at {lines}; {way_out}")
        if len(self._paths) == PATHS:
            raise CompileError(f"{self!r}: more than {PATHS} ways through its choices at {lines}; {way_out}")
        numbers = Identities(zip([*self.parameters, *self._others], theta.tolist()))
        listing = trace(self.function, self._shapes, [*x.tolist(), *y.tolist()], numbers)
        choices = [(guard.line, guard.outcome) for guard in listing.guards]
        for path in self._paths:
            if path.choices == choices:
                return path
        parted = all(_parted(choices, path.choices) for path in self._paths)
        if not parted or not all(goes_on(self.function, self._shapes, known) for known in self._listings):
            why = "a plain number or a flag outside of it, a constant to a program, was changed; compile it again"
            raise CompileError(f"{self!r}: the function computes something else than when it was compiled: {why}")
        path = self._path(listing, self._identities())
        self._listings.append(listing)
        self._paths.append(path)
        return path


def _parted(one: Choices, other: Choices) -> bool:
    """Whether two runs of one function can have made these choices: alike up to one that each made in another way."""
    where = next((i for i, (a, b) in enumerate(zip(one, other)) if a != b), None)
    return where is not None and one[where][0] == other[where][0]
