"""Finds check types: every module of this package that defines a Check is one; there is no list to edit.

Modules whose name begins with an underscore are helpers that several check types share.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from autograder.checks.base import Check

_NOT_CHECKS = {"base", "registry", "measures"}


@lru_cache(maxsize=1)
def all_checks() -> dict[str, Check]:
    """Every check type by its kind. Raises RuntimeError if two modules claim one name."""
    found: dict[str, Check] = {}
    for module_info in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module_info.name in _NOT_CHECKS or module_info.name.startswith("_"):
            continue
        for check in defined_in(importlib.import_module(f"autograder.checks.{module_info.name}")):
            if check.kind in found:
                raise RuntimeError(f"two check types are called '{check.kind}'")
            found[check.kind] = check
    return found


def defined_in(module: ModuleType) -> list[Check]:
    """The check types that a module itself defines; not those it imports, nor those that lack a part."""
    return [
        value()
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Check)
        and value.__module__ == module.__name__
        and not inspect.isabstract(value)
    ]


def find(kind: str) -> Check | None:
    """The check type of that name, or None."""
    return all_checks().get(kind)


def names() -> list[str]:
    """Names of all check types."""
    return sorted(all_checks())
