"""How does a model come here? A network of PyTorch's, and the graph that its autograd keeps of a calculation."""

from micrograd_plus.arrivals.graphs import from_torch_graph as from_torch_graph
from micrograd_plus.arrivals.networks import from_torch as from_torch
