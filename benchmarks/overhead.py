"""How much grading adds: claim → report against the pure work and against a bare `python script.py`, in one run.

Each round does the pure work in a warm process, once more in a bare fork of it, and then grades, so that a machine
which becomes slower slows all. The fork has no sandbox and no grader: what it takes longer than the warm process is
what any fresh copy of a warm process pays in page faults, and no grader that forks can be below it.
The sandbox's own part of claim → report is what opening, closing and small calls let the grading wait, and the CPU that
the grading spends on sending and reading (which is also in the time of loading and probes). The CPU of grading is that
of this process (judge, database), of the student's process and, with the fork server, of the server and of ending its
child; only with it, and where a spec preloads nothing, can these be read.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograder.config import settings
from autograder.model import Role
from autograder.sandbox import open_sandbox
from autograder.sandbox.base import Sandbox
from autograder.sandbox.forkserver_process import MEMORY
from autograder.sandbox.session import settle
from autograder.services import accounts, grade, gradebook
from autograder.services.submit import submit
from autograder.specs.dataset import DataSet
from autograder.specs.loader import LoadedSpec, load_spec
from autograder.specs.schema import Calls, GraderSpec, Train
from benchmarks.report import Row, print_table, write_json
from benchmarks.timed_sandbox import TimedSandbox, server_cpu

SPECS = Path(__file__).parent / "specs"
SERVER = {"server": "the fork server itself", "rest": "ending the student's process"}


def main() -> None:
    """Parse arguments, measure, print, write."""
    parser = argparse.ArgumentParser(prog="bin/bench overhead", description=__doc__)
    parser.add_argument("--repeats", type=int, default=10, help="rounds of pure work and grading (default 10)")
    parser.add_argument("--scripts", type=int, default=3, help="bare scripts to time (default 3)")
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
        scripts = _times(asked.scripts, lambda: _script(command))
        with PureWork(command) as work:
            pure, graded = _rounds(asked.repeats, work, loaded.spec, solution)
    _show(asked.spec, pure, scripts, graded)


class PureWork:
    """A warm process that does the pure work when asked to."""

    def __init__(self, command: list[str], tunables: str = MEMORY) -> None:
        """tunables: of the C library; by default those that submissions run with."""
        self._process = subprocess.Popen(
            command,
            env={**os.environ, "OMP_NUM_THREADS": "1", "GLIBC_TUNABLES": tunables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def once(self, how: str = "") -> dict[str, float]:
        """Seconds of doing it once: wall, cpu and, unless `how` is "fork", training."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{how}\n")
        self._process.stdin.flush()
        found: dict[str, float] = json.loads(self._process.stdout.readline())
        return found

    def __enter__(self) -> PureWork:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def _ratio(above: list[float], below: list[float]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def _less(whole: list[float], part: list[float]) -> list[float]:
    return [a - b for a, b in zip(whole, part, strict=True)]


def _show(spec: str, pure: dict[str, list[float]], scripts: list[float], graded: dict[str, list[float]]) -> None:
    rows = [
        Row("pure work in a warm process", pure["wall"]),
        Row("the same in a bare fork of it", pure["fork wall"]),
        Row("bare python script.py", scripts),
        Row("claim → report", graded["wall"]),
        Row("  of it: opening the sandbox", graded["open"]),
        Row("  of it: loading the submission", graded["load"]),
        Row("  of it: probes", graded["probes"]),
        Row("  of it: closing the sandbox", graded["close"]),
        Row("  of it: wire, other sandbox calls", graded["small"]),
        Row("  of it: the sandbox in all", graded["sandbox"]),
        Row("claim → report minus pure work", _less(graded["wall"], pure["wall"])),
        Row("claim → report minus bare fork", _less(graded["wall"], pure["fork wall"])),
        Row("claim → report minus probes", _less(graded["wall"], graded["probes"])),
        Row("CPU of the pure work", pure["cpu"]),
        Row("  of it: the submission's training", pure["training"]),
        Row("CPU of the same in a bare fork", pure["fork cpu"]),
        Row("CPU of grading", graded["cpu"]),
        Row("  of it: the student's process", graded["child"]),
        *(Row(f"  of it: {name}", graded[key]) for key, name in SERVER.items() if key in graded),
        Row("CPU of grading / CPU of pure work", [a / b for a, b in zip(graded["cpu"], pure["cpu"], strict=True)]),
        Row("CPU of bare fork / CPU of pure work", [a / b for a, b in zip(pure["fork cpu"], pure["cpu"], strict=True)]),
    ]
    print_table(f"overhead of grading one submission ({spec}, sandbox {settings().sandbox}), seconds", rows)
    ratios = {
        "claim → report / pure work": _ratio(graded["wall"], pure["wall"]),
        "claim → report / bare script": statistics.median(graded["wall"]) / statistics.median(scripts),
        "CPU of grading / CPU of pure work": _ratio(graded["cpu"], pure["cpu"]),
        "CPU of grading / CPU of bare fork": _ratio(graded["cpu"], pure["fork cpu"]),
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
    (folder / "calls.json").write_text(json.dumps(list(_calls(loaded.spec, data))))
    script = str(Path(__file__).parent / "workload.py")
    return [
        str(settings().runtime_python), script, str(solution), str(folder / "data.npz"), str(folder / "calls.json"),
        str(longest.epochs), str(longest.batch_size), str(longest.lr),
    ]  # fmt: skip


def _calls(spec: GraderSpec, data: DataSet) -> Iterator[tuple[tuple[str, ...], list[Any], dict[str, Any]]]:
    """(names of the function, arguments, keywords) of every call that can be written as JSON and raises nothing."""
    for observation in spec.observations.values():
        if not isinstance(observation, Calls):
            continue
        names = spec.entry_points[observation.entry].names
        for case in data.cases[observation.cases]:
            if not case.raises and _is_plain([case.arguments, case.keywords]):
                yield names, list(case.arguments), dict(case.keywords)


def _is_plain(tree: Any) -> bool:
    try:
        json.dumps(tree)
    except TypeError:
        return False
    return True


def _script(command: list[str]) -> None:
    """The work once in a process of its own, imports included."""
    with PureWork(command, "") as work:
        work.once()


def _times(repeats: int, work: Callable[[], object]) -> list[float]:
    seconds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return seconds


def _rounds(
    repeats: int, work: PureWork, spec: GraderSpec, solution: Path
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Of each round seconds of the pure work, and from claim to committed report on a fresh SQLite database."""
    accounts.ensure_course("bench", "Benchmark")
    accounts.ensure_assignment(spec.id, "bench", spec.id, "Benchmark")
    pure: dict[str, list[float]] = {}
    found: dict[str, list[float]] = {}
    sandbox = open_sandbox(settings())
    if warning := sandbox.warning():
        print(warning)
    # What is preloaded has a server of its own, which can't be asked for: its CPU is then not counted.
    server = None if spec.runtime.preload else sandbox
    for number in range(repeats + 2):  # the first two warm caches up
        person = accounts.ensure_user(f"student{number}@example.org", f"Student {number}", "benchmark")
        accounts.enrol("bench", person.id, Role.STUDENT)
        submission = submit(person, spec.id, solution.name, solution.read_bytes())
        for name, seconds in work.once().items():
            pure.setdefault(name, []).append(seconds)
        for name, seconds in work.once("fork").items():
            pure.setdefault(f"fork {name}", []).append(seconds)
        parts = _grade(TimedSandbox(sandbox), server)
        report = gradebook.submission(person, submission.id).report
        if report is None or report.verdict != "passed":
            raise SystemExit(f"the solution did not pass: {report}")
        for name, seconds in _counted(parts, report.seconds).items():
            found.setdefault(name, []).append(seconds)
    sandbox.close()
    warm = [{name: seconds[2:] for name, seconds in part.items()} for part in (pure, found)]
    return warm[0], warm[1]


def _grade(sandbox: TimedSandbox, served: Sandbox | None) -> dict[str, float]:
    """Grade what was submitted: seconds of this process (wall, CPU), of the sandbox, CPU of server and children."""
    before = server_cpu(served) if served else None
    begun, used = time.perf_counter(), time.process_time()
    grade.grade_one("cpu", "bench", sandbox)
    parts = {"wall": time.perf_counter() - begun}
    settle()  # counted as CPU, and not waited for by whoever gets the report
    parts["judge"] = time.process_time() - used
    after = server_cpu(served) if served else None
    if after is not None:
        was = before or (0.0, 0.0)  # not up yet, in a round that does not count
        parts |= {"server": after[0] - was[0], "children": after[1] - was[1]}
    parts |= {name: sandbox.seconds[name] for name in ("open", "close")}
    return parts | {
        "small": sandbox.seconds["wire"] + sandbox.seconds["others"],
        "sandbox": sum(sandbox.seconds.values()),
    }


def _counted(parts: dict[str, float], told: Mapping[str, float]) -> dict[str, float]:
    """The same with what the report tells. The sandbox's last look at a student's process is before its end.

    So `rest` is what the kernel counted for it beyond that, mostly for taking its memory apart.
    """
    parts |= {name: told[name] for name in ("load", "probes")} | {"child": told["cpu"]}
    if "children" in parts:
        parts["rest"] = parts["children"] - parts["child"]
    parts["cpu"] = sum(parts.get(name, 0.0) for name in ("judge", "child", "server", "rest"))
    return parts


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as var:
        os.environ |= {"AUTOGRADER_VAR_DIR": var, "AUTOGRADER_DATABASE_URL": "", "AUTOGRADER_BROKER_URL": "memory://"}
        settings.cache_clear()
        main()
