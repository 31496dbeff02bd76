"""What comes from PyTorch: networks with their weights, and the graphs that its autograd keeps."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from programs import numbers

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.program.exports.activations import CLASSES

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional
X = numbers(5, 3)


@pytest.fixture(autouse=True)
def _doubles() -> Any:
    torch.manual_seed(1)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


# ------------------------------------------------------------------------------------------------------------ networks


def test_a_sequence_comes_with_its_weights_and_goes_back_under_the_same_names() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 4), nn.LeakyReLU(0.2), nn.Linear(4, 2, bias=False))
    model = mp.from_torch(module)
    assert isinstance(model, mp.MLP)
    wanted = module(torch.tensor(X)).detach().numpy()
    for row, outputs in zip(X.tolist(), wanted):
        assert [value.data for value in model(row)] == pytest.approx(list(outputs), rel=1e-12)
    back = mp.compile(model, x=3).to_torch()
    assert back.state_dict().keys() == module.state_dict().keys()
    assert all(torch.equal(back.state_dict()[name], weight) for name, weight in module.state_dict().items())
    assert back[3].negative_slope == 0.2
    assert len(model.parameters()) == 4 * 3 + 4 + 4 * 4 + 4 + 2 * 4  # the last layer has no bias
    module.load_state_dict(back.state_dict())


@pytest.mark.parametrize("name", sorted(set(CLASSES.values()) - {"Identity"} | {"ReLU6"}))
def test_every_activation_comes_with_its_options(name: str) -> None:
    options = {"LeakyReLU": {"negative_slope": 0.3}, "ELU": {"alpha": 0.7}, "CELU": {"alpha": 0.7}}
    options["Hardtanh"] = {"min_val": -0.5, "max_val": 2.0}
    module = nn.Sequential(nn.Linear(3, 2), getattr(nn, name)(**options.get(name, {})))
    model = mp.from_torch(module)
    for row in (20.0 * X).tolist():
        got = [value.data for value in model(row)]
        assert got == pytest.approx(
            module(torch.tensor(row)).tolist(), rel=1e-8, abs=1e-12
        )  # Softplus is cut off at 20


def test_what_changes_nothing_is_left_out_and_sequences_may_hold_sequences() -> None:
    inner = nn.Sequential(nn.Identity(), nn.Linear(3, 2), nn.Dropout(0.5), nn.Tanh(), nn.ReLU()).eval()
    module = nn.Sequential(nn.Flatten(), inner, nn.Linear(2, 1)).eval()
    model = mp.from_torch(module)
    assert str(model).startswith("MLP of [Layer of [Tanh_then_reluNeuron(3)")
    assert model(X[0].tolist()).data == pytest.approx(module(torch.tensor(X[:1])).item(), rel=1e-12)
    layer = mp.from_torch(nn.Linear(3, 2))
    assert isinstance(layer, mp.Layer)
    assert str(layer) == "Layer of [LinearNeuron(3), LinearNeuron(3)]"


def test_it_learns_here_and_the_one_there_stays() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    before = module[0].weight.clone()
    model = mp.from_torch(module)
    cost = mp.compile(lambda x, y: mp.losses.squared_error(model(x), y), x=3, y=())
    first = cost(X, X[:, 0])
    mp.fit(cost, (X, X[:, 0]), mp.optim.Adam(model.parameters()), epochs=20, progress=False)
    assert cost(X, X[:, 0]) < first
    assert torch.equal(module[0].weight, before)


def test_what_stands_there_twice_is_there_twice_and_learns_as_one() -> None:
    bend, tied = nn.ReLU(), nn.Linear(3, 3)
    alike = nn.Linear(3, 3)
    alike.weight = tied.weight  # the biases differ
    module = nn.Sequential(nn.Linear(3, 3), bend, tied, bend, tied, nn.Sequential(bend, alike), bend)
    model: Any = mp.from_torch(module)
    for row in X.tolist():
        assert [out.data for out in model(row)] == pytest.approx(module(torch.tensor(row)).tolist(), rel=1e-12)
    assert len(model.parameters()) == 2 * (9 + 3) + 3
    module(torch.tensor(X[0])).sum().backward()
    mp.mean(model(X[0].tolist())).backward()
    got = [[3.0 * weight.grad for weight in neuron.w] for neuron in model.layers[1].neurons]
    assert np.allclose(got, tied.weight.grad.numpy(), rtol=1e-12)


Doubled: Any = type("Doubled", (nn.Linear,), {"forward": lambda self, x: 2.0 * nn.Linear.forward(self, x)})
Residual: Any = type("Residual", (nn.Sequential,), {"forward": lambda self, x: x + nn.Sequential.forward(self, x)})


def patched(module: Any) -> Any:
    own = module.forward
    module.forward = lambda x: 100.0 * own(x)
    return module


def hooked(kind: str, part: str = "") -> Any:
    module = nn.Linear(2, 1)
    place = getattr(module, part) if part else module
    getattr(place, f"register_{kind}")(lambda *_: None)
    return module


@pytest.mark.parametrize(
    ("module", "error", "said"),
    [
        (nn.Sequential(Doubled(2, 1)), TypeError, "Doubled has a forward of its own; expected Linear, activations"),
        (Residual(nn.Linear(2, 2)), TypeError, "Residual has a forward of its own"),
        (nn.Sequential(patched(nn.Linear(2, 1))), TypeError, "0 Linear.*: Linear has a forward of its own"),
        (nn.Sequential(nn.Linear(2, 1), patched(nn.Tanh())), TypeError, "1 Tanh.*: Tanh has a forward of its own"),
        (patched(nn.Sequential(nn.Linear(2, 1))), TypeError, "Sequential has a forward of its own"),
        *[
            (nn.Sequential(hooked(kind)), ValueError, r"from_torch: 0 Linear\(.* has a hook, which would not be called")
            for kind in ("forward_hook", "forward_pre_hook", "full_backward_hook", "full_backward_pre_hook")
        ],
        (nn.Sequential(hooked("hook", "weight")), ValueError, r"0 Linear\(.*: its weight has a hook, which would not"),
        (hooked("post_accumulate_grad_hook", "bias"), ValueError, r"Linear\(.*: its bias has a hook, which would not"),
        (nn.Sequential(nn.Linear(2, 1), nn.Softplus(threshold=0.1)), ValueError, r"expected threshold=20\.0"),
        (nn.Sequential(nn.Conv1d(1, 1, 1)), TypeError, r"from_torch: 0 Conv1d\(.*: expected one of Linear, ReLU, "),
        (nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 1)), ValueError, "takes 2 numbers; 3 come to it"),
        (nn.Sequential(nn.ReLU(), nn.Linear(2, 1)), ValueError, r"0 ReLU\(\) stands before the first Linear"),
        (nn.Sequential(nn.Identity()), ValueError, "it has no Linear; expected one at least"),
        (nn.Sequential(nn.Linear(2, 1), nn.Dropout(0.5)), ValueError, r"draws at random; call \.eval\(\) first"),
        (nn.Sequential(nn.Linear(2, 1), nn.Softplus(beta=2.0)), ValueError, r"expected beta=1\.0, as mp\.softplus"),
        (nn.Sequential(nn.Linear(2, 1), nn.GELU("tanh")), ValueError, "expected approximate='none', as mp.gelu has it"),
        (nn.Bilinear(2, 2, 1), TypeError, "expected one of Linear"),
        ([1.0], TypeError, "expected a module of PyTorch, such as .*, got list"),
    ],
)
def test_what_cannot_come_is_named(module: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        mp.from_torch(module)


# -------------------------------------------------------------------------------------------------------------- graphs

A, B, W = [torch.tensor(data, dtype=torch.float64) for data in ([1.3, 2.0], [3.0, 4.5], [[0.3, -0.2], [0.9, 0.4]])]
LINEAR_W, LINEAR_B, BATCH = [torch.tensor(numbers(*shape, seed=7)) for shape in ((3, 2), (3,), (4, 2))]
CALCULATIONS: dict[str, Any] = {
    "products": lambda a, b, w: a * b * 3.0 / b - a,
    "a constant that was added": lambda a, b, w: (a + 2.0).exp() + (1 - a) ** 2 + (a - 1.5).tanh(),
    "multiples": lambda a, b, w: torch.add(a, b, alpha=3) - torch.sub(a, b, alpha=2) + 2 * (1.0 / a),
    "powers": lambda a, b, w: a**3 + a**b + 2.0**a + a.sqrt() + b.square(),
    "functions": lambda a, b, w: a.sin() + b.cos().exp() + a.log() + a.erf() + b.log1p() + (-a).abs() + a.rsqrt(),
    "two arguments": lambda a, b, w: torch.maximum(a, b) + torch.minimum(a, 1.5 * a) + torch.atan2(a, b) + a % b,
    "choices": lambda a, b, w: torch.where(a > 1.5, a, b) * torch.where(a > 1.5, a, 0.0) + a.clamp(0.0, 1.5),
    "activations": lambda a, b, w: F.relu(a) + F.silu(a) + F.gelu(b) + F.mish(a) + F.softplus(a) + F.leaky_relu(a - b),
    "more activations": lambda a, b, w: F.elu(a - b, 0.7) + F.celu(a - b, 0.5) + F.selu(a - b) + F.hardtanh(a) * b,
    "still more": lambda a, b, w: F.logsigmoid(a) + F.softsign(b) + (a - b).sigmoid() + F.relu6(a) + torch.hypot(a, b),
    "matrices": lambda a, b, w: w @ a + (w @ w).T @ b + torch.ones(2) @ w + w.T @ torch.ones(2) + a.dot(b),
    "einsum": lambda a, b, w: (
        torch.einsum("i,ij->j", a, w) + torch.outer(a, b).sum(0) + torch.bmm(w[None], w[None])[0, 0]
    ),
    "a layer": lambda a, b, w: F.linear(BATCH, w, a).tanh().mean() + F.linear(a, LINEAR_W, LINEAR_B).sigmoid().sum(),
    "sums": lambda a, b, w: w.sum(0, keepdim=True)[0] + w.mean(1) + w.sum() + w.mean() + w.logsumexp(1) + a.norm(),
    "largest": lambda a, b, w: a.max() + w.amax(0) + w.min(),
    "shapes": lambda a, b, w: (
        w.view(4)[1:3] + w.permute(1, 0)[0] + a.expand(3, 2).sum(0) + w.unsqueeze(0).squeeze(0)[1]
    ),
    "parts": lambda a, b, w: w[:, 1] + torch.unbind(w)[1] + w[[0, 1], [1, 0]] + a.gather(0, torch.tensor([1, 0])),
    "together": lambda a, b, w: torch.stack([a, b])[1] * torch.cat([a, b])[:2] + w.transpose(0, 1)[1],
    "softmax": lambda a, b, w: w.softmax(1) @ a + a.log_softmax(0) * b,
    "cross entropy": lambda a, b, w: F.cross_entropy(F.linear(BATCH, w, a), torch.tensor([1, 0, 0, 1])),
    "losses": lambda a, b, w: (
        F.mse_loss(a, b) + F.l1_loss(a, b) + F.smooth_l1_loss(a, b) + F.mse_loss(a, torch.ones(2))
    ),
    "ignored classes": lambda a, b, w: (
        F.cross_entropy(F.linear(BATCH, w, a), torch.tensor([1, 0, -100, 1]))
        + F.cross_entropy(F.linear(BATCH, w, b), torch.tensor([1, 0, 0, 1]), ignore_index=1)
        + F.cross_entropy(F.linear(BATCH, w, b), torch.tensor([1, 0, 0, 1]), ignore_index=1, reduction="sum")
    ),
    "weighted classes": lambda a, b, w: (
        F.cross_entropy(F.linear(BATCH, w, a), torch.tensor([1, 0, -100, 1]), torch.tensor([0.5, 2.0]))
        + F.cross_entropy(F.linear(BATCH, w, b), torch.tensor([1, 0, 0, 1]), torch.tensor([0.5, 1.0]), reduction="sum")
    ),
    "bounds that learn": lambda a, b, w: (
        torch.clamp(w, a[0] * 0.1, b[0] * 0.15)
        + torch.clamp(w, min=a * 0.2)
        + torch.clamp_max(w, b[1] * 0.06)
        + torch.clamp(torch.ones(2, 2), a * 0.7, b)
        + torch.clamp(w, b[0], a[0])
        + w.clamp(torch.zeros(2), None)
    ),
    "rounded": lambda a, b, w: (
        torch.div(b, a, rounding_mode="floor") * a
        + torch.div(-b, 2.0, rounding_mode="trunc") * b
        + torch.round(a, decimals=1) * a
        + a.copysign(torch.tensor(-1.0))
        + torch.copysign(a, -2.0)
    ),
    "cut off": lambda a, b, w: (
        torch.logit(w.abs(), eps=0.35) + F.softplus(a, threshold=1.5) + F.softplus(b, 2.0, 7.0) + F.softplus(30.0 * a)
    ),
    "equally large": lambda a, b, w: (a * 0.0 + 1.0).max() + torch.stack([a, b, b]).amax(0) + (w - w).norm() + w.norm(),
    "some of a tensor": lambda a, b, w: (
        w.gather(1, torch.tensor([[1]])).sum()
        + w.gather(0, torch.tensor([[1, 0]])).sum()
        + a[0].gather(0, torch.tensor(0))
    ),
    "a sum that is far out": lambda a, b, w: (lambda h: torch.tanh(h) + torch.sin(h) + torch.exp(-h) * h)(a + 18.0),
    "logits": lambda a, b, w: F.binary_cross_entropy_with_logits(a, torch.tensor([1.0, 0.0])) + a.clone() * a * a,
}


@pytest.mark.parametrize("name", CALCULATIONS)
def test_a_graph_gives_the_gradient_that_pytorch_gives(name: str) -> None:
    a, b, w = [tensor.clone().requires_grad_() for tensor in (A, B, W)]
    loss = CALCULATIONS[name](a, b, w).sum()
    root = mp.from_torch_graph(loss)
    root.backward()
    assert root.data == pytest.approx(loss.item(), rel=1e-13)
    loss.backward()
    leaves = {node.label: node.grad for node in mp.engine.toposort(root) if node.op is None}
    for label, tensor in (("a", a), ("b", b), ("w", w)):
        for place in product(*map(range, tensor.shape)):
            want = 0.0 if tensor.grad is None else tensor.grad[place].item()
            got = leaves.get(f"{label}[{', '.join(map(str, place))}]", 0.0)
            assert got == pytest.approx(want, rel=1e-11, abs=1e-13), (label, place)


def test_a_model_is_named_drawn_and_stepped() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))
    loss = F.mse_loss(model(torch.tensor([0.5, -1.0])), torch.tensor([1.0]))
    root = mp.from_torch_graph(loss)
    labels = {node.label for node in mp.engine.toposort(root) if node.op is None}
    first = {*[f"model.0.weight[{i}, {j}]" for i in (0, 1) for j in (0, 1)], "model.0.bias[0]", "model.0.bias[1]"}
    assert labels == first | {"model.2.weight[0, 0]", "model.2.weight[0, 1]", "model.2.bias[0]"}
    assert "model.2.bias[0]" in mp.draw(root).source
    assert len(mp.backprop(root)) > 10
    ledger = mp.backprop(root).ledger(
        next(node for node in mp.engine.toposort(root) if node.label == "model.0.bias[0]")
    )
    loss.backward()
    assert ledger.total == pytest.approx(model[0].bias.grad[0].item(), rel=1e-12)
    named = mp.from_torch_graph(F.mse_loss(model(torch.ones(2)), torch.ones(1)), dict(model.named_parameters()))
    assert "2.bias[0]" in {node.label for node in mp.engine.toposort(named)}


def test_a_scalar_and_float32() -> None:
    w = torch.tensor(1.5, requires_grad=True, dtype=torch.float32)
    root = mp.from_torch_graph((w * 2.0 - 1.0) ** 2)
    (leaf,) = [node for node in mp.engine.toposort(root) if node.op is None]
    root.backward()
    assert (leaf.label, leaf.grad) == ("w", 8.0)
    assert isinstance(root, Value)


def test_a_gradient_that_is_another_there_is_refused() -> None:
    a = A.clone().requires_grad_()
    b = a * a
    b.register_hook(lambda gradient: 2.0 * gradient)
    with pytest.raises(ValueError, match=r"the derivative by a\[0\] is 5\.2, read as 2\.6\. Something .* MulBackward0"):
        mp.from_torch_graph(b.sum())
    assert a.grad is None
    h = a + 40.0  # kept nowhere: its sigmoid is 1
    with pytest.raises(ValueError, match=r"the loss is .*, read as inf.* make that a tensor with requires_grad=True"):
        mp.from_torch_graph((torch.sigmoid(h) + 2.0 * h).sum())


def test_what_is_nan_behind_a_branch_that_is_not_taken_there_is_a_number_here() -> None:
    a = torch.tensor([-1.0, 0.25], requires_grad=True)
    loss = torch.where(a > 0.0, torch.sqrt(a), a).sum()
    assert torch.autograd.grad(loss, a, retain_graph=True)[0].isnan().any()
    root = mp.from_torch_graph(loss)
    root.backward()
    slopes = [leaf.grad for leaf in mp.engine.toposort(root) if leaf.op is None]
    assert slopes == [1.0, 1.0]


def test_where_all_classes_are_ignored_nothing_is_left_to_learn() -> None:
    w = torch.ones(1, 2, requires_grad=True)
    assert mp.from_torch_graph(F.cross_entropy(w, torch.tensor([-100]), reduction="sum")).data == 0.0


def test_what_cannot_come_of_a_graph_is_told() -> None:
    a = A.clone().requires_grad_()
    with pytest.raises(NotImplementedError, match="there is no rule for LgammaBackward0; there are for Abs, "):
        mp.from_torch_graph(torch.lgamma(a).sum())
    with pytest.raises(TypeError, match="nothing that it was computed from needs a gradient"):
        mp.from_torch_graph(A.sum())
    with pytest.raises(TypeError, match="expected a tensor of PyTorch, got float"):
        mp.from_torch_graph(1.0)  # type: ignore[arg-type]  # as users do
    with pytest.raises(ValueError, match=r"a tensor of shape \(2,\); expected a single number, such as its \.sum\(\)"):
        mp.from_torch_graph(a * 2.0)
    loss = (a * a).sum()
    loss.backward()
    with pytest.raises(ValueError, match=r"PyTorch has freed its graph; call it before backward\(\), or "):
        mp.from_torch_graph(loss)
    with pytest.raises(
        ValueError, match="keeps no number for a constant that SubBackward0 was given; make it a tensor"
    ):
        mp.from_torch_graph(F.relu(a - 5.0 + 1.0).sum())
    with pytest.raises(ValueError, match="60,000 numbers; expected 1 to 50,000"):
        mp.from_torch_graph((torch.ones(60_000, requires_grad=True) * 2.0).sum())
    with pytest.raises(NotImplementedError, match="no rule for GeluBackward0 with approximate='tanh'; expected 'none'"):
        mp.from_torch_graph(F.gelu(a, approximate="tanh").sum())


def test_a_constant_before_a_sum_is_found_where_that_is_of_one_number() -> None:
    w = torch.tensor([[0.5]], requires_grad=True)
    for loss in ((w * 3.0 + 1.0).sum(), (1 - w.sigmoid()).mean(), (w + 2.0).sum(1).mean()):
        assert mp.from_torch_graph(loss).data == pytest.approx(loss.item(), rel=1e-12)
    a = A.clone().requires_grad_()
    for loss in ((a * B + 1.0).sum(), (1 - a.sigmoid()).sum(), (a + 2.0).mean()):
        with pytest.raises(ValueError, match=r"keeps no number for a constant that (Add|Rsub)Backward. was given"):
            mp.from_torch_graph(loss)
    assert mp.from_torch_graph((a * B).sum() + 1.0).data == pytest.approx(float((A * B).sum()) + 1.0, rel=1e-12)


UNUSUAL: dict[str, Any] = {  # and whether the graph comes
    "a remainder": (lambda a: (a % 1.0).sum(), False),
    "a remainder that is kept": (lambda a: (a % 1.5).square().sum(), True),
    "a distance": (lambda a: F.pairwise_distance(a, 2.0 * a), False),
    "triplets": (lambda a: F.triplet_margin_loss(a[None], 2.0 * a[None], B[None]), False),
    "a norm": (lambda a: F.rms_norm(a, (2,)).sum(), False),
    "a number's softmax": (lambda a: a[0].softmax(0) + a[1].log_softmax(-1), True),
    "logits with weights": (lambda a: F.binary_cross_entropy_with_logits(a, B / 9.0, pos_weight=B), False),
    "a target that learns": (lambda a: F.binary_cross_entropy_with_logits(B, a / 9.0), True),
    "nothing": (lambda a: a[:0].sum() + a[0], False),
    "times no alpha": (lambda a: torch.add(a, B, alpha=0).square().sum(), True),
    "a gradient": (lambda a: torch.autograd.grad(a.sigmoid().square().sum(), a, create_graph=True)[0].sum(), False),
    "numbers on both sides": (lambda a: (2 / a + (a / 2) ** 2 + 2**a).square().sum(), True),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_unusual_comes_or_is_told(name: str) -> None:
    """The graph that comes is held to PyTorch's; what cannot come raises what the docstring says, nothing else."""
    function, comes = UNUSUAL[name]
    loss = function(A.clone().requires_grad_())
    if comes:
        assert mp.from_torch_graph(loss).data == pytest.approx(loss.item(), rel=1e-12)
    else:
        with pytest.raises((ValueError, NotImplementedError), match="from_torch_graph: "):
            mp.from_torch_graph(loss)
