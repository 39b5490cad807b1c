"""Holds a data set against its spec: what the spec names exists, and what is for the judge only is never sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel

from autograder.errors import SpecError
from autograder.specs.dataset import DataSet, Ref
from autograder.specs.schema import GraderSpec
from autograder.specs.source import Where, suggest

Place = Callable[[Where], str]  # where a value of spec.yaml stands, as path:line:column


def check_data(spec: GraderSpec, data: DataSet, place: Place) -> None:
    """Raise SpecError if observations, entry points and cases name what the data set lacks or must not send."""
    for where, array in _sent_arrays(spec):
        _may_send(place(where), f"'{where[1]}'", data, array)
    for name, observation in spec.observations.items():
        for keys, listed in named(observation, "cases"):
            need_cases(place(("observations", name, *keys)), data, listed)
    for name, cases in data.cases.items():
        for number, case in enumerate(cases, start=1):
            for ref in case.refs():
                _check_ref(place(("data",)), f"case {number} of '{name}'", ref, spec, data)
    _check_names(place(("data",)), data)


def named(model: BaseModel, kind: str) -> Iterator[tuple[Where, str]]:
    """Names of a kind ('array', 'cases', …) in a model's annotated fields, each with the keys that lead to it."""
    properties = type(model).model_json_schema().get("properties", {})
    for key in type(model).model_fields:
        if f"'names': '{kind}'" in repr(properties.get(key)):
            yield from _texts((key,), getattr(model, key))


def _keyed(model: BaseModel, kind: str) -> Iterator[tuple[Where, str]]:
    """As named, of mappings whose keys are names of the kind."""
    properties = type(model).model_json_schema().get("properties", {})
    for field in type(model).model_fields:
        if properties.get(field, {}).get("keys") == kind:
            yield from (((field, key), key) for key in getattr(model, field))


def need_array(place: str, data: DataSet, array: str) -> None:
    """Raise SpecError if the data set lacks an array. place: path:line:column of its name."""
    if array not in data.arrays:
        raise SpecError(f"{place}: data set '{data.name}' has no array '{array}'", suggest(array, data.arrays))


def need_cases(place: str, data: DataSet, cases: str) -> None:
    """Raise SpecError if the data set lacks a case list."""
    if cases not in data.cases:
        raise SpecError(f"{place}: data set '{data.name}' has no case list '{cases}'", suggest(cases, data.cases))


def check_params(params: BaseModel, called: str, data: DataSet, place: Place) -> None:
    """Raise SpecError if a check's parameters name what the data set lacks.

    called: the case list of the observation, if it has one. place: where a parameter stands, by the keys that lead to
    it.
    """
    for keys, array in named(params, "array"):
        need_array(place(keys), data, array)
    for keys, cases in named(params, "cases"):
        need_cases(place(keys), data, cases)
        called = cases
    for keys, group in (*named(params, "group"), *_keyed(params, "group")):
        groups = {case.group for case in data.cases.get(called, ()) if case.group}
        if group not in groups:
            message = f"{place(keys)}: no case of '{called}' is of a group '{group}' in data set '{data.name}'"
            raise SpecError(message, suggest(group, groups))
    for keys, fact in named(params, "fact"):
        if fact not in data.facts:
            raise SpecError(f"{place(keys)}: data set '{data.name}' has no fact '{fact}'", suggest(fact, data.facts))


def _texts(keys: Where, value: Any) -> Iterator[tuple[Where, str]]:
    if isinstance(value, str) and value:
        yield keys, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts((*keys, key), inner)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _texts((*keys, index), inner)


def _literal_arrays(keys: Where, value: Any) -> Iterator[tuple[Where, str]]:
    """Arrays that arguments name as {array: NAME}."""
    if isinstance(value, Mapping) and set(value) == {"array"}:
        yield (*keys, "array"), str(value["array"])
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _literal_arrays((*keys, key), inner)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _literal_arrays((*keys, index), inner)


def _sent_arrays(spec: GraderSpec) -> Iterator[tuple[Where, str]]:
    """Every array that the spec would send, with where it is named."""
    for name, observation in spec.observations.items():
        found = list(named(observation, "array"))
        for key in ("arguments", "keywords"):
            found += _literal_arrays((key,), getattr(observation, key, ()))
        yield from ((("observations", name, *keys), array) for keys, array in found)
    for name, entry in spec.entry_points.items():
        for keys, array in _literal_arrays(("arguments",), entry.arguments):
            yield ("entry_points", name, *keys), array


def _may_send(place: str, who: str, data: DataSet, array: str) -> None:
    need_array(place, data, array)
    if array in data.judge_only:
        raise SpecError(
            f"{place}: {who} would send '{array}' to the student's process, but the data builder says it is for the "
            "judge only",
            "Take it out there; checks may name it as their targets.",
        )


def _check_ref(place: str, who: str, ref: Ref, spec: GraderSpec, data: DataSet) -> None:
    for array in ref.arrays:
        if array not in data.arrays:
            raise SpecError(f"{place}: {who} names no array of the data set: '{array}'", suggest(array, data.arrays))
        _may_send(place, who, data, array)
    for entry in ref.entries:
        if entry not in spec.entry_points:
            raise SpecError(f"{place}: {who} names no entry point: '{entry}'", suggest(entry, spec.entry_points))
    if ref.kind in ("model", "tokenizer"):
        folders = {str(parent) for name in data.files for parent in PurePosixPath(name).parents} - {"."}
        folders |= set(data.folders)
        if ref.name not in folders:
            raise SpecError(
                f"{place}: {who} wants a {ref.kind} from a folder that the data set's files lack: '{ref.name}'",
                suggest(ref.name, folders),
            )


def _check_names(place: str, data: DataSet) -> None:
    """`hidden` and `judge_only` name what there is, and each name means one thing."""
    for title, names, known in (
        ("hidden", data.hidden, {*data.arrays, *data.cases}),
        ("judge_only", data.judge_only, set(data.arrays)),
    ):
        for name in sorted(names - known):
            raise SpecError(
                f"{place}: data set '{data.name}' lists '{name}' as {title}, but holds nothing of that name",
                suggest(name, known),
            )
    for name in sorted(set(data.arrays) & set(data.cases)):
        raise SpecError(
            f"{place}: data set '{data.name}' calls both an array and a case list '{name}'",
            "Give them different names, so that 'hidden' can tell them apart.",
        )
