"""One submission's student process: opened, loaded, asked, restarted, and kept from saying what is hidden."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from autograder.errors import SandboxError, SandboxStopped
from autograder.hints import hint_for
from autograder.intake import Upload
from autograder.intake.code import line_counts
from autograder.model import ProbeFailure, Remark, Verdict
from autograder.probing import untrusted
from autograder.probing.untrusted import KNOWN_ERRORS, is_real_place, mapping, text
from autograder.sandbox.base import Limits, Message, Sandbox, SandboxSession, Usage
from autograder.specs.dataset import DataSet, Ref
from autograder.specs.schema import GraderSpec
from autograder.specs.shown import shown_folder
from autograder.text import one_line

log = logging.getLogger(__name__)


class ProbeFailed(Exception):
    """A probe ended without an answer; carries what to tell the student."""

    def __init__(self, failure: ProbeFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass
class StudentProcess:
    """One submission under one spec and data set. Not thread-safe; close it when done."""

    spec: GraderSpec
    upload: Upload
    data: DataSet
    sandbox: Sandbox
    seed: int
    remarks: tuple[Remark, ...] = ()
    figures: tuple[bytes, ...] = ()
    output: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    most_cpu_s: float = 0.0  # of one process
    peak_mb: float = 0.0
    used: dict[str, dict[str, float | None]] = field(default_factory=dict)  # by observation, for the probe `usage`
    on_epoch: Callable[[int, int], None] = lambda _epoch, _of: None
    tainted: bool = False  # and so is every process after it: one can leave word for the next
    names: Mapping[str, Any] = field(default_factory=dict)
    entries: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    deadline: float = 0.0
    _session: SandboxSession | None = None
    _sent: set[str] = field(default_factory=set)
    _load_failure: ProbeFailure | None = None

    @cached_property
    def _lines(self) -> Mapping[str, int]:
        return line_counts(self.upload.files, self.upload.main)

    def close(self) -> None:
        """End the student process, if there is one; there will be no other."""
        self._leave(wait=False)  # nobody is asked any more

    def restart(self) -> None:
        """The next probe gets a fresh process, with the submission loaded anew."""
        self.drop()

    def drop(self) -> None:
        """End the student process; the next question starts another."""
        self._leave(wait=True)

    def _leave(self, *, wait: bool) -> None:
        if self._session is not None:
            if not self.tainted and not self.output:
                self.output = self._session.output()
            usage = self._session.close() if wait else self._session.end()
            self.count("cpu", usage.cpu_s)
            self.most_cpu_s = max(self.most_cpu_s, usage.cpu_s)
            self.peak_mb = max(self.peak_mb, usage.peak_memory_mb)
        self._session, self._sent = None, set()

    def ensure_loaded(self) -> None:
        """A live session with the submission loaded, or the failure that its first loading met."""
        if self._load_failure is not None:
            raise ProbeFailed(self._load_failure)
        if self._session is not None and self._session.alive:
            return
        self.drop()
        begun = time.monotonic()
        self._session = self.sandbox.open(_limits(self.spec, self.data))
        started = time.monotonic()
        self.count("start", started - begun)
        try:
            self._load()
        except ProbeFailed as failed:
            self._load_failure = failed.failure
            self.drop()
            raise
        except SandboxStopped as stopped:
            told = self.stopped(stopped)
            self._load_failure = replace(told, message=f"While loading your submission: {told.message}")
            self.drop()
            raise ProbeFailed(self._load_failure) from stopped
        self.count("load", time.monotonic() - started)

    def measure(self) -> Usage:
        """What the process used since it was measured last, or since its start."""
        return self._session.measure() if self._session is not None else Usage(0.0, 0.0, 0.0)

    def count(self, part: str, seconds: float) -> None:
        """Add to the time a part of the grading took."""
        self.seconds[part] = self.seconds.get(part, 0.0) + seconds

    def _load(self) -> None:
        self.deadline = time.monotonic() + self.spec.limits.load_s
        request: dict[str, Any] = {
            "files": [{"name": name, "data": data} for name, data in self.upload.files.items()],
            "main": self.upload.main,
            "mode": self.spec.load,
            "seed": self.seed,
        }
        if self._session is not None and shown_folder(self.data) is not None:
            request["data"] = self._session.data
        if self.spec.limits.gpu_memory_mb is not None:
            request["gpu_memory_mb"] = self.spec.limits.gpu_memory_mb
        loaded = self.ask("load", request)
        if self.tainted:  # what the first process said of itself still holds
            self.ask("resolve", {"entries": self._entries_asked()})
            return
        self.names = mapping(loaded.get("names"))
        self.remarks = self.remarks or untrusted.remarks(loaded.get("remarks"))
        if self.spec.load == "run_all":  # else nothing is drawn
            self.figures = self.figures or untrusted.figures(loaded.get("figures"))
        self.entries = untrusted.entries(self.ask("resolve", {"entries": self._entries_asked()}))

    def _entries_asked(self) -> dict[str, Any]:
        return {
            name: {
                "kind": e.kind,
                "names": list(e.names),
                "factories": list(e.factories),
                "parameters": [[parameter, *others] for parameter, others in e.parameters.items()],
            }
            for name, e in self.spec.entry_points.items()
        }

    def ask(
        self, op: str, arguments: Mapping[str, Any], on_event: Callable[[Message], None] | None = None
    ) -> Mapping[str, Any]:
        """One request within the current deadline. Returns its result; raises ProbeFailed on an error answer."""
        if self._session is None:
            raise SandboxError("no session is open")
        left = max(self.deadline - time.monotonic(), 0.05)
        answer = self._session.request(op, arguments, wall_s=left, on_event=on_event)
        if answer.get("status") == "ok":
            return mapping(answer.get("result"))
        raise ProbeFailed(self._failure(mapping(answer.get("error"))))

    def _failure(self, error: Mapping[str, Any]) -> ProbeFailure:
        """An error answer as words for the student, who may see them: see the package's opening lines."""
        kind, where, name = (text(error.get(key), 200) for key in ("kind", "where", "type"))
        if kind == "bad_request":
            return self._turned_down(text(error.get("message"), 500))
        verdict = {"memory": Verdict.OUT_OF_MEMORY, "missing": Verdict.FAILED, "unsupported": Verdict.FAILED}.get(
            kind, Verdict.CRASHED
        )
        if not self.tainted:
            message = text(error.get("message"), 2000)
            said = f"{name}: {message}" if kind == "exception" else message
            advice, trace = hint_for(kind, f"{name}: {message}"), text(error.get("trace"), 4000)
            return ProbeFailure(verdict, f"{said} ({where})" if where else said, advice, trace)
        known = name if name in KNOWN_ERRORS else "an exception"
        place = f" in {where}" if is_real_place(where, self._lines) else ""
        said = {"memory": "It ran out of memory", "unsupported": "It returned something that is no array"}.get(
            kind, f"Your code raised {known}"
        )
        return ProbeFailure(
            verdict,
            f"{said}{place}, while it was given hidden inputs.",
            "The exact error is not shown, because it could contain the hidden inputs. Try inputs of other sizes "
            "(one row, many rows) on your side.",
        )

    def _turned_down(self, message: str) -> ProbeFailure:
        """The harness says the judge erred. Student code can say so in its stead, so that does not blame the judge.

        An honest one says it of a wrong spec only, and that verify finds. Words of a tainted process stay out of logs.
        """
        said = "" if self.tainted else one_line(message, 500)  # a line of its own in the log, and no more
        log.error("the harness of spec %s turned a request down: %s", self.spec.id, said)
        return ProbeFailure(
            Verdict.CRASHED,
            "The grader's question was turned down inside your program.",
            "Leave the modules of the grader alone. If you did, tell your instructor: the task may be at fault.",
        )

    def stopped(self, stopped: SandboxStopped) -> ProbeFailure:
        """Why the process ended; an exit code or signal chosen by a tainted process is not passed on."""
        if self.tainted and stopped.verdict is Verdict.CRASHED:
            return ProbeFailure(
                Verdict.CRASHED,
                "Your program ended in the middle of a hidden test.",
                "Don't call exit(), and look for crashes in native code (an index out of range?).",
            )
        return ProbeFailure(stopped.verdict, stopped.message, stopped.hint)

    def taint(self, name: str) -> None:
        """Before an array or case list of this name is sent: if it is hidden, the process's words end here."""
        if name in self.data.hidden and not self.tainted:
            self.output = self.output or (self._session.output() if self._session else "")
            self.tainted = True

    def put(self, name: str | None) -> None:
        """Send an array of the data set once; a hidden one taints the process."""
        if name is None or name in self._sent:
            return
        if name in self.data.judge_only or name not in self.data.arrays:
            raise SandboxError(f"the spec would send '{name}', which is missing or for the judge only")
        self.taint(name)
        self.ask("put", {"name": name, "value": np.ascontiguousarray(self.data.arrays[name])})
        self._sent.add(name)

    def construct(self, entry: str, seed: int) -> str:
        """Build an entry point's model with the spec's arguments; its handle."""
        self.need(entry)
        arguments = self.literal(self.spec.entry_points[entry].arguments)
        built = self.ask("construct", {"entry": entry, "seed": seed, "arguments": arguments})
        return text(built.get("handle"), 100)

    def need(self, entry: str | None) -> None:
        """Raise ProbeFailed if the submission lacks an entry point."""
        if entry is None:
            return
        found = self.entries.get(entry, {})
        if not found.get("found"):
            official = self.spec.entry_points[entry].names[0]
            message = found.get("message") or f"'{official}' was not found in your submission."
            raise ProbeFailed(ProbeFailure(Verdict.FAILED, message, f"Define {official}; the handout says how."))

    def literal(self, value: Any) -> Any:
        """A spec's literal argument as it travels: {array: NAME} stands for that array of the data set."""
        if isinstance(value, Mapping) and set(value) == {"array"}:
            return self.argument(Ref("array", value["array"]))
        if isinstance(value, Mapping):
            return {key: self.literal(item) for key, item in value.items()}
        return [self.literal(item) for item in value] if isinstance(value, list | tuple) else value

    def argument(self, value: Any) -> Any:
        """A case's argument as it travels: a tree with every Ref as {"$ref": …}.

        The arrays they name are sent first (a hidden one taints), and the entry points must be there.
        """
        if isinstance(value, Ref):
            for name in value.arrays:
                self.put(name)
            for entry in value.entries:
                self.need(entry)
            if value.kind == "built":
                own = self.literal(self.spec.entry_points[value.name].arguments)
                return {**value.values, "$ref": value.kind, "name": value.name, "arguments": own}
            return {"$ref": value.kind, "name": value.name, **value.values}
        if isinstance(value, Mapping):
            return {key: self.argument(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.argument(item) for item in value]
        return value


def _limits(spec: GraderSpec, data: DataSet) -> Limits:
    limits = spec.limits
    return Limits(
        wall_s=limits.wall_s,
        cpu_s=limits.cpu_s,
        memory_mb=limits.memory_mb,
        processes=limits.processes,
        gpu_memory_mb=limits.gpu_memory_mb,
        disk_mb=limits.disk_mb,
        output_kb=limits.output_kb,
        shown=shown_folder(data),
        preload=spec.runtime.preload,
    )
