"""When is an estimator fitted? When its score has stopped improving."""

from __future__ import annotations

from math import inf
from typing import Any

from micrograd_plus.training import Epoch


class Watch:
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
