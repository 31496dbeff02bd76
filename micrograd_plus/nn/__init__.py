"""What is a network? Neurons, layers, MLPs, and modules of one's own; how their weights are drawn and kept."""

from micrograd_plus.nn.initialisers import INITIALISERS as INITIALISERS
from micrograd_plus.nn.initialisers import Initialiser as Initialiser
from micrograd_plus.nn.initialisers import he as he
from micrograd_plus.nn.initialisers import normal as normal
from micrograd_plus.nn.initialisers import uniform as uniform
from micrograd_plus.nn.initialisers import xavier as xavier
from micrograd_plus.nn.initialisers import zeros as zeros
from micrograd_plus.nn.layers import MLP as MLP
from micrograd_plus.nn.layers import Layer as Layer
from micrograd_plus.nn.layers import Neuron as Neuron
from micrograd_plus.nn.modules import Module as Module
