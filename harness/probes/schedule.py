"""Operation schedule: the learning rate that a student's scheduler puts in force at every optimiser step."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from harness.adapt import Declared, adapt, flat
from harness.convert import unsupported
from harness.errors import HarnessError
from harness.isolation import seed_all
from harness.session import Request, Session, operation

MAX_STEPS = 20_000
# What the harness can supply, by parameter name.
_STEPS = """steps total_steps num_steps n_steps training_steps num_training_steps max_steps t_max max_iters total_iters
    iterations num_iters total epochs num_epochs total_epochs"""
_WARMUP = """warmup warmup_steps num_warmup_steps n_warmup n_warmup_steps warmup_iters warm_up warm_up_steps
    warmup_epochs"""
_STEP = "step t current_step step_num i iteration cur_step global_step epoch current_epoch"
STANDARD: Declared = (
    ("optimizer", "optimiser", "optim", "opt"),
    ("base_lr", "lr", "learning_rate", "initial_lr", "max_lr", "peak_lr", "lr0"),
    tuple(_STEPS.split()),
    tuple(_WARMUP.split()),
    tuple(_STEP.split()),
)


@operation("schedule")
def run_schedule(session: Session, request: Request) -> Mapping[str, Any]:
    """Call the student's factory, or its function of the step, and follow the learning rate for `steps` steps."""
    entry = session.entry(request.text("entry"))
    steps, base_lr = request.whole("steps", least=1), request.number("base_lr", 0.1)
    steps = min(steps, MAX_STEPS)
    optimiser = _optimiser(base_lr)
    given = {"optimizer": optimiser, "base_lr": base_lr, "steps": steps, "warmup": request.whole("warmup", 0)}
    own = request.get("arguments", dict, {})
    seed_all(request.seed)
    if _takes_step(entry.target):
        rates = [_called(entry.target, entry.parameters, {**given, "step": k}, own) for k in range(steps)]
        return _rates([_number(rate) for rate in rates], base_lr)
    made = _called(entry.target, entry.parameters, given, own)
    return _follow(made, optimiser, steps, base_lr)


def _optimiser(lr: float) -> Any:
    """Of two groups with one rate: a scheduler may take it for one, but must move both."""
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    for parameter in parameters:
        parameter.grad = torch.zeros(1)
    return torch.optim.SGD([{"params": [parameter]} for parameter in parameters], lr=lr)


def _takes_step(function: Any) -> bool:
    """True if the function itself is asked for each step's rate."""
    try:
        names = {flat(name) for name in inspect.signature(function).parameters}
    except (TypeError, ValueError):
        return False
    optimizers, steps = ({flat(word) for word in STANDARD[place]} for place in (0, 4))
    return bool(names & steps) and not names & optimizers


def _called(function: Callable[..., Any], declared: Declared, given: dict[str, Any], own: dict[str, Any]) -> Any:
    """Call with what its parameters ask for: the declared ones first, and beside them what the harness can supply."""
    named = {flat(word): row[0] for row in STANDARD for word in row}
    values = dict(own)
    for row in declared:
        if row[0] not in own and named.get(flat(row[0])) in given:
            values[row[0]] = given[named[flat(row[0])]]
    known = {row[0] for row in declared}
    rows = (*declared, *((name,) for name in own if name not in known))
    taken = {named.get(flat(row[0])) for row in rows}
    more = tuple(row for row in STANDARD if row[0] in given and row[0] not in taken)
    rest = {row[0]: given[row[0]] for row in more}
    try:
        args, keywords = adapt(function, (*rows, *more), (), {**values, **rest}, lenient=True)
    except HarnessError:  # the student's own names, in the declared order
        if not rows:
            raise
        args, keywords = adapt(function, rows, (), values, lenient=True)
    return function(*args, **keywords)


def _follow(made: Any, optimiser: Any, steps: int, base_lr: float) -> dict[str, Any]:
    """The rates of what a factory returned: a scheduler, a function of the step, or all rates at once."""
    parts = list(made) if isinstance(made, tuple) else [made]
    scheduler = next((p for p in parts if hasattr(p, "step") and not isinstance(p, torch.optim.Optimizer)), None)
    if scheduler is not None:
        own = getattr(scheduler, "optimizer", optimiser)
        followed = own if isinstance(own, torch.optim.Optimizer) else optimiser
        rates = []
        for _ in range(steps):
            rates.append([_number(group["lr"]) for group in followed.param_groups])
            followed.step()
            scheduler.step()
        groups = min(map(len, rates))
        first, *others = np.array([row[:groups] for row in rates]).T
        return {"lrs": first, "others": others, "how": "scheduler"}
    function = next((p for p in parts if callable(p)), None)
    if function is not None:
        return _rates([_number(function(k)) for k in range(steps)], base_lr)
    if isinstance(made, list | np.ndarray | torch.Tensor) and len(made) == steps:
        return {"lrs": np.array([_number(rate) for rate in made]), "how": "list"}
    raise unsupported(
        "a scheduler factory must return a torch scheduler or a function of the step; it returned "
        f"{type(made).__name__}"
    )


def _number(value: Any) -> float:
    if isinstance(value, torch.Tensor | np.ndarray | np.generic):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise unsupported(f"a learning rate must be a number; this one is of type {type(value).__name__}")
    return float(value)


def _rates(values: list[float], base_lr: float) -> dict[str, Any]:
    """Rates from a function of the step. Its largest value tells if it returns rates, or factors of the base rate."""
    most = max((value for value in values if math.isfinite(value)), default=0.0)
    if most > 0 and abs(math.log(most)) < abs(math.log(most / base_lr)):
        return {"lrs": np.array(values) * base_lr, "how": "factor"}
    return {"lrs": np.array(values), "how": "rate"}
