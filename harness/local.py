"""The files that a task hands to student code: where they lie, and what well-known calls are served from them.

| asked for | served from |
|---|---|
| `from_pretrained("NAME")` | `hub/NAME/`, else `hub/default/` (hub.py) |
| `torchvision.datasets.NAME(…)` | `datasets/name.npz` (pictures.py) |
| `datasets.load_dataset("…/NAME")` | `datasets/NAME/{train,validation,test}.jsonl` (tables.py) |
| `KeyedVectors.load_word2vec_format`, `gensim.downloader.load` | `vectors/*.txt` (vectors.py) |

They lie in a folder that is read-only, and are linked beside the submission; where it has a file of the same name,
the task's wins.
"""

from __future__ import annotations

import copy
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, Kind, NetworkRefused

_NAME = re.compile(r"[\w.+-]+(/[\w.+-]+)*")
_folder: list[Path] = []
# Read once and never given out themselves: reading takes five times as long as copying.
_models: dict[str, Any] = {}
_tokenizers: dict[str, Any] = {}
_KEPT = 20_000_000  # parameters; a larger model is read anew instead of held in memory twice


def show(data: Path, beside: Path) -> None:
    """Serve from `data`, and link each of its files into the folder `beside`."""
    _folder[:] = [data]
    for source in sorted(path for path in data.rglob("*") if path.is_file()):
        target = beside / source.relative_to(data)
        with suppress(OSError):  # the submission has a file where a folder would have to be, or the reverse
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            target.symlink_to(source)


def find(*places: str) -> Path | None:
    """The first of these files or folders that the task has, by relative path."""
    for place in places:
        if _folder and _NAME.fullmatch(place) and ".." not in place.split("/") and (_folder[0] / place).exists():
            return _folder[0] / place
    return None


def names(folder: str, pattern: str = "*") -> list[Path]:
    """What the task has in a folder, sorted."""
    return sorted((_folder[0] / folder).glob(pattern)) if _folder else []


def refused(what: str, have: str = "") -> NetworkRefused:
    """What to say where something was asked for that only a download could give. have: what could be asked for."""
    instead = f" It has: {have}." if have else ""
    return NetworkRefused(
        f"{what} can't be had here: the network can't be reached while grading, and this task has no copy of it."
        f"{instead} Take what the grader hands to your functions, put a small file of your own into the .zip, or "
        "leave the download to code outside the graded functions."
    )


def local_model(name: str) -> Any:
    """A transformers model of a folder of the task, in eval mode, with attention weights that can be asked for.

    A sequence classifier if its config says so, else the bare model; a new object each time. Raises
    HarnessError(missing).
    """
    folder = _model_folder(name)
    if folder not in _models:
        model = _read_model(folder)
        if sum(parameter.numel() for parameter in model.parameters()) > _KEPT:
            return model
        _models[folder] = model
    return copy.deepcopy(_models[folder])


def _read_model(folder: str) -> Any:
    from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification

    kinds = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False).architectures or []
    classifier = any("ForSequenceClassification" in kind for kind in kinds)
    maker = AutoModelForSequenceClassification if classifier else AutoModel
    model = maker.from_pretrained(
        folder,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        attn_implementation="eager",
    )
    return model.eval()


def local_tokenizer(name: str) -> Any:
    """The tokenizer of a folder of the task, a new object each time. Raises HarnessError(missing)."""
    folder = _model_folder(name)
    if folder not in _tokenizers:
        from transformers import AutoTokenizer

        _tokenizers[folder] = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    return copy.deepcopy(_tokenizers[folder])


def _model_folder(name: str) -> str:
    folder = find(name)
    if folder is None or not (folder / "config.json").is_file():
        raise HarnessError(Kind.MISSING, f"the task's files have no folder {name!r} with a config.json")
    return str(folder)
