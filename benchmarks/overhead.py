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

SPECS = Path(__file__).parent / "specs"


def main() -> None:
    """Parse arguments, measure, print, write."""
    parser = argparse.ArgumentParser(prog="bin/bench overhead", description=__doc__)
    parser.add_argument("--repeats", type=int, default=10, help="gradings and scripts to time (default 10)")
    parser.add_argument("--spec", default="cnn-20-steps", help="cnn-20-steps (default), or any grader spec")
    asked = parser.parse_args()
    own = (SPECS / asked.spec).is_dir()
    os.environ["AUTOGRADER_SPECS_DIR"] = str(SPECS if own else settings().specs_dir)
    settings.cache_clear()
    conf = settings()
    loaded = load_spec(conf.specs_dir / asked.spec)
    solution = loaded.folder / "solution.py" if own else conf.solutions_dir / asked.spec / "accepted/reference.py"
    with tempfile.TemporaryDirectory() as folder:
        command = _workload(loaded, solution, Path(folder))
        before = _run([*command[:4], str(asked.repeats // 2 + 2), *command[5:]])
        scripts = _times(asked.repeats, lambda: _run([*command[:4], "1", *command[5:]]))
        graded = _gradings(asked.repeats, loaded.spec.id, solution)
        after = _run([*command[:4], str(asked.repeats // 2 + 2), *command[5:]])  # the machine may have become slower
    pure = {name: before[name][1:] + after[name][1:] for name in ("wall", "cpu", "training")}
    _show(asked.spec, pure, scripts, graded)


def _show(spec: str, pure: dict[str, list[float]], scripts: list[float], graded: dict[str, list[float]]) -> None:
    work, cpu = statistics.median(pure["wall"]), statistics.median(pure["cpu"])
    rows = [
        Row("pure work in a warm process", pure["wall"]),
        Row("bare python script.py", scripts),
        Row("claim → report", graded["wall"]),
        Row("  of it: opening the sandbox", graded["start"]),
        Row("  of it: loading the submission", graded["load"]),
        Row("  of it: probes", graded["probes"]),
        Row("claim → report minus pure work", [seconds - work for seconds in graded["wall"]]),
        Row("claim → report minus probes", [a - b for a, b in zip(graded["wall"], graded["probes"], strict=True)]),
        Row("CPU of the pure work", pure["cpu"]),
        Row("  of it: the submission's training", pure["training"]),
        Row("CPU of grading", graded["cpu"]),
    ]
    print_table(f"overhead of grading one submission ({spec}, sandbox {settings().sandbox}), seconds", rows)
    ratios = {
        "claim → report / pure work": statistics.median(graded["wall"]) / work,
        "claim → report / bare script": statistics.median(graded["wall"]) / statistics.median(scripts),
        "CPU of grading / CPU of pure work": statistics.median(graded["cpu"]) / cpu,
    }
    print()
    for name, ratio in ratios.items():
        print(f"{name:36}{ratio:10.2f} ×")
    write_json("overhead", rows, {"spec": spec, "ratios": ratios})


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


def _times(repeats: int, work: Callable[[], object]) -> list[float]:
    seconds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return seconds


def _gradings(repeats: int, spec: str, solution: Path) -> dict[str, list[float]]:
    """Seconds from claim to committed report on a fresh SQLite database, and what the report says of their parts.

    CPU: this process (judge, database) and the student's process; the fork server's own share is not counted.
    """
    accounts.ensure_course("bench", "Benchmark")
    accounts.ensure_assignment(spec, "bench", spec, "Benchmark")
    found: dict[str, list[float]] = {name: [] for name in ("wall", "cpu", "start", "load", "probes")}
    sandbox = open_sandbox(settings())
    if warning := sandbox.warning():
        print(warning)
    for number in range(repeats + 2):  # the first two warm caches up
        person = accounts.ensure_user(f"student{number}@example.org", f"Student {number}", "benchmark")
        accounts.enrol("bench", person.id, Role.STUDENT)
        submission = submit(person, spec, solution.name, solution.read_bytes())
        begun, used = time.perf_counter(), time.process_time()
        grade.grade_one("cpu", "bench", sandbox)
        wall, cpu = time.perf_counter() - begun, time.process_time() - used
        report = gradebook.submission(person, submission.id).report
        if report is None or report.verdict != "passed":
            raise SystemExit(f"the solution did not pass: {report}")
        parts = {"wall": wall, "cpu": cpu + report.seconds["cpu"]}
        parts |= {name: report.seconds[name] for name in ("start", "load", "probes")}
        for name, seconds in parts.items():
            found[name].append(seconds)
    sandbox.close()
    return {name: seconds[2:] for name, seconds in found.items()}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as var:
        os.environ |= {"AUTOGRADER_VAR_DIR": var, "AUTOGRADER_DATABASE_URL": "", "AUTOGRADER_BROKER_URL": "memory://"}
        settings.cache_clear()
        main()
