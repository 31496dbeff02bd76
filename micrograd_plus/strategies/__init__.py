"""How does Hypothesis draw values, expressions and networks that shrink to ones which can be read?"""

from micrograd_plus.strategies.drawing import expressions as expressions
from micrograd_plus.strategies.leaves import values as values
from micrograd_plus.strategies.networks import mlps as mlps
from micrograd_plus.strategies.programs import Expression as Expression
from micrograd_plus.strategies.programs import Step as Step
from micrograd_plus.strategies.small_tensors import tensors as tensors
