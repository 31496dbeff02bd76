"""How does a network stand in scikit-learn's pipelines and searches? By estimators with its names.

They take the place of scikit-learn's `MLPClassifier` and `MLPRegressor` where the network, the loss or the optimizer is
to be one's own. Needs scikit-learn: the `sklearn` extra. The contract is in its documentation, "Developing scikit-learn
estimators"; `check_estimator` passes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from math import inf
from numbers import Integral, Real
from reprlib import repr as short_repr
from typing import Any, Literal
from warnings import warn

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from micrograd_plus._support.errors import unknown
from micrograd_plus.engine.recording import no_grad
from micrograd_plus.engine.value import Value
from micrograd_plus.losses import LOSSES
from micrograd_plus.nn import MLP, Module
from micrograd_plus.optim import by_name
from micrograd_plus.program import CompileError, Program, compile
from micrograd_plus.training import Epoch, fit

__all__ = ["MLPClassifier", "MLPRegressor"]

Floats = NDArray[np.float64]
Network = Callable[[int, int, int], Module]
LOGISTIC = "cross_entropy"  # the loss whose outputs are logarithms of probabilities


def _all_or_nothing(fit: Any) -> Any:
    """A method that fits, after whose errors the estimator is what it was."""

    @wraps(fit)
    def fitting(self: Any, *args: Any, **options: Any) -> Any:
        before = dict(vars(self))
        try:
            return fit(self, *args, **options)
        except Exception:
            vars(self).clear()
            vars(self).update(before)
            raise

    return fitting


class _Estimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn carries no types
    """What the two have in common: a network, its outputs, and how it is fitted."""

    _usual_loss: str
    n_features_in_: int

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
        self._check()
        random = check_random_state(self.random_state)
        if fresh:
            self._begin(random.randint(2**31))
        if fresh or not once:  # what a fit before has gathered is not this one's, and its settings may be others
            options = {"lr": self.learning_rate_init} | ({"weight_decay": self.alpha} if self.alpha else {})
            self._optimizer = by_name(self.optimizer, self.network_.parameters(), **options)
        held = None
        if self.early_stopping and not once:
            X, held_x, y, held_y, weights, held_weights = self._split(X, y, weights, random)
            held = (held_x, held_y, held_weights)
        X, targets, scale = self._counted(X, self._targets(y), weights)
        watch = _Watch(self, inf if once else self.n_iter_no_change, held)
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
        self.loss_curve_ += [epoch.loss for epoch in history]
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
            self.network_ = self.network(inputs, outputs, seed)
        self.loss_curve_: list[float] = []
        try:
            self._program: Program | None = compile(self._outputs, x=inputs, parameters=self.network_.parameters())
        except CompileError:  # fit says why, as a warning
            self._program = None

    def _split(self, X: Floats, y: Any, weights: Floats | None, random: Any) -> list[Any]:
        """The examples, targets and weights to learn from, each followed by those held back."""
        given = X, y, np.ones(len(X)) if weights is None else weights
        strata = y if isinstance(self, ClassifierMixin) else None
        size, seed = self.validation_fraction, random.randint(2**31)
        return list(train_test_split(*given, test_size=size, stratify=strata, random_state=seed))

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
        loss = self._loss()
        if isinstance(loss, str) and loss not in LOSSES:
            raise unknown("loss", loss, LOSSES)


class _Watch:
    """Called after each epoch: whether the score has stopped improving, by more than `tol`; keeps the best weights.

    The score is that of the estimator for the examples held back; where there are none, minus the loss.
    """

    def __init__(self, estimator: Any, patience: float, held: tuple[Any, Any, Any] | None) -> None:
        self.estimator, self.patience, self.held = estimator, patience, held
        self.best, self.waited = -inf, 0
        self.weights: list[float] = []
        if held is not None:
            estimator.validation_scores_ = []

    def __call__(self, epoch: Epoch) -> bool:
        score = -epoch.loss
        if self.held is not None:
            score = self.estimator.score(*self.held)
            self.estimator.validation_scores_.append(score)
        self.waited = 0 if score > self.best + self.estimator.tol else self.waited + 1
        if score > self.best:
            self.best = score
            if self.held is not None:
                self.weights = [p.data for p in self.estimator.network_.parameters()]
        return self.waited >= self.patience

    def end(self) -> None:
        """Go back to the weights of the best score, where examples were held back for it."""
        if self.held is not None:
            self.estimator.best_validation_score_ = self.best
            for parameter, weight in zip(self.estimator.network_.parameters(), self.weights):
                parameter.data = weight


def _tells_probabilities(estimator: Any) -> bool:
    if estimator._loss() == LOGISTIC:
        return True
    told = f"the outputs of a network trained by loss={short_repr(estimator.loss)} are no logarithms of probabilities"
    raise AttributeError(f"{type(estimator).__name__}.predict_proba: {told}; loss={LOGISTIC!r} has them")


class MLPClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """A network that tells classes apart: scikit-learn's estimator, with a network and a loss of one's own.

    Args:
        hidden_layer_sizes: how many neurons each hidden layer has.
        activation: the name of a function of the table that bends them, such as "relu" or "tanh".
        network: a function of (inputs, outputs, seed) that gives the module to train instead of such an `MLP`.
        loss: the name of a loss, or a function of the outputs and of the target, a number for each class in both: 1 for
            the right one and 0 for the others; for "hinge" 1 and -1. None is "cross_entropy".
        optimizer: the name of one from `optim`.
        learning_rate_init: its rate, `lr`.
        alpha: how strongly weights are pulled to 0, the optimizer's `weight_decay`.
        batch_size: how many examples a step; "auto" takes 200, or all if they are fewer.
        max_iter: how many epochs at most.
        shuffle: whether each epoch takes the examples in another order.
        random_state: a whole number or NumPy's RandomState, for the same run again.
        tol: by how much the loss, or the score of early stopping, must improve to count.
        n_iter_no_change: how many epochs without such an improvement end the training.
        early_stopping: hold some examples back, end where their score stops improving, and keep the best weights.
        validation_fraction: how many, a share from 0 to 1.
        warm_start: whether `fit` goes on with the network that is there.
        verbose: show a bar.

    Attributes:
        classes_: the classes, sorted.
        network_: the module that was trained, with its parameters.
        loss_curve_, loss_, n_iter_: the loss of each epoch, the last, and how many there were.
        validation_scores_, best_validation_score_: those of early stopping.

    >>> from micrograd_plus.sklearn import MLPClassifier
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["same", "other", "other", "same"]
    >>> model = MLPClassifier([8], "tanh", learning_rate_init=0.1, n_iter_no_change=50, random_state=1).fit(X, y)
    >>> model.predict(X).tolist()
    ['same', 'other', 'other', 'same']
    >>> model.network_
    MLP of [Layer of [TanhNeuron(2), ...], Layer of [LinearNeuron(8), LinearNeuron(8)]]
    """

    _usual_loss = LOGISTIC
    classes_: NDArray[Any]

    @_all_or_nothing
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> MLPClassifier:
        """Fit the network to examples (n, features) and their classes (n,), each counted as its weight says.

        Raises:
            ValueError: there are fewer than two classes, or something holds nan, inf or no numbers.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        fresh = not (self.warm_start and hasattr(self, "network_"))
        classes = np.unique(y)
        if fresh:
            self.classes_ = _several(self, classes)
        elif not np.array_equal(classes, self.classes_):
            told = f"warm_start: y has the classes {short_repr(classes.tolist())}"
            raise ValueError(
                f"{type(self).__name__}: {told}; expected those of the first fit, {self.classes_.tolist()}"
            )
        fitted: MLPClassifier = self._fit(X, y, sample_weight, fresh=fresh, epochs=self.max_iter)
        return fitted

    @_all_or_nothing
    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> MLPClassifier:
        """Go through these examples once, with the network that is there; the first call names all classes.

        Raises:
            ValueError: the first call names none, or there is a class that it did not name.
        """
        fresh = not hasattr(self, "network_")
        X, y = validate_data(self, X, y, dtype=np.float64, reset=fresh)
        check_classification_targets(y)
        if fresh:
            if classes is None:
                raise ValueError(
                    f"{type(self).__name__}.partial_fit: the first call needs classes=, all that there are"
                )
            self.classes_ = _several(self, np.unique(classes))
        fitted: MLPClassifier = self._fit(X, y, sample_weight, fresh=fresh, epochs=1, once=True)
        return fitted

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The class of the largest output, for each example."""
        outputs = self._predicted(X)
        largest: NDArray[Any] = self.classes_[outputs.argmax(axis=1)]
        return largest

    def decision_function(self, X: ArrayLike) -> Floats:
        """The outputs (n, classes); for two classes, by how much the second exceeds the first, (n,)."""
        outputs = self._predicted(X)
        return outputs[:, 1] - outputs[:, 0] if len(self.classes_) == 2 else outputs

    @available_if(_tells_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: ArrayLike) -> Floats:
        """The softmax of the outputs (n, classes), for `loss="cross_entropy"`."""
        outputs = self._predicted(X)
        powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        shares: Floats = powers / powers.sum(axis=1, keepdims=True)
        return shares

    @available_if(_tells_probabilities)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: ArrayLike) -> Floats:
        """The logarithm of `predict_proba`."""
        outputs = self._predicted(X)
        outputs -= outputs.max(axis=1, keepdims=True)
        logs: Floats = outputs - np.log(np.exp(outputs).sum(axis=1, keepdims=True))
        return logs

    def _targets(self, y: Any) -> Floats:
        found = np.searchsorted(self.classes_, y)
        strange = np.setdiff1d(y, self.classes_)
        if len(strange):
            told = f"y has the class {strange.tolist()[0]!r}"
            raise ValueError(f"{type(self).__name__}: {told}; expected one of {short_repr(self.classes_.tolist())}")
        hot: Floats = np.eye(len(self.classes_))[found]
        signs = isinstance(self.loss, str) and LOSSES[self.loss].target == "sign"
        return 2.0 * hot - 1.0 if signs else hot

    def _outputs_wanted(self) -> int:
        return len(self.classes_)


def _several(estimator: Any, classes: NDArray[Any]) -> NDArray[Any]:
    if len(classes) < 2:
        told = f"y has {len(classes)} class, {short_repr(classes.tolist())}"
        raise ValueError(f"{type(estimator).__name__}: {told}; expected two or more to tell apart")
    return classes


class MLPRegressor(MultiOutputMixin, RegressorMixin, _Estimator):  # type: ignore[misc]
    """A network that gives numbers: scikit-learn's estimator, with a network and a loss of one's own.

    Arguments and attributes are those of `MLPClassifier`, classes aside; `loss` takes the output and the target, or
    lists of them where each target is several numbers, and None is "squared_error".

    >>> from micrograd_plus.sklearn import MLPRegressor
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]
    >>> line = MLPRegressor([], learning_rate_init=0.3, max_iter=500, n_iter_no_change=200, random_state=1).fit(X, y)
    >>> line.predict([[10.0]]).round(2).tolist()
    [21.0]
    """

    _usual_loss = "squared_error"

    @_all_or_nothing
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> MLPRegressor:
        """Fit the network to examples (n, features) and their targets (n,) or (n, outputs), as their weights say.

        Raises:
            ValueError: something holds nan, inf or no numbers, or does not go with the rest.
        """
        return self._fitted(X, y, sample_weight, fresh=not (self.warm_start and hasattr(self, "network_")), once=False)

    @_all_or_nothing
    def partial_fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> MLPRegressor:
        """Go through these examples once, with the network that is there.

        Raises:
            ValueError: as `fit` does.
        """
        return self._fitted(X, y, sample_weight, fresh=not hasattr(self, "network_"), once=True)

    def predict(self, X: ArrayLike) -> Floats:
        """The outputs for the examples, in the form of the targets: (n,) or (n, outputs)."""
        outputs = self._predicted(X)
        return outputs[:, 0] if self._flat else outputs

    def _fitted(self, X: Any, y: Any, sample_weight: Any, *, fresh: bool, once: bool) -> MLPRegressor:
        X, y = validate_data(self, X, y, dtype=np.float64, reset=fresh, multi_output=True, y_numeric=True)
        y = y.astype(np.float64)
        outputs = 1 if y.ndim == 1 else y.shape[1]
        if fresh:
            self._flat, self.n_outputs_ = y.ndim == 1, outputs
        elif outputs != self.n_outputs_:
            told = f"y has {outputs} numbers a target"
            raise ValueError(f"{type(self).__name__}: {told}; expected {self.n_outputs_}, as at first")
        epochs = 1 if once else self.max_iter
        fitted: MLPRegressor = self._fit(X, y, sample_weight, fresh=fresh, epochs=epochs, once=once)
        return fitted

    def _targets(self, y: Any) -> Floats:
        rows: Floats = y.reshape(len(y), -1)
        return rows

    def _outputs_wanted(self) -> int:
        return self.n_outputs_
