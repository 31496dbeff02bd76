# 7. Moons: one point, and its hinge
import micrograd_plus as mp

model = mp.MLP(2, [3, 1], activation="relu", seed=1)
point, sign = [mp.Value(0.5), mp.Value(-0.2)], -1.0
score = model(point)
cost = mp.relu(1.0 - sign * score)
