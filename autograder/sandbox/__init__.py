"""Runs student code where it can harm nothing and see nothing. `open_sandbox` picks the implementation."""

from __future__ import annotations

import difflib
import importlib

from autograder.config import ROOT, Settings
from autograder.errors import SandboxUnavailable
from autograder.sandbox import cgroups
from autograder.sandbox.base import Sandbox
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.card import Nvml
from autograder.sandbox.forkserver import ForkServerSandbox
from autograder.sandbox.plain import TRUST, PlainSandbox, refusal
from autograder.specs.shown import shelf_of

NAMES = ("bubblewrap", "forkserver")  # those that isolate
WEAK = PlainSandbox.name


def open_sandbox(settings: Settings, *, gpu: bool = False) -> Sandbox:
    """The sandbox the settings name. gpu: show it the first NVIDIA card. Raises SandboxUnavailable.

    The weak one is opened only where AUTOGRADER_ALLOW_WEAK_SANDBOX says TRUST, whoever asks and for whatever code.
    `module:factory` names one of your own: factory(settings) returns a Sandbox.
    """
    device = 0 if gpu else None
    if settings.sandbox == WEAK and settings.allow_weak_sandbox.strip() != TRUST:
        raise refusal()
    if settings.sandbox in (*NAMES, WEAK):
        groups, _ = cgroups.find(settings.cgroup)
        card = None if device is None else Nvml(device)
    if settings.sandbox == "bubblewrap":
        return BubblewrapSandbox(settings.runtime_python, ROOT / "harness", device=device, groups=groups, card=card)
    if settings.sandbox == "forkserver":
        warm = ForkServerSandbox(
            settings.runtime_python,
            ROOT / "harness",
            device=device,
            groups=groups,
            card=card,
            shelf=shelf_of(settings),
        )
        warm.warm_up()
        return warm
    if settings.sandbox == WEAK:
        return PlainSandbox(settings.runtime_python, ROOT / "harness", device=device, groups=groups, card=card)
    module, colon, factory = settings.sandbox.partition(":")
    if colon:
        made: Sandbox = getattr(importlib.import_module(module), factory)(settings)
        return made
    near = difflib.get_close_matches(settings.sandbox, (*NAMES, WEAK), n=1)
    suggestion = f" Did you mean '{near[0]}'?" if near else ""
    raise SandboxUnavailable(
        f"There is no sandbox called '{settings.sandbox}'.{suggestion} "
        f"Set AUTOGRADER_SANDBOX to one of: {', '.join(NAMES)}."
    )
