"""Contract example of the check type architecture."""

from tests.checks.test_architecture import trace

PARAMS = {
    "pattern": "conv relu pool flatten linear [dropout] sigmoid linear",
    "counts": {"linear": 2},
    "extras": {"dropout": {"p": 0.5}},
    "widths": {"linear": [8, 3]},
}
GOOD = {"trace": trace("conv2d relu max_pool flatten linear:8 dropout sigmoid linear:3")}
