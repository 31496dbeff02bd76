# 10. Gradients of gradients
import micrograd_plus as mp

x = mp.Value(2.0)
y = x**3 - 3 * x
(dy,) = mp.gradient(y, [x], create_graph=True)
(ddy,) = mp.gradient(dy, [x], create_graph=True)
print("y  ", mp.formula(y), "=", y.data)
print("dy ", mp.formula(dy), "=", dy.data)
print("ddy", mp.formula(ddy), "=", ddy.data)
dy
