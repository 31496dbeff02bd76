# 6. What one example wants
import micrograd_plus as mp

model = mp.MLP(2, [2, 2], activation="sigmoid", output="sigmoid", seed=3)
x, target = [mp.Value(1.0), mp.Value(0.0)], [1.0, 0.0]
out = model(x)
cost = mp.losses.squared_error(out, target)
cost.backward()
for name, parameter in model.named_parameters():
    wish = "more" if parameter.grad < 0 else "less"
    print(f"{name:24} {parameter.data:+.3f}  wants {wish}, {abs(parameter.grad):.4f}")
mp.draw(cost, open="squared_error")
