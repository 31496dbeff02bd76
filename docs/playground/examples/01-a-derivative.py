# 1. A derivative you can see
import micrograd_plus as mp


def f(x):
    return 0.1 * x**2 + mp.sin(x)


# The slope between two points comes nearer to the derivative as the points come nearer to each other.
for h in [2.0, 1.0, 0.1, 0.01]:
    print(f"h = {h:<5} slope {(f(1.0 + h) - f(1.0)) / h:.5f}")
print(f"derivative     {mp.grad(f)(1.0):.5f}")

x = mp.Value(1.0)
f(x)
