"""A stand-in for the part of gensim that reads word vectors; well-known files are served from the task's files."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from harness import local
from harness.errors import MissingPackage
from harness.stubs import stand_in
from harness.wire import Array


class KeyedVectors:
    """Word vectors: vectors float32 (V, D), index_to_key, key_to_index, and the usual questions."""

    def __init__(self, vector_size: int, words: Sequence[str] = (), vectors: Array | None = None) -> None:
        self.vector_size = vector_size
        self.index_to_key = list(words)
        self.key_to_index = {word: number for number, word in enumerate(self.index_to_key)}
        self.vectors = np.zeros((0, vector_size), np.float32) if vectors is None else vectors

    @classmethod
    def load_word2vec_format(
        cls, fname: Any, *_args: Any, binary: bool = False, limit: int | None = None, no_header: bool = False, **_: Any
    ) -> KeyedVectors:
        """Read a text file; one that is not there is served from the task's files. Raises NetworkRefused."""
        path = Path(str(fname))
        if not path.is_file():
            path, no_header = _served(path.name), False
        elif binary:
            raise MissingPackage("gensim is not installed here; its stand-in reads text only.", name="gensim")
        return cls(*_read(path, limit, no_header))

    @classmethod
    def load(cls, fname: Any, *_args: Any, **_keywords: Any) -> KeyedVectors:
        """As load_word2vec_format; gensim's own format can't be read."""
        return cls.load_word2vec_format(fname)

    def __contains__(self, word: object) -> bool:
        return word in self.key_to_index

    def __len__(self) -> int:
        return len(self.index_to_key)

    def __getitem__(self, word: Any) -> Array:
        if isinstance(word, str | int):
            return self.get_vector(word)
        return np.stack([self.get_vector(one) for one in word])

    def get_index(self, word: Any, default: Any = ...) -> Any:
        """Row of a word. Raises KeyError."""
        if word in self.key_to_index:
            return self.key_to_index[word]
        if default is ...:
            raise KeyError(f"Key '{word}' not present")
        return default

    def get_vector(self, word: Any, norm: bool = False) -> Array:
        """Vector of a word (or of a row number). Raises KeyError."""
        number = word if isinstance(word, int) else self.get_index(word)
        vector: Array = self.vectors[number]
        return vector / np.linalg.norm(vector) if norm else vector

    def has_index_for(self, word: str) -> bool:
        """True if the word is known."""
        return word in self

    def similarity(self, first: str, second: str) -> float:
        """Cosine of two words."""
        return float(self.get_vector(first, True) @ self.get_vector(second, True))

    def most_similar(self, positive: Any = (), negative: Any = (), topn: int = 10, **_: Any) -> list[tuple[str, float]]:
        """Words with the largest cosine to the mean of the given ones, which are left out."""
        plus, minus = _listed(positive), _listed(negative)
        units = [self.get_vector(w, True) if isinstance(w, str) else w / np.linalg.norm(w) for w in (*plus, *minus)]
        mean = np.mean([u if n < len(plus) else -u for n, u in enumerate(units)], axis=0)
        lengths = np.linalg.norm(self.vectors, axis=1) * np.linalg.norm(mean)
        cosines = self.vectors @ mean / np.maximum(lengths, 1e-12)
        given = {word for word in (*plus, *minus) if isinstance(word, str)}
        order = [int(n) for n in np.argsort(-cosines) if self.index_to_key[n] not in given]
        return [(self.index_to_key[n], float(cosines[n])) for n in order[:topn]]

    def similar_by_word(self, word: str, topn: int = 10) -> list[tuple[str, float]]:
        """As most_similar for one word."""
        return self.most_similar([word], topn=topn)


def _listed(words: Any) -> list[Any]:
    return [words] if isinstance(words, str | np.ndarray) else list(words)


def _served(name: str) -> Path:
    """The task's vectors for a name: those called so, else the first. Raises NetworkRefused."""
    have = local.names("vectors", "*.txt")
    if not have:
        raise local.refused(f"The word vectors {name!r}")
    return next((path for path in have if path.stem == name.split(".")[0]), have[0])


def _read(path: Path, limit: int | None, no_header: bool) -> tuple[int, list[str], Array]:
    """word2vec text: a line `count size`, then `word x x x …`. Raises ValueError naming the line."""
    words: list[str] = []
    rows: list[Array] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        size = 0 if no_header else int(file.readline().split()[1])
        for number, line in enumerate(file, 1 if no_header else 2):
            if limit is not None and len(words) >= limit:
                break
            word, *numbers = line.rstrip().split(" ")
            size = size or len(numbers)
            if len(numbers) != size:
                raise ValueError(f"{path.name}, line {number}: {len(numbers)} numbers where {size} belong")
            words.append(word)
            rows.append(np.array(numbers, dtype=np.float32))
    return size, words, np.stack(rows) if rows else np.zeros((0, size), np.float32)


def _load(name: str, *_args: Any, **_keywords: Any) -> KeyedVectors:
    """gensim.downloader.load."""
    return KeyedVectors(*_read(_served(name), None, False))


def _fill(module: ModuleType) -> None:
    name = module.__name__
    if name in ("gensim.models", "gensim.models.keyedvectors"):
        vars(module).update(KeyedVectors=KeyedVectors)
    if name == "gensim.downloader":
        vars(module).update(load=_load)

    def missing(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if f"{name}.{attribute}" in ("gensim.models", "gensim.downloader", "gensim.models.keyedvectors"):
            return importlib.import_module(f"{name}.{attribute}")
        message = f"gensim is not installed here; its stand-in has no {name}.{attribute}, only what reads word vectors."
        raise MissingPackage(message, name="gensim")

    module.__getattr__ = missing  # type: ignore[method-assign]


def install_vectors() -> None:
    """Make `import gensim` work if the package is absent."""
    stand_in("gensim", _fill)
