# 2. A graph remembers
import micrograd_plus as mp

W1, W2, W3 = mp.Value(1.5), mp.Value(0.5), mp.Value(0.6)
h3 = 2.0 * W3
h2 = mp.tanh(W2 * h3)
loss = (W1 * h2 - 1.0) ** 2
