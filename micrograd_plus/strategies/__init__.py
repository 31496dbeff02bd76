"""How does Hypothesis draw values, expressions and networks that shrink to ones which can be read?"""

from micrograd_plus.strategies.drawing import Expression as Expression
from micrograd_plus.strategies.drawing import Step as Step
from micrograd_plus.strategies.drawing import expressions as expressions
from micrograd_plus.strategies.drawing import mlps as mlps
from micrograd_plus.strategies.drawing import values as values
