"""What PyTorch calls the rows that are activations; its modules take a row's options by their names."""

CLASSES = {
    "relu": "ReLU",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "selu": "SELU",
    "celu": "CELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "mish": "Mish",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "logsigmoid": "LogSigmoid",
    "hardtanh": "Hardtanh",
    "hardsigmoid": "Hardsigmoid",
    "identity": "Identity",
}
"""The class in `torch.nn`, by the name of the row."""
EXACT = {"softplus": {"threshold": 40.0}}  # what else its class must be told: the cut-off at 20 costs five digits
