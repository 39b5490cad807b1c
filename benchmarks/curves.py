"""Records loss curves of small real trainings with one planted cause each. Runs in the runtime's Python (torch).

    .venv-runtime/bin/python benchmarks/curves.py OUT.json [--seeds 6] [--only CAUSE]

Each training shows its first epochs and goes on, unseen, for as many again: what happens there proves the cause without
the diagnosis. `kept` states the rules; a planted training that breaks its rule is dropped and counted.
Images: the 8×8 digits of scikit-learn (10 classes). Text: sequences of 12 tokens, whose class is the commonest of four
groups of words. Losses are means of cross entropies in nats, in eval mode, on 400 training and 300 validation examples.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

MODELS = ("mlp", "cnn", "lstm")


class Run(TypedDict, total=False):
    """One training: its curves and what proves its cause. steady: the last training loss of a twin (see `record`)."""

    cause: str
    shape: str
    model: str
    seed: int
    training: list[float]
    validation: list[float]
    unseen: list[float]
    steps: list[float]
    guessing: float
    steady: float
    cpu_s: float


@dataclass(frozen=True)
class Plan:
    """One training. shape: what its curve must be called. Rates are per model, in the order of MODELS."""

    cause: str
    shape: str
    lr: tuple[float, float, float]
    epochs: int = 20
    optimizer: str = "adam"
    network: str = "plain"  # plain, sigmoid (deep, saturating), tiny (weights × 0.01)
    examples: int = 1000
    random_labels: float = 0.0
    sign: float = 1.0
    decay: float = 0.0  # weight decay
    freeze: str = ""  # "no_step", "detached", "other_parameters"
    stop_at: int = 0  # after this epoch the learning rate is a thousandth
    rule: Callable[[Run], bool] = bool


def kept(run: Run) -> bool:
    """Did the planted cause show? Every loss finite unless infinity was planted, and the plan's own rule."""
    plan = next(p for p in PLANS if p.cause == run["cause"])
    finite = all(math.isfinite(v) for v in run["training"] + run["validation"])
    return finite != (plan.shape == "not_finite") and (not finite or bool(plan.rule(run)))


def _fall(run: Run) -> float:
    return float(run["validation"][0] - min(run["validation"]))


def _learned(run: Run) -> bool:
    return _fall(run) > 0.25 * run["guessing"] and min(run["validation"]) < 0.75 * run["guessing"]


def _turned(run: Run) -> float:
    """How far validation rose from its lowest point, in parts of that (or of a tenth of guessing, if that is more)."""
    low = min(run["validation"])
    return float(run["validation"][-1] - low) / max(low, 0.1 * run["guessing"])


def _yet_to_come(run: Run) -> float:
    """How much further the best validation loss falls, unseen, in parts of the fall that was seen."""
    return float(min(run["validation"]) - min(run["unseen"])) / max(_fall(run), 0.01 * run["guessing"])


def _ups(run: Run) -> float:
    """Rises of the training loss from epoch to epoch in the second half, summed, in guessing losses."""
    curve = run["training"][1:]
    curve = curve[len(curve) // 2 :]
    return sum(max(b - a, 0.0) for a, b in itertools.pairwise(curve)) / float(run["guessing"])


def _stays(run: Run) -> bool:
    return max(abs(v - run["training"][0]) for v in run["training"]) < 0.02 * run["training"][0]


def _rose(run: Run) -> bool:
    return bool(run["training"][-1] > 1.003 * run["training"][0])


def _healthy(run: Run) -> bool:
    return bool(_learned(run) and not _late(run) and _turned(run) < 0.05 and _yet_to_come(run) < 0.05)


def _late(run: Run) -> bool:
    """A fifth of the run within 5 % of guessing; then it learned."""
    first = run["validation"][1 : 1 + max(2, len(run["validation"]) // 5)]
    return _learned(run) and all(abs(v - run["guessing"]) < 0.05 * run["guessing"] for v in first)


def _cut_short(run: Run) -> bool:
    """Learned something, and the unseen epochs bring a seventh more."""
    return _fall(run) > 0.06 * run["guessing"] and _yet_to_come(run) > 0.15 and _turned(run) < 0.03 and not _late(run)


def _shaken(run: Run) -> bool:
    return _ups(run) > 0.12 and run["training"][-1] > 1.2 * run["steady"]


def _stopped(run: Run) -> bool:
    """It had learned something, and the same training whose rate stays gets at least a quarter lower."""
    return _fall(run) > 0.15 * run["guessing"] and run["steady"] < 0.75 * run["training"][-1]


ADAM = (1e-3, 1e-3, 3e-3)
PLANS = [
    Plan("healthy, Adam", "healthy", (1e-3, 2e-3, 1.5e-3), 24, decay=2e-3, rule=_healthy),
    Plan("healthy, SGD", "healthy", (0.005, 0.015, 0.05), 24, "sgd", decay=3e-3, rule=_healthy),
    Plan("healthy, all data", "healthy", (1e-3, 2e-3, 2e-3), 24, examples=1400, decay=3e-3, rule=_healthy),
    Plan("frozen: no step", "not_learning", ADAM, 10, freeze="no_step"),
    Plan("frozen: detached before the last layer's output", "not_learning", ADAM, 12, freeze="detached"),
    Plan("frozen: optimizer over another model", "not_learning", ADAM, 8, freeze="other_parameters"),
    Plan("rate ÷ 1000", "not_learning", (1e-6, 1e-6, 3e-6), 12, rule=_stays),
    Plan("rate ÷ 20", "not_converged", (5e-5, 1.5e-4, 2e-4), 16, rule=_cut_short),
    Plan("few epochs", "not_converged", (3e-4, 1e-3, 4e-3), 3, rule=_cut_short),
    Plan("few epochs, SGD", "not_converged", (3e-3, 0.015, 0.08), 4, "sgd", rule=_cut_short),
    Plan("wrong sign, Adam", "diverging", ADAM, 8, sign=-1),
    Plan("wrong sign, SGD", "diverging", (1e-3, 4e-3, 1e-2), 8, "raw", sign=-1, rule=_rose),
    Plan("rate far too high, SGD on huge loss", "not_finite", (1e6, 1e6, 1e37), 8, "raw"),
    Plan("exploding: logarithm of negative numbers", "not_finite", ADAM, 8, network="log"),
    Plan("sixty examples", "overfitting", (1e-2, 1e-2, 1e-2), 60, examples=60, random_labels=0.15,
         rule=lambda r: _turned(r) > 0.15),
    Plan("noisy labels", "overfitting", (4e-3, 1e-2, 1e-2), 36, examples=200, random_labels=0.4,
         rule=lambda r: _turned(r) > 0.15),
    Plan("random labels (extreme)", "overfitting", (4e-3, 4e-3, 1e-2), 30, examples=150, random_labels=1.0,
         rule=lambda r: _turned(r) > 0.15 and r["training"][-1] < 0.7 * r["training"][0]),
    Plan("deep sigmoid", "slow_start", (1e-3, 3e-3, 1e-3), 30, network="sigmoid", rule=_late),
    Plan("tiny weights", "slow_start", (1e-4, 5e-4, 8e-4), 32, network="tiny", rule=_late),
    Plan("rate too high", "oscillating", (0.12, 0.06, 0.2), 20, rule=_shaken),
    Plan("rate too high, SGD", "oscillating", (0.35, 0.12, 8.0), 20, "sgd", rule=_shaken),
    Plan("schedule to zero", "plateau", (5e-4, 1.5e-3, 2e-3), 20, stop_at=4, rule=_stopped),
    Plan("schedule to zero, SGD", "plateau", (0.01, 0.03, 0.15), 16, "sgd", stop_at=3, rule=_stopped),
]  # fmt: skip


class Lstm(nn.Module):  # type: ignore[misc]
    """Embedding, LSTM, linear layer on the last state."""

    def __init__(self, words: int, classes: int, hidden: int = 24) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, 16)
        self.lstm = nn.LSTM(16, hidden, batch_first=True)
        self.head = nn.Linear(hidden, classes)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits (N, C) of tokens (N, L)."""
        return torch.as_tensor(self.head(self.lstm(self.embedding(tokens))[0][:, -1]))


class LogOfOutputs(nn.Module):  # type: ignore[misc]
    """A model whose outputs go through a logarithm that does not exist for all of them."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The logarithm, kept from failing at first by a shift."""
        return torch.log(self.inner(inputs) + 1.0)


def network(plan: Plan, kind: str) -> nn.Module:
    """A model of ten (digits) or four (text) classes."""
    act = nn.Sigmoid if plan.network == "sigmoid" else nn.ReLU
    deep = 3 if plan.network == "sigmoid" else 0
    model: nn.Module
    if kind == "lstm":
        model = Lstm(60, 4)
        if deep:
            model.head = nn.Sequential(*_dense(24, 24, act, 3), nn.Linear(24, 4))
    elif kind == "mlp":
        model = nn.Sequential(nn.Flatten(), *_dense(64, 48, act, 1 + deep), nn.Linear(48, 10))
    else:
        body = [nn.Conv2d(1, 6, 3), act(), nn.MaxPool2d(2), nn.Conv2d(6, 12, 2), act(), nn.Flatten()]
        model = nn.Sequential(*body, *_dense(48, 32, act, 1 + deep), nn.Linear(32, 10))
    if plan.network == "tiny":
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(0.01)
    return LogOfOutputs(model) if plan.network == "log" else model


def _dense(inputs: int, width: int, act: type[nn.Module], layers: int) -> list[nn.Module]:
    sizes = [inputs] + [width] * layers
    return [m for a, b in itertools.pairwise(sizes) for m in (nn.Linear(a, b), act())]


def data(kind: str, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Examples and labels in a random order."""
    draw = torch.Generator().manual_seed(seed)
    if kind == "lstm":
        labels = torch.randint(0, 4, (1700,), generator=draw)
        tokens = torch.randint(0, 60, (1700, 12), generator=draw)
        of_class = labels[:, None] * 15 + torch.randint(0, 15, (1700, 12), generator=draw)
        return torch.where(torch.rand(1700, 12, generator=draw) < 0.4, of_class, tokens), labels
    images, targets = load_digits(return_X_y=True)
    order = torch.randperm(len(images), generator=draw)[:1700]
    inputs = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8)[order] / 8 - 1
    return inputs + 0.5 * torch.randn(inputs.shape, generator=draw), torch.tensor(targets)[order]


def train(plan: Plan, kind: str, seed: int, *, rate: float = 1.0, epochs: int = 0, stop: bool = True) -> dict[str, Any]:
    """The curves of one training; index 0 is before it. `steps`: the loss of each batch as the student sees it."""
    torch.manual_seed(seed)
    inputs, labels = data(kind, seed)
    classes = int(labels.max()) + 1
    held_in, held_out = (inputs[300:], labels[300:].clone()), (inputs[:300], labels[:300])
    rows = held_in[0][: plan.examples], held_in[1][: plan.examples]
    chosen = torch.rand(len(rows[1])) < plan.random_labels
    rows[1][chosen] = torch.randint(0, classes, (int(chosen.sum()),))
    model = network(plan, kind)
    learner = network(plan, kind) if plan.freeze == "other_parameters" else model
    lr = plan.lr[MODELS.index(kind)] * rate
    optimizer: torch.optim.Optimizer = torch.optim.Adam(learner.parameters(), lr, weight_decay=plan.decay)
    if plan.optimizer != "adam":
        momentum = 0.9 if plan.optimizer == "sgd" else 0.0
        optimizer = torch.optim.SGD(learner.parameters(), lr, momentum, weight_decay=plan.decay)
    curves: dict[str, Any] = {"training": [], "validation": [], "steps": [], "guessing": math.log(classes)}
    for epoch in range((epochs or plan.epochs) + 1):
        if epoch:
            if stop and plan.stop_at and epoch == plan.stop_at + 1:
                optimizer.param_groups[0]["lr"] = lr / 1000
            curves["steps"] += _epoch(plan, model, optimizer, rows)
        curves["training"].append(_loss(model, rows[0][:400], rows[1][:400]))
        curves["validation"].append(_loss(model, *held_out))
    return curves


def _epoch(
    plan: Plan, model: nn.Module, optimizer: torch.optim.Optimizer, rows: tuple[torch.Tensor, torch.Tensor]
) -> list[float]:
    losses = []
    for batch in torch.randperm(len(rows[1])).split(32):
        outputs = model(rows[0][batch])
        if plan.freeze == "detached":
            outputs = outputs.detach().requires_grad_()
        loss = functional.cross_entropy(outputs, rows[1][batch])
        optimizer.zero_grad()
        (plan.sign * loss).backward()
        if plan.freeze != "no_step":
            optimizer.step()
        losses.append(loss.item())
    return losses


def _loss(model: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> float:
    with torch.no_grad():
        return float(functional.cross_entropy(model(inputs), labels))


def record(plan: Plan, kind: str, seed: int) -> Run:
    """One run with what proves its cause: the unseen epochs and, where the rule compares, a steadier twin."""
    begun = time.process_time()
    shown = plan.epochs + 1
    goes_on = plan.rule in (_healthy, _cut_short)
    curves = train(plan, kind, seed, epochs=plan.epochs * (3 if plan.rule is _cut_short else 2) if goes_on else 0)
    steps = len(curves["steps"]) // (len(curves["training"]) - 1) * plan.epochs
    run = Run(
        cause=plan.cause,
        shape=plan.shape,
        model=kind,
        seed=seed,
        training=curves["training"][:shown],
        validation=curves["validation"][:shown],
        unseen=curves["validation"][shown:],
        steps=curves["steps"][:steps],
        guessing=curves["guessing"],
    )
    if plan.rule in (_shaken, _stopped):
        twin = train(plan, kind, seed, rate=0.05 if plan.rule is _shaken else 1.0, stop=False)
        run["steady"] = twin["training"][-1]
    run["cpu_s"] = time.process_time() - begun
    return run


def main() -> None:
    """Record every plan × model × seed, drop what did not show, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    runs, cpu = [], 0.0
    dropped: dict[str, int] = {}
    for plan in [p for p in PLANS if asked.only in p.cause]:
        for kind in MODELS:
            for seed in range(asked.seeds):
                run = record(plan, kind, seed)
                cpu += run.pop("cpu_s")
                if kept(run):
                    runs.append(_slim(run))
                else:
                    key = f"{plan.cause} ({kind})"
                    dropped[key] = dropped.get(key, 0) + 1
    asked.out.write_text(json.dumps({"runs": runs, "dropped": dropped, "cpu_s": round(cpu, 1)}) + "\n")


def _slim(run: Run) -> dict[str, Any]:
    """What is stored: four digits, at most 120 steps evenly over the run, and as text what is not finite."""
    steps = run["steps"][:: max(1, math.ceil(len(run["steps"]) / 120))]
    told = {"cause": run["cause"], "shape": run["shape"], "model": run["model"], "seed": run["seed"]}
    curves = {"training": run["training"], "validation": run["validation"], "steps": steps}
    short = {k: [float(f"{v:.4g}") if math.isfinite(v) else str(v) for v in c] for k, c in curves.items()}
    return {**told, "guessing": run["guessing"], **short}


if __name__ == "__main__":
    main()
