"""Which line made a node: kept on demand, right to the letter, and gone with the node."""

import gc
import threading
from typing import Any

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine import lines
from micrograd_plus.engine.lines import line_of
from micrograd_plus.engine.walking import toposort


def part(node: Value) -> str:
    """The letters that made a node."""
    line = line_of(node)
    assert line is not None
    assert line.columns is not None
    return line.text[slice(*line.columns)]


def test_each_node_knows_its_part_of_its_line() -> None:
    x = Value(2.0)
    with mp.source_lines():
        y = (x * 3.0) + mp.tanh(x) ** 2
        z = [v + 1.0 for v in (x, y)]
        spread = mp.add(
            x,
            y,
        )
    assert [part(node) for node in toposort(y) if node.op] == [
        "x * 3.0",
        "mp.tanh(x)",
        "mp.tanh(x) ** 2",
        "(x * 3.0) + mp.tanh(x) ** 2",
    ]
    assert [part(node) for node in z] == ["v + 1.0"] * 2
    line = line_of(spread)
    assert line is not None
    assert (line.text, line.columns) == ("spread = mp.add(", None)
    assert line.place.startswith("test_lines.py, line ")


def test_what_the_package_makes_is_the_users_line() -> None:
    with mp.source_lines():
        out = mp.MLP(2, [2, 1], seed=1)([1.0, 2.0])
    assert {part(node) for node in toposort(out) if node.op} == {"mp.MLP(2, [2, 1], seed=1)([1.0, 2.0])"}


@mp.source_lines()
def decorated(x: Value) -> Value:
    return x * x


def test_nothing_is_kept_outside_nor_where_nothing_is_recorded() -> None:
    x = Value(2.0)
    assert line_of(x * x) is None
    with mp.source_lines(), mp.no_grad():
        assert line_of(x * x) is None
    assert part(decorated(x)) == "x * x"
    assert line_of(x * x) is None


def test_beside_other_blocks() -> None:
    x = Value(2.0)
    for outer, inner in ((mp.source_lines, mp.detect_anomaly), (mp.detect_anomaly, mp.source_lines)):
        with outer(), inner():
            y = x * x
            y.backward()
        assert part(y) == "x * x"
    with mp.source_lines():
        program = mp.compile(lambda x: x * x, x=())
    assert program([3.0]) == 9.0


def test_a_line_is_gone_with_its_node() -> None:
    gc.collect()
    before = len(lines._lines)
    with mp.source_lines():
        y = Value(1.0)
        for _ in range(100_000):
            y = y * 1.0
    assert len(lines._lines) == before + 100_000
    del y
    assert len(lines._lines) == before


def test_code_without_a_source() -> None:
    space: dict[str, Any] = {"x": Value(2.0)}
    with mp.source_lines():
        exec("y = x * x", space)
    line = line_of(space["y"])
    assert line is not None
    assert (line.text, line.columns) == ("", (0, 0))
    assert mp.backprop(space["y"])[1].line == "<string>, line 1"
    assert mp.backprop(space["y"]).html()


def test_threads_keep_their_own() -> None:
    made = []

    def work() -> None:
        with mp.source_lines():
            for _ in range(1000):
                made.append(Value(2.0) * 3.0)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {part(node) for node in made} == {"Value(2.0) * 3.0"}
