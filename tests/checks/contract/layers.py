"""Contract example of the check type layers."""

PARAMS = {"linear": 1, "outputs": 3}
GOOD = {
    "construct": {
        "parameters": [{"name": "w", "shape": [3, 3], "dtype": "float32", "requires_grad": True}],
        "modules": [{"name": "fc", "type": "Linear"}],
    }
}
