"""One training as the course asks for it, run by benchmarks/course.py with the runtime's Python; prints JSON.

The weights of the epoch with the lowest validation loss are judged on the test part, as the course does.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import f1_score
from torch import nn


def build(path: str, name: str, arguments: Mapping[str, Any], arrays: Mapping[str, Any]) -> Any:
    """The model that a solution's class or function makes; an argument {"array": NAME} is that array."""
    spec = importlib.util.spec_from_file_location("solution", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = {k: torch.as_tensor(arrays[v["array"]]) if isinstance(v, dict) else v for k, v in arguments.items()}
    return getattr(module, name)(**made)


def outputs(model: nn.Module, inputs: torch.Tensor, device: str) -> torch.Tensor:
    """Logits (N, C), in eval mode."""
    model.eval()
    with torch.no_grad():
        return torch.cat([model(part.to(device)).cpu() for part in inputs.split(500)])


def main(request_path: str) -> None:
    """Train, judge, print."""
    request = json.loads(Path(request_path).read_text())
    arrays = dict(np.load(request["arrays"]))
    parts = {name: torch.as_tensor(arrays[name]) for name in arrays if name.endswith(("_inputs", "_labels"))}
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(request["seed"])
    model = build(request["solution"], request["name"], request["arguments"], arrays).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=request["lr"])
    begun, lowest, kept, best_epoch = time.perf_counter(), float("inf"), model.state_dict(), 0
    for epoch in range(1, request["epochs"] + 1):
        model.train()
        for rows in torch.randperm(len(parts["train_labels"])).split(request["batch_size"]):
            optimizer.zero_grad()
            scores = model(parts["train_inputs"][rows].to(device))
            nn.functional.cross_entropy(scores, parts["train_labels"][rows].to(device)).backward()
            optimizer.step()
        loss = nn.functional.cross_entropy(outputs(model, parts["val_inputs"], device), parts["val_labels"]).item()
        if loss < lowest:
            lowest, kept, best_epoch = loss, deepcopy(model.state_dict()), epoch
    model.load_state_dict(kept)
    said = outputs(model, parts["test_inputs"], device).argmax(1).numpy()
    truth = parts["test_labels"].numpy()
    print(
        json.dumps(
            {
                "accuracy": float((said == truth).mean()),
                "macro_f1": float(f1_score(truth, said, average="macro")),
                "epoch": best_epoch,
                "seconds": time.perf_counter() - begun,
                "device": torch.cuda.get_device_name(0) if device == "cuda" else "cpu",
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
