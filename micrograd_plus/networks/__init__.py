"""What does a network look like, and what does one example want of it?"""

from micrograd_plus.networks.drawing import draw_network as draw_network
from micrograd_plus.networks.neurons import LayerNudges as LayerNudges
from micrograd_plus.networks.neurons import NeuronNudges as NeuronNudges
from micrograd_plus.networks.scenes import Drawing as Drawing
from micrograd_plus.networks.weights import draw_weights as draw_weights
from micrograd_plus.networks.wishes import Nudges as Nudges
from micrograd_plus.networks.wishes import nudges as nudges
