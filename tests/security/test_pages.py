"""Submissions that attack whoever reads their report: graded for real, shown by the real templates."""

from __future__ import annotations

import pytest

from api.app import create_app
from autograder.services import jobs
from autograder.services.submit import submit
from tests.api.conftest import Browser, grade_next
from tests.api.test_pages import assert_safe
from tests.conftest import Configure
from tests.factories import make_class
from tests.security.grading import Grade, hostile

NAMES = ("page_in_output", "page_in_errors", "page_in_names", "unicode_names", "huge_picture", "raise_hidden_inputs")


@pytest.mark.parametrize("name", NAMES)
def test_its_pages_run_nothing(configure: Configure, grade: Grade, name: str) -> None:
    people = make_class(1)
    content = hostile(name)
    made = submit(people.students[0], people.assignment_id, "<img src=x onerror=alert(1)>\u202e.py", content)
    grade_next(grade("net.py", content))
    app = create_app()
    for person in (people.students[0], people.instructor):
        browser = Browser(app, person)
        for path in ("/", f"/assignments/{people.assignment_id}", f"/submissions/{made.id}"):
            page = browser.http.get(path)
            assert page.status_code == 200
            assert_safe(page.text)
            assert "735192" not in page.text
    assert jobs.claim("cpu", "nobody") is None


def test_a_picture_that_would_take_gigabytes_is_left_out(grade: Grade) -> None:
    assert grade("net.py", hostile("huge_picture")).figures == ()


def test_an_honest_picture_is_kept(grade: Grade) -> None:
    drawing = hostile("print_a_result") + b"\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\n"
    assert len(grade("net.py", drawing).figures) == 1
