"""How does a model learn? The loop, what one sees meanwhile, what can be compiled."""

from micrograd_plus.training.loop import fit as fit
from micrograd_plus.training.recording import Snapshot as Snapshot
from micrograd_plus.training.records import Epoch as Epoch
from micrograd_plus.training.records import History as History
from micrograd_plus.training.sweeps import Sweep as Sweep
from micrograd_plus.training.sweeps import Trial as Trial
from micrograd_plus.training.sweeps import sweep as sweep


def __getattr__(name: str) -> object:
    if name == "Workers":  # its module brings NumPy
        from micrograd_plus.training.workers import Workers

        return Workers
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
