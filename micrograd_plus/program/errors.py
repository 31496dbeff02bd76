"""The errors of a function that cannot be compiled, and of a program that cannot leave."""

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


class ExportError(TypeError):
    """A program that cannot be written for another machine or library; the message names what is in the way, and why.

    >>> import micrograd_plus as mp
    >>> cube = mp.primitive("cubed", lambda x: x * x * x, lambda out, x: 3.0 * mp.square(x))
    >>> program = mp.compile(lambda x: cube(x), x=())
    >>> try:
    ...     program.to_c("cube.c")
    ... except mp.ExportError as error:
    ...     print(error)
    Program(<lambda>, 2 nodes, 0 parameters): 'cubed' cannot leave for C: its forward is a function in Python; ...
    """
