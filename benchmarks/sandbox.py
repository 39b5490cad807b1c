"""How fast the fork server opens sessions, what they cost, what they leave behind; a cold start beside it.

What is left behind is counted before and after many sessions: of server and judge, and of the kernel's objects, most of
which are the whole machine's. So let nothing else run on it. Some can be read by root alone, and the table says so.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np

from autograder.config import ROOT, settings
from autograder.sandbox import cgroups
from autograder.sandbox.base import Limits, Sandbox, SandboxSession
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.cgroups import Groups
from autograder.sandbox.forkserver import ForkServerSandbox, Policy
from benchmarks.held import Counts, children_of, held, print_growth, table
from benchmarks.report import Row, print_table, write_json

SUBMISSION = b"""
import torch.nn as nn

class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16 * 16 * 16, 10))

    def forward(self, x):
        return self.layers(x)
"""
BARE = (
    SUBMISSION.decode()
    + """
import sys, time, torch
torch.set_num_threads(1)
inputs, targets = torch.randn(2000, 3, 32, 32), torch.randint(0, 10, (2000,))
for _ in sys.stdin:
    model = CNN()
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    begun = time.perf_counter()
    for _ in range(4):
        for start in range(0, 2000, 32):
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(model(inputs[start:start + 32]), targets[start:start + 32])
            loss.backward()
            optimiser.step()
    print(time.perf_counter() - begun, flush=True)
"""
)
FOR_EVER = Policy(children=10**9, age_s=10**9)
LIMITS = Limits()


def main() -> None:
    """Parse arguments, measure, print, write."""
    parser = argparse.ArgumentParser(prog="bin/bench sandbox", description=__doc__)
    parser.add_argument("--repeats", type=int, default=30, help="sessions to time (default 30)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to saturate (default 10)")
    parser.add_argument("--jobs", type=int, default=2000, help="sessions over which growth is measured (default 2000)")
    parser.add_argument("--rounds", type=int, default=5, help="trainings alone and side by side (default 5)")
    arguments = parser.parse_args()
    times = opening(arguments.repeats)
    print_table("one session, milliseconds", times)
    memory = idle_memory()
    print()
    print_table("memory in MB", memory)
    before, after = growth(arguments.jobs)
    print()
    print_growth(before, after, arguments.jobs)
    rates = [Row("trivial jobs a second, 2 processes", saturated(arguments.seconds))]
    print()
    print_table("saturated, trivial jobs a second (each second is one measurement)", rates)
    trainings = rounds("one training alone", "two trainings side by side", training(arguments.rounds))
    bare = rounds("the same in bare processes: one", "… two side by side", bare_training(arguments.rounds))
    print()
    print_table("the same training, seconds; each round one alone, then two", [*trainings, *bare])
    ratio, machine = _ratio(trainings), _ratio(bare)
    print(f"\nside by side takes {ratio:.2f} × the time of one alone; without any sandbox {machine:.2f} ×")
    extra: dict[str, object] = {"side by side to alone": ratio, "the same without a sandbox": machine}
    extra[f"held before and after {arguments.jobs} sessions"] = {name: [before[name], after[name]] for name in before}
    write_json("sandbox", [*times, *memory, *rates, *trainings, *bare], extra)


def rounds(alone: str, together: str, seconds: list[tuple[float, float]]) -> list[Row]:
    """Rows of (seconds alone, seconds side by side) of each round."""
    return [Row(alone, [one for one, _ in seconds]), Row(together, [both for _, both in seconds])]


def _ratio(rows: list[Row]) -> float:
    """The median of the rounds' ratios: what slows a whole round cancels out."""
    alone, together = rows
    return statistics.median(both / one for one, both in zip(alone.values, together.values, strict=True))


def fork_server(*, spare: bool) -> ForkServerSandbox:
    """The product's fork server, never replaced, with its server up."""
    sandbox = ForkServerSandbox(
        settings().runtime_python, ROOT / "harness", spare=spare, policy=FOR_EVER, groups=control_groups()
    )
    sandbox.open(LIMITS).close()
    return sandbox


def control_groups() -> Groups | None:
    """Where sessions get a control group of their own, as graded ones do."""
    return cgroups.find(settings().cgroup)[0]


def opening(repeats: int) -> list[Row]:
    """Request to ready, and a whole trivial job, for each way of starting."""
    cold = BubblewrapSandbox(settings().runtime_python, ROOT / "harness", groups=control_groups())
    rows = []
    for name, sandbox, times, pause in (
        ("fresh child", fork_server(spare=False), repeats, 0.0),
        ("standby child", fork_server(spare=True), repeats, 0.15),
        ("cold start (bubblewrap)", cold, 5, 0.0),
    ):
        with closing(sandbox):
            ready, whole = [], []
            for _ in range(times):
                time.sleep(pause)  # for the spare to be there; what happens without is the row "saturated"
                first, second = trivial_job(sandbox)
                ready.append(first * 1000)
                whole.append(second * 1000)
        rows += [Row(f"{name}: request → ready", ready), Row(f"{name}: whole trivial job", whole)]
    return rows


def trivial_job(sandbox: Sandbox) -> tuple[float, float]:
    """Seconds until the session was ready, and until it was closed after one small request."""
    begun = time.perf_counter()
    session = sandbox.open(LIMITS)
    ready = time.perf_counter() - begun
    ask(session, "put", name="x", value=np.zeros(8, np.float32))
    session.close()
    return ready, time.perf_counter() - begun


def ask(session: SandboxSession, op: str, **arguments: Any) -> Mapping[str, Any]:
    """The result of a request that has to succeed."""
    answer = session.request(op, arguments, wall_s=300.0)
    if answer["status"] != "ok":
        raise SystemExit(f"{op} failed: {answer['error']}")
    result: Mapping[str, Any] = answer["result"]
    return result


def idle_memory() -> list[Row]:
    """What one more child costs before its own work."""
    rows: dict[str, list[float]] = {"private of an idle child": [], "share of an idle child (PSS)": []}
    with closing(fork_server(spare=False)) as sandbox:
        for _ in range(5):
            session = sandbox.open(LIMITS)
            number = harness_process(sandbox)
            fields = table(Path(f"/proc/{number}/smaps_rollup"))
            rows["private of an idle child"].append((fields["Private_Clean"] + fields["Private_Dirty"]) / 1024)
            rows["share of an idle child (PSS)"].append(fields["Pss"] / 1024)
            session.close()
    return [Row(name, values) for name, values in rows.items()]


def harness_process(sandbox: ForkServerSandbox) -> int:
    """The process of the one session that is open: the server's child with the most memory."""
    return max(children_of(server(sandbox)), key=lambda number: table(Path(f"/proc/{number}/status"))["VmRSS"])


def server(sandbox: ForkServerSandbox) -> int:
    """The server's process number."""
    if sandbox.server is None:
        raise SystemExit("the fork server is gone")
    return sandbox.server.number


def growth(jobs: int) -> tuple[Counts, Counts]:
    """What is held after a few sessions, and after many more."""
    groups = control_groups()
    with closing(fork_server(spare=True)) as sandbox:
        for _ in range(20):
            trivial_job(sandbox)
        before = held(server(sandbox), groups)
        for _ in range(jobs):
            trivial_job(sandbox)
        after = held(server(sandbox), groups)
    return before, after


def saturated(seconds: float) -> list[float]:
    """Jobs in each second by two grading processes together."""
    ends = run_side_by_side(2, _keep_busy, seconds)
    begun = max(times[0] for times in ends)  # both are running by then
    every = [moment - begun for times in ends for moment in times if moment >= begun]
    return [float(sum(second <= moment < second + 1 for moment in every)) for second in range(int(seconds) - 1)]


def _keep_busy(start: Barrier, seconds: float) -> list[float]:
    """The moments at which trivial jobs ended."""
    with closing(fork_server(spare=True)) as sandbox:
        start.wait()
        ends, stop = [], time.monotonic() + seconds
        while time.monotonic() < stop:
            trivial_job(sandbox)
            ends.append(time.monotonic())
        start.wait()  # ending a server takes time from the other
    return ends


def training(count: int) -> list[tuple[float, float]]:
    """Seconds of a training in one of two processes alone and, next, of the same in both at once (their mean)."""
    first, second = run_side_by_side(2, _train, float(count))
    alone = [a if math.isfinite(a) else b for a, b in zip(first[::2], second[::2], strict=True)]
    together = [(a + b) / 2 for a, b in zip(first[1::2], second[1::2], strict=True)]
    return list(zip(alone, together, strict=True))


def _train(start: Barrier, count: float) -> list[float]:
    """Of each round the seconds alone (NaN if the other process had its turn) and side by side."""
    random = np.random.default_rng(0)
    images = random.normal(size=(2000, 3, 32, 32)).astype(np.float32)
    seconds = []
    with closing(fork_server(spare=False)) as sandbox:
        session = sandbox.open(LIMITS)
        files = [{"name": "submission.py", "data": SUBMISSION}]
        ask(session, "load", files=files, main="submission.py", mode="definitions", seed=0)
        ask(session, "resolve", entries={"model": {"kind": "model", "names": ["CNN"], "factories": []}})
        ask(session, "put", name="x", value=images)
        ask(session, "put", name="y", value=random.integers(0, 10, 2000))
        _train_once(session)  # warms up
        for _ in range(int(count)):
            seconds.append(_train_once(session) if start.wait() == 0 else math.nan)
            start.wait()
            seconds.append(_train_once(session))
        session.close()
    return seconds


def _train_once(session: SandboxSession) -> float:
    handle = ask(session, "construct", entry="model", seed=0, arguments={})["handle"]
    begun = time.perf_counter()
    ask(session, "train", **_train_request(handle))
    return time.perf_counter() - begun


def _train_request(handle: str) -> dict[str, Any]:
    return {
        "handle": handle,
        "entry": None,
        "inputs": "x",
        "targets": "y",
        "validation_inputs": None,
        "validation_targets": None,
        "evaluate": {},
        "epochs": 4,
        "batch_size": 32,
        "lr": 0.01,
        "arguments": {},
        "seed": 0,
    }


def bare_training(count: int) -> list[tuple[float, float]]:
    """The same without grader or sandbox: what the machine itself makes of two trainings."""
    command = [str(settings().runtime_python), "-c", BARE]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    pipes["start_new_session"] = True  # as a sandbox has one: the scheduler is fair between sessions
    workers: list[Any] = [subprocess.Popen(command, env=environment, **pipes) for _ in range(2)]
    _together(workers)  # warms up
    found = []
    for number in range(count):
        one = workers[number % 2]
        found.append((_together([one]), _together(workers)))
    for worker in workers:
        worker.communicate()
    return found


def _together(workers: list[Any]) -> float:
    """Mean seconds of one training in each of these processes at once."""
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    return statistics.mean(float(worker.stdout.readline()) for worker in workers)


def run_side_by_side(count: int, work: Callable[[Barrier, float], list[float]], seconds: float) -> list[list[float]]:
    """What `work` returns in each of `count` new processes that run at the same time."""
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(count), context.SimpleQueue()
    workers = [context.Process(target=_report, args=(results, work, start, seconds)) for _ in range(count)]
    for worker in workers:
        worker.start()
    found = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    if any(value is None for value in found):
        raise SystemExit("a process of the benchmark failed")
    return found


def _report(results: Any, work: Callable[[Barrier, float], list[float]], start: Barrier, seconds: float) -> None:
    found = None
    try:
        found = work(start, seconds)
    finally:
        if found is None:
            start.abort()
        results.put(found)


if __name__ == "__main__":
    main()
