# 3. A neuron, a layer, a network
import micrograd_plus as mp

layer = mp.Layer(2, 2, activation="relu", seed=4)
inputs = [mp.Value(0.9), mp.Value(0.3)]
outputs = layer(inputs)
total = outputs[0] + outputs[1]
