"""Data to learn from: handwritten digits, MNIST and two moons; and what cuts them into batches."""

from micrograd_plus.data.batches import minibatches as minibatches
from micrograd_plus.data.dataset import Dataset as Dataset
from micrograd_plus.data.dataset import hold_out as hold_out
from micrograd_plus.data.dataset import one_hot as one_hot
from micrograd_plus.data.digits import load_digits as load_digits
from micrograd_plus.data.download import download_mnist as download_mnist
from micrograd_plus.data.mnist import load_mnist as load_mnist
from micrograd_plus.data.mnist import read_idx as read_idx
from micrograd_plus.data.moons import make_moons as make_moons
