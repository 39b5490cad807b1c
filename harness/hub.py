"""The model hub where there is no network: what transformers would make up instead of refusing is refused."""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.errors import NETWORK_MESSAGE, NetworkRefused

TOKENIZERS = "transformers.tokenization_utils_base"


class AfterImport(importlib.abc.MetaPathFinder):
    """Calls a function with a module as soon as it has been imported, without importing it early."""

    def __init__(self, name: str, then: Callable[[ModuleType], None]) -> None:
        self._name = name
        self._then = then

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The usual spec, whose loader calls the function in the end."""
        if fullname != self._name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        plain = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            plain(module)
            self._then(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def refuse_empty_tokenizers() -> None:
    """A tokenizer that can't be downloaded raises NetworkRefused; transformers 5 gives one that knows no word."""
    if module := sys.modules.get(TOKENIZERS):
        _wrap(module)
    else:
        sys.meta_path.insert(0, AfterImport(TOKENIZERS, _wrap))


def _wrap(module: ModuleType) -> None:
    base: Any = module.PreTrainedTokenizerBase
    plain = base.from_pretrained.__func__

    @functools.wraps(plain)
    def from_pretrained(cls: Any, name: Any, *args: Any, **keywords: Any) -> Any:
        made = plain(cls, name, *args, **keywords)
        if not Path(str(name)).exists() and len(made) <= len(made.all_special_tokens):
            raise NetworkRefused(f"The tokenizer {name} is not here. {NETWORK_MESSAGE}")
        return made

    base.from_pretrained = classmethod(from_pretrained)
