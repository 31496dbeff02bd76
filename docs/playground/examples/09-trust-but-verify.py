# 9. Trust, but verify: a wrong rule
import micrograd_plus as mp

value = lambda x: x * mp.sigmoid(x)
wrong = mp.primitive("wrong_swish", value, [lambda out, x: mp.sigmoid(x) + x * mp.sigmoid(x)])
right = mp.primitive("right_swish", value, [lambda out, x: mp.sigmoid(x) + out * (1 - mp.sigmoid(x))])

x, h = 1.0, 1e-5
print(f"by moving x      {(wrong(x + h) - wrong(x - h)) / (2 * h):.6f}")
print(f"by the wrong one {mp.grad(wrong)(x):.6f}")
print(f"by the right one {mp.grad(right)(x):.6f}")
x = mp.Value(1.0)
right(2.0 * x) * x
