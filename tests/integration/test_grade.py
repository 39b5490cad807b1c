"""Grading one job with the real pipeline; only the student's process is played (tests/fakes.py)."""

import threading
import time

import pytest

from autograder.config import settings
from autograder.model import Verdict
from autograder.services import gradebook, jobs
from autograder.services.grade import grade_one
from autograder.services.views import ReportView, SubmissionView
from tests.conftest import Configure, wait_until
from tests.factories import Class, hand_in, make_class
from tests.fakes import FakeSandbox


def grade(group: Class, *script: str) -> SubmissionView:
    """Submit, grade, and look at it as the instructor."""
    view = hand_in(group.students[0], group, *script)
    assert grade_one("cpu", "w1", FakeSandbox())
    return gradebook.submission(group.instructor, view.id)


def report_of(view: SubmissionView) -> ReportView:
    """The report it must have by now."""
    assert view.report is not None
    return view.report


def test_from_upload_to_report(database: str) -> None:
    assert not grade_one("cpu", "w1", FakeSandbox())
    group = make_class()
    view = grade(group)
    report = report_of(view)
    assert (view.status, report.verdict, report.score, report.max_score) == ("done", Verdict.PASSED, 10, 10)
    assert [c.id for c in report.checks] == ["names", "finite", "shape"]
    assert report.output == "hello from the fake\n"
    assert report.warning == "No sandbox: this was a test."
    assert len(report.receipt["spec"]) == 64
    mine = report_of(gradebook.submission(group.students[0], view.id))
    assert (mine.score, mine.max_score, mine.withheld) == (5, 5, 1)
    assert gradebook.scores(group.instructor, group.assignment_id).rows[0].best_score == 10


def test_each_ending_keeps_the_other_checks(database: str) -> None:
    group = make_class()
    for script, verdict, names in [
        ("forward nan", Verdict.FAILED, Verdict.PASSED),
        ("forward stop timed_out", Verdict.TIMED_OUT, Verdict.PASSED),
        ("forward stop out_of_memory", Verdict.OUT_OF_MEMORY, Verdict.PASSED),
        ("forward raise oops", Verdict.CRASHED, Verdict.PASSED),
        ("resolve missing", Verdict.FAILED, Verdict.FAILED),
    ]:
        report = report_of(grade(group, script))
        assert report.verdict is verdict, script
        assert report.checks[0].verdict is names, script
        assert len(report.checks) == 3, script


def test_a_broken_sandbox_is_our_fault(database: str, configure: Configure) -> None:
    configure(max_tries=1)
    group = make_class()
    view = grade(group, "forward break no cgroup")
    report = report_of(view)
    assert report.verdict is Verdict.GRADER_ERROR
    assert "no cgroup" in report.remarks[0].message
    student = report_of(gradebook.submission(group.students[0], view.id))
    assert "cgroup" not in str(student)


def test_a_broken_spec_ends_at_once_and_says_why_to_the_instructor(database: str, configure: Configure) -> None:
    group = make_class()
    view = hand_in(group.students[0], group)
    configure(specs_dir=settings().var_dir / "gone")
    assert grade_one("cpu", "w1", FakeSandbox())
    report = report_of(gradebook.submission(group.instructor, view.id))
    assert report.verdict is Verdict.GRADER_ERROR
    assert "fake-task" in report.remarks[0].message


def test_a_lost_blob_is_our_fault(database: str, configure: Configure) -> None:
    configure(max_tries=1)
    group = make_class()
    view = hand_in(group.students[0], group)
    configure(blob_dir=settings().var_dir / "elsewhere")
    assert grade_one("cpu", "w1", FakeSandbox())
    report = report_of(gradebook.submission(group.instructor, view.id))
    assert report.verdict is Verdict.GRADER_ERROR
    assert "do all machines share it?" in report.remarks[0].message


def test_the_lease_lives_as_long_as_the_grading(database: str, configure: Configure) -> None:
    configure(lease_s=0.6)
    group = make_class()
    view = hand_in(group.students[0], group, "forward sleep 2")
    thread = threading.Thread(target=grade_one, args=("cpu", "w1", FakeSandbox()))
    thread.start()
    while thread.is_alive():
        assert jobs.sweep() == 0
        time.sleep(0.1)
    view = gradebook.submission(group.students[0], view.id)
    assert (view.status, view.tries) == ("done", 0)


def test_progress_shows_while_it_runs(database: str) -> None:
    group = make_class()
    view = hand_in(group.students[0], group, "forward sleep 1")
    thread = threading.Thread(target=grade_one, args=("cpu", "w1", FakeSandbox()))
    thread.start()

    def names_are_there() -> bool:
        now = gradebook.submission(group.students[0], view.id)
        return [c.id for c in now.progress] == ["names"] and now.status == "running"

    wait_until(names_are_there, 10, "the first check")
    thread.join()
    assert gradebook.submission(group.students[0], view.id).progress == ()


def test_a_grading_that_lost_its_job_stops_and_changes_nothing(database: str, configure: Configure) -> None:
    configure(lease_s=0.3)
    group = make_class()
    view = hand_in(group.students[0], group, "forward sleep 1.5")
    thread = threading.Thread(target=grade_one, args=("cpu", "slow", FakeSandbox()))
    thread.start()
    wait_until(lambda: gradebook.submission(group.students[0], view.id).status == "running", 10, "the start")
    # As if its machine had been asleep: the job is somebody else's now.
    with jobs.session_scope() as writing:
        job = writing.query(jobs.GradingJob).one()
        job.fence += 1
        job.worker = "other"
    thread.join()
    view = gradebook.submission(group.students[0], view.id)
    assert (view.status, view.report) == ("running", None)


def test_a_process_told_to_end_hands_its_job_back(database: str) -> None:
    class Ending(FakeSandbox):
        """The signal arrives while the sandbox starts."""

        def open(self, limits: object) -> object:  # type: ignore[override]
            raise SystemExit(1)

    group = make_class()
    view = hand_in(group.students[0], group)
    with pytest.raises(SystemExit):
        grade_one("cpu", "w1", Ending())
    view = gradebook.submission(group.students[0], view.id)
    assert (view.status, view.tries) == ("queued", 0)
    assert grade_one("cpu", "w2", FakeSandbox())
    assert gradebook.submission(group.students[0], view.id).status == "done"
