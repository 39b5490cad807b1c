"""Real Celery workers, killed at the worst moments: every submission is graded exactly once, without anybody's help."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from autograder.model import Verdict
from autograder.services import gradebook, jobs
from autograder.services.submit import submit
from autograder.services.views import Person, SubmissionView
from autograder.storage import session
from autograder.storage.tables import CheckRow, GradeReportRow, GradingJob
from tests.conftest import Configure, Redis, wait_until
from tests.factories import Class, hand_in, make_class
from tests.integration.workers import Worker

Start = Callable[..., Worker]
SHORT = {"lease_s": 1.5, "sweep_s": 0.3, "workers": 2}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts workers under the settings in force; all of them end with the test."""
    started: list[Worker] = []

    def begin(sandbox: str = "tests.fakes:make_sandbox") -> Worker:
        started.append(Worker(tmp_path, sandbox))
        return started[-1].wait_ready()

    yield begin
    for worker in started:
        worker.stop()


@pytest.fixture(params=["embedded", "servers"])
def mode(request: pytest.FixtureRequest, configure: Configure) -> Iterator[str]:
    """Both ways to run: SQLite without a broker, PostgreSQL with Redis. Leases and sweeps are short."""
    if request.param == "embedded":
        configure(**SHORT)
        yield "embedded"
        return
    server, redis = request.getfixturevalue("postgres"), request.getfixturevalue("redis")
    url = server.fresh()
    configure(database_url=url, broker_url=redis.url, **SHORT)
    yield "servers"
    configure.forget()
    server.drop(url)


def done(person: Person, view: SubmissionView) -> bool:
    """Is its grading over?"""
    return gradebook.submission(person, view.id).status == "done"


def graded_once(view: SubmissionView, person: Person) -> SubmissionView:
    """The finished submission; fails if it was graded twice or not rightly."""
    with session.read_scope() as reading:
        assert reading.query(GradeReportRow).filter_by(submission_id=view.id).count() == 1
        job = reading.query(GradingJob).filter_by(submission_id=view.id).one()
        report = reading.query(GradeReportRow).filter_by(job_id=job.id).one()
        assert reading.query(CheckRow).filter_by(report_id=report.id).count() == 3
        assert (job.state, report.verdict, report.score) == ("done", "passed", 10)
    return gradebook.submission(person, view.id)


def submit_slow(group: Class, tmp_path: Path, seconds: float = 1.0) -> tuple[SubmissionView, Path]:
    """A submission whose grading takes a while; the file says which process grades it."""
    mark = tmp_path / f"pid-{group.course_id}"
    return hand_in(group.students[0], group, f"forward leave {mark}", f"forward sleep {seconds}"), mark


def test_everything_is_graded(mode: str, start: Start) -> None:
    group = make_class(4)
    early = [hand_in(student, group) for student in group.students]
    worker = start()
    late = [hand_in(student, group) for student in group.students for _ in range(2)]
    views = early + late
    for view in views:
        wait_until(lambda view=view: done(group.instructor, view), 30, "a grading")  # type: ignore[misc]
        graded_once(view, group.instructor)
    assert "Traceback" not in worker.log.read_text()
    worker.terminate()
    assert worker.wait_ended() == 0


def test_kill_the_whole_worker_in_the_middle(mode: str, start: Start, tmp_path: Path) -> None:
    group = make_class()
    student = group.students[0]
    worker = start()
    view, mark = submit_slow(group, tmp_path)
    wait_until(mark.exists, 20, "the training's start")
    worker.kill_group()
    assert gradebook.submission(student, view.id).status == "running"
    start()
    wait_until(lambda: done(student, view), 30, "the second grading")
    assert graded_once(view, student).tries == 1


def test_kill_one_grading_process(configure: Configure, start: Start, tmp_path: Path) -> None:
    configure(**SHORT)
    group = make_class()
    student = group.students[0]
    worker = start()
    view, mark = submit_slow(group, tmp_path)
    wait_until(lambda: mark.exists() and mark.read_text() != "", 20, "the training's start")
    os.kill(int(mark.read_text()), signal.SIGKILL)
    wait_until(lambda: done(student, view), 30, "the second grading")
    assert graded_once(view, student).tries == 1
    assert worker.process.poll() is None
    other = hand_in(group.students[1], group)
    wait_until(lambda: done(group.students[1], other), 20, "the next grading")


def test_a_worker_asked_to_end_finishes_its_job_and_takes_no_other(
    configure: Configure, start: Start, tmp_path: Path
) -> None:
    configure(**SHORT)
    group = make_class(6)
    worker = start()
    view, mark = submit_slow(group, tmp_path, 2.0)
    wait_until(mark.exists, 20, "the training's start")
    worker.terminate()
    wait_until(lambda: "Warm shutdown" in worker.log.read_text(), 10, "the shutdown")
    others = [hand_in(student, group) for student in group.students[1:]]
    assert worker.wait_ended() == 0
    assert graded_once(view, group.students[0]).tries == 0
    assert not any(done(group.instructor, other) for other in others)
    assert jobs.waiting("cpu") == len(others)


def test_a_job_that_kills_its_worker_every_time_ends_as_our_fault(
    configure: Configure, start: Start, tmp_path: Path
) -> None:
    configure(lease_s=0.8, sweep_s=0.2, workers=2, max_tries=2)
    group = make_class()
    student = group.students[0]
    start()
    view, mark = submit_slow(group, tmp_path, 60)
    for _ in range(2):
        wait_until(lambda: mark.exists() and mark.read_text() != "", 20, "a start")
        os.kill(int(mark.read_text()), signal.SIGKILL)
        mark.unlink()
    wait_until(lambda: done(student, view), 20, "the end")
    report = gradebook.submission(student, view.id).report
    assert report is not None
    assert report.verdict is Verdict.GRADER_ERROR


def test_a_broker_that_comes_late_or_forgets_everything(configure: Configure, redis: Redis, start: Start) -> None:
    configure(broker_url=redis.url, sweep_s=0.3, workers=1)
    redis.stop()
    group = make_class()
    first = hand_in(group.students[0], group)
    redis.start()
    start()
    wait_until(lambda: done(group.students[0], first), 30, "the grading of what came before the broker")
    redis.stop()
    second = hand_in(group.students[1], group)
    assert gradebook.submission(group.students[1], second.id).status == "queued"
    redis.start()
    wait_until(lambda: done(group.students[1], second), 30, "the grading of what came while the broker was down")
    graded_once(second, group.students[1])


def test_lanes_are_served_as_told(configure: Configure, start: Start) -> None:
    configure(lanes="gpu", workers=1)
    group = make_class()
    view = hand_in(group.students[0], group)
    worker = start()
    wait_until(lambda: "ready." in worker.log.read_text(), 10, "the start")
    assert not done(group.students[0], view)
    assert jobs.waiting("cpu") == 1


def test_a_machine_without_sandbox_claims_nothing(configure: Configure, start: Start) -> None:
    configure(**{**SHORT, "lease_s": 20})
    group = make_class()
    view = hand_in(group.students[0], group)
    worker = start("no-such-sandbox")
    wait_until(lambda: "can't be graded here" in worker.log.read_text(), 20, "the complaint")
    assert gradebook.submission(group.students[0], view.id).status == "queued"
    worker.stop()
    assert worker.log.read_text().count("There is no sandbox called") < 10
    start()
    wait_until(lambda: done(group.students[0], view), 20, "the grading")


REAL = b"""
import time
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 4)

    def forward(self, x):
        time.sleep(1.5)
        return self.layer(x)
"""


def test_kill_the_worker_while_the_real_sandbox_runs_student_code(configure: Configure, start: Start) -> None:
    configure(**{**SHORT, "workers": 1})
    group = make_class()
    student = group.students[0]
    view = submit(student, group.assignment_id, "submission.py", REAL)
    worker = start("bubblewrap")
    wait_until(lambda: len(gradebook.submission(student, view.id).progress) == 1, 60, "the first check")
    worker.kill_group()
    start("bubblewrap")
    wait_until(lambda: done(student, view), 60, "the second grading")
    assert graded_once(view, student).tries == 1


def fork_server_below(number: int) -> int:
    """The fork server among a process's descendants: its children look alike, so the one nearest to that process."""
    level = [number]
    while level:
        level = [child for parent in level for child in children_of(parent)]
        found = [child for child in level if b"import server; server.main()" in command_of(child)]
        if found:
            assert len(found) == 1
            return found[0]
    raise AssertionError(f"process {number} has no fork server")


def children_of(number: int) -> list[int]:
    """Children of all threads of a process; none if it has ended."""
    found: list[int] = []
    for file in Path("/proc").glob(f"{number}/task/*/children"):
        with suppress(OSError):
            found += [int(word) for word in file.read_text().split()]
    return found


def command_of(number: int) -> bytes:
    """A process's command line; empty if it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{number}/cmdline").read_bytes()
    return b""


def test_kill_the_fork_server_while_it_runs_student_code(configure: Configure, start: Start) -> None:
    configure(**{**SHORT, "workers": 1})
    group = make_class()
    student = group.students[0]
    worker = start("forkserver")
    view = submit(student, group.assignment_id, "submission.py", REAL)
    wait_until(lambda: len(gradebook.submission(student, view.id).progress) == 1, 120, "the first check")
    killed = fork_server_below(worker.process.pid)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: done(student, view), 120, "the second grading")
    assert graded_once(view, student).tries == 1
    assert "The fork server ended while a submission ran." in worker.log.read_text()
    assert worker.process.poll() is None
    successor = fork_server_below(worker.process.pid)
    assert successor != killed
    other = submit(group.students[1], group.assignment_id, "submission.py", REAL)
    wait_until(lambda: done(group.students[1], other), 120, "the next grading")
    assert graded_once(other, group.students[1]).tries == 0
    assert fork_server_below(worker.process.pid) == successor
