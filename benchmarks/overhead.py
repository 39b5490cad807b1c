"""How much grading adds: claim → report against the pure work and against a bare `python script.py`, in one run."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from autograder.config import settings
from autograder.model import Role
from autograder.sandbox import open_sandbox
from autograder.services import accounts, grade, gradebook
from autograder.services.submit import submit
from autograder.specs.loader import LoadedSpec, load_spec
from autograder.specs.schema import Train
from benchmarks.report import Row, print_table, write_json

SPEC = "ccds-cnn-1"


def main() -> None:
    """Parse arguments, measure, print, write."""
    parser = argparse.ArgumentParser(prog="bin/bench overhead", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="gradings and scripts to time (default 5)")
    repeats = parser.parse_args().repeats
    conf = settings()
    loaded = load_spec(conf.specs_dir / SPEC)
    solution = conf.solutions_dir / SPEC / "accepted/reference.py"
    with tempfile.TemporaryDirectory() as folder:
        command = _workload(loaded, solution, Path(folder))
        pure = _pure(command, repeats)
        scripts = _times(repeats, lambda: _run([*command[:4], "1", *command[5:]]))
        graded, parts = _gradings(repeats, solution)
    rows = [
        Row("pure work in a warm process", pure),
        Row("bare python script.py", scripts),
        Row("claim → report", graded),
        *(Row(f"  of it: {name}", values) for name, values in parts.items()),
        Row("claim → report minus pure work", [g - statistics.median(pure) for g in graded]),
    ]
    print_table(f"overhead of grading one submission ({SPEC}, sandbox {conf.sandbox}), seconds", rows)
    ratio = statistics.median(graded) / statistics.median(scripts)
    print(f"\nclaim → report takes {ratio:.2f} × the time of the bare script")
    write_json("overhead", rows, {"ratio to bare script": ratio})


def _workload(loaded: LoadedSpec, solution: Path, folder: Path) -> list[str]:
    """The command that does the same work as the spec's probes."""
    data = loaded.build_data(settings().data_dir, loaded.spec.seed)
    sent = {name: array for name, array in data.arrays.items() if name not in data.judge_only}
    np.savez(folder / "data.npz", allow_pickle=False, **sent)
    training = [o for o in loaded.spec.observations.values() if isinstance(o, Train)]
    longest = max(training, key=lambda o: o.epochs * len(data.arrays[o.inputs]))
    script = str(Path(__file__).parent / "workload.py")
    return [
        str(settings().runtime_python), script, str(solution), str(folder / "data.npz"),
        "4", str(longest.epochs), str(longest.batch_size), str(longest.lr),
    ]  # fmt: skip


def _run(command: list[str]) -> dict[str, list[float]]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _pure(command: list[str], repeats: int) -> list[float]:
    """Seconds of the work alone, with everything imported and warmed up by one repeat."""
    return _run([*command[:4], str(repeats + 1), *command[5:]])["repeats"][1:]


def _times(repeats: int, work: Callable[[], object]) -> list[float]:
    seconds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return seconds


def _gradings(repeats: int, solution: Path) -> tuple[list[float], dict[str, list[float]]]:
    """Seconds from claim to committed report on a fresh SQLite database, and what the report says of their parts."""
    accounts.ensure_course("bench", "Benchmark")
    accounts.ensure_assignment(SPEC, "bench", SPEC, "Benchmark")
    people = [accounts.ensure_user(f"student{i}@example.org", f"Student {i}", "benchmark") for i in range(repeats + 1)]
    for person in people:
        accounts.enrol("bench", person.id, Role.STUDENT)
    sandbox = open_sandbox(settings())
    seconds, parts = [], {"start": [], "load": [], "probes": []}  # type: ignore[var-annotated]
    for person in people:
        submission = submit(person, SPEC, solution.name, solution.read_bytes())
        begun = time.perf_counter()
        grade.grade_one("cpu", "bench", sandbox)
        seconds.append(time.perf_counter() - begun)
        report = gradebook.submission(person, submission.id).report
        if report is None or report.verdict != "passed":
            raise SystemExit(f"the reference solution did not pass: {report}")
        for name, values in parts.items():
            values.append(report.seconds.get(name, 0.0))
    sandbox.close()
    return seconds[1:], {name: values[1:] for name, values in parts.items()}  # the first warms caches up


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as var:
        os.environ |= {"AUTOGRADER_VAR_DIR": var, "AUTOGRADER_DATABASE_URL": "", "AUTOGRADER_BROKER_URL": "memory://"}
        settings.cache_clear()
        main()
