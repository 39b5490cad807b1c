"""Probes that call the student's functions: call, calls."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.hints import hint_for
from autograder.model import ProbeFailure, Verdict
from autograder.probing.process import ProbeFailed, StudentProcess
from autograder.probing.untrusted import KNOWN_ERRORS, mapping, text
from autograder.sandbox.base import Message
from autograder.specs import schema
from autograder.specs.dataset import Case

_MOST_CASES = 200  # in one request: each answer is an event, and a request may have 1,000 of them
_MOST_ARRAYS = 2000  # in one request; the wire takes 4,096
_MOST_TEXT = 1 << 18  # bytes of JSON in one request; the wire takes 2^20
_MOST_BYTES = 1 << 24  # of arrays in one request


def call(student: StudentProcess, observation: schema.Call, _seed: int, values: dict[str, Any]) -> None:
    """One answer of a function."""
    student.need(observation.entry)
    request = {
        "entry": observation.entry,
        "arguments": student.literal(observation.arguments),
        "keywords": student.literal(observation.keywords),
    }
    values.update(student.ask("call", request))


def calls(student: StudentProcess, observation: schema.Calls, seed: int, values: dict[str, Any]) -> None:
    """The answer or the error of every case of a list, in order. What was answered before an end is kept."""
    student.need(observation.entry)
    cases = student.data.cases[observation.cases]
    answers: list[dict[str, Any]] = []
    values["answers"] = answers
    values["cases"] = observation.cases
    student.taint(observation.cases)
    requests = [_request(student, case) for case in cases]
    for chunk in chunks(requests):
        target = len(answers) + len(chunk)

        def keep(message: Message, target: int = target) -> None:
            if message.payload.get("event") == "answer" and len(answers) < target:
                answers.append(_answer(student, message.payload))

        request = {"entry": observation.entry, "cases": chunk, "seed": seed}
        request |= observation.model_dump(include={"as_tensor", "keep_arguments"})
        student.ask("calls", request, keep)
        if len(answers) != target:
            raise ProbeFailed(
                ProbeFailure(
                    Verdict.CRASHED,
                    "Your program did not answer every call.",
                    "Leave the modules of the grader alone.",
                )
            )


def _request(student: StudentProcess, case: Case) -> dict[str, Any]:
    return {"arguments": student.argument(list(case.arguments)), "keywords": student.argument(dict(case.keywords))}


def _answer(student: StudentProcess, payload: Mapping[str, Any]) -> dict[str, Any]:
    """{"value": tree} or {"error": {type, base, message, where, hint}}, and {"arguments": tree} where these are kept.

    base is the nearest built-in type. Of a tainted process's errors nothing but built-in types is told.
    """
    kept = {"arguments": payload["arguments"]} if "arguments" in payload else {}
    if "error" not in payload:
        return {"value": payload.get("value"), **kept}
    error = mapping(payload.get("error"))
    name, base = (text(error.get(key), 200) for key in ("type", "base"))
    base = base if base in KNOWN_ERRORS else "Exception"
    if student.tainted:
        told = {"type": name if name in KNOWN_ERRORS else "Exception", "base": base}
        return {"error": told | dict.fromkeys(("message", "where", "hint"), ""), **kept}
    message = text(error.get("message"), 2000)
    told = {"type": name or "Exception", "base": base, "message": message, "where": text(error.get("where"), 200)}
    told["hint"] = hint_for(text(error.get("kind"), 200), f"{name}: {message}")
    return {"error": told, **kept}


def chunks(requests: Sequence[Any]) -> Iterator[list[Any]]:
    """Cases in the groups in which they are sent, so that each request stays below the wire's caps."""
    group: list[Any] = []
    arrays = letters = size = 0
    for request in requests:
        more = _weigh(request)
        over = arrays + more[0] > _MOST_ARRAYS or letters + more[1] > _MOST_TEXT or size + more[2] > _MOST_BYTES
        if group and (over or len(group) == _MOST_CASES):
            yield group
            group, arrays, letters, size = [], 0, 0, 0
        group.append(request)
        arrays, letters, size = arrays + more[0], letters + more[1], size + more[2]
    if group:
        yield group


def _weigh(tree: Any) -> tuple[int, int, int]:
    """(arrays, bytes of JSON, bytes of arrays) that a tree takes, generously."""
    if isinstance(tree, np.ndarray | bytes):
        return 1, 120, tree.nbytes if isinstance(tree, np.ndarray) else len(tree)
    if isinstance(tree, Mapping):
        parts = [_weigh(value) for value in tree.values()]
        own = sum(len(json.dumps(str(key))) + 2 for key in tree) + 2
    elif isinstance(tree, list | tuple):
        parts, own = [_weigh(value) for value in tree], len(tree) + 2
    else:
        return 0, len(json.dumps(tree, default=str)), 0
    return sum(p[0] for p in parts), own + sum(p[1] for p in parts), sum(p[2] for p in parts)
