"""docs/checks.md: the reference of all check types and probes, made from their parameters and docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from autograder.checks import registry
from autograder.checks.base import Check
from autograder.model import Trust
from autograder.specs.schema import PROBES

_OPENING = """\
# Checks and probes

Made by `bin/autograder check docs` from the code; don't edit. How they are put together:
[writing a grader spec](writing-a-spec.md).

A check judges the answer to a probe. A parameter of kind *array* names an array of the data set, one of kind *label* a
label of a training's `evaluate`. **Bold** parameters have no default.

A result is marked *measured* if the judge computed it from answers to inputs that it chose, from the text of the upload
or from outside the student's process; *reported* if points can rest on that process's own word, which it may make up.
A word that can only cost points does not count.
"""


def checks_page() -> str:
    """The whole page as Markdown."""
    kinds = registry.all_checks()
    parts = [_OPENING, "## Checks\n", _overview(kinds)]
    parts += [check_section(kinds[kind]) for kind in sorted(kinds)]
    parts += ["## Probes\n", "What an observation may ask. Every one also takes `wall_s` (wall seconds).\n"]
    parts += [probe_section(probe) for probe in sorted(PROBES)]
    return "\n".join(parts)


def check_section(check: Check) -> str:
    """One check type: what it judges, of which probes, with which parameters."""
    lines = [
        f"### `{check.kind}`\n",
        _docstring(type(check)),
        "",
        f"Title on the report: “{check.title}”. Judges: {_codes(sorted(check.probes))}. {_mark(check)}",
        "",
        *_fields(check.Params),
    ]
    return "\n".join(lines)


def _mark(check: Check) -> str:
    """How its results are marked on a report."""
    rests = check.own_word
    if isinstance(rests, tuple):
        return f"Marked *reported* where {_codes(rests).replace(', ', ' or ')} is set, else *measured*."
    if rests is None:
        trusts = {PROBES[probe].trust for probe in check.probes}
        if len(trusts) > 1:
            return "Marked as its probe is."
        rests = trusts == {Trust.REPORTED}
    return "Marked *reported*." if rests else "Marked *measured*."


def _overview(kinds: Mapping[str, Check]) -> str:
    rows = ["| check | judges | |", "|---|---|---|"]
    for kind in sorted(kinds):
        first = _docstring(type(kinds[kind])).split("\n")[0]
        rows.append(f"| [`{kind}`](#{kind}) | {_codes(sorted(kinds[kind].probes))} | {_cell(first)} |")
    return "\n".join(rows) + "\n"


def probe_section(probe: str) -> str:
    """One probe: what it asks, which checks judge the answer, its parameters. Raises KeyError for an unknown one."""
    model, kinds = PROBES[probe], registry.all_checks()
    judged = sorted(kind for kind, check in kinds.items() if probe in check.probes)
    lines = [f"### `{probe}` (probe)\n", f"{_docstring(model)} Values: *{model.trust.value}*.", ""]
    if judged:
        lines += [f"Judged by: {_codes(judged)}.", ""]
    return "\n".join([*lines, *_fields(model, without={"probe", "wall_s"})])


def _fields(model: type[BaseModel], without: Iterable[str] = ()) -> list[str]:
    """A table of a model's fields; a sentence if there are none."""
    properties = model.model_json_schema().get("properties", {})
    names = [name for name in model.model_fields if name not in set(without)]
    if not names:
        return ["No parameters.", ""]
    rows = ["| parameter | kind | default | |", "|---|---|---|---|"]
    for name in names:
        field = model.model_fields[name]
        required = field.is_required()
        default = "" if required else f"`{_default(field.get_default(call_default_factory=True))}`"
        shown = f"**`{name}`**" if required else f"`{name}`"
        rows.append(f"| {shown} | {_kind(properties.get(name, {}))} | {default} | {_cell(field.description or '')} |")
    return [*rows, ""]


def _kind(schema: Mapping[str, Any]) -> str:
    """What a value may be, in a few words."""
    if "names" in schema:
        return str(schema["names"])
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{v}`" for v in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(s) for s in schema["anyOf"] if s.get("type") != "null"))
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1].lower()
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}" if isinstance(schema.get("items"), dict) else "list"
    words = {"number": "number", "integer": "whole number", "string": "text", "boolean": "yes/no", "object": "mapping"}
    return words.get(str(schema.get("type")), "anything") + _range(schema)


def _range(schema: Mapping[str, Any]) -> str:
    signs = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}
    bounds = [f"{sign} {schema[key]:g}" for key, sign in signs.items() if key in schema]
    return f" {', '.join(bounds)}" if bounds else ""


def _default(value: Any) -> str:
    """A default as YAML would have it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(_default, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_default(v)}" for k, v in value.items()) + "}"
    return '""' if value == "" else str(value)


def _docstring(thing: type) -> str:
    return inspect.cleandoc(thing.__doc__ or "")


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()
