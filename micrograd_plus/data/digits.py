"""Real handwriting that travels with the package: 1,797 digits of 8×8 pixels."""

from __future__ import annotations

from micrograd_plus.data.dataset import Dataset


def load_digits() -> Dataset:
    """The 1,797 handwritten digits of 8×8 pixels: images of 64 floats from 0.0 to 1.0, labels 0 to 9.

    13 people wrote them; each pixel counts the ink in a block of 4×4 finer ones, 0 to 16, here divided by 16.
    About 180 images a digit, so guessing is right one time in ten.

    They are the test set of "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak (UCI, 1998),
    CC BY 4.0, in the order of scikit-learn's `load_digits`; see `digits_attribution.txt` beside this file.
    `digits.bin.gz` unpacks to 1,797 records of 65 bytes: the 64 grey levels of one image, row by row, then its label.

    >>> images, labels = load_digits()
    >>> len(images), len(images[0]), labels[:10]
    (1797, 64, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    >>> for row in range(8):
    ...     print("".join(" .:-=+*#@"[int(8 * ink)] for ink in images[0][8 * row : 8 * row + 8]).rstrip())
      :*=
      *#+#:
     .#. +=
     :*  ==
     :=  ==
     :+  *-
     .#:+*
      -*+
    """
    import gzip
    from importlib.resources import files

    packed = files("micrograd_plus.data").joinpath("digits.bin.gz").read_bytes()
    records = gzip.decompress(packed)
    ink = [grey / 16 for grey in range(17)]  # 17 floats, shared by all images
    images = [[ink[grey] for grey in records[i : i + 64]] for i in range(0, len(records), 65)]
    return Dataset(images, list(records[64::65]))
