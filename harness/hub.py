"""The model hub where there is no network: names of models are served from the task's files, or refused at once.

Where transformers 5 can't download a tokenizer it makes one up that knows no word, and elsewhere it says little.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from harness import local

# Where names of the hub come in: module → classes with a from_pretrained of their own.
_ENTRANCES = {
    "transformers.tokenization_utils_base": ("PreTrainedTokenizerBase",),
    "transformers.modeling_utils": ("PreTrainedModel",),
    "transformers.configuration_utils": ("PreTrainedConfig",),
    "transformers.models.auto.auto_factory": ("_BaseAutoModelClass",),
    "transformers.models.auto.tokenization_auto": ("AutoTokenizer",),
    "transformers.models.auto.configuration_auto": ("AutoConfig",),
    "transformers.processing_utils": ("ProcessorMixin",),
}
_FILES = "transformers.utils.hub"
_MODELS = ("transformers.modeling_utils", "transformers.models.auto.auto_factory")


class AfterImport(importlib.abc.MetaPathFinder):
    """Calls a function with a module as soon as it has been imported, without importing it early."""

    def __init__(self, then: dict[str, Callable[[ModuleType], None]]) -> None:
        """then: module name → function."""
        self._then = then

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The usual spec, whose loader calls the function in the end."""
        then = self._then.get(fullname)
        if then is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        plain = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            plain(module)
            then(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def serve_hub() -> None:
    """From here on `from_pretrained(NAME)` takes the task's files, or raises NetworkRefused."""
    later: dict[str, Callable[[ModuleType], None]] = {_FILES: _redirect, **dict.fromkeys(_ENTRANCES, _guard)}
    for name in [name for name in later if name in sys.modules]:
        later.pop(name)(sys.modules[name])
    sys.meta_path.insert(0, AfterImport(later))


def hub_folder(name: str) -> Path | None:
    """The task's folder for a model of this name on the hub."""
    last = name.rpartition("/")[2]
    return local.find(f"hub/{name}", f"hub/{last}", "hub/default")


def _is_elsewhere(name: Any) -> bool:
    """True for what is no path to something that exists, and so would be looked for on the hub."""
    return isinstance(name, str) and not Path(name).exists()


def _guard(module: ModuleType) -> None:
    for class_name in _ENTRANCES[module.__name__]:
        if owner := getattr(module, class_name, None):
            _guard_class(owner, is_model=module.__name__ in _MODELS)


def _guard_class(owner: Any, *, is_model: bool) -> None:
    plain = owner.from_pretrained.__func__

    @functools.wraps(plain)
    def from_pretrained(cls: Any, name: Any, *args: Any, **keywords: Any) -> Any:
        if _is_elsewhere(name):
            if hub_folder(name) is None:
                have = ", ".join(path.name for path in local.names("hub"))
                raise local.refused(f"{cls.__name__}.from_pretrained({name!r})", have)
            if is_model:  # as with the hub's: a head of another size is made anew, it does not fail
                keywords.setdefault("ignore_mismatched_sizes", True)
        return plain(cls, name, *args, **keywords)

    owner.from_pretrained = classmethod(from_pretrained)


def _redirect(module: ModuleType) -> None:
    """Where transformers looks a file of a hub model up, it looks into the task's folder."""
    plain: Any = vars(module)["cached_files"]

    @functools.wraps(plain)
    def cached_files(path_or_repo_id: Any, *args: Any, **keywords: Any) -> Any:
        name = path_or_repo_id
        if _is_elsewhere(name) and (folder := hub_folder(name)) is not None:
            name = str(folder)
        return plain(name, *args, **keywords)

    vars(module)["cached_files"] = cached_files


def warm_transformers() -> None:
    """One pass through a tiny BERT, if transformers has been imported: what its first use sets up."""
    transformers: Any = sys.modules.get("transformers")
    if transformers is None:
        return
    import torch

    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    config = transformers.BertConfig(vocab_size=10, **sizes)
    model = transformers.BertForSequenceClassification(config)
    with torch.no_grad():
        model(input_ids=torch.zeros(1, 3, dtype=torch.int64), output_attentions=False)
