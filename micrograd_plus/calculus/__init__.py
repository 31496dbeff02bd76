"""What is a gradient, a Jacobian, a Hessian, of any order? Derivatives as functions; and Newton's method on them."""

from micrograd_plus.calculus.functions import grad as grad
from micrograd_plus.calculus.functions import hessian as hessian
from micrograd_plus.calculus.functions import hvp as hvp
from micrograd_plus.calculus.functions import jacobian as jacobian
from micrograd_plus.calculus.functions import jvp as jvp
from micrograd_plus.calculus.functions import value_and_grad as value_and_grad
from micrograd_plus.calculus.gradients import gradient as gradient
from micrograd_plus.calculus.stationary import newton as newton
from micrograd_plus.calculus.stationary import newton_step as newton_step
