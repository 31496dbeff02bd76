"""The error of a function that cannot be compiled."""

from __future__ import annotations


class CompileError(TypeError):
    """A function that cannot be compiled as it stands; the message says what to write instead.

    >>> import math
    >>> import micrograd_plus as mp
    >>> try:
    ...     mp.compile(lambda x: math.exp(x), x=())
    ... except mp.CompileError as error:
    ...     print(error)
    compile: float(x) in ... would bake one example's number into the program; compute with the Value itself, ...
    """
