"""What the data loaders promise."""

from __future__ import annotations

import copy
import gzip
import hashlib
import io
import itertools
import logging
import math
import os
import pickle
import re
import subprocess
import sys
import tempfile
import threading
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

import micrograd_plus as mp
from micrograd_plus.data import (
    Dataset,
    download_mnist,
    hold_out,
    load_digits,
    load_mnist,
    make_moons,
    minibatches,
    one_hot,
    read_idx,
)

seeds = st.integers(0, 2**64)

# ------------------------------------------------------------------------------------------------------ digits


def grey_levels(dataset: Dataset, levels: int) -> bytes:
    return b"".join(bytes(int(ink * levels) for ink in image) for image in dataset.images)


def test_the_digits_are_the_published_ones() -> None:
    images, labels = digits = load_digits()
    assert len(images) == len(labels) == 1797
    assert {len(image) for image in images} == {64}
    assert {type(ink) for image in images for ink in image} == {float}
    assert {type(label) for label in labels} == {int}
    assert {ink for image in images for ink in image} == {grey / 16 for grey in range(17)}
    # both checksums were taken from scikit-learn's own copy, as bytes, row by row
    assert hashlib.sha256(grey_levels(digits, 16)).hexdigest() == SHA256_OF_GREY_LEVELS
    assert hashlib.sha256(bytes(labels)).hexdigest() == SHA256_OF_LABELS


SHA256_OF_GREY_LEVELS = "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"
SHA256_OF_LABELS = "8ba4f891220f5e4c9c819638d1602d74b83618f167043c6da52a2a247841ddf0"


def test_the_digits_equal_those_of_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.datasets")
    images, labels = load_digits()
    theirs, targets = sklearn.load_digits(return_X_y=True)
    assert np.array_equal(np.array(images) * 16, theirs)
    assert labels == targets.tolist()


def test_each_call_gives_lists_of_its_own() -> None:
    load_digits().images[0][0] = 9.0
    assert load_digits().images[0][0] == 0.0


def test_the_digits_are_small_and_attributed() -> None:
    folder = files("micrograd_plus.data")
    assert len(folder.joinpath("digits.bin.gz").read_bytes()) <= 60_000
    attribution = folder.joinpath("digits_attribution.txt").read_text(encoding="utf-8")
    for words in ("Alpaydin", "Kaynak", "1998", "CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"):
        assert words in attribution
    assert "digits_attribution.txt" in (load_digits.__doc__ or "")


def test_plain_data_need_neither_numpy_nor_pooch() -> None:
    program = """
import sys
from micrograd_plus.data import load_digits, make_moons, minibatches
list(minibatches(*load_digits(), seed=0)), list(minibatches(*make_moons(), seed=0))
print([name for name in ("numpy", "pooch", "rich", "sklearn") if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (run.stdout.strip(), run.stderr) == ("[]", "")


# ----------------------------------------------------------------------------------------------------- data set


def test_a_data_set_is_a_pair_and_prints_short() -> None:
    digits = load_digits()
    images, labels = digits
    assert images is digits.images
    assert labels is digits.labels
    assert repr(digits) == "Dataset(1797 images of 64 numbers, with labels)"
    assert repr(Dataset([], [])) == "Dataset(0 images of 0 numbers, with labels)"
    assert pickle.loads(pickle.dumps(digits)) == copy.deepcopy(digits) == digits


@given(st.integers(2, 60), st.integers(2, 70))
def test_holding_out_parts_the_examples_by_index(n: int, every: int) -> None:
    train, held_out = hold_out(([[float(i)] for i in range(n)], list(range(n))), every)
    assert held_out.labels == [i for i in range(n) if i % every == 0]
    assert sorted(train.labels + held_out.labels) == list(range(n))
    for part in (train, held_out):
        assert part.images == [[float(label)] for label in part.labels]


def test_one_fifth_of_the_digits_is_held_out() -> None:
    train, held_out = hold_out(load_digits())
    assert (len(train.images), len(held_out.images)) == (1437, 360)


@given(st.integers(1, 30).flatmap(lambda classes: st.tuples(st.integers(0, classes - 1), st.just(classes))))
def test_one_hot_has_a_single_one_at_the_label(case: tuple[int, int]) -> None:
    label, classes = case
    hot = one_hot(label, classes)
    assert (len(hot), hot.index(1.0), sum(hot)) == (classes, label, 1.0)
    assert {type(number) for number in hot} == {float}
    assert hot == one_hot(np.uint8(label), classes)


# -------------------------------------------------------------------------------------------------------- moons


@given(st.integers(2, 80), seeds)
def test_moons_without_noise_lie_on_their_half_circles(n: int, seed: int) -> None:
    points, labels = make_moons(n, 0, seed)
    assert Counter(labels) == Counter({0: n // 2, 1: n - n // 2})
    for (x, y), label in zip(points, labels):
        across, up = (1 - x, 0.5 - y) if label else (x, y)
        assert math.hypot(across, up) == pytest.approx(1)
        assert up >= -1e-15


@pytest.mark.parametrize("n", [2, 3, 4, 5, 100, 101])
def test_moons_without_noise_equal_those_of_scikit_learn(n: int) -> None:
    sklearn = pytest.importorskip("sklearn.datasets")
    theirs, targets = sklearn.make_moons(n, noise=0.0, shuffle=False)
    points, labels = make_moons(n, noise=0.0, seed=0)
    ours = sorted((label, x, y) for label, (x, y) in zip(labels, points))
    assert np.array(ours) == pytest.approx(np.array(sorted((t, x, y) for t, (x, y) in zip(targets, theirs))), abs=1e-15)


@given(seeds)
def test_one_seed_gives_the_same_moons_and_another_gives_others(seed: int) -> None:
    assert make_moons(20, 0.1, seed) == make_moons(20, 0.1, seed) == make_moons(20, 0.1, Random(seed))
    assert make_moons(20, 0.1, seed) != make_moons(20, 0.1, seed + 1)
    random = Random(seed)
    assert make_moons(20, 0.1, random) != make_moons(20, 0.1, random)


def test_without_a_seed_moons_differ() -> None:
    assert make_moons() != make_moons()


def test_the_noise_is_gaussian_of_that_size() -> None:
    clean, noisy = (np.array(make_moons(20_000, noise, seed=3)[0]) for noise in (0.0, 0.25))
    z = (noisy - clean) / 0.25  # one seed: the same points in the same order
    assert z.mean(axis=0) == pytest.approx([0, 0], abs=0.03)
    assert z.std(axis=0) == pytest.approx([1, 1], abs=0.03)
    assert np.mean(abs(z) < 1) == pytest.approx(math.erf(0.5**0.5), abs=0.01)
    assert np.mean(z[:, 0] * z[:, 1]) == pytest.approx(0, abs=0.03)


def test_the_moons_are_shuffled() -> None:
    _, labels = make_moons(100, seed=0)
    assert sum(a != b for a, b in itertools.pairwise(labels)) > 20


# ------------------------------------------------------------------------------------------------------ batches

sizes = st.integers(1, 50) | st.none()


@given(st.integers(1, 40), sizes, seeds, st.booleans())
def test_an_epoch_holds_every_example_once_with_its_own_label(
    n: int, size: int | None, seed: int, shuffle: bool
) -> None:
    x, y = [[float(i)] for i in range(n)], list(range(n))
    batches = list(minibatches(x, y, size, seed=seed, shuffle=shuffle))
    seen = [label for _, labels in batches for label in labels]
    assert sorted(seen) == y
    assert shuffle or seen == y
    assert [point for points, _ in batches for point in points] == [[float(label)] for label in seen]
    whole = min(size or n, n)
    assert {len(labels) for _, labels in batches[:-1]} <= {whole}
    assert 1 <= len(batches[-1][1]) <= whole
    assert (x, y) == ([[float(i)] for i in range(n)], list(range(n)))


@given(st.integers(1, 40), sizes, seeds)
def test_arrays_are_cut_as_lists_are(n: int, size: int | None, seed: int) -> None:
    x = np.arange(2.0 * n).reshape(n, 2)
    y = np.arange(n)
    pairs = zip(minibatches(x, y, size, seed=seed), minibatches(x.tolist(), y.tolist(), size, seed=seed), strict=True)
    for (xs, ys), (rows, labels) in pairs:
        assert isinstance(xs, np.ndarray)
        assert isinstance(ys, np.ndarray)
        assert (xs.tolist(), ys.tolist()) == (rows, labels)


@given(st.integers(1, 40), st.integers(1, 40), seeds)
def test_dropping_the_last_leaves_full_batches_only(n: int, size: int, seed: int) -> None:
    x = y = list(range(n))
    if size > n:
        with pytest.raises(ValueError, match=rf"size={size}, drop_last=True.*{n} examples"):
            minibatches(x, y, size, drop_last=True)
    else:
        full = [batch for batch in minibatches(x, y, size, seed=seed) if len(batch[0]) == size]
        assert list(minibatches(x, y, size, seed=seed, drop_last=True)) == full


@pytest.mark.parametrize(
    ("data", "told"), [({1, 2}, "{1, 2}"), ({"a": 1, "b": 2}, "{'a': 1, 'b': 2}"), (np.array(1.0), "array(1.)")]
)
def test_what_has_no_order_is_no_data(data: Any, told: str) -> None:
    wanted = f"expected a list or an array, got {type(data).__name__}"
    with pytest.raises(TypeError, match=re.escape(f"minibatches(x={told}): {wanted}")):
        minibatches(data, [1, 2])
    with pytest.raises(TypeError, match=re.escape(f"minibatches(y={told}): {wanted}")):
        minibatches([1, 2], data)


class Labelled:
    """A column as pandas makes them: what is asked for is looked up by its label, here from the last to the first."""

    iloc = None

    def __init__(self, numbers: list[float]) -> None:
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[float]:
        return iter(self.numbers)

    def __getitem__(self, label: Any) -> Any:
        return Labelled([self[each] for each in label]) if isinstance(label, list) else self.numbers[-1 - label]

    def to_numpy(self) -> NDArray[Any]:
        return np.array(self.numbers)


def test_a_table_is_cut_and_looked_up_by_its_places_not_by_its_labels() -> None:
    numbers = [1.0, 2.0, 4.0]
    table: Any = Labelled(numbers)
    for xs, ys in minibatches(numbers, table, size=2, seed=1):
        assert (xs, type(ys)) == (list(ys), np.ndarray)
    (x, _), (held, _) = hold_out((table, numbers), every=2)
    assert (x.tolist(), held.tolist()) == ([2.0], [1.0, 4.0])
    for function in (lambda data: mp.lookup(data, 0), lambda data: mp.losses.cross_entropy(data, 0), mp.softmax):
        assert function(table) == function(numbers)
    for compiled in (False, True):
        slope = mp.Value(1.0)
        history = mp.fit(
            lambda x, y: (slope * x - y) ** 2,  # noqa: B023 - it is called in this very round
            (numbers, table),
            mp.optim.SGD([slope], lr=0.0),
            epochs=1,
            compile=compiled,
            progress=False,
        )
        assert history[-1].loss == 0.0
    assert mp.compile(lambda x: 2.0 * x, x=()).values(table).tolist() == [2.0, 4.0, 8.0]


@given(seeds)
def test_a_seed_repeats_the_order_and_a_generator_goes_on(seed: int) -> None:
    def epoch(seed: int | Random) -> list[int]:
        return [label for _, ys in minibatches(list(range(50)), list(range(50)), 7, seed=seed) for label in ys]

    random, again = Random(seed), Random(seed)
    first, second = epoch(random), epoch(random)
    assert first == epoch(seed) == epoch(again)
    assert second == epoch(again)
    assert first != second


def test_the_order_of_a_seed_stays_what_it_was() -> None:
    order = [x for xs, _ in minibatches(list(range(8)), list(range(8)), 3, seed=0) for x in xs]
    assert order == [4, 1, 5, 2, 0, 3, 7, 6]


def test_the_three_ways_of_the_textbooks() -> None:
    def lengths(size: int | None) -> list[int]:
        return [len(xs) for xs, _ in minibatches(list(range(10)), list(range(10)), size, seed=1)]

    assert lengths(1) == [1] * 10
    assert lengths(4) == [4, 4, 2]
    assert lengths(None) == lengths(10) == lengths(11) == [10]


def test_an_order_is_drawn_at_the_call_and_none_without_shuffling() -> None:
    random = Random(5)
    minibatches([1, 2, 3], [1, 2, 3], seed=random, shuffle=False)
    assert random.getstate() == Random(5).getstate()
    minibatches([1, 2, 3], [1, 2, 3], seed=random)
    assert random.getstate() != Random(5).getstate()


# ---------------------------------------------------------------------------------------------------- IDX files


def idx(array: NDArray[np.uint8]) -> bytes:
    """The file that should hold the array, by the format's own description."""
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes("C")


def images_of(count: int, *, side: int = 28) -> NDArray[np.uint8]:
    return np.random.default_rng(count).integers(0, 256, (count, side, side), dtype=np.uint8)


def write_mnist(
    folder: Path, train: int = 6, test: int = 4, *, spell: Callable[[str], str] = str, pack: bool = True
) -> dict[str, NDArray[np.uint8]]:
    """A folder of made MNIST files, and what they hold."""
    made = {}
    for part, count in (("train", train), ("t10k", test)):
        made[f"{part}-images-idx3-ubyte"] = images_of(count)
        made[f"{part}-labels-idx1-ubyte"] = (np.arange(count, dtype=np.uint8) * 7) % 10
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in made.items():
        content = idx(array)
        (folder / (spell(name) + ".gz" * pack)).write_bytes(gzip.compress(content) if pack else content)
    return made


idx_arrays = arrays(np.uint8, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6))


@given(idx_arrays, st.booleans())
def test_an_idx_file_reads_back_as_written(array: NDArray[np.uint8], packed: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "data.gz" if packed else "data")
        path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
        read = read_idx(path)
    assert read.dtype == np.uint8
    assert read.shape == array.shape
    assert np.array_equal(read, array)
    assert read.flags.writeable


@given(idx_arrays, st.data(), st.booleans())
def test_a_cut_or_longer_idx_file_is_refused_by_its_path(array: NDArray[np.uint8], data: Any, packed: bool) -> None:
    content = idx(array)
    cut = st.integers(0, len(content) - 1).map(lambda end: content[:end])
    longer = st.binary(min_size=1, max_size=9).map(lambda more: content + more)
    wrong = data.draw(cut | longer)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "data.gz" if packed else "data")
        path.write_bytes(gzip.compress(wrong) if packed else wrong)
        with pytest.raises(ValueError, match=r"expected .*found") as caught:
            read_idx(path)
    assert str(caught.value).startswith(f"{path}: ")


@given(st.data())
def test_a_damaged_gzip_file_is_refused_or_reads_the_same(data: Any) -> None:
    array = images_of(2, side=5)
    packed = bytearray(gzip.compress(idx(array), mtime=0))
    if data.draw(st.booleans()):
        packed = packed[: data.draw(st.integers(1, len(packed) - 1))]
    else:
        packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "data.gz")
        path.write_bytes(packed)
        try:
            read = read_idx(path)
        except ValueError as error:
            message = str(error)
        else:  # a few bytes of the header mean nothing to the data
            assert np.array_equal(read, array)
            return
    assert message.startswith(f"{path}: expected ")


LABELS = idx(np.array([1, 2, 3], np.uint8))
WRONG_FILES = {
    "an empty file": ("labels", b"", r"magic number 00 00 08 and .*found an empty file"),
    "floats": ("labels", b"\0\0\x0d\1" + LABELS[4:], "magic number 00 00 08 and the .*found 00 00 0d 01"),
    "no dimensions": ("labels", b"\0\0\x08\0", "found 00 00 08 00"),
    "a picture": ("labels", b"\x89PNG\r\n\x1a\n", "found 89 50 4e 47"),
    "a short header": ("labels", LABELS[:7], "expected 8 bytes of header, found 7"),
    "a missing byte": ("labels", LABELS[:-1], "expected 11 bytes for 3, found 10; it is truncated"),
    "a byte too many": ("labels", LABELS + b"!", "expected 11 bytes for 3, found 12; bytes trail"),
    "many dimensions": ("labels", bytes([0, 0, 8, 99]) + bytes(4 * 99), "fit an array, found 99: "),
    "huge": ("labels", b"\0\0\x08\4" + b"\xff" * 12 + bytes(4), "fit an array, found 4: "),
    "not gzipped": ("labels.gz", LABELS, r"expected gzip data, found .*drop \.gz"),
    "gzip, cut": ("labels.gz", gzip.compress(LABELS)[:-3], "expected gzip data, found .*fetch it again"),
    "gzip and more": ("labels.gz", gzip.compress(LABELS) + b"more", "expected gzip data, found"),
    "gzipped, no .gz": ("labels", gzip.compress(LABELS), r"expected unpacked data, found gzip data; add \.gz"),
}


@pytest.mark.parametrize("case", WRONG_FILES)
def test_a_wrong_idx_file_says_what_was_found_and_expected(tmp_path: Path, case: str) -> None:
    name, content, message = WRONG_FILES[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)


def test_a_file_that_unpacks_to_more_than_it_declares_is_refused_before_memory_is_spent(tmp_path: Path) -> None:
    path = tmp_path / "labels.gz"
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    million = bytes(1 << 20)
    packed = [packer.compress(LABELS), *[packer.compress(million) for _ in range(400)], packer.flush()]
    path.write_bytes(b"".join(packed))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="expected 11 bytes for 3, found more; bytes trail behind the data"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_header_that_declares_more_than_there_is_costs_no_memory(tmp_path: Path) -> None:
    for name in ("labels", "labels.gz"):
        content = b"\0\0\x08\2" + b"\x7f\xff\xff\xff" * 2 + b"few"
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
        with pytest.raises(ValueError, match="found 15; it is truncated"):
            read_idx(tmp_path / name)


# -------------------------------------------------------------------------------------------------------- MNIST


def dotted(name: str) -> str:
    return name.replace("-idx", ".idx")


@pytest.mark.parametrize("pack", [True, False])
@pytest.mark.parametrize("spell", [str, dotted])
def test_mnist_loads_under_every_usual_name(tmp_path: Path, spell: Callable[[str], str], pack: bool) -> None:
    made = write_mnist(tmp_path, spell=spell, pack=pack)
    for part, train in (("train", True), ("t10k", False)):
        images, labels = load_mnist(str(tmp_path), train=train)
        expected = made[f"{part}-images-idx3-ubyte"]
        assert np.array_equal(np.array(images), expected.reshape(len(expected), 784) / 255)
        assert labels == made[f"{part}-labels-idx1-ubyte"].tolist()
        assert {type(ink) for image in images for ink in image} == {float}
        assert {type(label) for label in labels} == {int}


def test_the_pixels_of_mnist_share_their_floats(tmp_path: Path) -> None:
    write_mnist(tmp_path, train=20)
    images = load_mnist(tmp_path).images
    assert len({id(ink) for image in images for ink in image}) == 256


@pytest.mark.parametrize("limit", [None, 3])
def test_arrays_hold_what_the_lists_hold(tmp_path: Path, limit: int | None) -> None:
    write_mnist(tmp_path, train=20)
    lists, arrays = [load_mnist(tmp_path, limit=limit, arrays=arrays) for arrays in (False, True)]
    assert arrays.images.dtype == np.float64
    assert arrays.images.shape == (limit or 20, 784)
    assert arrays.images.tolist() == lists.images
    assert arrays.labels.tolist() == lists.labels
    assert repr(arrays) == repr(lists)
    for ours, theirs in zip(hold_out(arrays, every=3), hold_out(lists, every=3)):
        assert (ours.images.tolist(), ours.labels.tolist()) == theirs


@given(st.integers(1, 12))
def test_a_limit_takes_the_first_images(limit: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        write_mnist(Path(name))
        images, labels = load_mnist(name)
        assert load_mnist(name, limit=limit) == (images[:limit], labels[:limit])


def test_a_folder_without_a_file_says_which_names_would_do(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    assert load_mnist(tmp_path).labels
    with pytest.raises(FileNotFoundError) as caught:
        load_mnist(tmp_path, train=False)
    for words in (
        str(tmp_path),
        "no test labels",
        "t10k-labels-idx1-ubyte,",
        "t10k-labels-idx1-ubyte.gz,",
        "t10k-labels.idx1-ubyte,",
        "t10k-labels.idx1-ubyte.gz;",
        "ask for a download",
    ):
        assert words in str(caught.value)
    with pytest.raises(FileNotFoundError, match="nowhere: no training images"):
        load_mnist(tmp_path / "nowhere")


def test_images_and_labels_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    images, labels = tmp_path / "train-images-idx3-ubyte.gz", tmp_path / "train-labels-idx1-ubyte.gz"
    labels.write_bytes(gzip.compress(idx(np.zeros(5, np.uint8))))
    with pytest.raises(ValueError, match="found 6 images and 5 labels") as caught:
        load_mnist(tmp_path)
    assert str(images) in str(caught.value)
    assert labels.name in str(caught.value)
    labels.write_bytes(images.read_bytes())
    with pytest.raises(ValueError, match=r"train-labels.*magic number 00 00 08 01, found 00 00 08 03"):
        load_mnist(tmp_path)
    images.write_bytes(gzip.compress(LABELS))
    with pytest.raises(ValueError, match=r"train-images.*magic number 00 00 08 03, found 00 00 08 01"):
        load_mnist(tmp_path)
    write_mnist(tmp_path, train=0)
    with pytest.raises(ValueError, match="found 0 × 28 × 28 pixels; expected at least one image"):
        load_mnist(tmp_path)


@pytest.mark.skipif("MICROGRAD_PLUS_MNIST" not in os.environ, reason="MICROGRAD_PLUS_MNIST names no folder of MNIST")
def test_the_real_mnist_loads() -> None:
    folder = os.environ["MICROGRAD_PLUS_MNIST"]
    for train, count, first in ((True, 60_000, [5, 0, 4, 1, 9]), (False, 10_000, [7, 2, 1, 0, 4])):
        images, labels = load_mnist(folder, train=train)
        assert (len(images), len(images[0]), len(labels), labels[:5]) == (count, 784, count, first)
        assert set(labels) == set(range(10))
        assert {ink for image in images[:100] for ink in image} <= {grey / 255 for grey in range(256)}


# ----------------------------------------------------------------------------------------------------- download


class Site:
    """A web server on loopback: what it serves, how it behaves, and what was asked of it."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.compresses = False  # calls its gzip files compressed in transit, to who takes that
        self.silent = False  # for a while, before the last byte
        self.breaks_off = False  # before the last byte
        self.asked: list[str] = []
        self.over = threading.Event()
        self.url = ""


@contextmanager
def serving() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            site.asked.append(name)
            if name not in site.files:
                self.send_error(404)
                return
            self.send_response(200)
            content = site.files[name]
            self.send_header("Content-Length", str(len(content)))
            if site.compresses and "gzip" in self.headers["Accept-Encoding"]:
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(content[:-1])
            self.wfile.flush()
            if site.silent:
                site.over.wait(5)
            if not site.breaks_off:
                with suppress(OSError):  # the client may have left
                    self.wfile.write(content[-1:])

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        site.url = f"http://127.0.0.1:{server.server_port}/mnist/"
        try:
            yield site
        finally:
            site.over.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    pytest.importorskip("pooch")
    with serving() as site:
        write_mnist(tmp_path / "source")
        site.files = {path.name: path.read_bytes() for path in (tmp_path / "source").iterdir()}
        yield site


def md5s(site: Site) -> dict[str, str]:
    return {name: hashlib.md5(content).hexdigest() for name, content in site.files.items()}


@pytest.mark.parametrize("slash", ["/", ""])
def test_a_download_brings_every_file_whole(site: Site, tmp_path: Path, slash: str) -> None:
    folder = tmp_path / "a" / "b"
    paths = download_mnist(folder, url=site.url.rstrip("/") + slash, checksums=md5s(site), progress=False)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == site.files
    assert paths == [folder / name for name in site.files]
    assert load_mnist(folder) == load_mnist(tmp_path / "source")


def test_a_download_shows_its_progress_or_is_silent(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logged = io.StringIO()  # pooch's own handler kept the standard error of its import
    logger, handler = pytest.importorskip("pooch").get_logger(), logging.StreamHandler(logged)
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    download_mnist(tmp_path / "silent", url=site.url, checksums=md5s(site), progress=False)
    logger.removeHandler(handler)
    assert logger.level == logging.INFO
    assert (*capsys.readouterr(), logged.getvalue()) == ("", "", "")
    download_mnist(tmp_path / "shown", url=site.url, checksums=md5s(site))
    out, err = capsys.readouterr()
    assert out == ""
    assert all(name in err for name in site.files)
    assert err.count("100%") == 4


def test_what_is_there_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    for _ in range(2):
        download_mnist(tmp_path / "new", url=site.url, checksums=md5s(site), progress=False)
    assert sorted(site.asked) == sorted(site.files)


def test_gzip_files_that_a_server_calls_compressed_in_transit_stay_as_they_are(site: Site, tmp_path: Path) -> None:
    site.compresses = True
    paths = download_mnist(tmp_path / "new", url=site.url, checksums=md5s(site), progress=False)
    assert [path.read_bytes() for path in paths] == list(site.files.values())


def test_a_wrong_checksum_is_refused_and_leaves_nothing(site: Site, tmp_path: Path) -> None:
    wrong = md5s(site) | dict.fromkeys(list(site.files)[:1], "0" * 32)
    with pytest.raises(ValueError, match=f"{site.url}.*expected md5:{'0' * 32} but got"):
        download_mnist(tmp_path / "a" / "b", url=site.url, checksums=wrong, progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


def test_good_files_stay_when_a_later_one_fails(site: Site, tmp_path: Path) -> None:
    first, *_, last = checksums = md5s(site)
    content = site.files.pop(last)
    with pytest.raises(ConnectionError, match=f"{last}: the server answers 404"):
        download_mnist(tmp_path / "new", url=site.url, checksums=checksums, progress=False)
    assert first in os.listdir(tmp_path / "new")
    assert len(os.listdir(tmp_path / "new")) == 3
    site.files[last] = content
    download_mnist(tmp_path / "new", url=site.url, checksums=checksums, progress=False)
    assert site.asked.count(first) == 1
    assert len(os.listdir(tmp_path / "new")) == 4


def test_another_file_of_that_name_is_not_touched(site: Site, tmp_path: Path) -> None:
    name = list(site.files)[-1]
    (tmp_path / name).write_bytes(b"my own data")
    with pytest.raises(FileExistsError, match=rf"{name}: expected MD5 .*move it away"):
        download_mnist(tmp_path, url=site.url, checksums=md5s(site), progress=False)
    assert (tmp_path / name).read_bytes() == b"my own data"
    assert site.asked == []


def refused(site: Site, folder: Path) -> str:
    """The one error of a failed download, which leaves nothing behind."""
    with pytest.raises(ConnectionError) as caught:
        download_mnist(folder, url=site.url, checksums=md5s(site), timeout=0.3, progress=False)
    assert not folder.exists()
    message = str(caught.value)
    assert "\n" not in message
    assert site.url in message
    assert f"by hand and put them into {folder}" in message
    assert all(name in message for name in site.files)
    return message


def test_a_server_that_is_away_gives_one_error_with_the_way_out(tmp_path: Path) -> None:
    pytest.importorskip("pooch")
    with serving() as site:
        pass
    site.files = {"train-images-idx3-ubyte.gz": b"", "train-labels-idx1-ubyte.gz": b""}
    assert "cannot be reached" in refused(site, tmp_path / "new")


def test_a_server_that_falls_silent_is_given_up(site: Site, tmp_path: Path) -> None:
    site.silent = True
    assert "fell silent for 0.3 s" in refused(site, tmp_path / "new")


def test_a_download_that_breaks_off_is_given_up(site: Site, tmp_path: Path) -> None:
    site.breaks_off = True
    assert "cannot be reached, or fell silent" in refused(site, tmp_path / "new")


def test_load_mnist_downloads_only_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def download(folder: Path) -> None:
        calls.append(folder)
        write_mnist(folder)

    monkeypatch.setattr("micrograd_plus.data.mnist.download_mnist", download)
    first = load_mnist(tmp_path / "new", download=True)
    assert calls == [tmp_path / "new"]
    assert load_mnist(tmp_path / "new", download=True) == first
    assert calls == [tmp_path / "new"]


def test_without_pooch_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r"pip install 'micrograd-plus\[data\]'"):
        download_mnist(tmp_path)


# ---------------------------------------------------------------------------------------------------- bad input

PAIR = ([[0.0], [1.0], [2.0]], [0, 1, 2])
BAD_CALLS: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "size 0": (lambda: minibatches(*PAIR, 0), ValueError, r"minibatches\(size=0\): .*at least 1, or None for all"),
    "size < 0": (lambda: minibatches(*PAIR, -4), ValueError, r"minibatches\(size=-4\)"),
    "size 2.0": (lambda: minibatches(*PAIR, 2.0), TypeError, r"size=2\.0\).*got float"),  # type: ignore[arg-type]  # the point
    "size True": (lambda: minibatches(*PAIR, True), TypeError, r"size=True\).*got bool"),
    "lengths": (lambda: minibatches([1.0, 2.0], [1]), ValueError, "2 examples, but 1 labels"),
    "no data": (lambda: minibatches([], []), ValueError, "x and y are empty"),
    "no rows": (lambda: minibatches(np.zeros((0, 3)), np.zeros(0)), ValueError, "x and y are empty"),
    "no list": (lambda: minibatches(iter([1]), [1]), TypeError, "x=<list_.*got list_iterator"),  # type: ignore[type-var]  # the point
    "no axis": (lambda: minibatches(np.array(1.0), [1]), TypeError, r"x=array\(1\.0?\)\).*got ndarray"),
    "seed": (lambda: minibatches(*PAIR, seed="7"), TypeError, r"minibatches\(seed='7'\).*got str"),  # type: ignore[arg-type]  # the point
    "NumPy's generator": (
        lambda: make_moons(seed=np.random.default_rng(0)),  # type: ignore[arg-type]  # the point
        TypeError,
        r"random\.Random, or None, got Generator",
    ),
    "one moon": (lambda: make_moons(1), ValueError, r"make_moons\(n=1\): .*at least 2"),
    "half a point": (lambda: make_moons(2.5), TypeError, r"make_moons\(n=2\.5\)"),  # type: ignore[arg-type]  # the point
    "noise < 0": (lambda: make_moons(9, -0.1), ValueError, r"noise=-0\.1"),
    "noise nan": (lambda: make_moons(9, math.nan), ValueError, "noise=nan"),
    "noise inf": (lambda: make_moons(9, math.inf), ValueError, "noise=inf"),
    "noise '1'": (lambda: make_moons(9, "1"), TypeError, "noise = '1': .*got str"),  # type: ignore[arg-type]  # the point
    "label 10": (lambda: one_hot(10), ValueError, r"label=10\): expected at most 9, there are 10 classes"),
    "label -1": (lambda: one_hot(-1), ValueError, r"one_hot\(label=-1\)"),
    "label 1.0": (lambda: one_hot(1.0), TypeError, r"one_hot\(label=1\.0\)"),
    "no classes": (lambda: one_hot(0, 0), ValueError, r"one_hot\(classes=0\)"),
    "all held out": (lambda: hold_out(PAIR, 1), ValueError, r"hold_out\(every=1\): .*at least 2"),
    "one example": (lambda: hold_out(([[0.0]], [1])), ValueError, "expected at least two"),
    "uneven": (lambda: hold_out(([[0.0]], [1, 2])), ValueError, "1 examples, but 2 labels"),
    "limit 0": (lambda: load_mnist("x", limit=0), ValueError, r"load_mnist\(limit=0\): .*at least 1, or None for all"),
    "limit < 0": (lambda: load_mnist("x", limit=-1), ValueError, r"load_mnist\(limit=-1\)"),
    "limit '9'": (lambda: load_mnist("x", limit="9"), TypeError, r"limit='9'\).*got str"),  # type: ignore[arg-type]  # the point
    "url": (lambda: download_mnist("x", url="ftp://a.b"), ValueError, r"url='ftp://a\.b'\).*https://"),
    "url 3": (lambda: download_mnist("x", url=3), ValueError, r"url=3\).*https://"),  # type: ignore[arg-type]  # the point
    "timeout '3'": (lambda: download_mnist("x", timeout="3"), TypeError, "timeout = '3'"),  # type: ignore[arg-type]  # the point
    "folder": (lambda: download_mnist(__file__), NotADirectoryError, "test_data.py: expected a folder, found a file"),
    "timeout 0": (lambda: download_mnist("x", timeout=0), ValueError, r"timeout=0\.0\)"),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_input_is_quoted_at_the_call(case: str) -> None:
    call, error, message = BAD_CALLS[case]
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_examples_that_are_single_numbers_show_themselves() -> None:
    train, _ = hold_out(([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0]), every=2)
    assert repr(train) == "Dataset(2 numbers, with labels)"
