"""Run inside a notebook's process as its last cell (`space`, `target` are given): writes what its names are bound to.

Needs nothing but the standard library, and looks at torch, numpy and pandas only if the notebook imported them.
"""

import hashlib
import inspect
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

SKIPPED = {"In", "Out", "exit", "quit", "open", "get_ipython"}  # IPython's own
PLAIN = (type(None), bool, int, complex, bytes)
MAX_ITEMS, MAX_VALUES, MAX_DEPTH = 100, 60, 6


def describe(value: Any, depth: int = 0) -> Any:
    """The value as JSON: floats as they are, everything else with the name of its type."""
    if type(value) is float:
        return value if abs(value) < float("inf") else {"float": repr(value)}
    if isinstance(value, str):
        return {type_name(value): neutral(value)}
    if type(value) in PLAIN:
        return {type_name(value): repr(value)}
    found = depth < MAX_DEPTH and (of_library(value, depth) or of_python(value, depth))
    return {type_name(value): found or None}


def type_name(value: Any) -> str:
    """Module and name of a value's type."""
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def neutral(text: str) -> str:
    """Text without this run's folder and addresses."""
    return re.sub(r"0x[0-9a-f]{6,}", "0x", text.replace(str(Path(__file__).parent / "work"), "FOLDER"))


def of_python(value: Any, depth: int) -> Any:
    """Containers, functions, classes, modules, and objects of the notebook's own classes; None for others."""
    if isinstance(value, Mapping):
        items = [(key, held) for key, held in value.items() if key != "__builtins__"]
        return [[describe(key, depth + 1), describe(held, depth + 1)] for key, held in items[:MAX_ITEMS]]
    if isinstance(value, set | frozenset):
        return [describe(item, depth + 1) for item in sorted(value, key=repr)[:MAX_ITEMS]]
    if isinstance(value, list | tuple) or type_name(value) == "collections.deque":
        return [describe(item, depth + 1) for item in list(value)[:MAX_ITEMS]]
    if isinstance(value, ModuleType):
        return value.__name__
    if inspect.isfunction(value):
        return [value.__module__, value.__qualname__, neutral(str(inspect.signature(value))), value.__doc__]
    if inspect.isclass(value):
        own = (
            sorted(name for name in vars(value) if not name.startswith("__")) if value.__module__ == "__main__" else []
        )
        return [value.__module__, value.__qualname__, [base.__qualname__ for base in value.__mro__], own]
    if type(value).__module__ == "__main__":
        return [[name, describe(held, depth + 1)] for name, held in sorted(getattr(value, "__dict__", {}).items())]
    return None


def of_library(value: Any, depth: int) -> Any:
    """Arrays, tensors, models, tables; None for others."""
    torch, numpy, pandas = (sys.modules.get(name) for name in ("torch", "numpy", "pandas"))
    if torch and isinstance(value, torch.Tensor):
        plain = value.detach().to_dense() if value.layout is not torch.strided else value.detach()
        wide = plain.double() if plain.dtype == torch.bfloat16 else plain
        return [str(value.dtype), value.requires_grad, array(wide.contiguous().numpy())]
    if torch and isinstance(value, torch.nn.Module):
        state = [[name, describe(held, depth + 1)] for name, held in value.state_dict().items()]
        return [neutral(str(value)), value.training, state]
    if torch and isinstance(value, torch.device | torch.dtype | torch.Size):
        return str(value)
    if numpy and isinstance(value, numpy.ndarray | numpy.generic):
        return array(numpy.asarray(value))
    if pandas and isinstance(value, pandas.DataFrame | pandas.Series):
        return [str(value.dtypes), describe(value.to_dict(), depth + 1)]
    return None


def array(values: Any) -> Any:
    """Data type, shape, a digest of every byte, and the values themselves (of large ones the first, and their sum)."""
    digest = hashlib.sha256(repr(values.tolist()).encode()).hexdigest()[:16]
    flat = values.ravel()
    shown = [describe(item) for item in flat[:MAX_VALUES].tolist()]
    total = float(abs(flat.astype("float64")).sum()) if flat.size > MAX_VALUES and flat.dtype.kind in "fiub" else None
    return {"dtype": str(values.dtype), "shape": list(values.shape), "digest": digest, "values": shown, "total": total}


def main(space: dict[str, Any], target: str) -> None:
    """Write the description of a namespace."""
    names = {name: describe(value) for name, value in space.items() if not name.startswith("_") and name not in SKIPPED}
    shown = {str(number): describe(value) for number, value in space["Out"].items()}
    found = {"names": names, "shown": shown, "last": describe(space.get("_")), "cells": len(space["In"])}
    found["folder"] = os.path.relpath(Path.cwd(), Path(__file__).parent / "work")
    Path(target).write_text(json.dumps(found))


if __name__ == "<run_path>":
    main(globals()["space"], globals()["target"])
