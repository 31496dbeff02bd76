# Start here: one neuron
from micrograd_plus import Value, tanh

w, x, b = Value(0.5), Value(2.0), Value(-0.3)
y = tanh(w * x + b)
