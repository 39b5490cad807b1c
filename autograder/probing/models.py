"""Probes that look at names and at a model: resolve, construct, forward, predict."""

from __future__ import annotations

from typing import Any

from autograder.probing.process import StudentProcess
from autograder.probing.untrusted import KNOWN_TYPES, mapping, number, shape, text
from autograder.specs import schema

_MOST_ROWS = 2000


def resolve(student: StudentProcess, _observation: schema.Resolve, _seed: int, values: dict[str, Any]) -> None:
    """What the submission defines, and under which names the entry points were found."""
    values["names"] = dict(student.names)
    values["entries"] = {
        name: {**student.entries.get(name, {}), "official": e.names[0], "kind": e.kind, "required": e.required}
        for name, e in student.spec.entry_points.items()
    }


def construct(student: StudentProcess, observation: schema.Construct, seed: int, values: dict[str, Any]) -> None:
    """The model's parameters and modules."""
    handle = student.construct(observation.entry, seed)
    values.update(student.ask("parameters", {"handle": handle}))
    forget_words(student, values)


def forget_words(student: StudentProcess, values: dict[str, Any]) -> None:
    """What a tainted process says of parameters and modules: shapes and norms, under numbers instead of names."""
    for kind in ("parameters", "modules"):
        listed = values.get(kind)
        if student.tainted and isinstance(listed, list):
            values[kind] = [
                {"name": f"number {i + 1}", "shape": shape(row.get("shape")), "norm": number(row.get("norm"))}
                for i, row in enumerate(map(mapping, listed[:_MOST_ROWS]))
            ]


def forward(student: StudentProcess, observation: schema.Forward, seed: int, values: dict[str, Any]) -> None:
    """Outputs on an array, repeated, and each row alone where that is asked for."""
    student.need(observation.entry)
    student.put(observation.inputs)
    request = {
        "handle": student.construct(observation.entry, seed),
        "inputs": observation.inputs,
        "train": observation.train,
        "batch_size": None,
        "repeat": observation.repeat,
        "seed": seed,
        "pad": observation.pad,
    }
    answer = student.ask("forward", request)
    values["rows"] = int(student.data.arrays[observation.inputs].shape[0])
    values["outputs"] = _first(answer.get("outputs"), observation.repeat)
    returned = text(answer.get("output_type"), 100)
    values["output_type"] = returned if returned in KNOWN_TYPES or not student.tainted else "object"
    if observation.also_single:
        single = student.ask("forward", {**request, "batch_size": 1, "repeat": 1})
        values["single"] = _first(single.get("outputs"), 1)


def _first(outputs: Any, asked: int) -> Any:
    """No more outputs than runs were asked for."""
    return outputs[:asked] if isinstance(outputs, list) else outputs


def predict(student: StudentProcess, observation: schema.Predict, seed: int, values: dict[str, Any]) -> None:
    """Predictions of the student's function, or of the model."""
    student.need(observation.entry)
    student.need(observation.function)
    student.put(observation.inputs)
    request = {
        "handle": student.construct(observation.entry, seed),
        "entry": observation.function,
        "seed": seed,
        **observation.model_dump(include={"inputs", "batch_size", "pad"}),
    }
    values.update(student.ask("predict", request))
