"""Contract example of the check type ranking."""

from autograder.checks.base import Context

CONTEXT = Context(facts={"nearest": ["cat", "dog", "cow"]})
PARAMS = {"expected": "nearest", "k": 3, "excluded": ["lion"]}
GOOD = {
    "call": {"value": ["cat", "dog", "cow"]},
    "calls": {
        "answers": [{"value": ["cat", "dog", "cow", "ant"]}, {"value": [["Cat", 0.9], ["dog", 0.8], ["cow", 0.1]]}]
    },
}
