# 12. A tiny GPT: attention between two letters
import micrograd_plus as mp

query, keys = mp.Value(1.0), [mp.Value(0.2), mp.Value(0.9)]
values = [mp.Value(-1.0), mp.Value(2.0)]
shares = mp.softmax([query * key for key in keys])
heard = shares[0] * values[0] + shares[1] * values[1]
