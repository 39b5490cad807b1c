"""YAML with places: what makes an error in a spec say where it is and what was meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from yaml.reader import ReaderError

from autograder.errors import SpecError

_AS_UTF8 = "Save the file as UTF-8."
Where = tuple[str | int, ...]  # the way to a key: ("stages", 0, "checks", 2, "type")


_WORDS = {
    ("model_type", "model_attributes_type", "dict_type", "mapping_type"): "must be keys with values, such as `key: 3`",
    ("tuple_type", "list_type"): "must be a list, such as [a, b]",
    ("string_type",): "must be text; put quotes around a number that is meant as text",
    ("float_type", "float_parsing"): "must be a number",
    ("int_type", "int_parsing", "int_from_float"): "must be a whole number",
    ("bool_type", "bool_parsing"): "must be true or false",
}


@dataclass(frozen=True)
class Marks:
    """Where each key of a YAML file stands: 1-based line and column, and those of its value."""

    keys: Mapping[Where, tuple[int, int]]
    values: Mapping[Where, tuple[int, int]]

    def line(self, where: Where) -> int:
        """The line of a key, or of the nearest thing around it."""
        return self._nearest(self.keys, where)[0]

    def key(self, where: Where) -> str:
        """`line:column` of a key, or of the nearest thing around it."""
        return "{}:{}".format(*self._nearest(self.keys, where))

    def value(self, where: Where) -> str:
        """`line:column` of what stands behind a key, or of the nearest thing around it."""
        return "{}:{}".format(*self._nearest(self.values, where))

    def _nearest(self, places: Mapping[Where, tuple[int, int]], where: Where) -> tuple[int, int]:
        while where and where not in places:
            where = where[:-1]
        return places.get(where, (1, 1))

    def real(self, location: Where, prefix: Where = ()) -> Where:
        """A location of pydantic without the tags of unions that it adds: a YAML file has no such keys."""
        here = prefix
        for i, part in enumerate(location):
            if i == len(location) - 1 or (*here, part) in self.keys:
                here = (*here, part)
        return here


def read_yaml(path: Path) -> tuple[Any, Marks]:
    """The tree of a YAML file and the place of every key. Raises SpecError on bad YAML or a repeated key, OSError."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SpecError(f"{path}:{line}: is not UTF-8 text (byte 0x{content[error.start]:02x})", _AS_UTF8) from error
    return parse(path, text)


def parse(path: Path, text: str) -> tuple[Any, Marks]:
    """The tree of a YAML text and the place of every key. Raises SpecError on bad YAML or a repeated key."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        marks = Marks({}, {})
        if node is not None:
            _walk(path, node, (), marks.keys, marks.values, ())  # type: ignore[arg-type]
        return yaml.safe_load(text), marks
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        raise SpecError(
            f"{path}:{place}: not valid YAML: {error.problem}", "Check indentation, colons and quotes around this line."
        ) from error
    except ReaderError as error:
        line = text[: error.position].count("\n") + 1
        message = f"{path}:{line}: not valid YAML: it holds the character U+{int(error.character):04X}"
        raise SpecError(message, f"Take it out. {_AS_UTF8}") from error
    except (ValueError, RecursionError) as error:  # a date such as 2024-13-01; brackets a thousand deep
        raise SpecError(f"{path}: not valid YAML: {error}", "Put quotes around text, and nest less.") from error


def _walk(
    path: Path,
    node: yaml.Node,
    here: Where,
    keys: dict[Where, tuple[int, int]],
    values: dict[Where, tuple[int, int]],
    around: tuple[yaml.Node, ...],
) -> None:
    if any(node is outer for outer in around):
        line, column = _place(node)
        raise SpecError(f"{path}:{line}:{column}: an alias stands inside what it names", "Write the value out instead.")
    around = (*around, node)
    values[here] = _place(node)
    keys.setdefault(here, _place(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                line, column = _place(key)
                raise SpecError(
                    f"{path}:{line}:{column}: a list or mapping stands as a key here", "Use a name as the key."
                )
            where = (*here, key.value)
            if where in keys:
                line, column = _place(key)
                raise SpecError(
                    f"{path}:{line}:{column}: the key '{key.value}' stands twice here (first in line {keys[where][0]})",
                    "Keep one of them.",
                )
            keys[where] = _place(key)
            _walk(path, value, where, keys, values, around)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _walk(path, value, (*here, index), keys, values, around)


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def spec_error(
    path: Path, error: ValidationError, marks: Marks, model: type[BaseModel], prefix: Where = ()
) -> SpecError:
    """The first complaint of pydantic as an error with file, line, column and a suggestion."""
    # A misspelt key shows as an unknown one and a missing one; the unknown one says more.
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    location = tuple(first["loc"])
    where = marks.real(location, prefix)
    dotted = ".".join(str(part) for part in where) or "the file"
    if first["type"] == "extra_forbidden":
        inside = ".".join(map(str, where[:-1])) or path.name
        return SpecError(
            f"{path}:{marks.key(where)}: unknown key '{location[-1]}' in {inside}",
            suggest(str(location[-1]), fields_at(model, location[:-1])),
        )
    if first["type"] == "missing":
        return SpecError(f"{path}:{marks.key(where)}: '{dotted}' is missing", "Add it; see docs/writing-a-spec.md.")
    place = marks.value(where)
    if first["type"] == "union_tag_not_found":
        return SpecError(
            f"{path}:{place}: {dotted} has no 'probe'", f"Add one of: {', '.join(_choices(first, model, location))}."
        )
    choices = _choices(first, model, location)
    if choices:
        given = first.get("input")
        key = "probe" if first["type"] == "union_tag_invalid" else ""
        if key and isinstance(given, Mapping):
            place, given = marks.value((*where, key)), given.get(key)
        return SpecError(
            f"{path}:{place}: {dotted}{f'.{key}' if key else ''}: '{given}' is not known", suggest(str(given), choices)
        )
    hint = "Write a value, or take the key out." if first.get("input") is None else f"It says: {first['input']!r}"
    return SpecError(f"{path}:{place}: {dotted}: {_in_our_words(first)}", hint)


def _in_our_words(complaint: Any) -> str:
    """What pydantic says of a value, for people who don't know Python."""
    for kinds, words in _WORDS.items():
        if complaint["type"] in kinds:
            return words
    said = complaint["msg"].removeprefix("Value error, ")  # pydantic's words before those of our own validators
    return re.sub(r"^(Input|String|Tuple|List|Dictionary) should ", "must ", said).replace(" after validation", "")


def _choices(complaint: Any, model: type[BaseModel], location: Where) -> list[str]:
    """The names that would have been right where pydantic expected one of a few."""
    if complaint["type"] == "union_tag_not_found":
        return sorted(_schema_at(model, location).get("discriminator", {}).get("mapping", {}))
    if complaint["type"] not in {"literal_error", "enum", "union_tag_invalid"}:
        return []
    context = complaint.get("ctx", {})
    return re.findall(r"'([^']*)'", str(context.get("expected_tags") or context.get("expected") or ""))


def fields_at(model: type[BaseModel], location: Where) -> list[str]:
    """The field names a model knows at this depth."""
    schema = _schema_at(model, location)
    return sorted(schema.get("properties", {}))


def _schema_at(model: type[BaseModel], location: Where) -> dict[str, Any]:
    """The JSON schema of the part of a model that a location of pydantic leads to; empty if none is there."""
    whole: dict[str, Any] = model.model_json_schema()
    definitions: dict[str, Any] = whole.get("$defs", {})

    def followed(schema: Any) -> dict[str, Any]:
        while isinstance(schema, dict):
            if "$ref" in schema:
                schema = definitions[schema["$ref"].rsplit("/", 1)[-1]]
                continue
            inner = [s for s in [*schema.get("anyOf", ()), *schema.get("allOf", ())] if s.get("type") != "null"]
            if len(inner) != 1:
                return schema
            schema = inner[0]
        return {}

    here = followed(whole)
    for part in location:
        if isinstance(part, int):
            here = followed(here.get("items", {}))
        elif part in here.get("discriminator", {}).get("mapping", {}):
            here = followed({"$ref": here["discriminator"]["mapping"][part]})
        else:
            others = next(iter(here.get("patternProperties", {}).values()), here.get("additionalProperties", {}))
            here = followed(here.get("properties", {}).get(part, others))
    return here


def suggest(name: str, known: Iterable[object]) -> str:
    """A 'did you mean' line, or the list of what there is."""
    choices = sorted(str(k) for k in known)
    return nearest(name, choices) or f"Known here: {', '.join(choices) or 'nothing'}."


def nearest(name: str, known: Iterable[str]) -> str:
    """A 'did you mean' line; empty if nothing is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"Did you mean '{near[0]}'?" if near else ""
