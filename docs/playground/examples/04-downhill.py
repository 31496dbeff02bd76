# 4. Downhill
import micrograd_plus as mp

points = [(-1.0, -1.2), (0.0, 0.4), (1.0, 2.1), (2.0, 3.4)]  # near the line y = 1.5 x + 0.5
w, b = mp.Value(0.0), mp.Value(0.0)
optimizer = mp.optim.SGD([w, b], lr=0.1)
for step in range(20):
    cost = mp.mean([mp.square(w * x + b - y) for x, y in points])
    optimizer.zero_grad()
    cost.backward()
    optimizer.step()
    if step % 4 == 0:
        print(f"step {step:2}: cost {cost.data:.4f}, w {w.data:.3f}, b {b.data:.3f}")

cost = mp.square(w * 1.0 + b - 2.1)  # of one point, at the end
