"""Probes beside a model's own behaviour: schedule, checkpoint, source, usage."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any

import numpy as np

from autograder.intake.code import python_files
from autograder.model import ProbeFailure, Verdict
from autograder.probing.inspection import Names, Reader, read_rows
from autograder.probing.process import ProbeFailed, StudentProcess
from autograder.probing.untrusted import shape, text
from autograder.specs import schema

_HOW = {"scheduler", "factor", "rate", "list"}
_MOST_NAMES = 2000
_MOST_GROUPS = 16


def schedule(student: StudentProcess, observation: schema.Schedule, seed: int, values: dict[str, Any]) -> None:
    """The learning rate at every step."""
    student.need(observation.entry)
    request = observation.model_dump(include={"entry", "base_lr", "steps", "warmup"})
    request |= {"arguments": student.literal(observation.arguments), "seed": seed}
    answer = student.ask("schedule", request)

    def read(rates: Any) -> Any:
        # More than were asked for come from a forger alone, who could say something with how many.
        return rates if isinstance(rates, np.ndarray) and rates.size <= observation.steps + 1 else None

    values["lrs"] = read(answer.get("lrs"))
    if (others := answer.get("others")) is not None:  # a function of the step has no groups
        values["others"] = [*map(read, others[:_MOST_GROUPS])] if type(others) is list else [None]
    values["how"] = how if (how := text(answer.get("how"), 20)) in _HOW else ""


def checkpoint(student: StudentProcess, observation: schema.Checkpoint, seed: int, values: dict[str, Any]) -> None:
    """What a weights file holds, how it fits the model, and what the model answers with it."""
    student.need(observation.entry)
    name = _file(student, observation.file)
    student.put(observation.inputs)
    request = {
        "handle": student.construct(observation.entry, seed),
        "file": name,
        "seed": seed,
        **observation.model_dump(include={"inputs", "pad"}),
    }
    answer = student.ask("checkpoint", request)
    names = Names(student.tainted)
    held: dict[str, Reader] = {"name": names, "shape": shape, "dtype": _dtype}
    values["tensors"] = read_rows(answer.get("tensors"), held)
    for key in ("missing", "unexpected"):
        listed = answer.get(key)
        values[key] = [names(item) for item in listed[:_MOST_NAMES]] if isinstance(listed, list) else []
    outputs = answer.get("outputs")
    values["outputs"] = outputs if isinstance(outputs, np.ndarray) else None


def _file(student: StudentProcess, pattern: str) -> str:
    """The file of the upload that fits, the shortest name first; else one of the task's own files."""
    for files in (student.upload.files, student.data.files):
        fits = [n for n in files if fnmatch(n, pattern) or fnmatch(n.rsplit("/", 1)[-1], pattern)]
        if fits:
            return min(fits, key=lambda name: (len(name), name))
    raise ProbeFailed(
        ProbeFailure(
            Verdict.FAILED,
            f"Your upload holds no weights file like {pattern}.",
            "Save the weights with torch.save(model.state_dict(), …) and hand in a .zip with your code and that file.",
        )
    )


def source(student: StudentProcess, _observation: schema.Source, _seed: int, values: dict[str, Any]) -> None:
    """The Python text of the upload; the student's process is not asked."""
    values["files"] = python_files(student.upload.files, student.upload.main)


def usage(student: StudentProcess, observation: schema.UsageOf, _seed: int, values: dict[str, Any]) -> None:
    """What another observation used; it is made first (see pipeline)."""
    used = student.used.get(observation.of)
    values.update(used or {"seconds": None, "cpu_s": None, "peak_mb": None, "gpu_mb": None})


def _dtype(value: Any) -> str:
    known = {"float32", "float16", "bfloat16", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"}
    return name if (name := text(value, 20)) in known else "other"
