r"""Write a name in LaTeX: w1 and w_1 get a subscript, theta is a Greek letter, a word stands upright."""

from __future__ import annotations

import re

_GREEK = {
    **dict(zip("αβγδεζηθ", ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"))),
    **dict(zip("ικλμνξπρ", ("iota", "kappa", "lambda", "mu", "nu", "xi", "pi", "rho"))),
    **dict(zip("στυφχψω", ("sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"))),
    **dict(zip("ΓΔΘΛΞΠ", ("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi"))),
    **dict(zip("ΣΥΦΨΩ", ("Sigma", "Upsilon", "Phi", "Psi", "Omega"))),
}
_MACROS = set(_GREEK.values())
_ESCAPES = str.maketrans(
    {"\\": r"\backslash ", " ": r"\ ", "^": r"\hat{\ }", "~": r"\sim ", **{c: f"\\{c}" for c in "_$%&#{}"}}
)


def latex_name(label: str) -> str:
    r"""A label in LaTeX.

    >>> print(latex_name("w_1"), latex_name("theta"), latex_name("x[2, 3]"), latex_name("rate"))
    w_{1} \theta x_{2,3} \mathrm{rate}
    """
    match = re.fullmatch(r"([^\W\d_]+)((?:_?\d+|_[^\W\d_]+|\[\w+(?:, ?\w+)*\])*)('*)", label)
    if match is None:
        return _upright(label)
    stem, tail, primes = match.groups()
    indices = re.findall(r"\d+|[^\W\d_]+", tail)
    if len(_letter(stem)) > 1 and _letter(stem)[0] != "\\" and not all(index.isdigit() for index in indices):
        return _upright(label)  # learning_rate is one word
    below = ",".join([index if index.isdigit() else _word(index) for index in indices])
    name = _word(stem) + (f"_{{{below}}}" if below else "")
    return f"{{{name}{primes}}}" if primes else name


def _word(word: str) -> str:
    letter = _letter(word)
    return letter if len(letter) == 1 or letter[0] == "\\" else _upright(word)


def _letter(word: str) -> str:
    word = _GREEK.get(word, word)
    return f"\\{word}" if word in _MACROS else word


def _upright(word: str) -> str:
    return rf"\mathrm{{{word.translate(_ESCAPES)}}}"
