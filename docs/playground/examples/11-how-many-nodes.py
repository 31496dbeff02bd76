# 11. From scalars to speed: how many nodes is a network?
from time import perf_counter
import micrograd_plus as mp

for width in [2, 4, 8, 16]:
    model = mp.MLP(4, [width, width, 1], activation="tanh", seed=1)
    start = perf_counter()
    y = model([0.1, 0.2, 0.3, 0.4])
    y.backward()
    took = perf_counter() - start
    print(f"width {width:2}: {len(model.parameters()):4} parameters, {1000 * took:.1f} ms")
mp.draw(y)
