"""Asks one submission the probes of its spec: opens sandbox sessions, loads it, keeps what is hidden hidden.

Once a hidden array has been sent to a student process, that process is *tainted*: its words (output, error messages)
could carry the array, so from then on only facts that can't hold much are passed on.
"""

from __future__ import annotations

import builtins
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.errors import SandboxError, SandboxStopped
from autograder.hints import hint_for
from autograder.intake import Upload
from autograder.model import Observation, ProbeFailure, Remark, Trust, Verdict
from autograder.sandbox.base import Limits, Message, Sandbox, SandboxSession
from autograder.specs import schema
from autograder.specs.dataset import DataSet
from autograder.specs.schema import GraderSpec, ObservationSpec

log = logging.getLogger(__name__)

_WHERE = re.compile(r"^(cell \d{1,4}|[\w./ -]{1,80}\.py), line (\d{1,6})$")
_KNOWN_ERRORS = frozenset(
    {name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)}
    | {"OutOfMemoryError", "AcceleratorError"}
)
_MAX_PIXELS = 25_000_000
_KNOWN_TYPES = frozenset({"Tensor", "ndarray", "tuple", "list", "dict", "float", "int", "NoneType", "str"})


class ProbeFailed(Exception):
    """A probe ended without an answer; carries what to tell the student."""

    def __init__(self, failure: ProbeFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass
class Prober:
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
    on_epoch: Callable[[int, int], None] = lambda _epoch, _of: None
    _session: SandboxSession | None = None
    _sent: set[str] = field(default_factory=set)
    _tainted: bool = False
    _names: Mapping[str, Any] = field(default_factory=dict)
    _entries: Mapping[str, Any] = field(default_factory=dict)
    _load_failure: ProbeFailure | None = None
    _deadline: float = 0.0

    def observe(self, observation: ObservationSpec, seed: int) -> Observation:
        """Run one probe. What goes wrong on the student's side is in `.failure`. Raises SandboxError if it is ours."""
        begun = time.monotonic()
        partial: dict[str, Any] = {}
        failure = None
        try:
            self._ensure_loaded()
            begun = time.monotonic()
            self._deadline = time.monotonic() + (observation.wall_s or self.spec.limits.wall_s)
            probe, trust = _PROBES[observation.probe]
            probe(self, observation, seed, partial)
        except ProbeFailed as failed:
            failure, trust = failed.failure, Trust.MEASURED
        except SandboxStopped as stopped:
            failure, trust = self._stopped(stopped), Trust.MEASURED
            self._drop()
        taken = time.monotonic() - begun
        self._count("probes", taken)
        return Observation(observation.probe, partial, trust, failure, taken)

    def close(self) -> None:
        """End the student process, if there is one."""
        self._drop()

    def restart(self) -> None:
        """The next probe gets a fresh process, with the submission loaded anew."""
        self._drop()

    def _drop(self) -> None:
        if self._session is not None:
            if not self._tainted and not self.output:
                self.output = self._session.output()
            usage = self._session.close()
            self._count("cpu", usage.cpu_s)
            self.most_cpu_s = max(self.most_cpu_s, usage.cpu_s)
            self.peak_mb = max(self.peak_mb, usage.peak_memory_mb)
        self._session, self._sent, self._tainted = None, set(), False

    def _ensure_loaded(self) -> None:
        """A live session with the submission loaded, or the failure that its first loading met."""
        if self._load_failure is not None:
            raise ProbeFailed(self._load_failure)
        if self._session is not None and self._session.alive:
            return
        self._drop()
        begun = time.monotonic()
        self._session = self.sandbox.open(_limits(self.spec))
        started = time.monotonic()
        self._count("start", started - begun)
        try:
            self._load()
        except ProbeFailed as failed:
            self._load_failure = failed.failure
            self._drop()
            raise
        except SandboxStopped as stopped:
            what = f"While loading your submission: {stopped.message}"
            self._load_failure = ProbeFailure(stopped.verdict, what, stopped.hint)
            self._drop()
            raise ProbeFailed(self._load_failure) from stopped
        self._count("load", time.monotonic() - started)

    def _count(self, part: str, seconds: float) -> None:
        self.seconds[part] = self.seconds.get(part, 0.0) + seconds

    def _load(self) -> None:
        self._deadline = time.monotonic() + self.spec.limits.load_s
        files = [{"name": name, "data": data} for name, data in self.upload.files.items()]
        loaded = self._ask(
            "load", {"files": files, "main": self.upload.main, "mode": self.spec.load, "seed": self.seed}
        )
        self._names = _mapping(loaded.get("names"))
        self.remarks = self.remarks or _remarks(loaded.get("remarks"))
        self.figures = self.figures or _figures(loaded.get("figures"))
        entries = {
            name: {"kind": e.kind, "names": list(e.names), "factories": list(e.factories)}
            for name, e in self.spec.entry_points.items()
        }
        self._entries = _mapping(self._ask("resolve", {"entries": entries}))

    def _ask(
        self, op: str, arguments: Mapping[str, Any], on_event: Callable[[Message], None] | None = None
    ) -> Mapping[str, Any]:
        """One request within the current deadline. Returns its result; raises ProbeFailed on an error answer."""
        if self._session is None:
            raise SandboxError("no session is open")
        left = max(self._deadline - time.monotonic(), 0.05)
        answer = self._session.request(op, arguments, wall_s=left, on_event=on_event)
        if answer.get("status") == "ok":
            return _mapping(answer.get("result"))
        raise ProbeFailed(self._failure(_mapping(answer.get("error"))))

    def _failure(self, error: Mapping[str, Any]) -> ProbeFailure:
        """An error answer as words for the student, who may see them: see the module's opening line."""
        kind, where, name = (_text(error.get(key), 200) for key in ("kind", "where", "type"))
        if kind == "bad_request":
            return self._turned_down(_text(error.get("message"), 500))
        verdict = {"memory": Verdict.OUT_OF_MEMORY, "missing": Verdict.FAILED, "unsupported": Verdict.FAILED}.get(
            kind, Verdict.CRASHED
        )
        if not self._tainted:
            message = _text(error.get("message"), 2000)
            said = f"{name}: {message}" if kind == "exception" else message
            advice, trace = hint_for(kind, f"{name}: {message}"), _text(error.get("trace"), 4000)
            return ProbeFailure(verdict, f"{said} ({where})" if where else said, advice, trace)
        known = name if name in _KNOWN_ERRORS else "an exception"
        place = f" in {where}" if self._is_real_place(where) else ""
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
        log.error("the harness of spec %s turned a request down: %s", self.spec.id, "" if self._tainted else message)
        return ProbeFailure(
            Verdict.CRASHED,
            "The grader's question was turned down inside your program.",
            "Leave the modules of the grader alone. If you did, tell your instructor: the task may be at fault.",
        )

    def _stopped(self, stopped: SandboxStopped) -> ProbeFailure:
        """Why the process ended; an exit code or signal chosen by a tainted process is not passed on."""
        if self._tainted and stopped.verdict is Verdict.CRASHED:
            return ProbeFailure(
                Verdict.CRASHED,
                "Your program ended in the middle of a hidden test.",
                "Don't call exit(), and look for crashes in native code (an index out of range?).",
            )
        return ProbeFailure(stopped.verdict, stopped.message, stopped.hint)

    def _is_real_place(self, where: str) -> bool:
        """True if `where` names a line that exists, so that it can't carry much else."""
        match = _WHERE.match(where)
        if match is None:
            return False
        name, line = match[1], int(match[2])
        if name.startswith("cell "):
            notebook = self.upload.files.get(self.upload.main, b"")
            return int(name[5:]) <= notebook.count(b'"cell_type"') and line <= notebook.count(rb"\n") + 1
        return line <= self.upload.files.get(name, b"").count(b"\n") + 1

    def _put(self, name: str | None) -> None:
        """Send an array of the data set once; a hidden one taints the process."""
        if name is None or name in self._sent:
            return
        if name in self.data.judge_only:
            raise SandboxError(f"the spec would send '{name}', which is for the judge only")
        if name in self.data.hidden and not self._tainted:
            self.output = self.output or (self._session.output() if self._session else "")
            self._tainted = True
        self._ask("put", {"name": name, "value": np.ascontiguousarray(self.data.arrays[name])})
        self._sent.add(name)

    def _construct(self, entry: str, seed: int) -> str:
        self._need(entry)
        return _text(self._ask("construct", {"entry": entry, "seed": seed, "arguments": {}}).get("handle"), 100)

    def _need(self, entry: str | None) -> None:
        """Raise ProbeFailed if the submission lacks an entry point."""
        if entry is None:
            return
        found = _mapping(self._entries.get(entry))
        if not found.get("found"):
            official = self.spec.entry_points[entry].names[0]
            message = _text(found.get("message"), 1000) or f"'{official}' was not found in your submission."
            raise ProbeFailed(ProbeFailure(Verdict.FAILED, message, f"Define {official}; the handout says how."))

    def _resolve(self, _observation: schema.Resolve, _seed: int, values: dict[str, Any]) -> None:
        values["names"] = dict(self._names)
        values["entries"] = {
            name: {**_mapping(self._entries.get(name)), "official": e.names[0], "kind": e.kind, "required": e.required}
            for name, e in self.spec.entry_points.items()
        }

    def _parameters(self, observation: schema.Construct, seed: int, values: dict[str, Any]) -> None:
        handle = self._construct(observation.entry, seed)
        values.update(self._ask("parameters", {"handle": handle}))
        self._forget_words(values)

    def _forget_words(self, values: dict[str, Any]) -> None:
        """What a tainted process says of parameters and modules: shapes and norms, under numbers instead of names."""
        for kind in ("parameters", "modules"):
            rows = values.get(kind)
            if self._tainted and isinstance(rows, list):
                values[kind] = [
                    {"name": f"number {i + 1}", "shape": row.get("shape"), "norm": row.get("norm")}
                    for i, row in enumerate(map(_mapping, rows))
                ]

    def _forward(self, observation: schema.Forward, seed: int, values: dict[str, Any]) -> None:
        self._need(observation.entry)
        self._put(observation.inputs)
        request = {
            "handle": self._construct(observation.entry, seed),
            "inputs": observation.inputs,
            "train": observation.train,
            "batch_size": None,
            "repeat": observation.repeat,
            "seed": seed,
        }
        answer = self._ask("forward", request)
        values["rows"] = int(self.data.arrays[observation.inputs].shape[0])
        values["outputs"] = answer.get("outputs")
        returned = _text(answer.get("output_type"), 100)
        values["output_type"] = returned if returned in _KNOWN_TYPES or not self._tainted else "object"
        if observation.also_single:
            single = self._ask("forward", {**request, "batch_size": 1, "repeat": 1})
            values["single"] = single.get("outputs")

    def _gradient_norms(self, observation: schema.GradientNorms, seed: int, values: dict[str, Any]) -> None:
        self._need(observation.entry)
        self._put(observation.inputs)
        self._put(observation.targets)
        handle = self._construct(observation.entry, seed)
        request = {"handle": handle, "inputs": observation.inputs, "targets": observation.targets, "seed": seed}
        values.update(self._ask("gradient_norms", request))
        self._forget_words(values)

    def _overfit(self, observation: schema.Overfit, seed: int, values: dict[str, Any]) -> None:
        self._need(observation.entry)
        self._put(observation.inputs)
        self._put(observation.targets)
        request: dict[str, Any] = {"handle": self._construct(observation.entry, seed), "seed": seed}
        request |= observation.model_dump(include={"inputs", "targets", "steps", "lr"})
        values.update(self._ask("overfit", request))

    def _train(self, observation: schema.Train, seed: int, values: dict[str, Any]) -> None:
        self._need(observation.entry)
        self._need(observation.function)
        sends = ("inputs", "targets", "validation_inputs", "validation_targets")
        for name in (*(getattr(observation, key) for key in sends), *observation.evaluate.values()):
            self._put(name)
        handle = self._construct(observation.entry, seed)
        epochs: list[dict[str, Any]] = []
        values["epochs"] = epochs

        def keep(message: Message) -> None:
            if message.payload.get("event") == "epoch" and len(epochs) <= observation.epochs:
                said = _mapping(message.payload.get("outputs"))  # kept until the end, so only what was asked for
                outputs = {k: v for k in observation.evaluate if isinstance(v := said.get(k), np.ndarray)}
                epochs.append({"epoch": len(epochs), "outputs": outputs})
                self.on_epoch(len(epochs) - 1, observation.epochs)

        wanted = {*sends, "evaluate", "epochs", "batch_size", "lr"}
        request: dict[str, Any] = {"handle": handle, "entry": observation.function, "arguments": {}, "seed": seed}
        request |= observation.model_dump(include=wanted)
        values["result"] = self._ask("train", request, keep)

    def _call(self, observation: schema.Call, _seed: int, values: dict[str, Any]) -> None:
        self._need(observation.entry)
        arguments = [self._literal(a) for a in observation.arguments]
        keywords = {key: self._literal(a) for key, a in observation.keywords.items()}
        values.update(self._ask("call", {"entry": observation.entry, "arguments": arguments, "keywords": keywords}))

    def _literal(self, argument: Any) -> Any:
        """A literal as it is; {array: NAME} as that array of the data set, which taints if hidden."""
        if not (isinstance(argument, Mapping) and set(argument) == {"array"}):
            return argument
        name = argument["array"]
        if name in self.data.judge_only or name not in self.data.arrays:
            raise SandboxError(f"a call would send '{name}', which is missing or for the judge only")
        if name in self.data.hidden:
            self._put(name)
        return np.ascontiguousarray(self.data.arrays[name])

    def _predict(self, observation: schema.Predict, seed: int, values: dict[str, Any]) -> None:
        self._need(observation.entry)
        self._need(observation.function)
        self._put(observation.inputs)
        request = {"handle": self._construct(observation.entry, seed), "entry": observation.function, "seed": seed}
        request |= observation.model_dump(include={"inputs", "batch_size"})
        values.update(self._ask("predict", request))


_PROBES: dict[str, tuple[Callable[[Prober, Any, int, dict[str, Any]], None], Trust]] = {
    "resolve": (Prober._resolve, Trust.REPORTED),
    "construct": (Prober._parameters, Trust.REPORTED),
    "forward": (Prober._forward, Trust.MEASURED),
    "gradient_norms": (Prober._gradient_norms, Trust.REPORTED),
    "overfit": (Prober._overfit, Trust.MEASURED),
    "train": (Prober._train, Trust.MEASURED),
    "call": (Prober._call, Trust.MEASURED),
    "predict": (Prober._predict, Trust.MEASURED),
}


def _limits(spec: GraderSpec) -> Limits:
    limits = spec.limits
    return Limits(
        wall_s=limits.wall_s,
        cpu_s=limits.cpu_s,
        memory_mb=limits.memory_mb,
        processes=limits.processes,
        disk_mb=limits.disk_mb,
        output_kb=limits.output_kb,
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any, longest: int) -> str:
    return value[:longest] if isinstance(value, str) else ""


def _remarks(value: Any) -> tuple[Remark, ...]:
    rows = value if isinstance(value, list) else []
    return tuple(
        Remark(_text(r.get("code"), 64), _text(r.get("message"), 500), _text(r.get("where"), 100))
        for r in rows[:50]
        if isinstance(r, Mapping)
    )


def _figures(value: Any) -> tuple[bytes, ...]:
    rows = value if isinstance(value, list) else []
    pngs = [a.tobytes() for a in rows[:8] if isinstance(a, np.ndarray) and a.dtype == np.uint8 and a.size < 4_000_000]
    return tuple(png for png in pngs if _is_picture(png))


def _is_picture(png: bytes) -> bool:
    """True for a PNG whose header names a size that a browser can show: few bytes can stand for gigabytes."""
    if png[:8] != b"\x89PNG\r\n\x1a\n" or png[12:16] != b"IHDR":
        return False
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    return 0 < width * height <= _MAX_PIXELS
