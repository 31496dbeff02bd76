"""How does a program leave? As C, as an ONNX graph, as a module of PyTorch, as a function for JAX.

All of them go through the program's own instructions (`ways`), once they are found again where they were not kept. C
and ONNX have instructions for the gradient, too, lowered to what the language has; PyTorch and JAX differentiate for
themselves, by the table's own partials. `parameters` finds names and shapes for what was a list of scalars.
"""
