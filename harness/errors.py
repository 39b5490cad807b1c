"""What can go wrong inside the sandbox, and how it is told: kind, message, the student's own lines."""

from __future__ import annotations

import linecache
import re
import traceback
from collections.abc import Iterator
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

MAX_MESSAGE = 2000
MAX_TRACE = 4000
NETWORK_MESSAGE = (
    "The network can't be reached while grading. Hand in the files the code needs, "
    "or leave downloads to code outside the graded functions."
)


class Kind(StrEnum):
    """The error kinds of docs/wire.md."""

    EXCEPTION = "exception"
    MISSING = "missing"
    UNSUPPORTED = "unsupported"
    MEMORY = "memory"
    INPUT = "input"
    NETWORK = "network"
    MISSING_PACKAGE = "missing_package"
    BAD_REQUEST = "bad_request"


class HarnessError(Exception):
    """An error the harness itself raises, of a known kind. `type_name` stands in for a Python class name."""

    def __init__(self, kind: Kind, message: str, type_name: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.type_name = type_name or kind.value


class BadRequest(HarnessError):
    """The judge asked for something that makes no sense."""

    def __init__(self, message: str) -> None:
        super().__init__(Kind.BAD_REQUEST, message)


class InputRefused(EOFError):
    """Student code called input()."""


class NetworkRefused(OSError):
    """Student code wanted the network."""


class MissingPackage(ModuleNotFoundError):
    """Student code used a package that isn't installed."""


class Sources:
    """Which files are the student's, so that a trace shows those and nothing else."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self.folder: str = ""

    def add(self, name: str, text: str) -> None:
        """Make `name` a student file and let traces show its lines."""
        self._names.add(name)
        lines = [line + "\n" for line in text.splitlines()]
        linecache.cache[name] = (len(text), None, lines, name)

    def text(self, name: str) -> str:
        """The text of a student file added before."""
        return "".join(linecache.getlines(name))

    def label(self, filename: str) -> str | None:
        """How people call this file ("cell 3", "model.py"), or None if it isn't the student's."""
        if filename in self._names:
            return filename
        if self.folder and filename.startswith(self.folder + "/"):
            return filename[len(self.folder) + 1 :]
        return None


SOURCES = Sources()

_NETWORK_TYPES = {"OfflineModeIsEnabled", "LocalEntryNotFoundError", "NetworkRefused"}
_NETWORK_WORDS = ("couldn't connect to 'https://", "We couldn't connect to", "outgoing traffic has been disabled")
_MEMORY_WORDS = ("can't allocate memory", "not enough memory", "CUDA out of memory")


def describe(error: BaseException) -> dict[str, Any]:
    """The error object of docs/wire.md. Never raises."""
    name = error.type_name if isinstance(error, HarnessError) else type(error).__name__
    where, trace = _student_frames(error)
    return {
        "kind": kind_of(error).value,
        "type": name[:200],
        "message": advice_of(error)[:MAX_MESSAGE],
        "where": where[:200],
        "trace": trace[-MAX_TRACE:],
    }


def kind_of(error: BaseException) -> Kind:
    """Which kind of docs/wire.md an exception is; what caused it counts for `input` and `network`."""
    if isinstance(error, HarnessError):
        return error.kind
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return Kind.MEMORY
    if isinstance(error, RuntimeError) and any(words in message_of(error) for words in _MEMORY_WORDS):
        return Kind.MEMORY
    for link in _chain(error):
        if isinstance(link, InputRefused):
            return Kind.INPUT
        if type(link).__name__ in _NETWORK_TYPES or any(words in message_of(link) for words in _NETWORK_WORDS):
            return Kind.NETWORK
    return Kind.MISSING_PACKAGE if isinstance(error, ModuleNotFoundError) else Kind.EXCEPTION


def message_of(error: BaseException) -> str:
    """The exception's own words, or its class name; a student's __str__ may raise."""
    try:
        text = str(error).strip()
    except BaseException:
        return f"{type(error).__name__} (its message could not be read)"
    if isinstance(error, KeyError):
        return f"KeyError: {text}"
    if isinstance(error, SystemExit):
        code = "" if text == "None" else text
        return f"The code called exit({code}). Remove it: it stops the grading too."
    return text or type(error).__name__


def advice_of(error: BaseException) -> str:
    """As `message_of`; what fails for lack of a network says that first, whatever its library made of it."""
    text = message_of(error)
    if kind_of(error) is Kind.MEMORY and (found := re.search(r"tried to allocate (\d+) bytes", text)):
        return f"The code asked for {int(found[1]) / 1e9:.1f} GB of memory in one piece, and there is not that much."
    if kind_of(error) is not Kind.NETWORK or isinstance(error, NetworkRefused) or NETWORK_MESSAGE in text:
        return text
    return f"{NETWORK_MESSAGE} ({text})"


def where_of(error: BaseException) -> str:
    """The innermost student line of an exception ("cell 3, line 12"), or nothing."""
    return _student_frames(error)[0]


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        reason = getattr(link, "reason", None)  # urllib hides the cause there
        link = link.__cause__ or link.__context__ or (reason if isinstance(reason, BaseException) else None)


def _student_frames(error: BaseException) -> tuple[str, str]:
    """`where` and `trace`; both from student frames only. Empty where reading them fails."""
    try:
        frames, where = [], ""
        for frame in _summaries(error):
            label = SOURCES.label(frame.filename)
            if label is not None:
                where = f"{label}, line {frame.lineno}"
                frames.append(f"  {where}, in {frame.name}\n    {(frame.line or '').strip()}\n")
        if isinstance(error, SyntaxError) and error.filename and (label := SOURCES.label(error.filename)):
            where = f"{label}, line {error.lineno}"
        if len(frames) > 20:
            frames = [*frames[:10], f"  … {len(frames) - 20} more …\n", *frames[-10:]]
        name = error.type_name if isinstance(error, HarnessError) else type(error).__name__
        return where, "".join(frames) + f"{name}: {message_of(error)[:500]}"
    except BaseException:
        return "", ""


def _summaries(error: BaseException) -> Iterator[traceback.FrameSummary]:
    for frame, line in islice(traceback.walk_tb(error.__traceback__), 2000):
        code = frame.f_code
        yield traceback.FrameSummary(code.co_filename, line, code.co_name, lookup_line=False)


def student_folder(folder: Path) -> None:
    """Everything under this folder is the student's."""
    SOURCES.folder = str(folder)
