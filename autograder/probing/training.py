"""Probes that train, or ask for gradients: gradient_norms, overfit, train."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.probing.models import forget_words
from autograder.probing.process import StudentProcess
from autograder.probing.untrusted import mapping
from autograder.sandbox.base import Message
from autograder.specs import schema


def gradient_norms(
    student: StudentProcess, observation: schema.GradientNorms, seed: int, values: dict[str, Any]
) -> None:
    """The gradient that one backward pass leaves on each parameter."""
    student.need(observation.entry)
    student.put(observation.inputs)
    student.put(observation.targets)
    handle = student.construct(observation.entry, seed)
    request = {"handle": handle, "seed": seed, **observation.model_dump(include={"inputs", "targets", "pad"})}
    values.update(student.ask("gradient_norms", request))
    forget_words(student, values)


def overfit(student: StudentProcess, observation: schema.Overfit, seed: int, values: dict[str, Any]) -> None:
    """Outputs before and after training on one batch, and the losses."""
    student.need(observation.entry)
    student.put(observation.inputs)
    student.put(observation.targets)
    request: dict[str, Any] = {"handle": student.construct(observation.entry, seed), "seed": seed}
    request |= observation.model_dump(include={"inputs", "targets", "steps", "lr", "pad"})
    values.update(student.ask("overfit", request))


def train(student: StudentProcess, observation: schema.Train, seed: int, values: dict[str, Any]) -> None:
    """Outputs on hidden inputs after every epoch."""
    student.need(observation.entry)
    student.need(observation.function)
    sends = ("inputs", "targets", "validation_inputs", "validation_targets")
    for name in (*(getattr(observation, key) for key in sends), *observation.evaluate.values()):
        student.put(name)
    handle = student.construct(observation.entry, seed)
    epochs: list[dict[str, Any]] = []
    values.update(epochs=epochs, by_grader=not observation.function)

    def keep(message: Message) -> None:
        if message.payload.get("event") == "epoch" and len(epochs) <= observation.epochs:
            said = mapping(message.payload.get("outputs"))  # kept until the end, so only what was asked for
            outputs = {k: v for k in observation.evaluate if isinstance(v := said.get(k), np.ndarray)}
            epochs.append({"epoch": len(epochs), "outputs": outputs})
            student.on_epoch(len(epochs) - 1, observation.epochs)

    wanted = {*sends, "evaluate", "epochs", "batch_size", "lr", "pad", "leftover"}
    request: dict[str, Any] = {"handle": handle, "entry": observation.function, "arguments": {}, "seed": seed}
    request |= observation.model_dump(include=wanted)
    values["result"] = student.ask("train", request, keep)
