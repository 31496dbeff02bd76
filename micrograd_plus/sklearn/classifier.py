"""The estimator that tells classes apart."""

from __future__ import annotations

from reprlib import repr as short_repr
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from micrograd_plus.losses import LOSSES
from micrograd_plus.sklearn.estimator import Estimator, Floats, all_or_nothing

LOGISTIC = "cross_entropy"  # the loss whose outputs are logarithms of probabilities


def _tells_probabilities(estimator: Any) -> bool:
    if estimator._loss() == LOGISTIC:
        return True
    told = f"the outputs of a network trained by loss={short_repr(estimator.loss)} are no logarithms of probabilities"
    raise AttributeError(f"{type(estimator).__name__}.predict_proba: {told}; loss={LOGISTIC!r} has them")


class MLPClassifier(ClassifierMixin, Estimator):  # type: ignore[misc]
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

    @all_or_nothing
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> MLPClassifier:
        """Fit the network to examples (n, features) and their classes (n,), each counted as its weight says.

        Raises:
            ValueError: there are fewer than two classes, something holds nan, inf or no numbers, a weight is below 0,
                or the network is none, or has not an output for each class.
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

    @all_or_nothing
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
