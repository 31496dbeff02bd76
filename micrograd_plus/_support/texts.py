"""Make a text shorter, put it on one line, count things in it."""

from __future__ import annotations

import re
import unicodedata

_LEFTWARDS = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"  # Hebrew, Arabic and their like
_NAME = re.compile(rf"[{_LEFTWARDS}][0-9A-Za-z_{_LEFTWARDS}]*")


def cut(text: str, most: int) -> str:
    """The text, or its beginning and an ellipsis where it has more than `most` letters.

    >>> cut("abcdefgh", 5)
    'abcd…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def cut_inside(text: str, most: int) -> str:
    """The text, or its beginning and its last eight letters, for those tell paths apart.

    >>> cut_inside("model.layers.0.neurons.15.w.783", 20)
    'model.layer…15.w.783'
    """
    return text if len(text) <= most else f"{text[: most - 9]}…{text[-8:]}"


def one_line(text: str, most: int) -> str:
    r"""The text on one line, without letters that can't be seen, and cut where it is too long.

    >>> one_line("a\tb \n c\x00d", 40)
    'a b cd'
    """
    line = "".join([" " if letter in "\n\t\r" else letter for letter in text[: 4 * most] if _is_visible(letter)])
    line = " ".join(line.split())
    return line if len(line) <= most and len(text) <= 4 * most else line[: most - 1] + "…"


def _is_visible(letter: str) -> bool:
    joins = letter in "\u200c\u200d"  # emoji are joined of several
    return letter in "\n\t\r" or joins or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def isolated(text: str) -> str:
    """A line for the eye, in which names that run from right to left leave all beside them in its place.

    >>> isolated("\u05d0 \u00d7 x1 = 2") == "\u2068\u05d0\u2069 \u00d7 x1 = 2"
    True
    """
    return _NAME.sub("\u2068\\g<0>\u2069", text)


def plural(count: int, thing: str) -> str:
    """So many things.

    >>> plural(1, "node"), plural(0, "node"), plural(12_000, "node")
    ('1 node', '0 nodes', '12,000 nodes')
    """
    return f"{count:,} {thing}{'s' * (count != 1)}"


def abridge(lines: list[str], most: int, things: str, count: int | None = None) -> list[str]:
    """The lines; of more than `most` the first and the last, and between them how many are not shown.

    Args:
        lines: all of them, or no more than the first and the last.
        most: how many are shown; an even number.
        things: what the lines are.
        count: how many there are in all, where `lines` are only some of them.

    >>> abridge(["a", "b", "c", "d", "e"], 4, "letters")
    ['a', 'b', '… (1 letters not shown)', 'd', 'e']
    """
    count = len(lines) if count is None else count
    if count <= most:
        return lines
    half = most // 2
    return [*lines[:half], f"… ({count - 2 * half:,} {things} not shown)", *lines[-half:]]
