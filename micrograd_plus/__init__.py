"""A scalar autograd engine that reads like a lesson."""

from micrograd_plus import engine as engine
from micrograd_plus.engine import Value as Value
from micrograd_plus.engine import no_grad as no_grad
from micrograd_plus.ops import *  # noqa: F403
from micrograd_plus.ops import abs as abs
from micrograd_plus.ops import pow as pow
from micrograd_plus.ops import round as round
