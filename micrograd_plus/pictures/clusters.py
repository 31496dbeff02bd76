"""Draw a frame around the boxes of a neuron that is open, and around those of a function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.calls import Scope
from micrograd_plus.engine.value import Value
from micrograd_plus.pictures.boxes import Folded, Frame
from micrograd_plus.pictures.modules import Call, Function, Key, Scopes

_Chain = list[tuple[Function | None, Frame]]  # what is around a node, the outermost first: functions, None for a neuron


def frame(folded: Folded, keys: Identities[Value, Key], scopes: Scopes) -> None:
    """Write into the boxes which frames are around them; a frame holds at least two boxes.

    Args:
        folded: the boxes.
        keys: of the nodes that share a box.
        scopes: where the nodes stand in modules and functions.
    """
    frames = _Frames(scopes)
    for box in folded.boxes:
        node = box.node
        if node.op is not None:
            box.frames = tuple([each for _, each in _open_part(frames.around(node), keys.get(node))])
        elif node in scopes.owners and node not in keys:
            box.frames = frames.of_parameter(node, keys)
    held = Counter([each.id for box in folded.boxes for each in box.frames])
    for box in folded.boxes:
        box.frames = tuple([each for each in box.frames if held[each.id] > 1])


def _open_part(chain: _Chain, key: Key | None) -> _Chain:
    """Those around a node that are open, where a key says what is shut."""
    if key is None:
        return chain
    shut = None if isinstance(key, Call) else key
    places = [i for i, (function, _) in enumerate(chain) if function == shut]
    return chain[: places[0]] if places else []


class _Frames:
    """The frame of each call of a neuron and of a function."""

    def __init__(self, scopes: Scopes) -> None:
        self.scopes = scopes
        self.functions = Identities(
            (call, Frame(f"cluster_f{i}", scopes.title(key))) for i, (call, key) in enumerate(scopes.functions.items())
        )
        self.calls: list[Frame] = []
        self.users: dict[int, list[int]] = {}  # by a neuron's id, its calls
        many = Counter([(id(call.scope), scopes.sample[call]) for call in scopes.calls])
        counted: Counter[tuple[int, int]] = Counter()
        for i, call in enumerate(scopes.calls):
            chain, sample = scopes.chains[id(call.scope)], scopes.sample[call]
            again = f", call {counted[id(call.scope), sample]}" if many[id(call.scope), sample] > 1 else ""
            of_sample = f"sample {sample}, " if scopes.samples > 1 else ""
            layer = of_sample + chain[-2] + again if len(chain) > 1 else ""
            self.calls.append(Frame(f"cluster_c{i}", of_sample + chain[-1] + again, chain[-1], layer))
            self.users.setdefault(id(call.scope), []).append(i)
            counted[id(call.scope), sample] += 1

    def around(self, node: Value) -> _Chain:
        """All that is around a node, open or not."""
        calls = self.scopes.around.get(node, ())
        chain = self._of(call for call in calls if call in self.scopes.holders)
        if node in self.scopes.home:
            chain.append((None, self.calls[self.scopes.home[node]]))
        return chain + self._of(call for call in calls if call not in self.scopes.holders)

    def of_parameter(self, parameter: Value, keys: Identities[Value, Key]) -> tuple[Frame, ...]:
        """Those around a parameter: its neuron's, if that is called once and open."""
        calls = self.users[self.scopes.owners[parameter]]
        output = self.scopes.calls[calls[0]]
        chain = _open_part(self.around(output), keys.get(output))
        neurons = [i for i, (function, _) in enumerate(chain) if function is None]
        return tuple([each for _, each in chain[: neurons[0] + 1]]) if neurons and len(calls) == 1 else ()

    def _of(self, calls: Iterable[Scope]) -> _Chain:
        return [(self.scopes.functions[call], self.functions[call]) for call in calls]
