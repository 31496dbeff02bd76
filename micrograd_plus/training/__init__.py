"""How does a model learn? The loop, what one sees meanwhile, what can be compiled."""

from micrograd_plus.training.loop import Epoch as Epoch
from micrograd_plus.training.loop import History as History
from micrograd_plus.training.loop import fit as fit
