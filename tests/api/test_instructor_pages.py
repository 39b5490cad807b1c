"""What instructors do on the dashboard: look at scores, grade again, publish what waits for it."""

from __future__ import annotations

from dataclasses import replace

from autograder.model import Visibility
from tests.api.conftest import World, grade_next
from tests.factories import hand_in, make_check, make_report


def test_results_that_wait_are_published_by_a_button(world: World) -> None:
    secret = replace(make_check(2, 0.0, 8.0, Visibility.AFTER_PUBLISHED), message="Secret words")
    made = hand_in(world.other, world.ours)
    grade_next(make_report(make_check(1, 2.0, 2.0), secret))
    student, teacher = world.browser(world.other).http, world.browser(world.ours.instructor)
    for before, after, value in (("Publish results", "Hide them again", "true"), ("Hide", "Publish results", "false")):
        assert before in teacher.http.get(world.path).text
        answer = teacher.post(f"{world.path}/publish", world.path, {"published": value})
        assert (answer.status_code, answer.headers["location"]) == (303, world.path)
        assert after in teacher.http.get(world.path).text
        assert ("Secret words" in student.get(f"/submissions/{made.id}").text) == (value == "true")
    answer = teacher.post(f"{world.path}/publish", world.path, {"published": "perhaps"})
    assert answer.status_code == 404


def test_a_regrade_keeps_the_old_result_on_the_page(world: World) -> None:
    browser = world.browser(world.ours.instructor)
    path = f"/submissions/{world.done.id}"
    assert "Grade again" in browser.http.get(path).text
    assert "Grade again" not in world.browser(world.owner).http.get(path).text
    assert browser.post(f"{path}/regrade", path).status_code == 303
    page = browser.http.get(path).text
    assert "Being graded again" in page
    assert "2 of 3 checks passed" in page
    answer = browser.post(f"{path}/regrade", "/")
    assert answer.status_code == 409
    assert "being graded already" in answer.text


def test_instructors_see_scores_rates_students_and_the_table(world: World) -> None:
    browser = world.browser(world.ours.instructor)
    page = browser.http.get(world.path).text
    assert "2 of 2" not in page
    assert "Student 0" in page
    assert "Student 1" in page
    assert "nothing yet" in page
    assert '<meter min="0" max="100" value="100">' in page
    table = browser.http.get(f"{world.path}/scores.csv")
    assert table.content.startswith(b"\xef\xbb\xbfstudent_id,")
    student = browser.http.get(f"{world.path}/students/{world.owner.id}").text
    assert f"/submissions/{world.done.id}" in student
    assert browser.http.get(f"{world.path}/students/u_nobody").status_code == 404
    theirs = browser.http.get(f"{world.path}/students/{world.theirs.students[0].id}")
    assert theirs.status_code == 404
