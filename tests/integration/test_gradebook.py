"""Who sees what, and when; the instructor's table."""

import pytest

from autograder.errors import NotFound
from autograder.model import CheckResult, Verdict, Visibility
from autograder.services import accounts, gradebook, jobs
from autograder.services.views import Person, ReportView
from tests.factories import Class, hand_in, make_check, make_class, make_report, soon


def graded(group: Class, person: Person, *checks: CheckResult, **more: object) -> str:
    """The id of a submission graded with these checks."""
    view = hand_in(person, group)
    claimed = jobs.claim("cpu", "w")
    assert claimed is not None
    assert claimed.submission_id == view.id
    jobs.commit(claimed, make_report(*checks, **more))  # type: ignore[arg-type]
    return view.id


def seen(person: Person, submission_id: str) -> ReportView:
    """The report as this person sees it."""
    report = gradebook.submission(person, submission_id).report
    assert report is not None
    return report


MIXED = (
    make_check(1, 2, 2),
    make_check(2, 0, 3, Visibility.AFTER_DUE_DATE),
    make_check(3, 5, 5, Visibility.AFTER_PUBLISHED),
    make_check(4, 0, 7, Visibility.HIDDEN),
)


def test_students_see_shown_checks_only(database: str) -> None:
    group = make_class(due=soon(3600))
    student = group.students[0]
    view_id = graded(group, student, *MIXED)
    report = seen(student, view_id)
    assert [c.number for c in report.checks] == [1]
    assert (report.score, report.max_score, report.verdict, report.withheld) == (2, 2, Verdict.PASSED, 3)
    (light,) = gradebook.submissions(student, group.assignment_id)
    assert light.report is not None
    assert (light.report.score, light.report.max_score, light.report.withheld) == (2, 2, 3)
    assert light.report.verdict is Verdict.PASSED
    teacher = seen(group.instructor, view_id)
    assert (len(teacher.checks), teacher.score, teacher.withheld) == (4, 7, 0)
    gradebook.publish(group.instructor, group.assignment_id)
    assert [c.number for c in seen(student, view_id).checks] == [1, 3]
    accounts.ensure_assignment(group.assignment_id, group.course_id, "fake-task", "Over", due=soon(-1))
    report = seen(student, view_id)
    assert [c.number for c in report.checks] == [1, 2, 3]
    assert (report.score, report.verdict, report.withheld) == (7, Verdict.FAILED, 1)
    gradebook.publish(group.instructor, group.assignment_id, False)
    assert [c.number for c in seen(student, view_id).checks] == [1, 2]


def test_nothing_shown_is_no_verdict(database: str) -> None:
    group = make_class()
    hidden = make_check(1, 5, 5, Visibility.HIDDEN)
    report = seen(group.students[0], graded(group, group.students[0], hidden))
    assert (report.verdict, report.score, report.max_score, report.withheld) == (Verdict.SKIPPED, 0, 0, 1)


def test_our_failure_is_shown_even_if_its_check_is_hidden(database: str) -> None:
    group = make_class()
    checks = (make_check(1), make_check(2, 0, 1, Visibility.HIDDEN, verdict=Verdict.GRADER_ERROR))
    report = seen(group.students[0], graded(group, group.students[0], *checks, verdict=Verdict.GRADER_ERROR))
    assert report.verdict is Verdict.GRADER_ERROR


def test_shown_checks_do_not_name_hidden_ones(database: str) -> None:
    group = make_class()
    hidden = make_check(1, 0, 1, Visibility.HIDDEN, name="Hidden trap")
    skipped = make_check(2, 0, 1, message="Not judged, because “Hidden trap” could not be run.")
    view_id = graded(group, group.students[0], hidden, skipped)
    assert "Hidden trap" not in str(gradebook.submission(group.students[0], view_id))
    assert "because “Hidden trap” could" in seen(group.instructor, view_id).checks[1].message


def test_progress_tells_nothing_of_hidden_checks(database: str) -> None:
    group = make_class()
    student = group.students[0]
    view = hand_in(student, group)
    claimed = jobs.claim("cpu", "w")
    assert claimed is not None
    hidden = make_check(2, 0, 1, Visibility.HIDDEN, name="Hidden trap")
    jobs.report_progress(claimed, "Hidden trap: failed", [make_check(1), hidden])
    mine = gradebook.submission(student, view.id)
    assert [c.number for c in mine.progress] == [1]
    assert mine.activity == "checking"
    teacher = gradebook.submission(group.instructor, view.id)
    assert len(teacher.progress) == 2
    assert teacher.activity == "Hidden trap: failed"


def test_other_peoples_things_do_not_exist(database: str) -> None:
    group, elsewhere = make_class(), make_class()
    view_id = graded(group, group.students[0], figures=(b"png",))
    strangers = (group.students[1], elsewhere.instructor, *elsewhere.students, Person("u_gone", "x@x", "X"))
    for person in strangers:
        for look in (
            lambda p: gradebook.submission(p, view_id),
            lambda p: gradebook.original(p, view_id),
            lambda p: gradebook.figure(p, view_id, 0),
            lambda p: gradebook.version(p, view_id),
            lambda p: gradebook.scores(p, group.assignment_id),
            lambda p: gradebook.publish(p, group.assignment_id),
            lambda p: gradebook.submissions(p, group.assignment_id, group.students[0].id),
        ):
            with pytest.raises(NotFound):
                look(person)
    assert gradebook.submissions(group.students[1], group.assignment_id) == ()
    assert gradebook.figure(group.students[0], view_id, 0) == b"png"
    for index in (-1, 1):
        with pytest.raises(NotFound):
            gradebook.figure(group.students[0], view_id, index)
    with pytest.raises(NotFound):
        gradebook.scores(group.students[0], group.assignment_id)


def test_lists_are_newest_first_and_light(database: str) -> None:
    group = make_class()
    student = group.students[0]
    ids = [graded(group, student), graded(group, student, make_check(score=0.5)), hand_in(student, group).id]
    views = gradebook.submissions(group.instructor, group.assignment_id)
    assert [view.id for view in views] == ids[::-1]
    assert [view.status for view in views] == ["queued", "done", "done"]
    assert [view.report.score if view.report else None for view in views] == [None, 0.5, 1.0]
    assert views[1].report is not None
    assert views[1].report.checks == ()
    assert len(gradebook.submissions(group.instructor, group.assignment_id, student.id)) == 3
    assert gradebook.submissions(group.instructor, group.assignment_id, group.students[1].id) == ()
    assert len(gradebook.submissions(group.instructor, group.assignment_id, limit=2)) == 2


def test_the_instructors_table(database: str) -> None:
    group = make_class(3)
    a, b, c = group.students
    best = graded(group, a, make_check(1, 2, 2), make_check(2, 1, 2))
    last = graded(group, a, make_check(1, 2, 2), make_check(2, 0, 2))
    graded(group, b, make_check(1, 0, 2), make_check(2, 2, 2))
    failed = hand_in(b, group).id
    claimed = jobs.claim("cpu", "w")
    assert claimed is not None
    jobs.fail(claimed, "our fault", final=True)
    graded(group, group.instructor)
    rows = gradebook.scores(group.instructor, group.assignment_id)
    assert rows.assignment.id == group.assignment_id
    first, second, third = rows.rows
    assert (first.name, first.attempts, first.latest_id, first.latest_score) == ("Student 0", 2, last, 2)
    assert (first.best_id, first.best_score, first.latest_verdict) == (best, 3, "partial")
    assert (second.latest_id, second.latest_score, second.latest_verdict) == (failed, None, "grader_error")
    assert second.best_score == 2
    assert (third.student_id, third.attempts, third.best_score, third.last_submitted) == (c.id, 0, None, None)
    assert rows.pass_rates == (("check_1", "Check 1", 1, 1), ("check_2", "Check 2", 0, 1))
