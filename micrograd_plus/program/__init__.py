"""How does scalar code run as fast as arrays? `compile` finds the tensors again in it.

A function is traced on one example (`tracing`): on Values that stand for its numbers (`stand_ins`), to a graph laid out
flat (`flat_graphs`), and twice, to see that both runs agree (`comparing`) and draw no random numbers (`chance`). Its
sums of products are fused and its nodes grouped (`fusing`); groups become arrays, and sums that share factors matrix
products (`tensors`); the chain rule adds the gradient (`reverse`); what NumPy lacks is written in what it has
(`lowering`), and all of it as a Python function (`emitting`), which writes to memory again once it is free (`storage`,
`strides`). Graphs with nothing regular in them are gone through number by number (`replay`): by the
interpreter, for which `coding` writes steps, or by Python (`tape`). A `Path` is one way through a
function's choices, a `Program` all of them, which `exports` writes for other machines and libraries.
"""

from micrograd_plus.program.compiling import compile as compile
from micrograd_plus.program.errors import CompileError as CompileError
from micrograd_plus.program.errors import ExportError as ExportError
from micrograd_plus.program.programs import Program as Program
