"""The estimator that gives numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import validate_data

from micrograd_plus.sklearn.estimator import Estimator, Floats, all_or_nothing


class MLPRegressor(MultiOutputMixin, RegressorMixin, Estimator):  # type: ignore[misc]
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

    @all_or_nothing
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> MLPRegressor:
        """Fit the network to examples (n, features) and their targets (n,) or (n, outputs), as their weights say.

        Raises:
            ValueError: something holds nan, inf or no numbers, or does not go with the rest: a weight is below 0, the
                network is none, or has not an output for each number of a target.
        """
        return self._fitted(X, y, sample_weight, fresh=not (self.warm_start and hasattr(self, "network_")), once=False)

    @all_or_nothing
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
