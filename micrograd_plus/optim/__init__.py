"""How does a gradient become a step? Optimizers, schedules of their rate, and clipping: PyTorch's names and numbers.

And, for small functions, Newton's method.
"""

from micrograd_plus.calculus.stationary import newton as newton
from micrograd_plus.calculus.stationary import newton_step as newton_step
from micrograd_plus.optim.base import Optimizer as Optimizer
from micrograd_plus.optim.clipping import clip_grad_norm_ as clip_grad_norm_
from micrograd_plus.optim.clipping import clip_grad_value_ as clip_grad_value_
from micrograd_plus.optim.optimizers import *  # noqa: F403 - each that stands in the table, so that a new one is public
from micrograd_plus.optim.schedules import CosineAnnealingLR as CosineAnnealingLR
from micrograd_plus.optim.schedules import ExponentialLR as ExponentialLR
from micrograd_plus.optim.schedules import LinearLR as LinearLR
from micrograd_plus.optim.schedules import Schedule as Schedule
from micrograd_plus.optim.schedules import StepLR as StepLR
