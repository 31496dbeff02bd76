"""How does a network stand in scikit-learn's pipelines and searches? By estimators with its names.

They take the place of scikit-learn's `MLPClassifier` and `MLPRegressor` where the network, the loss or the optimizer is
to be one's own. Needs scikit-learn: the `sklearn` extra. The contract is in its documentation, "Developing scikit-learn
estimators"; `check_estimator` passes.
"""

from importlib.util import find_spec

if find_spec("sklearn") is None:
    raise ImportError("micrograd_plus.sklearn needs scikit-learn: pip install 'micrograd-plus[sklearn]'")

from micrograd_plus.sklearn.classifier import MLPClassifier as MLPClassifier
from micrograd_plus.sklearn.regressor import MLPRegressor as MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
