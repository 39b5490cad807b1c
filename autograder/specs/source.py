"""YAML with line numbers: what makes an error in a spec say where it is and what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from autograder.errors import SpecError


@dataclass(frozen=True)
class Marks:
    """Where each key of a YAML file stands (1-based lines)."""

    lines: Mapping[tuple[str | int, ...], int]

    def line(self, where: tuple[str | int, ...]) -> int:
        """The line of a key, or of the nearest thing around it."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)


def parse(path: Path, text: str) -> tuple[Any, Marks]:
    """The tree of a YAML text and the line of every key. Raises SpecError on bad YAML or a repeated key."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        lines: dict[tuple[str | int, ...], int] = {}
        if node is not None:
            _walk(path, node, (), lines)
        return yaml.safe_load(text), Marks(lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 1
        raise SpecError(
            f"{path}:{line}: not valid YAML: {error.problem}", "Check indentation, colons and quotes around this line."
        ) from error


def _walk(path: Path, node: yaml.Node, here: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int]) -> None:
    lines.setdefault(here, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            where = (*here, key.value)
            if where in lines:
                raise SpecError(
                    f"{path}:{key.start_mark.line + 1}: the key '{key.value}' stands twice here "
                    f"(first in line {lines[where]})",
                    "Keep one of them.",
                )
            lines[where] = key.start_mark.line + 1
            _walk(path, value, where, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _walk(path, value, (*here, index), lines)


def spec_error(
    path: Path, error: ValidationError, marks: Marks, model: type[BaseModel], prefix: tuple[str | int, ...] = ()
) -> SpecError:
    """The first complaint of pydantic as an error with file, line and a suggestion."""
    # A misspelt key shows as an unknown one and a missing one; the unknown one says more.
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    # pydantic adds the tag of a union to the location; a YAML file has no such key.
    tags = {"resolve", "construct", "forward", "gradient_norms", "overfit", "train", "call", "predict"}
    location = tuple(part for i, part in enumerate(first["loc"]) if not (part in tags and i == 2))
    where = (*prefix, *location)
    dotted = ".".join(str(part) for part in where) or "the file"
    if first["type"] == "extra_forbidden":
        known = _fields_at(model, location[:-1])
        inside = ".".join(map(str, where[:-1])) or "the spec"
        return SpecError(
            f"{path}:{marks.line(where)}: unknown key '{location[-1]}' in {inside}", suggest(str(location[-1]), known)
        )
    if first["type"] == "missing":
        return SpecError(f"{path}:{marks.line(where)}: '{dotted}' is missing", "Add it; see docs/writing-a-spec.md.")
    return SpecError(f"{path}:{marks.line(where)}: {dotted}: {first['msg']}", f"It says: {first.get('input')!r}")


def _fields_at(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """Every field name a key at this depth could have meant."""
    if not location:
        return list(model.model_fields)
    names: set[str] = set()

    def collect(schema: Any) -> None:
        if isinstance(schema, dict):
            names.update(schema.get("properties", {}))
            for value in schema.values():
                collect(value)
        elif isinstance(schema, list):
            for value in schema:
                collect(value)

    collect(model.model_json_schema())
    return sorted(names)


def suggest(name: str, known: Iterable[object]) -> str:
    """A 'did you mean' line, or the list of what there is."""
    choices = sorted(str(k) for k in known)
    near = difflib.get_close_matches(name, choices, n=1, cutoff=0.6)
    if near:
        return f"Did you mean '{near[0]}'?"
    return f"Known here: {', '.join(choices) or 'nothing'}."
