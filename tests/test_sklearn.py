"""Estimators for scikit-learn: its own checks, its tools around them, networks and losses of one's own."""

from __future__ import annotations

import importlib.util
import pickle
import re
import warnings
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.datasets import make_classification, make_moons
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import micrograd_plus as mp
import micrograd_plus.sklearn
from micrograd_plus.sklearn import MLPClassifier, MLPRegressor

QUICK: dict[str, Any] = {"max_iter": 20, "learning_rate_init": 0.05, "random_state": 1}


def moons(n: int = 100) -> tuple[Any, Any]:
    made: tuple[Any, Any] = make_moons(n, noise=0.1, random_state=1)
    return made


@pytest.fixture(autouse=True)
def _calm() -> Any:
    """Few epochs are enough here; that more would do better is a test of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


@pytest.mark.parametrize("estimator", [MLPClassifier(), MLPRegressor()], ids=lambda e: type(e).__name__)
def test_scikit_learns_own_checks_find_nothing(estimator: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks feed odd things on purpose
        results = check_estimator(estimator, on_fail=None)
    assert [(r["check_name"], r["exception"]) for r in results if r["status"] == "failed"] == []
    assert sum([r["status"] == "passed" for r in results]) > 50


def test_a_search_over_processes_finds_what_one_process_finds() -> None:
    x, y = moons()
    grid = {"mlpclassifier__optimizer": ["sgd", "adam"], "mlpclassifier__activation": ["tanh", "relu"]}
    model = make_pipeline(StandardScaler(), MLPClassifier([8], **QUICK))
    one, two = [GridSearchCV(model, grid, cv=3, n_jobs=n).fit(x, y) for n in (1, 2)]
    assert one.best_params_ == two.best_params_
    assert one.cv_results_["mean_test_score"].tolist() == two.cv_results_["mean_test_score"].tolist()
    assert two.best_score_ > 0.8


def test_the_same_seed_gives_the_same_network_and_pickles_go_on() -> None:
    x, y = moons()
    first = MLPClassifier([8], **QUICK).fit(x, y)
    again = clone(first).fit(x, y)
    assert first.loss_curve_ == again.loss_curve_
    copy = pickle.loads(pickle.dumps(first))
    assert copy.predict_proba(x).tolist() == first.predict_proba(x).tolist()
    first.partial_fit(x, y)
    copy.partial_fit(x, y)
    assert copy.decision_function(x).tolist() == first.decision_function(x).tolist()


def test_outputs_are_those_of_the_network() -> None:
    x, y = make_classification(60, n_classes=3, n_informative=4, random_state=1)
    model = MLPClassifier([6], **QUICK).fit(x, np.array(["a", "b", "c"])[y])
    want = np.array([[out.data for out in model.network_(row)] for row in x.tolist()])
    assert np.allclose(model.decision_function(x), want, rtol=1e-12)
    shares = np.array([[float(p) for p in mp.softmax(row)] for row in want.tolist()])
    assert np.allclose(model.predict_proba(x), shares, rtol=1e-12)
    assert np.allclose(np.exp(model.predict_log_proba(x)), shares, rtol=1e-12)
    assert model.predict(x).tolist() == np.array(["a", "b", "c"])[want.argmax(axis=1)].tolist()


def test_two_classes_have_one_decision() -> None:
    x, y = moons()
    model = MLPClassifier([8], **QUICK).fit(x, y)
    assert model.decision_function(x).shape == (100,)
    assert ((model.decision_function(x) > 0) == (model.predict_proba(x)[:, 1] > 0.5)).all()


def test_weights_count_as_repetitions_do() -> None:
    x, y = moons(40)
    counts = np.arange(40) % 3
    weighed = MLPClassifier([4], **QUICK).fit(x, y, sample_weight=counts)
    repeated = MLPClassifier([4], **QUICK).fit(x.repeat(counts, axis=0), y.repeat(counts))
    assert np.allclose(weighed.predict_proba(x), repeated.predict_proba(x), rtol=1e-6)
    with pytest.raises(ValueError, match="at least one non-zero"):
        MLPClassifier([4], **QUICK).fit(x, y, sample_weight=np.zeros(40))


def test_partial_fit_is_an_epoch_and_knows_all_classes_from_its_first_call() -> None:
    x, y = moons()
    quick = QUICK | {"shuffle": False, "optimizer": "sgd"}  # which remembers nothing from one fit to the next
    whole = MLPClassifier([4], warm_start=True, **quick | {"max_iter": 1}).fit(x, y)
    parts = MLPClassifier([4], **quick).partial_fit(x, y, classes=[0, 1])
    assert parts.loss_curve_ == whole.loss_curve_
    assert parts.partial_fit(x, y).loss_curve_ == whole.fit(x, y).loss_curve_
    with pytest.raises(ValueError, match="the first call needs classes="):
        MLPClassifier().partial_fit(x, y)
    with pytest.raises(ValueError, match=r"y has the class 7; expected one of \[0, 1\]"):
        parts.partial_fit(x[:2], [0, 7])


def test_early_stopping_keeps_the_best_weights() -> None:
    x, y = moons(200)
    settings = QUICK | {"max_iter": 300, "learning_rate_init": 0.3}
    model = MLPClassifier([8], early_stopping=True, validation_fraction=0.25, n_iter_no_change=5, **settings).fit(x, y)
    assert model.n_iter_ < 300
    assert len(model.validation_scores_) == model.n_iter_
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.validation_scores_.index(max(model.validation_scores_)) >= model.n_iter_ - 1 - 5


def test_the_end_of_max_iter_is_told() -> None:
    x, y = moons()
    with pytest.warns(ConvergenceWarning, match="3 epochs were over before the score stopped improving"):
        MLPClassifier([4], **QUICK | {"max_iter": 3}).fit(x, y)


def quadratic(inputs: int, outputs: int, seed: int) -> Any:
    """A network of one's own: a parabola of each input."""

    class Parabola(mp.Module):
        def __init__(self) -> None:
            self.a = [mp.Value(0.1 * seed / 2**31) for _ in range(inputs)]
            self.b = mp.Value(0.0)

        def __call__(self, x: Any) -> Any:
            return sum([a * x_i * x_i for a, x_i in zip(self.a, x)], self.b)

    assert outputs == 1
    return Parabola()


def absolute(prediction: Any, target: Any) -> Any:
    return abs(prediction - target)


@pytest.mark.parametrize("loss", ["squared_error", "huber", absolute])
def test_a_network_and_a_loss_of_ones_own(loss: Any) -> None:
    x = np.linspace(-1, 1, 21)[:, None]
    y = 3 * x[:, 0] ** 2 - 1
    settings = QUICK | {"max_iter": 400, "learning_rate_init": 0.02, "tol": 0.0}
    model = MLPRegressor(network=quadratic, loss=loss, n_iter_no_change=400, **settings).fit(x, y)
    assert model.score(x, y) > 0.99
    assert abs(model.network_.a[0].data - 3.0) < 0.2


def test_a_network_that_cannot_be_compiled_is_run_eagerly() -> None:
    def wordy(inputs: int, outputs: int, seed: int) -> Any:
        line = mp.Layer(inputs, outputs, nonlin=False, seed=seed)

        class Wordy(mp.Module):
            def __init__(self) -> None:
                self.line = line

            def __call__(self, x: Any) -> Any:
                return self.line([float(x_i) for x_i in x])

        return Wordy()

    x = np.linspace(-1, 1, 21)[:, None]
    model = MLPRegressor(network=wordy, **QUICK)
    with pytest.warns(UserWarning, match="fit: not compiled"):
        model.fit(x, 2 * x[:, 0])
    assert model.predict(x).tolist() == [model.network_([x_i]).data for x_i in x[:, 0].tolist()]


def test_several_numbers_a_target() -> None:
    x = np.linspace(-1, 1, 21)[:, None]
    y = np.column_stack([x, -2 * x])
    model = MLPRegressor([], **QUICK | {"max_iter": 300, "tol": 0.0}).fit(x, y)
    assert model.predict(x).shape == (21, 2)
    assert model.score(x, y) > 0.99
    with pytest.raises(ValueError, match="y has 3 numbers a target; expected 2"):
        model.partial_fit(x, np.column_stack([x, x, x]))


@pytest.mark.parametrize("loss", ["hinge", "squared_error", "binary_cross_entropy_with_logits"])
def test_other_losses_tell_classes_apart_but_no_probabilities(loss: str) -> None:
    x, y = moons()
    model = MLPClassifier([8], "tanh", loss=loss, **QUICK | {"max_iter": 60}).fit(x, y)
    assert model.score(x, y) > 0.85
    assert not hasattr(model, "predict_proba")
    with pytest.raises(AttributeError, match="predict_proba"):
        model.predict_proba(x)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"hidden_layer_sizes": (0,)}, r"hidden_layer_sizes=\(0,\)\): expected whole numbers above 0"),
        ({"activation": "rellu"}, "relu"),
        ({"loss": "huberr"}, "huber"),
        ({"optimizer": "adamm"}, "adam"),
        ({"learning_rate_init": -1.0}, "lr"),
        ({"alpha": -1.0}, "weight_decay"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"max_iter": 0}, "max_iter=0"),
        ({"n_iter_no_change": 0}, "n_iter_no_change=0"),
        ({"tol": -1.0}, "tol=-1.0"),
        ({"loss": 3}, r"loss=3\): expected the name of a loss, a function"),
        ({"network": 3}, r"network=3\): expected a function of \(inputs, outputs, seed\)"),
        ({"network": lambda inputs, outputs, seed: 3}, r"seed=\d+\) gave 3; expected a module"),
        ({"early_stopping": True, "validation_fraction": 1.5}, r"validation_fraction=1\.5\): expected a number"),
        ({"early_stopping": True, "validation_fraction": "all"}, "validation_fraction='all'"),
        ({"early_stopping": True, "validation_fraction": 0.01}, r"validation_fraction=0\.01\): 100 examples cannot"),
        ({"shuffle": "no"}, r"shuffle='no'\): expected True or False"),
        ({"early_stopping": "yes"}, r"early_stopping='yes'\): expected True or False"),
        ({"warm_start": 1.0}, r"warm_start=1\.0\): expected True or False"),
        ({"verbose": "no"}, r"verbose='no'\): expected True or False"),
    ],
)
def test_bad_hyperparameters_are_named(options: dict[str, Any], told: str) -> None:
    x, y = moons()
    with pytest.raises(ValueError, match=told):
        MLPClassifier(**options).fit(x, y)


def test_weights_below_0_are_refused() -> None:
    x, y = moons(20)
    for kind in (MLPClassifier, MLPRegressor):
        with pytest.raises(ValueError, match=r"sample_weight: one is -1\.0; expected numbers of at least 0"):
            kind(**QUICK).fit(x, y, sample_weight=np.resize([1.0, -1.0], 20))


@pytest.mark.parametrize(
    ("kind", "given", "wanted"), [(MLPClassifier, 1, 2), (MLPClassifier, 3, 2), (MLPRegressor, 2, 1)]
)
def test_a_network_with_other_outputs_than_there_is_use_for_is_refused(kind: Any, given: int, wanted: int) -> None:
    def network(inputs: int, outputs: int, seed: int) -> Any:
        return mp.MLP(inputs, [given], seed=seed)

    def first(outputs: Any, target: Any) -> Any:
        return mp.square(outputs[0] if isinstance(outputs, list) else outputs)

    for method in ("fit", "partial_fit"):
        options = {"classes": [0, 1]} if method == "partial_fit" and kind is MLPClassifier else {}
        with pytest.raises(ValueError, match=f"the network gives {given} outputs; expected {wanted}, which"):
            getattr(kind(network=network, loss=first, **QUICK), method)(*moons(), **options)


def test_what_was_not_fitted_says_so() -> None:
    for method in ("predict", "decision_function", "predict_proba"):
        with pytest.raises(NotFittedError):
            getattr(MLPClassifier(), method)([[0.0]])


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_a_warm_start_goes_by_the_settings_of_today(kind: Any) -> None:
    x = np.random.default_rng(0).normal(size=(60, 2))
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    model = kind([4], random_state=1, warm_start=True, max_iter=2, learning_rate_init=0.1).fit(x, y)
    before = [weight.data for weight in model.network_.parameters()]
    model.set_params(learning_rate_init=0.0, optimizer="sgd").fit(x, y)
    assert [weight.data for weight in model.network_.parameters()] == before


def test_a_fit_that_is_refused_changes_nothing() -> None:
    x, y = moons()
    animals = np.array(["cat", "dog"])[np.asarray(y)]
    model = MLPClassifier([4], **QUICK | {"warm_start": True}).fit(x, animals)
    before = model.predict(x)
    with pytest.raises(ValueError, match="tol"):
        model.set_params(tol=-1, warm_start=False).fit(x, np.arange(len(x)) % 3)
    with pytest.raises(ValueError, match="expected 2"):
        model.set_params(tol=1e-4, warm_start=True).fit(np.column_stack([x, x]), animals)
    assert (model.predict(x) == before).all()
    assert model.classes_.tolist() == ["cat", "dog"]


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_fit_that_fails_on_its_way_changes_no_weight(kind: Any, optimizer: str, method: str) -> None:
    x, y = moons()
    settings = QUICK | {"warm_start": True, "shuffle": False, "batch_size": 10}
    model = kind([], optimizer=optimizer, **settings).fit(x, y)
    twin = pickle.loads(pickle.dumps(model))
    before = {name: repr(value) for name, value in vars(model).items() if name.endswith("_")}
    weights = [weight.data for weight in model.network_.parameters()]

    def steep(outputs: Any, target: Any) -> Any:
        return mp.exp(mp.square(outputs[0] if isinstance(outputs, list) else outputs))

    far = x.copy()
    far[-1] = 1e6  # in the last batch: its loss is larger than any number
    usual = model.loss
    with pytest.raises(FloatingPointError):
        getattr(model.set_params(loss=steep), method)(far, y)
    model.set_params(loss=usual)
    assert [weight.data for weight in model.network_.parameters()] == weights
    assert {name: repr(value) for name, value in vars(model).items() if name.endswith("_")} == before
    assert model.predict(x).tolist() == twin.predict(x).tolist()
    assert model.partial_fit(x, y).predict(x).tolist() == twin.partial_fit(x, y).predict(x).tolist()


def test_a_warning_that_is_an_error_leaves_the_fit_before_as_it_was() -> None:
    x, y = moons()
    model = MLPClassifier([3], **QUICK | {"warm_start": True}).fit(x, y)
    before, curve = model.predict_proba(x), list(model.loss_curve_)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        with pytest.raises(ConvergenceWarning):
            model.fit(x, y)
    assert (model.predict_proba(x).tolist(), model.loss_curve_) == (before.tolist(), curve)


def test_without_scikit_learn_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ImportError, match=re.escape("pip install 'micrograd-plus[sklearn]'")):
        importlib.reload(micrograd_plus.sklearn)
