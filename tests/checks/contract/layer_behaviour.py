"""Contract example of the check type layer_behaviour."""

from tests.checks.test_layer_behaviour import behaviour

PARAMS = {
    "dropout": 0.5,
    "batch_norms": 1,
    "random_in_training": True,
    "train_differs": True,
    "init": {"linear": "xavier", "conv": "xavier_uniform"},
}
GOOD = {"behave": behaviour(passes=2)}
