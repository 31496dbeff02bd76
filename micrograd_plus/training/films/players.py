"""A recorded training as a film, which shows itself in Jupyter and saves itself as a page."""

from __future__ import annotations

import os
from dataclasses import replace
from os import PathLike
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any

from micrograd_plus._support.files import write_atomically
from micrograd_plus.formulas.variables import callers_namespace
from micrograd_plus.program import Program
from micrograd_plus.training.films.answers import Model, model_of
from micrograd_plus.training.films.documents import in_notebook, page
from micrograd_plus.training.films.reels import Reel
from micrograd_plus.training.films.stills import still

if TYPE_CHECKING:
    from micrograd_plus.training.records import History


class Film:
    """A recorded training that can be played, made by `history.film()`.

    In Jupyter it shows itself; `save` writes a page. The page has the curve of the loss, the weights, and what the
    model answers, at up to 120 snapshots; of a model with many weights at fewer, so that it stays below 300 kB.

    >>> import micrograd_plus as mp
    >>> points, labels = mp.data.make_moons(40, noise=0.1, seed=1)
    >>> model = mp.MLP(2, [4, 1], activation="tanh", seed=1)
    >>> cost = lambda x, y: mp.losses.binary_cross_entropy_with_logits(model(x), y)
    >>> adam = mp.optim.Adam(model.parameters(), lr=0.1)
    >>> film = mp.fit(cost, (points, labels), adam, epochs=5, seed=1, record=5, progress=False).film()
    >>> film.description
    'film of a training: 5 snapshots of 17 parameters in 10 steps, loss 0.672 → 0.462, 34 of 40 points right'
    >>> film.html()[:15]
    '<!DOCTYPE html>'
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     film.save(Path(folder, "film.html"))
    """

    def __init__(self, reel: Reel) -> None:
        self._reel = reel

    @property
    def description(self) -> str:
        """What is in it, in a sentence, as screen readers say it."""
        return self._reel.description

    def html(self) -> str:
        """The page; it works without a network.

        Raises:
            ValueError: not even two snapshots fit into 300 kB.
        """
        return page(self._reel)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the page to a file whose name ends in .html, whole or not at all.

        Raises:
            TypeError: the path is none.
            ValueError: the file's name ends otherwise, or not even two snapshots fit into 300 kB.
            OSError: the file cannot be written.
        """
        if not isinstance(path, (str, PathLike)):
            raise TypeError(f"save({short_repr(path)}): expected the path of a file, got {type(path).__name__}")
        if os.path.splitext(os.fspath(path))[1].lower() not in (".html", ".htm"):
            raise ValueError(f"save({os.fspath(path)!r}): expected a name that ends in .html, such as 'film.html'")
        write_atomically(path, self.html())

    def _repr_html_(self) -> str:
        return in_notebook(self._reel)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        return still(self._reel)._repr_mimebundle_() | {"text/plain": repr(self), "text/html": self._repr_html_()}

    def __repr__(self) -> str:
        return f"<{self.description}>"


def film(history: History, model: Any) -> Film:
    """What `history.film(model)` does."""
    if not history.snapshots:
        raise ValueError("film: nothing was recorded; expected a history of fit(..., record=True)")
    if history._trained is None:
        raise ValueError("film: this history was unpickled or copied; a film needs the one that fit returned")
    if model is not None and not callable(model):
        raise TypeError(f"film({short_repr(model)}): expected the model, got {type(model).__name__}")
    trained = history._trained
    if isinstance(trained.cost, Program) and trained.cost.function is not None:
        trained = replace(trained, cost=trained.cost.function)
    found: tuple[str, Model] | None = model_of(trained) if model is None else ("model", model)
    things = {"history": history, "cost": history._trained.cost, "X": trained.x, "Y": trained.y}
    return Film(Reel(history.snapshots, trained, found, _called(things)))


def _called(things: dict[str, Any]) -> dict[str, str]:
    """What the caller calls each of these things; what has no name keeps its key."""
    named = {id(thing): name for name, thing in reversed(callers_namespace().items()) if name[:1] != "_"}
    return {key: named.get(id(thing), key) for key, thing in things.items()}
