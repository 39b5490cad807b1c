"""How a student process can end, in words for the student: (verdict, message, hint)."""

from __future__ import annotations

import signal

from autograder.model import Verdict
from autograder.sandbox.base import Limits
from autograder.sandbox.output import FLOOD_BYTES

Ending = tuple[Verdict, str, str]

_SIGNAL_HINTS = {
    "SIGSEGV": "Native code was given something wrong, or the recursion went too deep. Run cell by cell to find it.",
    "SIGBUS": "The space for files or shared memory was full, most likely. Write less, or use fewer workers.",
    "SIGABRT": "A native library gave up. Its last words are in the output.",
    "SIGKILL": "Something inside your program killed it, or the machine ran out of memory. Use less memory.",
    "SIGSYS": "It asked the system for something that is not allowed here.",
}


def too_slow(seconds: float) -> Ending:
    """A request went over its wall time."""
    return (
        Verdict.TIMED_OUT,
        f"This took longer than {round(seconds, 1 if seconds < 10 else 0):g} s and was stopped.",
        "Look for a loop that never ends or a wait for something that never comes, or do less work.",
    )


def too_much(limits: Limits) -> Ending:
    """A frame over the caps."""
    return (
        Verdict.OUTPUT_LIMIT,
        f"Your program answered with more than {limits.frame_mb} MB at once or {limits.total_mb} MB in all.",
        "Return only what the handout asks for.",
    )


def too_many_events(count: int) -> Ending:
    """More progress events than one request may have."""
    return (Verdict.OUTPUT_LIMIT, f"Your program reported progress more than {count} times.", "Train for fewer epochs.")


def out_of_memory(limits: Limits) -> Ending:
    """All processes together used more memory than the session may have."""
    return (
        Verdict.OUT_OF_MEMORY,
        f"Your program used more than {limits.memory_mb} MB of memory and was stopped.",
        "Use smaller batches or a smaller model, and let go of tensors you no longer need (files count, too).",
    )


def out_of_card_memory(limit_mb: int) -> Ending:
    """All processes together used more of the graphics card's memory than the session may have."""
    return (
        Verdict.OUT_OF_MEMORY,
        f"Your program used more than {limit_mb} MB of the graphics card's memory and was stopped.",
        "Use smaller batches or a smaller model, and keep no tensors of earlier steps (append loss.item(), not loss).",
    )


def flooded() -> Ending:
    """Printed without end."""
    return (
        Verdict.OUTPUT_LIMIT,
        f"Your program printed more than {FLOOD_BYTES >> 20} MB and was stopped.",
        "Take the print out of the inner loop.",
    )


def unreadable(detail: str) -> Ending:
    """Broke the wire format. `detail` is our own wording, never theirs."""
    return (
        Verdict.CRASHED,
        f"Your program answered in a way the grader can't read ({detail}).",
        "Leave file descriptor 3 and the modules of the grader alone.",
    )


def of_status(status: int | None, cpu_spent: bool, limits: Limits) -> Ending:
    """The process hung up. status: exit status in shell manner, None if it still runs."""
    if status is None:
        return (
            Verdict.CRASHED,
            "Your program closed its connection to the grader.",
            "Don't close file descriptors you did not open.",
        )
    if cpu_spent and status == 128 + signal.SIGKILL:
        return (
            Verdict.TIMED_OUT,
            f"Your program used more than {limits.cpu_s:g} s of processor time and was stopped.",
            "Look for a loop that never ends, or do less work.",
        )
    if status > 128:
        name = _signal_name(status - 128)
        return (
            Verdict.CRASHED,
            f"Your program was ended by {name} before it answered.",
            _SIGNAL_HINTS.get(name, "Don't send signals to your own process."),
        )
    return (
        Verdict.CRASHED,
        f"Your program ended itself (exit code {status}) before it answered.",
        "Take out exit(), quit(), os._exit() and anything else that ends the process. A library may do so too, when it "
        "gets no more threads for example: then its last words are in the output.",
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
