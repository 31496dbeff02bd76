"""What both estimators have in common: a network, its outputs, and how it is fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from functools import wraps
from math import inf
from numbers import Integral, Real
from reprlib import repr as short_repr
from typing import Any, Literal
from warnings import warn

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from micrograd_plus._support.errors import unknown
from micrograd_plus.engine.recording import no_grad
from micrograd_plus.engine.value import Value
from micrograd_plus.losses import LOSSES
from micrograd_plus.nn import MLP, Module
from micrograd_plus.optim import by_name
from micrograd_plus.program import CompileError, Program, compile
from micrograd_plus.sklearn.watching import Watch
from micrograd_plus.training import fit

Floats = NDArray[np.float64]
Network = Callable[[int, int, int], Module]


def all_or_nothing(fit: Any) -> Any:
    """A method that fits, after whose errors the estimator is what it was."""

    @wraps(fit)
    def fitting(self: Any, *args: Any, **options: Any) -> Any:
        before = dict(vars(self))
        if "_optimizer" in before:  # its steps, and what it remembers
            before["_optimizer"] = copy(before["_optimizer"])
        parameters = before["network_"].parameters() if "network_" in before else []
        weights = [parameter.data for parameter in parameters]
        try:
            return fit(self, *args, **options)
        except Exception:
            vars(self).clear()
            vars(self).update(before)
            for parameter, weight in zip(parameters, weights):
                parameter.data = weight
            raise

    return fitting


class Estimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn carries no types
    """What the two have in common: a network, its outputs, and how it is fitted."""

    _usual_loss: str
    n_features_in_: int
    loss_curve_: list[float]

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] = (16, 16),
        activation: str = "relu",
        *,
        network: Network | None = None,
        loss: str | Callable[[Any, Any], Value] | None = None,
        optimizer: str = "adam",
        learning_rate_init: float = 0.01,
        alpha: float = 0.0,
        batch_size: int | Literal["auto"] = "auto",
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        verbose: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.network = network
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate_init = learning_rate_init
        self.alpha = alpha
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.verbose = verbose

    def _targets(self, y: Any) -> Floats:
        """A row of numbers for each target."""
        raise NotImplementedError

    def _outputs_wanted(self) -> int:
        """How many outputs the network needs for these targets."""
        raise NotImplementedError

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, fresh: bool, epochs: int, once: bool = False) -> Any:
        """Fit the network: a new one, or the one that is there, for so many epochs at most.

        Args:
            X: the examples, as validate_data gives them.
            y: their targets, as predict gives them.
            sample_weight: how much each example counts; None for all alike.
            fresh: whether to begin with a new network.
            epochs: how often to go through the examples at most.
            once: whether nothing ends it earlier, and nobody is warned that it might go on.
        """
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)
        if weights is not None and weights.min() < 0.0:
            raise ValueError(f"sample_weight: one is {float(weights.min())!r}; expected numbers of at least 0")
        self._check()
        random = check_random_state(self.random_state)
        if fresh:
            self._begin(random.randint(2**31))
            self._check_outputs(X[:1])
        if fresh or not once:  # what a fit before has gathered is not this one's, and its settings may be others
            options = {"lr": self.learning_rate_init} | ({"weight_decay": self.alpha} if self.alpha else {})
            self._optimizer = by_name(self.optimizer, self.network_.parameters(), **options)
        held = None
        if self.early_stopping and not once:
            X, held_x, y, held_y, weights, held_weights = self._split(X, y, weights, random)
            held = (held_x, held_y, held_weights)
        X, targets, scale = self._counted(X, self._targets(y), weights)
        watch = Watch(self, inf if once else self.n_iter_no_change, held)
        size = min(200, len(X)) if self.batch_size == "auto" else self.batch_size
        history = fit(
            self._cost(),
            (X, np.column_stack([targets, scale])),
            self._optimizer,
            batch_size=size,
            epochs=epochs,
            seed=random.randint(2**31),
            shuffle=self.shuffle,
            callbacks=[watch],
            progress=None if self.verbose else False,
        )
        self.loss_curve_ = [*self.loss_curve_, *[epoch.loss for epoch in history]]
        self.loss_ = self.loss_curve_[-1]
        self.n_iter_ = len(self.loss_curve_)
        watch.end()
        if not once and not history.stopped:
            told = f"{type(self).__name__}: {epochs} epochs were over before the score stopped improving"
            warn(f"{told}; a larger max_iter, or learning_rate_init, may do better", ConvergenceWarning, stacklevel=3)
        return self

    def _begin(self, seed: int) -> None:
        """A new network."""
        inputs, outputs = self.n_features_in_, self._outputs_wanted()
        if self.network is None:
            hidden = np.ravel(self.hidden_layer_sizes).tolist()
            self.network_: Any = MLP(inputs, [*hidden, outputs], activation=self.activation, seed=seed)
        else:
            made = self.network_ = self.network(inputs, outputs, seed)
            if not callable(made) or not callable(getattr(made, "parameters", None)):
                told = f"network(inputs={inputs}, outputs={outputs}, seed={seed}) gave {short_repr(made)}"
                raise ValueError(f"{type(self).__name__}: {told}; expected a module, such as mp.MLP(...)")
        self.loss_curve_ = []
        try:
            self._program: Program | None = compile(self._outputs, x=inputs, parameters=self.network_.parameters())
        except CompileError:  # fit says why, as a warning
            self._program = None

    def _check_outputs(self, example: Floats) -> None:
        """Raise where a network of one's own gives more outputs than there is use for, or fewer."""
        wanted = self._outputs_wanted()
        given = self._outputs_of(example).size
        if given != wanted:
            told = f"{type(self).__name__}: the network gives {given} outputs"
            raise ValueError(f"{told}; expected {wanted}, which network(inputs, outputs, seed) is told as outputs")

    def _split(self, X: Floats, y: Any, weights: Floats | None, random: Any) -> list[Any]:
        """The examples, targets and weights to learn from, each followed by those held back."""
        given = X, y, np.ones(len(X)) if weights is None else weights
        strata = y if isinstance(self, ClassifierMixin) else None
        size, seed = self.validation_fraction, random.randint(2**31)
        try:
            return list(train_test_split(*given, test_size=size, stratify=strata, random_state=seed))
        except ValueError as error:
            told = f"{type(self).__name__}(validation_fraction={size!r}): {len(X)} examples cannot be split so"
            raise ValueError(f"{told}; {error}") from None

    @staticmethod
    def _counted(X: Floats, targets: Floats, weights: Floats | None) -> tuple[Floats, Floats, Floats]:
        """The examples that count, their targets, and how much each counts: 1 in the mean."""
        if weights is None:
            return X, targets, np.ones(len(X))
        counts = weights != 0.0
        if not counts.any():
            raise ValueError("sample_weight: all are 0; expected some that count")
        weights = weights[counts]
        return X[counts], targets[counts], weights / weights.mean()

    def _cost(self) -> Callable[[Any, Any], Value]:
        """The loss of an example, times what it counts: the last number beside its target."""
        network, loss = self.network_, self._loss()
        loss = LOSSES[loss].function if isinstance(loss, str) else loss

        def cost(x: Any, y: Any) -> Value:
            target = y[0] if len(y) == 2 else y[:-1]
            weighed: Value = loss(network(x), target) * y[-1]
            return weighed

        return cost

    def _outputs(self, x: Any) -> list[Any]:
        """The network's outputs as a list, also where there is one."""
        out = self.network_(x)
        return out if isinstance(out, list) else [out]

    def _predicted(self, X: ArrayLike) -> Floats:
        """The network's outputs for the examples: an array (n, outputs)."""
        check_is_fitted(self)
        return self._outputs_of(validate_data(self, X, dtype=np.float64, reset=False))

    def _outputs_of(self, X: Floats) -> Floats:
        if self._program is not None:
            out: Floats = self._program(X)
            return out
        with no_grad():
            return np.array([[float(value) for value in self._outputs(x)] for x in X.tolist()])

    def _loss(self) -> Any:
        return self._usual_loss if self.loss is None else self.loss

    def _check(self) -> None:
        """Raise where a hyperparameter is none; those that `fit`, `MLP` and the optimizers check are left to them."""
        name = type(self).__name__
        hidden = np.ravel(self.hidden_layer_sizes).tolist()
        if not all(isinstance(size, int) and size > 0 for size in hidden):
            told = f"hidden_layer_sizes={short_repr(self.hidden_layer_sizes)}"
            raise ValueError(f"{name}({told}): expected whole numbers above 0, one a hidden layer")
        for option, least in (("n_iter_no_change", 1), ("max_iter", 1)):
            value = getattr(self, option)
            if not isinstance(value, Integral) or value < least:
                raise ValueError(f"{name}({option}={short_repr(value)}): expected a whole number, {least} or more")
        if self.batch_size != "auto" and not (isinstance(self.batch_size, Integral) and self.batch_size > 0):
            raise ValueError(f"{name}(batch_size={self.batch_size!r}): expected a whole number above 0, or 'auto'")
        if not isinstance(self.tol, Real) or not self.tol >= 0.0:
            raise ValueError(f"{name}(tol={short_repr(self.tol)}): expected a number, 0 or more")
        for option in ("shuffle", "early_stopping", "warm_start", "verbose"):
            value = getattr(self, option)
            if not isinstance(value, (bool, np.bool_)) and not (option == "verbose" and isinstance(value, Integral)):
                raise ValueError(f"{name}({option}={short_repr(value)}): expected True or False")
        share = self.validation_fraction
        if self.early_stopping and not (isinstance(share, Real) and 0.0 < share < 1.0):
            raise ValueError(f"{name}(validation_fraction={short_repr(share)}): expected a number between 0 and 1")
        if self.network is not None and not callable(self.network):
            expected = "expected a function of (inputs, outputs, seed) that gives a module, or None"
            raise ValueError(f"{name}(network={short_repr(self.network)}): {expected}")
        loss = self._loss()
        if isinstance(loss, str) and loss not in LOSSES:
            raise unknown("loss", loss, LOSSES)
        if not isinstance(loss, str) and not callable(loss):
            expected = "expected the name of a loss, a function of the outputs and the target, or None"
            raise ValueError(f"{name}(loss={short_repr(loss)}): {expected}")
