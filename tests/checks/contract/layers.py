"""Contract example of the check type layers."""

PARAMS = {"convolutions": 1, "linear": 1, "outputs": 3, "max_side": 2}
GOOD = {
    "construct": {
        "parameters": [
            {"name": "k", "shape": [2, 1, 3, 3], "dtype": "float32", "requires_grad": True},
            {"name": "w", "shape": [3, 8], "dtype": "float32", "requires_grad": True},
        ],
        "modules": [{"name": "conv", "type": "Conv2d"}, {"name": "fc", "type": "Linear"}],
    }
}
