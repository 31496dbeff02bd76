"""What is on a film of a training: the snapshots, what the model answers, its weights, and examples' graphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from micrograd_plus._support.texts import plural
from micrograd_plus.training.films.answers import Model
from micrograd_plus.training.films.graphs import Graphs, graphs_of
from micrograd_plus.training.films.panels import Panel, answering, weights
from micrograd_plus.training.recording import Snapshot, Trained


@dataclass
class Reel:
    """A recorded training; what is on it is computed once, when it is first asked for.

    Attributes:
        snapshots: those that were kept.
        trained: the cost, the data and the parameters.
        model: the model with its name; None where nobody knows it.
        names: what the caller calls the history, the cost, X and Y.
    """

    snapshots: Sequence[Snapshot]
    trained: Trained
    model: tuple[str, Model] | None
    names: dict[str, str]

    @cached_property
    def answering(self) -> Panel | str:
        """What the model answers, or why that is not shown."""
        if self.model is None:
            return "there is no module in the cost: give film(model)"
        try:
            with np.errstate(all="ignore"):
                return answering(self.snapshots, self.model[1], self.trained)
        except Exception as error:  # noqa: BLE001 - a model may raise whatever it likes
            return f"the model can't be compiled: {error}"

    @cached_property
    def weights(self) -> list[Panel]:
        """The pictures of the weights."""
        found = self.answering
        side = found.facts.get("side") if isinstance(found, Panel) else None
        return weights(self.snapshots, self.model and self.model[1], side)

    @cached_property
    def graphs(self) -> Graphs:
        """The graphs of the examples that are shown."""
        chosen = self.answering.chosen if isinstance(self.answering, Panel) else []
        return graphs_of(self.trained, chosen, self.model)

    @property
    def description(self) -> str:
        """What is in it, in a sentence, as screen readers say it."""
        first, last = self.snapshots[0], self.snapshots[-1]
        told = f"{plural(len(self.snapshots), 'snapshot')} of {plural(len(first.numbers), 'parameter')}"
        losses = f"loss {first.loss:.3g} → {last.loss:.3g}"
        return f"film of a training: {told} in {plural(last.step, 'step')}, {losses}{self._judged()}"

    def _judged(self) -> str:
        found = self.answering
        if not isinstance(found, Panel) or found.right is None:
            return ""
        things = "points" if found.facts["kind"] == "plane" else "images"
        return f", {found.right[-1]} of {len(found.chosen)} {things} right"
