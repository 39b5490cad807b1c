"""Contract example of the check type attentive_tokens."""

from autograder.checks.base import Context

CONTEXT = Context(
    class_names=("sad", "glad"),
    facts={
        "rankings": {
            "last layer, CLS row": {"sad": ["gloomy", "tears", "loss"], "glad": ["sunny", "smile", "joy"]},
            "rollout": {"sad": ["tears", "gloomy", "grey"], "glad": ["joy", "smile", "light"]},
        },
        "mistakes": {
            "grouped by labels, not by predictions": {"sad": ["the", "a", "of"], "glad": ["in", "on", "at"]},
            "rows summed, not columns": {"sad": ["was", "is", "be"], "glad": ["he", "she", "it"]},
        },
        "effects": {
            "sad": {"gloomy": 0.4, "tears": 0.3, "loss": 0.2, "grey": 0.1, "the": 0.0},
            "glad": {"sunny": 0.4, "smile": 0.3, "joy": 0.2, "light": 0.1, "in": 0.0},
        },
    },
)
PARAMS = {"expected": "rankings", "mistakes": "mistakes", "effects": "effects", "k": 3, "min_overlap": 0.6}
VALUE = {"sad": ["gloomy", "tears", "loss"], "glad": ["sunny", "smile", "joy"]}
GOOD = {"call": {"value": VALUE}, "calls": {"answers": [{"value": VALUE}]}}
