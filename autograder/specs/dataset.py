"""What a spec's data builder returns, and which of it may go where."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from autograder.errors import SpecError

Array = np.ndarray[Any, Any]
Tree = Any  # numbers, text, None, lists, tuples, dicts with text keys, numpy arrays, Refs

REF_KINDS = ("array", "model", "tokenizer", "given_model", "dataset", "entry", "built")


def secret_seed(seed: int, secret: str) -> int:
    """The seed to build data from: a spec's own, or with a secret one that nobody can tell who lacks it (63 bits)."""
    if not secret:
        return seed
    return int.from_bytes(hmac.digest(secret.encode(), str(seed).encode(), "sha256")[:8], "big") >> 1


@dataclass(frozen=True, init=False, eq=False)
class Ref:
    """An argument that the harness makes, because it can't be written down.

    kind and what it needs: `array` (name of an array of the data set); `model`, `tokenizer` (name: a folder of the
    data set's files); `given_model` (weight: array (C, F), bias: array (C,), dropout: share,
    train: true to hand it over in train mode; a module flatten → dropout → linear → logits);
    `dataset` (inputs, targets: array names; a TensorDataset); `entry` (name of an entry point: the student's own
    object); `built` (name of an entry point: the student's model, built; function (an entry point), inputs, targets
    (array names), epochs, batch_size, lr: trained by the student's own function before; train: true to hand it over in
    train mode). Raises SpecError for another kind.
    """

    kind: str
    name: str
    values: Mapping[str, Any]

    def __init__(self, kind: str, name: str = "", /, **values: Any) -> None:
        if kind not in REF_KINDS:
            raise SpecError(f"Ref can't make a '{kind}'", f"It makes: {', '.join(REF_KINDS)}.")
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "values", values)

    @property
    def arrays(self) -> tuple[str, ...]:
        """Names of the data set's arrays that must be sent first."""
        if self.kind == "array":
            return (self.name,)
        keys = ("inputs", "targets") if self.kind in ("dataset", "built") else ()
        return tuple(self.values[key] for key in keys if key in self.values)

    @property
    def entries(self) -> tuple[str, ...]:
        """Names of the entry points it uses."""
        if self.kind not in ("entry", "built"):
            return ()
        return (self.name, self.values["function"]) if "function" in self.values else (self.name,)


@dataclass(frozen=True, eq=False)
class Case:
    """One call of a student's function, and what must come of it.

    arguments, keywords: sent; in the declared order and by the declared names of the entry point's parameters, if it
    declares any. expected, raises: for the judge only (non-empty `raises`: the call must raise one of these types).
    size: how complex the case is; of several wrong ones the smallest is shown, of equal ones the first.
    """

    arguments: tuple[Tree, ...] = ()
    keywords: Mapping[str, Tree] = field(default_factory=dict)
    expected: Tree = None
    raises: tuple[str, ...] = ()
    size: float = 0
    label: str = ""
    group: str = ""

    def refs(self) -> Iterator[Ref]:
        """Every Ref among the arguments."""
        return refs_in([self.arguments, self.keywords])


@dataclass(frozen=True)
class DataSet:
    """Everything one data set holds.

    arrays: by name. hidden: names of arrays and case lists that are sent to the student's process but never shown: once
    one of them is there, nothing that process prints or raises is shown any more. judge_only: names of arrays (labels,
    references) that never leave the judge. class_names: in label order. cases: named lists of calls, simplest first.
    files: relative path → content, folders: relative path → folder of this machine; both are public and lie, read-only,
    beside the submission. facts: what the judge alone needs, never sent.
    """

    name: str
    arrays: Mapping[str, Array] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    judge_only: frozenset[str] = frozenset()
    class_names: tuple[str, ...] = ()
    cases: Mapping[str, tuple[Case, ...]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)

    @cached_property
    def files_digest(self) -> str:
        """SHA-256 over files and folders, computed once; empty if there are none. Raises SpecError."""
        if not self.files and not self.folders:
            return ""
        total = hashlib.sha256()
        _feed(total, {name: self.files[name] for name in sorted(self.files)})
        for place, folder in sorted(self.folders.items()):
            if not folder.is_dir():
                raise SpecError(
                    f"data set '{self.name}': there is no folder {folder} to show as {place}",
                    "Let the builder return None where the folder is missing.",
                )
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                _feed(total, [place, path.relative_to(folder).as_posix()])
                with path.open("rb") as file:
                    total.update(hashlib.file_digest(file, "sha256").digest())
        return total.hexdigest()

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything it holds, computed once."""
        total = hashlib.sha256(self.name.encode())
        for name in sorted(self.arrays):
            total.update(f"{name}:".encode())
            _feed(total, self.arrays[name])
        parts = {"cases": self.cases, "files": self.files_digest, "facts": self.facts}
        _feed(total, {name: value for name, value in parts.items() if value})
        _feed(total, {"hidden": self.hidden, "judge_only": self.judge_only, "class_names": self.class_names})
        return total.hexdigest()


def refs_in(tree: Tree) -> Iterator[Ref]:
    """Every Ref in a tree, in order."""
    if isinstance(tree, Ref):
        yield tree
    elif isinstance(tree, Mapping):
        for value in tree.values():
            yield from refs_in(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from refs_in(value)


def _feed(total: Any, value: Any) -> None:
    """Add a tree to a digest, so that different trees give different digests."""
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value)
        total.update(f"{array.dtype.str}:{value.shape};".encode())
        total.update(array.tobytes())
    elif isinstance(value, bytes):
        total.update(f"b{len(value)}:".encode() + value)
    elif isinstance(value, Ref):
        _feed(total, {"$ref": value.kind, "name": value.name, **value.values})
    elif isinstance(value, Case):
        _feed(total, vars(value))
    elif isinstance(value, Mapping):
        total.update(f"m{len(value)}:".encode())
        for key in value:
            _feed(total, str(key))
            _feed(total, value[key])
    elif isinstance(value, frozenset | set):
        _feed(total, sorted(value))
    elif isinstance(value, list | tuple):
        total.update(f"l{len(value)}:".encode())
        for item in value:
            _feed(total, item)
    else:
        plain = value.item() if isinstance(value, np.generic) else value
        total.update(f"{json.dumps(plain, default=repr)};".encode())
