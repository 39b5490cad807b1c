"""What a spec's data builder returns, and which of it may go where."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def secret_seed(seed: int, secret: str) -> int:
    """The seed to build data from: a spec's own, or with a secret one that nobody can tell who lacks it (63 bits)."""
    if not secret:
        return seed
    return int.from_bytes(hmac.digest(secret.encode(), str(seed).encode(), "sha256")[:8], "big") >> 1


@dataclass(frozen=True)
class DataSet:
    """The arrays of one data set.

    arrays: by name. hidden: names of inputs that are sent to the student's process but never shown: once one of them
    is there, nothing that process prints or raises is shown any more. judge_only: names (labels, references) that
    never leave the judge. class_names: in label order.
    """

    name: str
    arrays: Mapping[str, Array] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    judge_only: frozenset[str] = frozenset()
    class_names: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names, dtypes, shapes and contents, computed once."""
        total = hashlib.sha256(self.name.encode())
        for name in sorted(self.arrays):
            array = np.ascontiguousarray(self.arrays[name])
            total.update(f"{name}:{array.dtype.str}:{array.shape};".encode())
            total.update(array.tobytes())
        return total.hexdigest()
