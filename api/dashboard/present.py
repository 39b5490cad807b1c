"""Turns services' views into pages: all text made printable, all plots drawn, every sentence chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import TypedDict
from urllib.parse import quote

from api.dashboard import markdown, words
from api.dashboard.pages import (
    AssignmentCard,
    AssignmentPage,
    AttemptLine,
    Banner,
    CheckLine,
    CourseBlock,
    HandoutBlock,
    HomePage,
    Notice,
    PassRate,
    RemarkLine,
    ScoresPage,
    StageBlock,
    StudentLine,
    StudentPage,
    SubmissionPage,
)
from api.dashboard.plots import draw
from api.handouts import Handout
from autograder.model import CheckResult, Role, Trust, Verdict
from autograder.services.views import AssignmentView, ReportView, Scores, SubmissionView
from autograder.text import one_line, printable


class Frame(TypedDict):
    """What every page of a signed-in person carries."""

    person: str
    csrf: str


def home_page(frame: Frame, assignments: Sequence[AssignmentView], latest: Mapping[str, SubmissionView]) -> HomePage:
    """The first page: what the person teaches first, then courses by name. latest: assignment id → last attempt."""
    ordered = sorted(assignments, key=lambda a: (a.role is not Role.INSTRUCTOR, a.course_name, a.course_id))
    courses = []
    for _, group in groupby(ordered, key=lambda a: (a.role, a.course_id)):
        members = list(group)
        cards = tuple(_card(member, latest.get(member.id)) for member in members)
        courses.append(CourseBlock(one_line(members[0].course_name), members[0].role is Role.INSTRUCTOR, cards))
    return HomePage(title="Your assignments", courses=tuple(courses), **frame)


def _card(a: AssignmentView, latest: SubmissionView | None) -> AssignmentCard:
    lines = attempt_lines([latest] if latest else [])
    return AssignmentCard(
        a.id,
        one_line(a.title),
        one_line(a.summary, 300),
        words.points(a.points),
        a.due,
        overdue(a),
        lines[0] if lines else None,
    )


def overdue(assignment: AssignmentView) -> bool:
    """True once the due date has passed."""
    return assignment.due is not None and assignment.due < datetime.now(UTC)


def assignment_page(
    frame: Frame,
    assignment: AssignmentView,
    submissions: Sequence[SubmissionView],
    handout: Handout | None,
    *,
    max_mb: int,
    url: str,
    token: str = "",
    notice: Notice | None = None,
) -> AssignmentPage:
    """A student's page of an assignment. url: where uploads go, for the command to paste."""
    bearer = token or "$AUTOGRADER_TOKEN"
    suffix = "notebook.ipynb"
    return AssignmentPage(
        title=one_line(assignment.title),
        id=assignment.id,
        heading=one_line(assignment.title),
        course=one_line(assignment.course_name),
        summary=printable(assignment.summary, 2000),
        points=words.points(assignment.points),
        due=assignment.due,
        overdue=overdue(assignment),
        entry_points=assignment.entry_points,
        rules=_rules(assignment, sum(_counts(sub) for sub in submissions)),
        max_mb=max_mb,
        curl=f'curl -H "Authorization: Bearer {bearer}" -F file=@{suffix} {url}',
        token=token,
        notice=notice,
        attempts=attempt_lines(submissions),
        handout=_handout(assignment, handout),
        **frame,
    )


def _handout(assignment: AssignmentView, handout: Handout | None) -> HandoutBlock | None:
    """The handout with its files' addresses under the assignment's."""
    if handout is None:
        return None

    def address(name: str) -> str | None:
        if name not in handout.files:
            return None
        return f"/assignments/{quote(assignment.id)}/handout/{quote(name)}?v={handout.version}"

    text = markdown.render(handout.text, address)
    return HandoutBlock(text, tuple((name, address(name) or "") for name in handout.starters))


def _counts(sub: SubmissionView) -> bool:
    """Refused uploads and gradings that failed on our side use up no attempt."""
    return sub.attempt > 0 and (sub.report is None or sub.report.verdict is not Verdict.GRADER_ERROR)


def _rules(assignment: AssignmentView, used: int) -> str:
    """How many attempts there are and how often they may come."""
    parts = []
    if assignment.max_attempts is not None:
        parts.append(f"You have used {used} of {assignment.max_attempts} attempts.")
    if assignment.cooldown_s:
        parts.append(f"Between two attempts {assignment.cooldown_s} s must pass.")
    return " ".join(parts)


def attempt_lines(submissions: Sequence[SubmissionView]) -> tuple[AttemptLine, ...]:
    """Rows of an attempts table, newest first."""
    lines = []
    for sub in sorted(submissions, key=lambda s: (s.created, s.id), reverse=True):
        verdict = str(sub.report.verdict) if sub.report else sub.status
        score = ""
        if sub.report and sub.report.verdict is not Verdict.GRADER_ERROR:
            score = f"{words.points(sub.report.score)} / {words.points(sub.report.max_score)}"
        label = words.so_far(sub.report.verdict, sub.report.withheld) if sub.report else words.label(verdict)
        name = one_line(sub.filename, 80)
        mark = words.mark(sub.report.warning) if sub.report else ""
        lines.append(AttemptLine(sub.id, sub.attempt, sub.created, name, verdict, label, score, mark))
    return tuple(lines)


def scores_page(frame: Frame, scores: Scores, handout: Handout | None) -> ScoresPage:
    """The instructor's table with sums on top."""
    assignment = scores.assignment
    rows = sorted(scores.rows, key=lambda row: (row.name.casefold(), row.email))
    best = [row.best_score for row in rows if row.best_score is not None]
    return ScoresPage(
        title=f"Scores: {one_line(assignment.title)}",
        id=assignment.id,
        heading=one_line(assignment.title),
        course=one_line(assignment.course_name),
        points=words.points(assignment.points),
        due=assignment.due,
        students=tuple(
            StudentLine(
                id=row.student_id,
                name=one_line(row.name),
                email=one_line(row.email),
                attempts=row.attempts,
                latest_id=row.latest_id or "",
                latest_score=words.points(row.latest_score),
                latest_verdict=row.latest_verdict or "",
                latest_label=words.label(row.latest_verdict or ""),
                best_id=row.best_id or "",
                best_score=words.points(row.best_score),
                last_submitted=row.last_submitted,
                latest_mark=words.mark(row.latest_warning),
                best_mark=words.mark(row.best_warning),
            )
            for row in rows
        ),
        submitted=sum(row.attempts > 0 for row in rows),
        mean=words.points(round(sum(best) / len(best), 1)) if best else "–",
        full_marks=sum(score >= assignment.points for score in best),
        pass_rates=tuple(
            PassRate(one_line(name, 100), passed, graded, words.percent(passed, graded))
            for _, name, passed, graded in scores.pass_rates
        ),
        handout=_handout(assignment, handout),
        warning=_warning(*(told for row in rows for told in (row.latest_warning, row.best_warning))),
        publishable=assignment.publishable,
        published=assignment.published,
        **frame,
    )


def student_page(
    frame: Frame, assignment: AssignmentView, name: str, submissions: Sequence[SubmissionView]
) -> StudentPage:
    """One student's attempts, for the instructor."""
    return StudentPage(
        title=f"{one_line(name)}: {one_line(assignment.title)}",
        assignment_id=assignment.id,
        assignment_title=one_line(assignment.title),
        name=one_line(name),
        attempts=attempt_lines(submissions),
        **frame,
    )


def submission_page(frame: Frame, sub: SubmissionView, *, viewer_id: str, teaches: bool) -> SubmissionPage:
    """A submission as the viewer may see it."""
    report = sub.report
    live = sub.status in ("queued", "running")
    checks = report.checks if report else sub.progress
    title = f"Attempt {sub.attempt}" if sub.attempt else "Upload not taken"
    return SubmissionPage(
        title=f"{title}: {one_line(sub.assignment_title)}",
        refresh=3 if live else 0,
        id=sub.id,
        assignment_id=sub.assignment_id,
        assignment_title=one_line(sub.assignment_title),
        student="" if sub.student_id == viewer_id else one_line(sub.student_name),
        attempt=sub.attempt,
        filename=one_line(sub.filename, 120),
        size=words.size(sub.size),
        created=sub.created,
        live=live,
        banner=_banner(sub),
        notice=_notice(sub),
        warning=_warning(report.warning) if report else None,
        stages=_stages(checks),
        remarks=tuple(
            RemarkLine(printable(r.message, 500), one_line(r.where)) for r in (report.remarks if report else ())
        ),
        output=printable(report.output) if report else "",
        figures=tuple(range(report.figures)) if report else (),
        receipt=_receipt(report) if report else (),
        can_regrade=teaches and sub.status == "done",
        can_retry=not teaches and not live,
        **frame,
    )


def _banner(sub: SubmissionView) -> Banner:
    report = sub.report
    if sub.status == "refused":
        text = "It was kept out before grading and uses up no attempt. See below what to do, then upload again."
        return Banner("refused", "This upload could not be taken", text)
    if report is not None:
        heading, text = words.headline(report.checks, report.verdict, report.withheld_until)
        if report.verdict is Verdict.GRADER_ERROR:
            return Banner(str(report.verdict), heading, text)
        done = words.percent(report.score, report.max_score)
        mood = _mood(report)
        return Banner(mood, heading, text, words.points(report.score), words.points(report.max_score), done)
    if sub.status == "running":
        again = f" (try {sub.tries + 1}: the first was interrupted on our side)" if sub.tries > 0 else ""
        doing = one_line(sub.activity) or "starting your code in the sandbox"
        return Banner("running", "Grading now", doing[:1].upper() + doing[1:] + again)
    if sub.position == 0:
        return Banner("queued", "Next in line", "Grading starts as soon as a grader is free.")
    ahead = "1 submission is" if sub.position == 1 else f"{sub.position} submissions are"
    return Banner("queued", "Waiting in line", f"{ahead} ahead of yours. You can leave this page; nothing is lost.")


def _mood(report: ReportView) -> str:
    """The banner's colour: what the shown checks say, so that no withheld check shines through."""
    if report.checks and all(check.verdict is Verdict.PASSED for check in report.checks):
        return str(Verdict.PASSED)
    if report.verdict in (Verdict.PASSED, Verdict.FAILED) and report.score > 0:
        return str(Verdict.PARTIAL)
    return str(report.verdict)


def _notice(sub: SubmissionView) -> Notice | None:
    if sub.refusal is not None:
        return Notice("What is wrong", printable(sub.refusal.message, 1000), printable(sub.refusal.hint, 1000))
    if sub.report is not None and sub.status != "done":
        return Notice("Being graded again", "Until that is done, the result below stays in force.")
    return None


def _warning(*told: str) -> Notice | None:
    """What was said about the sandboxes of some gradings, each sentence once; None if there is nothing to say."""
    sentences = dict.fromkeys(printable(warning, 1000) for warning in told if warning)
    return Notice(f"Graded {words.NOT_ISOLATED}", " ".join(sentences)) if sentences else None


def _stages(checks: Sequence[CheckResult]) -> tuple[StageBlock, ...]:
    blocks = []
    for stage, group in groupby(sorted(checks, key=lambda c: c.number), key=lambda c: c.stage):
        lines = tuple(_check(check) for check in group)
        blocks.append(StageBlock(one_line(stage), sum(line.verdict == Verdict.PASSED for line in lines), lines))
    return tuple(blocks)


def _check(check: CheckResult) -> CheckLine:
    plots = check.evidence.get("plots")
    drawn = [draw(plot) for plot in plots[:4]] if isinstance(plots, list | tuple) else []
    return CheckLine(
        number=check.number,
        name=one_line(check.name),
        verdict=str(check.verdict),
        label=words.label(check.verdict),
        points=f"{words.points(check.score)} / {words.points(check.max_score)}",
        message=printable(check.message, 2000),
        hint=printable(check.hint, 2000),
        reported=check.trust is Trust.REPORTED,
        facts=words.facts(check.evidence),
        plots=tuple(plot for plot in drawn if plot is not None),
    )


def _remarks(report: ReportView | None) -> tuple[RemarkLine, ...]:
    remarks = report.remarks if report else ()
    return tuple(RemarkLine(printable(remark.message, 500), one_line(remark.where)) for remark in remarks)


def _receipt(report: ReportView) -> tuple[tuple[str, str], ...]:
    rows = [(one_line(key.replace("_", " "), 60), one_line(value, 200)) for key, value in report.receipt.items()]
    rows += [(f"seconds: {one_line(key, 40)}", f"{value:.2f}") for key, value in report.seconds.items()]
    return (*rows, ("finished", report.finished.strftime("%Y-%m-%d %H:%M:%S UTC")), ("job", report.job_id))
