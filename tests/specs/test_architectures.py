"""The stand-in images keep what the course shows with its four networks: vanishing gradients, and what learns fastest.

The networks are the references, trained by a plain script with two seeds each, without a grader. How they compare is
asserted, not how good they are: every bound is far from what was seen.
"""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

from autograder.config import settings
from autograder.specs.standins.images import Sizes, build_images

NETWORKS = {
    1: ("ccds-cnn-1", "CNN"),
    2: ("ccds-cnn-2-sigmoid", "CNNSigmoid"),
    3: ("ccds-cnn-3-extra-conv", "CNNExtraConv"),
    4: ("ccds-cnn-4-batchnorm", "CNNBatchNorm"),
}
SEEDS = (1, 2)
SCRIPT = """
import json, runpy, sys
import numpy as np
import torch
from torch.nn import functional as F

torch.set_num_threads(1)
path, name, data, *seeds = sys.argv[1:]
arrays = {key: torch.from_numpy(array) for key, array in np.load(data).items()}
build, rows = runpy.run_path(path)[name], []
for seed in map(int, seeds):
    torch.manual_seed(seed)
    model = build()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    first = next(module for module in model.modules() if isinstance(module, torch.nn.Conv2d))
    norm = None
    for _ in range(3):
        for part in torch.randperm(len(arrays["train_images"])).split(32):
            optimizer.zero_grad()
            F.cross_entropy(model(arrays["train_images"][part]), arrays["train_labels"][part]).backward()
            norm = first.weight.grad.norm().item() if norm is None else norm
            optimizer.step()
    model.eval()
    with torch.no_grad():
        right = model(arrays["test_images"]).argmax(1) == arrays["test_labels"]
    rows.append([norm, right.float().mean().item()])
print(json.dumps(rows))
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[float, float]]:
    """Architecture → the first convolution's gradient norm at the start, and the accuracy after three epochs."""
    folder = tmp_path_factory.mktemp("networks")
    data = build_images("standin", None, 0, Sizes(640, 60, 200, 300))
    assert data is not None
    np.savez(folder / "data.npz", allow_pickle=False, **data.arrays)
    found = {}
    for number, (spec, name) in NETWORKS.items():
        path = settings().solutions_dir / spec / "accepted/reference.py"
        arguments = [str(path), name, str(folder / "data.npz"), *map(str, SEEDS)]
        command = [str(settings().runtime_python), "-c", SCRIPT, *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
        norm, accuracy = np.mean(json.loads(ran.stdout), axis=0)
        found[number] = float(norm), float(accuracy)
    return found


def test_sigmoids_make_gradients_vanish_and_batch_normalisation_brings_them_back(
    seen: dict[int, tuple[float, float]],
) -> None:
    norms = {number: norm for number, (norm, _) in seen.items()}
    assert norms[1] > 4 * norms[2], norms
    assert norms[2] > 1.3 * norms[3], norms
    assert norms[4] > 10 * norms[1], norms


def test_architecture_4_learns_fastest_and_3_hardly(seen: dict[int, tuple[float, float]]) -> None:
    accuracies = {number: accuracy for number, (_, accuracy) in seen.items()}
    assert accuracies[4] > 0.9, accuracies
    assert accuracies[4] > accuracies[1] > max(accuracies[2], accuracies[3]) + 0.1, accuracies
    assert accuracies[3] < 0.5, accuracies
