"""Compile: find the tensors again in scalar code.

A function is traced on one example (`tracing`); its sums of products are fused and its nodes grouped (`fusing`); groups
become arrays, and sums that share factors matrix products (`tensors`); the chain rule adds the gradient (`reverse`);
what NumPy lacks is written in what it has (`lowering`), and all of it as a Python function (`emitting`). Graphs with
nothing regular in them go over a tape (`replay`, `tape`). A `Path` is one way through a function, a `Program` all ways.
Functions that draw random numbers are found out by `chance`.
"""

from micrograd_plus.program.errors import CompileError as CompileError
from micrograd_plus.program.programs import Program as Program
from micrograd_plus.program.programs import compile as compile
