# 5. Getting out of the hollow
import micrograd_plus as mp


def curve(w):
    return w**4 / 4 - w**2 + 0.5 * w + 1.736


for momentum in [0.0, 0.5, 0.8, 0.9]:
    w = mp.Value(2.0)
    walker = mp.optim.SGD([w], lr=0.1, momentum=momentum)
    for _ in range(200):
        walker.zero_grad()
        curve(w).backward()
        walker.step()
    print(f"momentum {momentum}: w = {w.data:5.2f}, height {curve(w).data:.3f}")

w = mp.Value(2.0)
height = curve(w)
