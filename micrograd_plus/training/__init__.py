"""How does a model learn? The loop, what one sees meanwhile, what can be compiled."""

from micrograd_plus.training.loop import fit as fit
from micrograd_plus.training.recording import Snapshot as Snapshot
from micrograd_plus.training.records import Epoch as Epoch
from micrograd_plus.training.records import History as History
