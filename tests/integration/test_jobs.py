"""The queue in the database: nothing lost, nothing twice, everybody in turn. On SQLite and PostgreSQL."""

import math
import multiprocessing
import time
from collections import Counter

import numpy as np
import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from autograder.errors import LeaseLost
from autograder.model import Verdict
from autograder.services import gradebook, jobs
from autograder.services.regrade import regrade
from autograder.storage import reports, session
from autograder.storage.jobs import newest_of
from autograder.storage.tables import GradingJob
from tests.conftest import Configure, wait_until
from tests.factories import Class, hand_in, make_check, make_class, make_report
from tests.integration.claimers import drain


def must_claim(worker: str = "w1") -> jobs.Claim:
    """A claim that has to succeed."""
    claimed = jobs.claim("cpu", worker)
    assert claimed is not None, "there was nothing to claim"
    return claimed


def test_a_job_lives_from_queued_to_done(database: str) -> None:
    group = make_class()
    student = group.students[0]
    submitted = hand_in(student, group)
    assert (submitted.status, submitted.attempt, submitted.position) == ("queued", 1, 0)
    assert jobs.waiting("cpu") == 1
    assert jobs.waiting("gpu") == 0
    assert jobs.claim("gpu", "w") is None
    claimed = must_claim()
    assert (claimed.spec_id, claimed.filename, claimed.fence) == ("fake-task", "submission.py", 1)
    assert jobs.claim("cpu", "w2") is None
    before = gradebook.version(student, submitted.id)
    jobs.report_progress(claimed, "training: epoch 1 of 3", [make_check()])
    running = gradebook.submission(student, submitted.id)
    assert (running.status, running.activity, len(running.progress)) == ("running", "training: epoch 1 of 3", 1)
    assert running.started is not None
    assert gradebook.version(student, submitted.id) > before
    jobs.renew(claimed)
    jobs.commit(claimed, make_report(figures=(b"PNG one", b"PNG two")))
    done = gradebook.submission(student, submitted.id)
    assert done.status == "done"
    assert done.report is not None
    assert (done.report.verdict, done.report.score, done.report.figures) == (Verdict.PASSED, 1.0, 2)
    assert (done.progress, done.activity) == ((), "")
    assert gradebook.figure(student, submitted.id, 1) == b"PNG two"


def test_a_report_comes_back_as_it_went_in(database: str) -> None:
    group = make_class()
    submitted = hand_in(group.students[0], group)
    nasty = {"loss": [1.0, math.nan, math.inf], "text": "a\x00b\ud800", "array": np.arange(3), 7: (np.float32(0.5),)}
    check = make_check(evidence=nasty, hint="try this", seconds=0.25)
    jobs.commit(must_claim(), make_report(check, output="\x00\udfff ok"))
    report = gradebook.submission(group.students[0], submitted.id).report
    assert report is not None
    assert report.checks[0].evidence == {
        "loss": [1.0, None, None],
        "text": "a\ufffdb?",
        "array": [0, 1, 2],
        "7": [0.5],
    }
    assert report.output == "\ufffd? ok"
    assert (report.checks[0].hint, report.checks[0].seconds) == ("try this", 0.25)
    assert report.remarks[0].where == "cell 2"
    assert report.receipt == {"spec": "d" * 64}


def test_an_old_fence_can_change_nothing(database: str, configure: Configure) -> None:
    group = make_class()
    submitted = hand_in(group.students[0], group)
    configure(lease_s=0.05)
    old = must_claim("dead")
    time.sleep(0.1)
    assert jobs.sweep() == 1
    for use in (
        lambda: jobs.renew(old),
        lambda: jobs.report_progress(old, "?", []),
        lambda: jobs.commit(old, make_report()),
        lambda: jobs.fail(old, "?"),
        lambda: jobs.hand_back(old),
    ):
        with pytest.raises(LeaseLost):
            use()
    configure(lease_s=20)
    wait_until(lambda: jobs.waiting("cpu") == 1, 5, "the job's return")
    new = must_claim("alive")
    assert new.fence == old.fence + 1
    with pytest.raises(LeaseLost):
        jobs.commit(old, make_report(make_check(score=0.0)))
    jobs.commit(new, make_report())
    with pytest.raises(LeaseLost):
        jobs.commit(new, make_report())
    view = gradebook.submission(group.students[0], submitted.id)
    assert view.tries == 1
    assert view.report is not None
    assert view.report.score == 1.0


def test_a_report_is_stored_once_whatever_the_code_does(database: str) -> None:
    group = make_class()
    hand_in(group.students[0], group)
    claimed = must_claim()
    jobs.commit(claimed, make_report())
    with pytest.raises(IntegrityError), session.session_scope() as writing:
        jobs._finish(writing, claimed.job_id, make_report(), [])


def test_scores_that_are_no_numbers_are_refused(database: str) -> None:
    group = make_class()
    submitted = hand_in(group.students[0], group)
    claimed = must_claim()
    for wrong in (math.nan, math.inf):
        with pytest.raises(ValueError, match="finite"):
            jobs.commit(claimed, make_report(make_check(score=wrong)))
        with pytest.raises(IntegrityError), session.session_scope() as writing:
            jobs._finish(writing, claimed.job_id, make_report(make_check(score=wrong)), [])
    assert gradebook.submission(group.students[0], submitted.id).status == "running"


def test_sweep_leaves_living_workers_alone(database: str) -> None:
    group = make_class()
    hand_in(group.students[0], group)
    must_claim()
    assert jobs.sweep() == 0


def test_deaths_end_as_grader_error_and_refund_the_attempt(database: str, configure: Configure) -> None:
    group = make_class(max_attempts=1)
    student = group.students[0]
    submitted = hand_in(student, group)
    configure(lease_s=0.02, max_tries=2)
    must_claim()
    time.sleep(0.05)
    assert jobs.sweep() == 1
    view = gradebook.submission(student, submitted.id)
    assert (view.status, view.tries, view.report) == ("queued", 1, None)
    wait_until(lambda: jobs.waiting("cpu") == 1, 5, "the second try")
    must_claim()
    time.sleep(0.05)
    assert jobs.sweep() == 1
    view = gradebook.submission(student, submitted.id)
    assert view.status == "done"
    assert view.report is not None
    assert view.report.verdict is Verdict.GRADER_ERROR
    assert "not yours" in view.report.warning
    assert view.report.remarks == ()
    teacher = gradebook.submission(group.instructor, submitted.id).report
    assert teacher is not None
    assert "fell silent" in teacher.remarks[0].message
    line = gradebook.scores(group.instructor, group.assignment_id).rows[0]
    assert (line.latest_score, line.latest_verdict, line.best_score) == (None, "grader_error", None)
    assert hand_in(student, group).attempt == 2, "the refunded attempt does not count"


def test_our_failures_are_tried_again_then_reported(database: str, configure: Configure) -> None:
    configure(max_tries=2)
    group = make_class()
    submitted = hand_in(group.students[0], group)
    jobs.fail(must_claim(), "disk full")
    assert gradebook.submission(group.students[0], submitted.id).status == "queued"
    assert jobs.waiting("cpu") == 0, "it waits a little before the next try"
    wait_until(lambda: jobs.waiting("cpu") == 1, 5, "the second try")
    jobs.fail(must_claim(), "disk full")
    view = gradebook.submission(group.instructor, submitted.id)
    assert view.report is not None
    assert view.report.verdict is Verdict.GRADER_ERROR
    assert view.report.remarks[0].message == "disk full"


def test_handing_back_costs_no_try(database: str) -> None:
    group = make_class()
    submitted = hand_in(group.students[0], group)
    jobs.hand_back(must_claim())
    view = gradebook.submission(group.students[0], submitted.id)
    assert (view.status, view.tries) == ("queued", 0)
    must_claim()


def test_order_is_fair(database: str) -> None:
    group = make_class(3)
    eager, second, late = group.students
    order = [hand_in(eager, group), hand_in(eager, group), hand_in(eager, group), hand_in(second, group)]
    order.append(hand_in(second, group))
    order.append(hand_in(late, group))
    names = {view.id: f"{view.student_name[-1]}.{view.attempt}" for view in order}
    served = []
    for _ in order:
        claimed = must_claim()
        served.append(names[claimed.submission_id])
        jobs.commit(claimed, make_report())
    assert served == ["0.1", "1.1", "2.1", "0.2", "1.2", "0.3"]


def test_regrades_wait_for_submissions(database: str) -> None:
    group = make_class()
    first = hand_in(group.students[0], group)
    jobs.commit(must_claim(), make_report())
    regrade(group.instructor, first.id)
    second = hand_in(group.students[1], group)
    assert gradebook.submission(group.students[0], first.id).position == 1
    assert must_claim().submission_id == second.id
    assert must_claim().submission_id == first.id


def test_one_running_job_a_student(database: str) -> None:
    group = make_class()
    student = group.students[0]
    hand_in(student, group)
    hand_in(student, group)
    first = must_claim()
    assert jobs.waiting("cpu") == 0
    assert jobs.claim("cpu", "w2") is None
    with session.read_scope() as reading:
        second = next(j for j in reading.query(GradingJob) if j.id != first.job_id)
    forced = update(GradingJob).where(GradingJob.id == second.id).values(state="running", lease_until=second.created)
    with pytest.raises(IntegrityError), session.session_scope() as writing:
        writing.execute(forced)
    jobs.commit(first, make_report())
    must_claim()


def test_regrade_keeps_the_old_report_until_the_new_one(database: str) -> None:
    group = make_class()
    student = group.students[0]
    submitted = hand_in(student, group)
    jobs.commit(must_claim(), make_report())
    view = regrade(group.instructor, submitted.id)
    assert view.status == "queued"
    assert view.report is not None
    jobs.fail(must_claim(), "broken", final=True)
    view = gradebook.submission(group.instructor, submitted.id)
    assert view.report is not None
    assert view.report.verdict is Verdict.PASSED, "our failure replaces no real report"
    assert view.report.remarks[-1].message == "broken"
    regrade(group.instructor, submitted.id)
    jobs.commit(must_claim(), make_report(make_check(score=0.5)))
    view = gradebook.submission(student, submitted.id)
    assert view.report is not None
    assert view.report.score == 0.5
    assert gradebook.scores(group.instructor, group.assignment_id).rows[0].best_score == 0.5
    with session.read_scope() as reading:
        assert len(reading.query(reports.GradeReportRow).all()) == 3
        assert len(newest_of(reading, [submitted.id])) == 1


def fill(group: Class, each: int) -> int:
    """Several submissions by every student."""
    for _ in range(each):
        for student in group.students:
            hand_in(student, group)
    return each * len(group.students)


def test_six_workers_two_hundred_jobs_no_double_claim(database: str) -> None:
    total = fill(make_class(50), 4)
    context = multiprocessing.get_context("spawn")
    ready, go, results = context.Semaphore(0), context.Event(), context.Queue()
    workers = [context.Process(target=drain, args=(ready, go, results)) for _ in range(6)]
    for worker in workers:
        worker.start()
    for _ in workers:
        assert ready.acquire(timeout=60)
    go.set()
    claimed = [job for _ in workers for job in results.get(timeout=120)]
    for worker in workers:
        worker.join(20)
        assert worker.exitcode == 0
    assert total == 200
    assert len(claimed) == total, "some jobs were never claimed"
    assert [job for job, times in Counter(claimed).items() if times > 1] == []
