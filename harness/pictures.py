"""torchvision.datasets of the usual picture sets, served from the task's files as torchvision would have them.

`datasets/cifar10.npz` holds x_train, x_test: uint8 (N, 32, 32, 3), or (N, 28, 28) for the like of MNIST; y_train,
y_test: int (N,); and, where the names are others than CIFAR-10's, classes: text (C,).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from harness import local

NAMES = ("CIFAR10", "CIFAR100", "MNIST", "FashionMNIST", "KMNIST", "SVHN")
_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class Pictures(Dataset):  # type: ignore[misc]
    """What the classes have in common: data, targets, classes, class_to_idx; (PIL image, label) by index."""

    set_name = ""

    def __init__(
        self,
        root: Any = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        del download  # nothing is downloaded
        name = self.set_name
        path = local.find(f"datasets/{name.lower()}.npz")
        if path is None:
            have = ", ".join(path.stem for path in local.names("datasets", "*.npz"))
            raise local.refused(f"torchvision.datasets.{name}", have)
        self.root, self.train = root, train
        self.transform, self.target_transform = transform, target_transform
        part = "train" if train else "test"
        with np.load(path, allow_pickle=False) as stored:
            pictures, labels = stored[f"x_{part}"], stored[f"y_{part}"].astype(np.int64)
            names = [str(text) for text in stored["classes"]] if "classes" in stored else []
        grey = pictures.ndim == 3
        self.data: Any = torch.from_numpy(pictures) if grey else pictures
        self.targets: Any = torch.from_numpy(labels) if grey else labels.tolist()
        count = int(labels.max(initial=-1)) + 1
        default = list(_CIFAR10) if name == "CIFAR10" else [str(number) for number in range(count)]
        self.classes = names or default
        self.class_to_idx = {text: number for number, text in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        from PIL import Image

        picture: Any = Image.fromarray(np.asarray(self.data[index]))
        target: Any = int(self.targets[index])
        if self.transform is not None:
            picture = self.transform(picture)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return picture, target

    def __repr__(self) -> str:
        part = "Train" if self.train else "Test"
        return f"Dataset {type(self).__name__}\n    Number of datapoints: {len(self)}\n    Split: {part}"


@cache
def picture_class(name: str) -> type:
    """torchvision.datasets.NAME for a name of NAMES."""
    return type(name, (Pictures,), {"__module__": "torchvision.datasets", "set_name": name})
