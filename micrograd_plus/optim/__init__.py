"""Optimizers, schedules of their learning rate, and gradient clipping: PyTorch's names, defaults and numbers.

And, for small functions, Newton's method."""

from micrograd_plus.calculus.stationary import newton as newton
from micrograd_plus.calculus.stationary import newton_step as newton_step
from micrograd_plus.optim.clipping import clip_grad_norm_ as clip_grad_norm_
from micrograd_plus.optim.clipping import clip_grad_value_ as clip_grad_value_
from micrograd_plus.optim.optimizers import OPTIMIZERS as OPTIMIZERS
from micrograd_plus.optim.optimizers import SGD as SGD
from micrograd_plus.optim.optimizers import Adadelta as Adadelta
from micrograd_plus.optim.optimizers import Adagrad as Adagrad
from micrograd_plus.optim.optimizers import Adam as Adam
from micrograd_plus.optim.optimizers import AdamW as AdamW
from micrograd_plus.optim.optimizers import NAdam as NAdam
from micrograd_plus.optim.optimizers import Optimizer as Optimizer
from micrograd_plus.optim.optimizers import RAdam as RAdam
from micrograd_plus.optim.optimizers import RMSprop as RMSprop
from micrograd_plus.optim.optimizers import by_name as by_name
from micrograd_plus.optim.schedules import CosineAnnealingLR as CosineAnnealingLR
from micrograd_plus.optim.schedules import ExponentialLR as ExponentialLR
from micrograd_plus.optim.schedules import LinearLR as LinearLR
from micrograd_plus.optim.schedules import Schedule as Schedule
from micrograd_plus.optim.schedules import StepLR as StepLR
