"""A stand-in for the hub's `datasets` package: tables in memory; well-known names are served from the task's files.

`datasets/NAME/SPLIT.jsonl` holds one JSON object a line, `datasets/NAME/features.json` (optional) the class names of
columns: {"label": ["sadness", …]}.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from harness import local
from harness.errors import MissingPackage
from harness.stubs import stand_in

Columns = dict[str, list[Any]]


class ClassLabel:
    """A column of class numbers with their names."""

    def __init__(self, num_classes: int | None = None, names: Sequence[str] | None = None, **_: Any) -> None:
        self.names = list(names) if names is not None else [str(number) for number in range(num_classes or 0)]
        self.num_classes = len(self.names)

    def int2str(self, value: Any) -> Any:
        """Name of a number, or of each of several."""
        return self.names[value] if isinstance(value, int | np.integer) else [self.names[int(v)] for v in value]

    def str2int(self, value: Any) -> Any:
        """Number of a name, or of each of several."""
        return self.names.index(value) if isinstance(value, str) else [self.names.index(v) for v in value]

    def __repr__(self) -> str:
        return f"ClassLabel(names={self.names})"


class Value:
    """Any other column."""

    def __init__(self, dtype: str = "string", **_: Any) -> None:
        self.dtype = dtype

    def __repr__(self) -> str:
        return f"Value('{self.dtype}')"


class Dataset:
    """Columns of equal length. Rows are dicts; a column's name gives the column; every change gives a new table."""

    def __init__(self, columns: Columns, features: Mapping[str, Any] | None = None) -> None:
        self._columns = columns
        self.features = {name: (features or {}).get(name) or _feature(rows) for name, rows in columns.items()}
        self._format: str | None = None
        self._shown: list[str] | None = None

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Sequence[Any]], *_: Any, **__: Any) -> Dataset:
        """A table of columns."""
        return cls({name: list(rows) for name, rows in mapping.items()})

    @classmethod
    def from_list(cls, rows: Sequence[Mapping[str, Any]], *_: Any, **__: Any) -> Dataset:
        """A table of rows."""
        return cls(_columns_of(rows))

    @classmethod
    def from_pandas(cls, frame: Any, *_: Any, **__: Any) -> Dataset:
        """A table of a pandas frame, without its index."""
        return cls(frame.to_dict("list"))

    @property
    def column_names(self) -> list[str]:
        """Names of the columns in order."""
        return list(self._columns)

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self._columns.values()), []))

    @property
    def num_columns(self) -> int:
        """How many columns there are."""
        return len(self._columns)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.num_rows, self.num_columns

    def __len__(self) -> int:
        return self.num_rows

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            if key not in self._columns:
                raise KeyError(f"Column {key} not in the dataset. Current columns in the dataset: {self.column_names}")
            return self._formatted(self._columns[key])
        shown = self._shown if self._shown is not None else self.column_names
        if isinstance(key, int | np.integer):
            number = range(len(self))[int(key)]
            return {name: self._formatted(self._columns[name][number]) for name in shown}
        numbers = range(len(self))[key] if isinstance(key, slice) else [int(number) for number in key]
        return {name: self._formatted([self._columns[name][n] for n in numbers]) for name in shown}

    def __getitems__(self, keys: Sequence[int]) -> list[dict[str, Any]]:
        return [self[key] for key in keys]

    def _formatted(self, value: Any) -> Any:
        if self._format == "numpy" and not isinstance(value, str):
            return np.asarray(value)
        if self._format == "torch":
            import torch

            try:
                array = np.asarray(value)
            except ValueError:  # rows of unequal lengths
                return [self._formatted(item) for item in value]
            return torch.as_tensor(array) if array.dtype.kind in "biuf" else value
        return list(value) if isinstance(value, list) else value

    def set_format(self, type: str | None = None, columns: Sequence[str] | None = None, **_: Any) -> None:  # noqa: A002
        """Give rows as plain Python (None), `numpy` or `torch`; only these columns."""
        if type not in (None, "python", "numpy", "torch", "np", "pt"):
            raise MissingPackage(
                f"the stand-in for datasets has no format {type!r}; use torch or numpy", name="datasets"
            )
        self._format = {"np": "numpy", "pt": "torch", "python": None}.get(type or "python", type)
        self._shown = list(columns) if columns is not None else None

    def reset_format(self) -> None:
        """Plain Python rows of all columns."""
        self.set_format()

    def with_format(self, type: str | None = None, columns: Sequence[str] | None = None, **_: Any) -> Dataset:  # noqa: A002
        """A copy in another format."""
        made = self._with(self._columns)
        made.set_format(type, columns)
        return made

    def _with(self, columns: Columns) -> Dataset:
        """A table with other columns, the same features and format."""
        made = Dataset(columns, {name: f for name, f in self.features.items() if isinstance(f, ClassLabel)})
        shown = None if self._shown is None else [name for name in self._shown if name in columns]
        made._format, made._shown = self._format, shown
        return made

    def select(self, indices: Any) -> Dataset:
        """These rows."""
        numbers = [int(number) for number in indices]
        return self._with({name: [rows[n] for n in numbers] for name, rows in self._columns.items()})

    def shuffle(self, seed: int | None = None, **_: Any) -> Dataset:
        """The rows in random order."""
        order = list(range(len(self)))
        (random if seed is None else random.Random(seed)).shuffle(order)
        return self.select(order)

    def train_test_split(self, test_size: Any = 0.25, seed: int | None = None, shuffle: bool = True, **_: Any) -> Any:
        """Two tables, `train` and `test`."""
        table = self.shuffle(seed) if shuffle else self
        count = round(test_size * len(self)) if isinstance(test_size, float) else int(test_size)
        middle = len(self) - count
        return DatasetDict(train=table.select(range(middle)), test=table.select(range(middle, len(self))))

    def map(
        self,
        function: Callable[..., Any],
        with_indices: bool = False,
        batched: bool = False,
        batch_size: int | None = 1000,
        remove_columns: Any = (),
        fn_kwargs: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> Dataset:
        """Each row (or batch of rows) with the columns that the function returns for it."""
        plain = self.with_format()
        step = (batch_size or len(self) or 1) if batched else 1
        made: Columns = {}
        for start in range(0, len(self), step):
            numbers = list(range(start, min(start + step, len(self))))
            given = plain[numbers] if batched else plain[start]
            place = [numbers if batched else start] if with_indices else []
            said = function(given, *place, **(fn_kwargs or {}))
            for name, value in {**given, **dict(said or {})}.items():
                rows = value if batched else [value]
                made.setdefault(name, []).extend(row.tolist() if hasattr(row, "tolist") else row for row in rows)
        dropped = [remove_columns] if isinstance(remove_columns, str) else list(remove_columns or ())
        return self._with({name: rows for name, rows in made.items() if name not in dropped})

    def filter(self, function: Callable[..., Any], *_: Any, **__: Any) -> Dataset:
        """Rows for which the function says yes."""
        plain = self.with_format()
        return self.select([number for number in range(len(self)) if function(plain[number])])

    def remove_columns(self, column_names: Any) -> Dataset:
        """Without these columns."""
        dropped = [column_names] if isinstance(column_names, str) else list(column_names)
        return self._with({name: rows for name, rows in self._columns.items() if name not in dropped})

    def select_columns(self, column_names: Any) -> Dataset:
        """Only these columns."""
        kept = [column_names] if isinstance(column_names, str) else list(column_names)
        return self._with({name: self._columns[name] for name in kept})

    def rename_column(self, original_column_name: str, new_column_name: str) -> Dataset:
        """With another name for a column."""
        return self.rename_columns({original_column_name: new_column_name})

    def rename_columns(self, column_mapping: Mapping[str, str]) -> Dataset:
        """With other names for columns."""
        features = {column_mapping.get(name, name): feature for name, feature in self.features.items()}
        made = Dataset({column_mapping.get(name, name): rows for name, rows in self._columns.items()}, features)
        made._format = self._format
        return made

    def add_column(self, name: str, column: Sequence[Any], **_: Any) -> Dataset:
        """With one column more."""
        return self._with({**self._columns, name: list(column)})

    def unique(self, column: str) -> list[Any]:
        """A column's different values in order."""
        return list(dict.fromkeys(self._columns[column]))

    def to_pandas(self) -> Any:
        """As a pandas frame."""
        import pandas

        return pandas.DataFrame(self._columns)

    def to_dict(self) -> Columns:
        """As lists by column."""
        return {name: list(rows) for name, rows in self._columns.items()}

    def __repr__(self) -> str:
        return f"Dataset({{\n    features: {self.column_names},\n    num_rows: {self.num_rows}\n}})"


class DatasetDict(dict[str, Any]):
    """Tables by split; what is done to it is done to each."""

    @property
    def num_rows(self) -> dict[str, int]:
        """Rows of each split."""
        return {name: table.num_rows for name, table in self.items()}

    @property
    def column_names(self) -> dict[str, list[str]]:
        """Columns of each split."""
        return {name: table.column_names for name, table in self.items()}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(Dataset, name):
            raise AttributeError(name)

        def each(*args: Any, **keywords: Any) -> Any:
            made = {split: getattr(table, name)(*args, **keywords) for split, table in self.items()}
            return DatasetDict(made) if all(isinstance(table, Dataset) for table in made.values()) else None

        return each


def load_dataset(path: str, name: Any = None, *_: Any, split: Any = None, **__: Any) -> Any:
    """The table of a split, or all splits by name, from the task's files. Raises NetworkRefused, ValueError."""
    folder = local.find(f"datasets/{path}", f"datasets/{str(path).rpartition('/')[2]}")
    if folder is None or not folder.is_dir():
        have = ", ".join(found.name for found in local.names("datasets") if found.is_dir())
        asked = repr(path) if name is None else f"{path!r}, {name!r}"
        raise local.refused(f"load_dataset({asked})", have)
    splits = {file.stem: _read(file) for file in sorted(folder.glob("*.jsonl"))}
    order = [part for part in ("train", "validation", "test") if part in splits]
    tables = DatasetDict({part: splits[part] for part in [*order, *(p for p in splits if p not in order)]})
    if split is None:
        return tables
    return [_part(tables, one) for one in split] if isinstance(split, list) else _part(tables, str(split))


def _part(tables: Mapping[str, Dataset], wanted: str) -> Dataset:
    """`train`, or `train[:100]`, `train[10:20]`, `test[:10%]`."""
    name, _, rest = wanted.partition("[")
    if name not in tables:
        raise ValueError(f'Unknown split "{name}". Should be one of {list(tables)}.')
    table = tables[name]
    if not rest:
        return table
    first, _, last = rest.rstrip("]").partition(":")
    bounds = [_row(text, len(table)) if text else None for text in (first, last)]
    return table.select(range(len(table))[slice(*bounds)])


def _row(text: str, count: int) -> int:
    return round(float(text[:-1]) * count / 100) if text.endswith("%") else int(text)


def _read(file: Path) -> Dataset:
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
    named = file.with_name("features.json")
    names = json.loads(named.read_text("utf-8")) if named.is_file() else {}
    return Dataset(_columns_of(rows), {column: ClassLabel(names=texts) for column, texts in names.items()})


def _columns_of(rows: Sequence[Mapping[str, Any]]) -> Columns:
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _feature(rows: Sequence[Any]) -> Value:
    first = rows[0] if rows else ""
    kinds = ((bool, "bool"), (int, "int64"), (float, "float64"), (str, "string"))
    return Value(next((name for kind, name in kinds if isinstance(first, kind)), "list"))


def _fill(module: ModuleType) -> None:
    if module.__name__ == "datasets":
        parts = {"Dataset": Dataset, "DatasetDict": DatasetDict, "ClassLabel": ClassLabel, "Value": Value}
        vars(module).update(parts, load_dataset=load_dataset, Features=dict, __version__="0.0.0")

    def missing(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        message = f"datasets is not installed here; its stand-in has no {module.__name__}.{attribute}."
        raise MissingPackage(message, name="datasets")

    module.__getattr__ = missing  # type: ignore[method-assign]


def install_tables() -> None:
    """Make `import datasets` work if the package is absent."""
    stand_in("datasets", _fill)
