"""Contract example of the check type parameters."""

from tests.checks.examples import GOOD_LOGITS
from tests.checks.test_parameters import listed

PARAMS = {"total": 67, "shapes": [[8, 4], [8]], "moves": [{"layer": "linear", "last": 2}], "frozen": [{"first": 1}]}
GOOD = {
    "construct": {"parameters": listed(((8, 4), False), (8,), (3, 8), (3,)), "modules": []},
    "moves": {
        "parameters": listed(((8, 4), False), (8,), (3, 8), (3,)),
        "outputs": [GOOD_LOGITS * 0, GOOD_LOGITS],
    },
}
