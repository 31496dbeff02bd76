"""Write what an example wants of a network as a table, from the outputs back to the inputs."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence

from micrograd_plus._support.markup import table
from micrograd_plus._support.texts import plural
from micrograd_plus.formulas.numerals import signed
from micrograd_plus.networks.neurons import LayerNudges, NeuronNudges

WIDTH = 80  # letters of a line
EXAMPLES = "what each example wants of the parameters that are nudged most"
ROWS = 10  # a layer of more neurons shows the strongest few


def layer_tables(layers: Sequence[LayerNudges]) -> Iterator[str]:
    """Lines for each layer, the output first."""
    for i in range(len(layers) - 1, -1, -1):
        layer = layers[i]
        chosen = _chosen(layer)
        yield ""
        yield _title(layers, i)
        yield f"neuron activation {'wish':>9} {'bias':>9}  {'weights, strongest':20} before, strongest"
        for j in chosen:
            yield _row(j, layer.neurons[j])
        if weaker := _weaker(layer, chosen):
            yield f"{'…':>6} {weaker}"
        yield _together(f"  together, of {_before(layers, i)}: ", layer.before)


def layer_markup(layers: Sequence[LayerNudges]) -> str:
    """The same as tables in HTML."""
    tables = []
    for i in range(len(layers) - 1, -1, -1):
        layer = layers[i]
        chosen = _chosen(layer)
        rows = [_cells(j, layer.neurons[j]) for j in chosen]
        if weaker := _weaker(layer, chosen):
            rows.append(["…", "", "", "", weaker, ""])
        foot = ["together", "", "", "", "", f"of {_before(layers, i)}: {_largest('a', layer.before, WIDTH)}"]
        head = ["neuron", "activation", "wish", "bias", "weights, strongest", "before, strongest"]
        tables.append(table(_title(layers, i), head, rows, numbers=range(4), foot=foot))
    return "".join(tables)


def _title(layers: Sequence[LayerNudges], i: int) -> str:
    output = ", the output" if i == len(layers) - 1 else ""
    return f"{layers[i].name}{output}: {plural(len(layers[i].neurons), 'neuron')}"


def _before(layers: Sequence[LayerNudges], i: int) -> str:
    return layers[i - 1].name if i else "the inputs"


def _chosen(layer: LayerNudges) -> list[int]:
    """Which neurons of a layer are listed: all, or those with the strongest wishes."""
    count = len(layer.neurons)
    return sorted(_strongest([neuron.wish for neuron in layer.neurons], ROWS if count <= ROWS else ROWS - 2))


def _weaker(layer: LayerNudges, chosen: Collection[int]) -> str:
    """What is said of the neurons that are not listed; "" if all are."""
    others = [neuron.wish for j, neuron in enumerate(layer.neurons) if j not in chosen]
    return f"{len(others)} more, with wishes of at most {_size(*others):.3g}" if others else ""


def _row(j: int, neuron: NeuronNudges) -> str:
    """What is wished of the neuron j of a layer, and of what is before it."""
    numbers = f"{neuron.activation:>10.3g} {signed(neuron.wish, 3):>9} {signed(neuron.bias, 3):>9}"
    row = f"{j:>6} {numbers}  {_largest('w', neuron.weights, 20):20} "
    return row + _largest("a", neuron.before, WIDTH - len(row))


def _cells(j: int, neuron: NeuronNudges) -> list[str]:
    numbers = [str(j), f"{neuron.activation:.3g}", signed(neuron.wish, 3), signed(neuron.bias, 3)]
    return [*numbers, _largest("w", neuron.weights, WIDTH), _largest("a", neuron.before, WIDTH)]


def example_table(
    layers: Sequence[LayerNudges], examples: Sequence[Sequence[float]], average: Sequence[float]
) -> Iterator[str]:
    """What the first examples want of the parameters that are wanted most, and the average over all."""
    names = _parameters(layers)
    first = examples[:3]
    dots = f"{'…':>3}" if len(examples) > len(first) else ""
    yield EXAMPLES
    yield f"{'':30}" + "".join(f"{f'example {i}':>11}" for i in range(len(first))) + dots + f"{'average':>11}"
    for k in sorted(_strongest(average, 6)):
        each = "".join(f"{signed(example[k]):>11}" for example in first)
        yield f"  {names[k]:28}{each}{dots}{signed(average[k]):>11}"


def example_markup(layers: Sequence[LayerNudges], examples: Sequence[Sequence[float]], average: Sequence[float]) -> str:
    """The same as a table in HTML."""
    names = _parameters(layers)
    first = examples[:3]
    dots = ["…"] if len(examples) > len(first) else []
    head = ["parameter", *[f"example {i}" for i in range(len(first))], *dots, "average"]
    rows = [
        [names[k], *[signed(example[k]) for example in first], *dots, signed(average[k])]
        for k in sorted(_strongest(average, 6))
    ]
    return table(EXAMPLES, head, rows, numbers=range(1, len(head)))


def _parameters(layers: Sequence[LayerNudges]) -> list[str]:
    """The names of the parameters, in the order of `Nudges.vector`."""
    return [
        f"{neuron.name}.{part}"
        for layer in layers
        for neuron in layer.neurons
        for part in [*[f"w.{k}" for k in range(len(neuron.weights))], "b"]
    ]


def _strongest(numbers: Sequence[float], most: int) -> list[int]:
    """Where the numbers of greatest size stand, the greatest first."""
    return sorted(range(len(numbers)), key=lambda i: (-_size(numbers[i]), i))[:most]


def _size(*numbers: float) -> float:
    """The greatest size; nan is infinitely great, for it should be seen."""
    return max(math.inf if number != number else abs(number) for number in numbers)


def _largest(letter: str, numbers: Sequence[float], width: int) -> str:
    """The numbers of greatest size with their places, as many as the width allows."""
    text = ""
    for i in _strongest(numbers, 3):
        item = f"{letter}{i} {signed(numbers[i], 2)}"
        if text and len(text) + 2 + len(item) > width:
            break
        text = f"{text}, {item}" if text else item
    return text


def _together(head: str, numbers: Sequence[float]) -> str:
    """The largest of the wishes for activations, after some words on one line, and how many more there are."""
    text = _largest("a", numbers, 64 - len(head))
    more = len(numbers) - text.count(",") - 1
    return f"{head}{text}" + (f", … {more} more" if more else "")
