"""Does the diagnosis name the right shape? Trains small models with planted causes and prints a confusion matrix.

The curves come from benchmarks/curves.py. Even seeds were looked at while the limits were chosen, odd ones were not:
the figure that counts is the one of the odd seeds.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.checks._diagnosis import Shape, diagnose
from autograder.config import settings
from benchmarks.report import RESULTS, machine

STORED = Path(__file__).parent / "data" / "loss_curves.json"
VIEWS = ("both", "training", "validation", "steps")
NEEDS_VALIDATION = {Shape.OVERFITTING}
NEEDS_TRAINING = {Shape.OSCILLATING}  # a validation curve is rough by itself, and such a training overfits too


def read(path: Path) -> dict[str, Any]:
    """What curves.py wrote; "nan" and "inf" are numbers again."""
    content: dict[str, Any] = json.loads(path.read_text())
    for run in content["runs"]:
        for key in ("training", "validation", "steps"):
            run[key] = [float(v) for v in run[key]]
    return content


def named(run: Mapping[str, Any], view: str = "both") -> str:
    """The shape that the diagnosis sees in a run. view: which curves it is shown."""
    training = run["steps"] if view == "steps" else run["training"] if view in ("both", "training") else []
    validation = run["validation"] if view in ("both", "validation") else []
    found = diagnose(training, validation, run["guessing"])
    return found.shape.value if found else "none"


def share_right(runs: Sequence[Mapping[str, Any]], view: str = "both") -> float:
    """Share of the runs whose planted shape was named; NaN without runs."""
    return sum(named(r, view) == r["shape"] for r in runs) / len(runs) if runs else math.nan


def seen(runs: Sequence[Mapping[str, Any]], view: str) -> list[Mapping[str, Any]]:
    """The runs whose shape can be seen in that view."""
    hidden = NEEDS_VALIDATION if view in ("training", "steps") else NEEDS_TRAINING if view == "validation" else set()
    return [run for run in runs if run["shape"] not in hidden]


def _table(title: str, runs: Sequence[Mapping[str, Any]]) -> None:
    shapes = [shape.value for shape in Shape]
    print(f"\n{title}: {share_right(runs):.1%} of {len(runs)} right (rows: planted, columns: named)\n")
    print(f"{'':16}" + "".join(f"{shape[:12]:>14}" for shape in shapes))
    counts = Counter((run["shape"], named(run)) for run in runs)
    for shape in shapes:
        print(f"{shape:16}" + "".join(f"{counts[shape, other] or '·':>14}" for other in shapes))


def _record(out: Path, seeds: int) -> None:
    script = Path(__file__).parent / "curves.py"
    command = [str(settings().runtime_python), str(script), str(out), "--seeds", str(seeds)]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def main() -> None:
    """Record (or read) curves, judge them, print, write."""
    parser = argparse.ArgumentParser(prog="bin/bench diagnosis", description=__doc__)
    parser.add_argument("--seeds", type=int, default=6, help="trainings of each cause and model (default 6)")
    parser.add_argument("--stored", action="store_true", help="judge the stored curves, train nothing")
    parser.add_argument("--store", action="store_true", help="keep the new curves in benchmarks/data for the tests")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = STORED if asked.stored or asked.store else Path(folder) / "curves.json"
        if not asked.stored:
            _record(path, asked.seeds)
        content = read(path)
    runs = content["runs"]
    dropped = sum(content["dropped"].values())
    print(f"diagnosis of loss curves\n{machine()}; {content['cpu_s']} CPU seconds of training")
    print(f"{len(runs)} curves; {dropped} trainings dropped because their cause did not show: {content['dropped']}")
    halves = {"even seeds (tuned on)": 0, "odd seeds (held out)": 1}
    for title, rest in halves.items():
        _table(title, [run for run in runs if run["seed"] % 2 == rest])
    wrong = Counter((r["cause"], r["model"], named(r)) for r in runs if named(r) != r["shape"])
    print("\nwrong: " + ("; ".join(f"{c} ({m}) → {n} ×{k}" for (c, m, n), k in wrong.items()) or "none"))
    print(f"\n{'shown to it':14}{'even':>8}{'odd':>8}   (of the shapes that can be seen there)")
    rates = {}
    for view in VIEWS:
        both = [share_right(seen([r for r in runs if r["seed"] % 2 == rest], view), view) for rest in (0, 1)]
        rates[view] = both
        print(f"{view:14}{both[0]:8.1%}{both[1]:8.1%}")
    RESULTS.mkdir(exist_ok=True)
    content = {"machine": machine(), "curves": len(runs), "dropped": content["dropped"], "right": rates}
    (RESULTS / "diagnosis.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
