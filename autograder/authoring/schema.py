"""The JSON schema of spec.yaml, for editors: keys, check types with their parameters, and probes with their fields."""

from __future__ import annotations

import json
from typing import Any

from autograder.checks import registry
from autograder.checks.base import Check
from autograder.specs.schema import GraderSpec

SCHEMA_FILE = "spec.schema.json"  # in the folder of grader specs
_CALIBRATED = {  # a threshold that was measured, in the place of a number
    "type": "object",
    "description": "A measured threshold: check id, dot, statistic.",
    "properties": {"calibrated": {"type": "string"}, "else": {"type": "number"}},
    "required": ["calibrated"],
    "additionalProperties": False,
}


def spec_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a spec.yaml under the check types that exist now.

    It is as strict as the loader about keys, values and parameters. It can't know names that a spec makes itself
    (observations, arrays), nor check types of a spec's own checks.py: those it lets through.
    """
    whole = GraderSpec.model_json_schema()
    definitions = whole["$defs"]
    entry = definitions["CheckSpec"]
    kinds = registry.all_checks()
    entry["properties"]["type"] = {
        "description": entry["properties"]["type"]["description"],
        "anyOf": [
            *({"const": kind, "description": kinds[kind].title} for kind in sorted(kinds)),
            {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "description": "A check type of checks.py."},
        ],
    }
    entry["allOf"] = []
    for kind in sorted(kinds):
        own, needed = _parameters(kinds[kind], definitions)
        definitions[f"params of {kind}"] = own
        there: dict[str, Any] = {
            "properties": {
                "params": {"$ref": f"#/$defs/params of {kind}", "required": needed},
                "by_data": {"additionalProperties": {"$ref": f"#/$defs/params of {kind}"}},
            }
        }
        if needed:
            there["required"] = ["params"]
        entry["allOf"].append({"if": {"properties": {"type": {"const": kind}}, "required": ["type"]}, "then": there})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Made by `bin/autograder spec schema`; don't edit.",
        **_tidy(whole),
    }


def schema_text() -> str:
    """The schema as the file holds it."""
    return json.dumps(spec_schema(), indent=1, ensure_ascii=False) + "\n"


def _parameters(check: Check, definitions: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Schema of a check's parameters with none required, and which are. Their own definitions join the others."""
    own = check.Params.model_json_schema(ref_template=f"#/$defs/{check.kind}.{{model}}")
    for name, definition in own.pop("$defs", {}).items():
        definitions[f"{check.kind}.{name}"] = definition
    needed: list[str] = own.pop("required", [])
    for name, parameter in own.get("properties", {}).items():
        if "number" in [choice.get("type") for choice in (parameter, *parameter.get("anyOf", ()))]:
            either = {"anyOf": [{k: v for k, v in parameter.items() if k != "description"}, _CALIBRATED]}
            own["properties"][name] = {"description": parameter.get("description", ""), **either}
    return {**own, "title": f"Parameters of {check.kind}"}, needed


def _tidy(schema: Any) -> Any:
    """Without the titles pydantic makes of field names, and without our own notes on fields."""
    if isinstance(schema, list):
        return [_tidy(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, value in schema.items():
        if key == "title" and isinstance(value, str) and not value.startswith("Parameters of "):
            continue
        if key == "names" and isinstance(value, str):
            continue
        kept[key] = _tidy(value)
    return kept
