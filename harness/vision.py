"""A stand-in for torchvision, which the runtime lacks: the usual tensor transforms work, picture
sets come from the task's files, other data sets and models refuse.

Imports and class definitions of student files that mention torchvision need little more than the names.
"""

from __future__ import annotations

import importlib
import importlib.util
import random
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from harness import local, pictures
from harness.errors import MissingPackage, NetworkRefused
from harness.stubs import stand_in


class Compose:
    """Apply transforms one after the other."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, image: Any) -> Any:
        for transform in self.transforms:
            image = transform(image)
        return image


def to_tensor(picture: Any) -> Any:
    """(H, W[, C]) bytes to (C, H, W) float in 0..1; floats keep their range."""
    if isinstance(picture, torch.Tensor):
        return picture
    array = np.array(picture)
    if array.ndim == 2:
        array = array[:, :, None]
    tensor = torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))
    return tensor.float() / 255 if tensor.dtype == torch.uint8 else tensor


class ToTensor:
    """Pixels to a float tensor."""

    def __call__(self, picture: Any) -> Any:
        return to_tensor(picture)


class Normalize:
    """(x - mean) / std for each channel."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        self.mean, self.std, self.inplace = mean, std, inplace

    def __call__(self, tensor: Any) -> Any:
        mean, std = (torch.as_tensor(v, dtype=tensor.dtype).reshape(-1, 1, 1) for v in (self.mean, self.std))
        return (tensor - mean) / std


class Resize:
    """Bilinear resize of a tensor (C, H, W); a single size is the shorter side's."""

    def __init__(self, size: int | Sequence[int], *_args: Any, **_keywords: Any) -> None:
        self.size = size

    def __call__(self, tensor: Any) -> Any:
        tensor = to_tensor(tensor)
        height, width = tensor.shape[-2:]
        if isinstance(self.size, int):
            scale = self.size / min(height, width)
            size = [round(height * scale), round(width * scale)]
        else:
            size = list(self.size)
        return functional.interpolate(tensor[None].float(), size=size, mode="bilinear", antialias=True)[0]


class CenterCrop:
    """The middle of a tensor (C, H, W)."""

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = (size, size) if isinstance(size, int) else tuple(size)

    def __call__(self, tensor: Any) -> Any:
        tensor = to_tensor(tensor)
        top, left = ((have - want) // 2 for have, want in zip(tensor.shape[-2:], self.size, strict=True))
        return tensor[..., top : top + self.size[0], left : left + self.size[1]]


class RandomCrop(CenterCrop):
    """A random part of a tensor (C, H, W), zero-padded first."""

    def __init__(self, size: int | Sequence[int], padding: int = 0, **_keywords: Any) -> None:
        super().__init__(size)
        self.padding = padding or 0

    def __call__(self, tensor: Any) -> Any:
        tensor = functional.pad(to_tensor(tensor), [self.padding] * 4)
        top, left = (random.randint(0, have - want) for have, want in zip(tensor.shape[-2:], self.size, strict=True))
        return tensor[..., top : top + self.size[0], left : left + self.size[1]]


class RandomHorizontalFlip:
    """Mirror left and right with probability p."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def __call__(self, tensor: Any) -> Any:
        return to_tensor(tensor).flip(-1) if random.random() < self.p else tensor


class Grayscale:
    """Luma of an RGB tensor (3, H, W)."""

    def __init__(self, num_output_channels: int = 1) -> None:
        self.channels = num_output_channels

    def __call__(self, tensor: Any) -> Any:
        weights = torch.tensor([0.299, 0.587, 0.114]).reshape(3, 1, 1)
        return (to_tensor(tensor) * weights).sum(-3, keepdim=True).expand(self.channels, -1, -1)


class Lambda:
    """Any function as a transform."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        self.lambd = lambd

    def __call__(self, value: Any) -> Any:
        return self.lambd(value)


def normalize(tensor: Any, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Any:
    """(x - mean) / std for each channel of a tensor (..., C, H, W)."""
    made = Normalize(mean, std)(tensor)
    return tensor.copy_(made) if inplace else made


def resize(tensor: Any, size: int | Sequence[int], *_args: Any, **_keywords: Any) -> Any:
    """Bilinear resize of a tensor (C, H, W)."""
    return Resize(size)(tensor)


def center_crop(tensor: Any, output_size: int | Sequence[int]) -> Any:
    """The middle of a tensor (C, H, W)."""
    return CenterCrop(output_size)(tensor)


def crop(tensor: Any, top: int, left: int, height: int, width: int) -> Any:
    """A part of a tensor (..., H, W)."""
    return to_tensor(tensor)[..., top : top + height, left : left + width]


def hflip(tensor: Any) -> Any:
    """Left and right exchanged."""
    return to_tensor(tensor).flip(-1)


def vflip(tensor: Any) -> Any:
    """Top and bottom exchanged."""
    return to_tensor(tensor).flip(-2)


TRANSFORMS = (Compose, ToTensor, Normalize, Resize, CenterCrop, RandomCrop, RandomHorizontalFlip, Grayscale, Lambda)
FUNCTIONS = (to_tensor, normalize, resize, center_crop, crop, hflip, vflip)


def make_grid(tensor: Any, nrow: int = 8, padding: int = 2, **_keywords: Any) -> Any:
    """Images (N, C, H, W) side by side in rows of `nrow`."""
    images = torch.stack(list(tensor)) if isinstance(tensor, list | tuple) else tensor
    images = functional.pad(images if images.dim() == 4 else images[None], [padding] * 4)
    rows = [torch.cat(list(images[i : i + nrow]), dim=2) for i in range(0, len(images), nrow)]
    widest = max(row.shape[2] for row in rows)
    return torch.cat([functional.pad(row, [0, widest - row.shape[2]]) for row in rows], dim=1)


def _stand_in_class(module: str, name: str) -> type:
    """A class that can be named and subclassed; what it does on construction or call depends on the module."""

    def init(_self: Any, *args: Any, **keywords: Any) -> None:
        if "datasets" in module:
            raise local.refused(f"torchvision.datasets.{name}")
        if "models" in module:
            raise _no_model(name, args, keywords)

    def call(_self: Any, *_args: Any, **_keywords: Any) -> None:
        raise _lacking(module, name)

    def get(_cls: type, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return f"{name}.{attribute}"

    meta = type("StandIn", (type,), {"__getattr__": get})
    made: type = meta(name, (), {"__init__": init, "__call__": call, "__module__": module})
    return made


def _stand_in_function(module: str, name: str) -> Callable[..., Any]:
    """A function that can be named and handed on; a call refuses."""

    def refuse(*_args: Any, **_keywords: Any) -> None:
        raise _lacking(module, name)

    return refuse


def _lacking(module: str, name: str) -> MissingPackage:
    place = f"{module.removeprefix('torchvision.')}.{name}"
    return MissingPackage(f"torchvision is not installed here; its stand-in has no {place}.", name="torchvision")


def _no_model(name: str, args: tuple[Any, ...], keywords: dict[str, Any]) -> Exception:
    message = f"torchvision.models.{name} can't be had here: torchvision is not installed and there is no network."
    pretrained = any([*args, keywords.get("pretrained"), keywords.get("weights")])
    return NetworkRefused(message) if pretrained else MissingPackage(message, name="torchvision")


def _fill(module: ModuleType) -> None:
    name = module.__name__
    if name.startswith("torchvision.transforms"):
        vars(module).update({made.__name__: made for made in (*TRANSFORMS, *FUNCTIONS)})
    if name == "torchvision.utils":
        vars(module).update(make_grid=make_grid)
    if name == "torchvision":
        vars(module).update(__version__="0.0.0")

    def missing(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if name == "torchvision" or attribute in ("functional", "transforms"):
            return importlib.import_module(f"{name}.{attribute}")
        if name == "torchvision.datasets" and attribute in pictures.NAMES:
            return pictures.picture_class(attribute)
        function = name.endswith(".functional") and attribute.islower()
        made = _stand_in_function(name, attribute) if function else _stand_in_class(name, attribute)
        setattr(module, attribute, made)
        return made

    module.__getattr__ = missing  # type: ignore[method-assign]


def install_vision() -> None:
    """Make `import torchvision` work if the package is absent."""
    stand_in("torchvision", _fill)
