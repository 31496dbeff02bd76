"""How is a graph written as text: formulas, LaTeX, SymPy, JavaScript; what is each node called?"""

from micrograd_plus.formulas.symbolic import to_sympy as to_sympy
from micrograd_plus.formulas.writing import Formula as Formula
from micrograd_plus.formulas.writing import formula as formula
