# 8. Reading: tell × from + in nine pixels
import micrograd_plus as mp

cross = [1, 0, 1, 0, 1, 0, 1, 0, 1]
plus = [0, 1, 0, 1, 1, 1, 0, 1, 0]
model = mp.MLP(9, [2, 1], activation="tanh", output="sigmoid", seed=2)
optimizer = mp.optim.Adam(model.parameters(), lr=0.1)
for step in range(30):
    loss = mp.mean([mp.square(model(cross) - 1.0), mp.square(model(plus))])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"it is a cross: {model(cross).data:.3f} for ×, {model(plus).data:.3f} for +")
loss
