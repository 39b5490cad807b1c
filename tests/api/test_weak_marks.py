"""A report from a sandbox that does not isolate says so wherever its score is to be seen."""

from __future__ import annotations

import csv
import io

from rich.console import Console

from autograder.cli.submit import _summary
from tests.api.conftest import World, grade_next
from tests.factories import hand_in, make_check, make_report


def test_a_weak_sandbox_is_told_of_wherever_its_score_is(world: World) -> None:
    made = hand_in(world.other, world.ours)
    grade_next(make_report(make_check(1, 10.0, 10.0), warning="It ran in the open."))
    client, mine = world.api(world.ours.instructor), world.api(world.other)
    assert mine.get(f"/api/v1/submissions/{made.id}").json()["report"]["warning"] == "It ran in the open."
    (listed,) = mine.get(f"/api/v1{world.path}/submissions").json()
    assert listed["report"]["warning"] == "It ran in the open."
    told = [
        (row["latest_warning"], row["best_warning"]) for row in client.get(f"/api/v1{world.path}/scores").json()["rows"]
    ]
    assert told == [("", ""), ("It ran in the open.",) * 2]
    rows = list(csv.DictReader(io.StringIO(client.get(f"/api/v1{world.path}/scores.csv").text)))
    assert [(row["latest_warning"], row["best_warning"]) for row in rows] == told


def test_a_weak_sandbox_is_told_of_on_every_page_with_its_score(world: World) -> None:
    student, teacher = world.browser(world.other).http, world.browser(world.ours.instructor).http
    assert "without isolation" not in teacher.get(world.path).text
    made = hand_in(world.other, world.ours)
    grade_next(make_report(make_check(1, 10.0, 10.0), warning="It ran in the open."))
    report = f"/submissions/{made.id}"
    for browser, path in [(student, report), (student, f"{report}/fragment"), (teacher, report), (teacher, world.path)]:
        text = browser.get(path).text
        assert "Graded without isolation" in text, path
        assert "It ran in the open." in text, path
    for browser, path in [
        (student, "/"),
        (student, world.path),
        (teacher, world.path),
        (teacher, f"{world.path}/students/{world.other.id}"),
    ]:
        assert '<span class="mark">without isolation</span>' in browser.get(path).text, path
    assert world.api(world.ours.instructor).post(f"/api/v1{report}/regrade").status_code == 202
    text = student.get(report).text
    assert "Being graded again" in text
    assert "It ran in the open." in text


def test_the_command_line_prints_it(world: World) -> None:
    made = hand_in(world.other, world.ours)
    grade_next(make_report(make_check(1, 10.0, 10.0), warning="It ran in the open."))
    console = Console(record=True, width=200)
    assert _summary(world.api(world.other).get(f"/api/v1/submissions/{made.id}").json(), console) == 0
    assert "It ran in the open." in console.export_text()
