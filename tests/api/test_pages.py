"""The dashboard: every page, every form, sessions, and what hostile text becomes."""

from __future__ import annotations

import dataclasses
import re
import stat
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jinja2 import nodes

from api.app import create_app
from api.dashboard import pages, render
from api.dashboard.plots import Plot
from api.dashboard.session import COOKIE, local_path, secret_key
from autograder.config import settings
from autograder.model import CheckResult, GradeReport, Remark, Trust, Verdict, Visibility
from autograder.services import accounts, gradebook, jobs
from autograder.services.views import SubmissionView
from tests.api.conftest import World, grade_next
from tests.conftest import Configure
from tests.factories import hand_in, make_check, make_class, make_report, notebook, soon

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}\u202egnp\x1b[31m"


class Tags(HTMLParser):
    """Collects what a browser would see as elements and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def assert_safe(text: str) -> None:
    """Nothing in the page could run: no script but ours, no handlers, no inline style, no foreign address."""
    for tag, attributes in Tags(text).found:
        if tag == "script":
            assert (attributes.get("src") or "").startswith("/static/live.js")
        assert tag not in ("iframe", "object", "embed", "base", "style")
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name != "style"
            if name in ("src", "href", "action"):
                assert (value or "").startswith(("/", "#")), (tag, value)
                assert not (value or "").startswith("//")
    assert "\u202e" not in text
    assert "\x1b" not in text


# --------------------------------------------------------------------------------------------------------- sessions


def test_signing_in_and_out(world: World) -> None:
    browser = world.browser()
    assert browser.http.get("/").headers["location"] == "/login?next=/"
    answer = browser.sign_in(world.owner.email)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie  # the default address is http
    home = browser.http.get("/").text
    assert world.owner.name in home
    assert browser.http.get("/login").headers["location"] == "/"
    assert browser.post("/logout", "/").status_code == 303
    assert browser.http.get("/").headers["location"].startswith("/login")


def test_a_wrong_password_says_so_and_keeps_the_address(world: World) -> None:
    answer = world.browser().sign_in(world.owner.email, "wrong")
    assert answer.status_code == 401
    assert "password is wrong" in answer.text
    assert f'value="{world.owner.email}"' in answer.text


def test_after_signing_in_one_gets_where_one_wanted_to_go(world: World) -> None:
    browser = world.browser()
    wanted = browser.http.get(f"/submissions/{world.done.id}").headers["location"]
    page = browser.http.get(wanted)
    target = re.search(r'name="next" value="([^"]+)"', page.text)
    assert target
    assert (
        browser.sign_in(world.owner.email, next=target.group(1)).headers["location"] == f"/submissions/{world.done.id}"
    )


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "x", "", "/\n/evil"]
)
def test_one_never_gets_elsewhere(world: World, target: str) -> None:
    assert local_path(target) == "/"
    assert world.browser().sign_in(world.owner.email, next=target).headers["location"] == "/"


def test_cookies_can_not_be_forged(world: World) -> None:
    browser = world.browser(world.owner)
    good = browser.http.cookies[COOKIE]
    other = world.browser(world.other).http.cookies[COOKIE]
    forged = other.rsplit(".", 2)[0] + "." + good.split(".", 1)[1]
    for bad in (good[:-2] + "xx", forged, "", "a.b.c", good + "x"):
        browser.http.cookies.set(COOKIE, bad)
        assert browser.http.get("/").status_code == 303


def test_a_session_of_a_person_who_is_gone_is_none(world: World) -> None:
    browser = world.browser(replace(world.owner, id="u_gone"))
    assert browser.http.get("/").status_code == 303


def test_https_makes_the_cookie_secure(world: World, configure: Configure) -> None:
    configure(public_url="https://grader.example.org")
    world.app = create_app()
    assert "Secure" in world.browser().http.get("/login").headers["set-cookie"]


def test_another_password_ends_the_sessions_of_a_person(world: World) -> None:
    browser, other = world.browser(world.owner), world.browser(world.other)
    accounts.set_password(world.owner.email, "a new password")
    assert browser.http.get("/").headers["location"].startswith("/login")
    assert browser.post(f"{world.path}/token", "/login").status_code == 303
    assert other.http.get("/").status_code == 200
    assert browser.sign_in(world.owner.email, "a new password").headers["location"] == "/"
    assert browser.http.get("/").status_code == 200


@pytest.mark.parametrize("path", ["/logout", "/login"])
def test_forms_need_their_token(world: World, path: str) -> None:
    browser = world.browser(world.owner)
    for data in ({}, {"csrf": "wrong"}, {"csrf": world.browser(world.other).csrf("/")}):
        answer = browser.http.post(path, data=data)
        assert answer.status_code == 403
        assert "load the page again" in answer.text


def test_uploads_and_tokens_need_the_form_token_too(world: World) -> None:
    browser = world.browser(world.owner)
    files = {"file": ("a.py", b"class Net: pass")}
    assert browser.http.post(f"{world.path}/submissions", files=files).status_code == 403
    assert browser.http.post(f"{world.path}/token").status_code == 403
    teacher = world.browser(world.ours.instructor)
    assert teacher.http.post(f"/submissions/{world.done.id}/regrade").status_code == 403
    assert len(gradebook.submissions(world.owner, world.ours.assignment_id)) == 1


def test_forms_from_other_sites_are_refused(world: World) -> None:
    browser = world.browser(world.owner)
    data = {"csrf": browser.csrf("/")}
    for site in ("cross-site", "same-site"):
        assert browser.http.post("/logout", data=data, headers={"Sec-Fetch-Site": site}).status_code == 403
    assert browser.http.post("/logout", data=data, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


def test_the_secret_key_is_made_once_and_kept_private(embedded: Path, configure: Configure) -> None:
    first = secret_key(settings())
    assert secret_key(settings()) == first
    assert len(first) >= 48
    assert stat.S_IMODE((embedded / "secret_key").stat().st_mode) == 0o600
    assert [file.name for file in embedded.iterdir()] == ["secret_key"]
    configure(secret_key="given")
    assert secret_key(settings()) == "given"


# ------------------------------------------------------------------------------------------------------------ pages


def test_the_first_page_shows_what_is_mine(world: World) -> None:
    text = world.browser(world.owner).http.get("/").text
    assert f'href="{world.path}"' in text
    assert world.theirs.assignment_id not in text
    assert "partly right" in text
    assert "you teach this course" in world.browser(world.ours.instructor).http.get("/").text


def test_handing_in_through_the_form(world: World) -> None:
    browser = world.browser(world.other)
    files = {"file": ("net.ipynb", notebook("class Net: pass"))}
    answer = browser.post(f"{world.path}/submissions", world.path, files=files)
    assert answer.status_code == 303
    page = browser.http.get(answer.headers["location"]).text
    assert "Next in line" in page
    assert 'http-equiv="refresh"' in page
    assert "data-events=" in page
    grade_next()
    page = browser.http.get(answer.headers["location"]).text
    assert 'http-equiv="refresh"' not in page
    assert "data-events=" not in page
    assert "2 of 3 checks passed" in page
    assert "Train longer." in page
    assert page.count('<svg xmlns="http://www.w3.org/2000/svg" role="img"') == 2
    assert "Attempt 1" in browser.http.get(world.path).text


def test_a_refusal_is_shown_where_it_happened(world: World) -> None:
    browser = world.browser(world.other)
    answer = browser.post(f"{world.path}/submissions", world.path, files={"file": ("a.py", b"def f(:")})
    assert answer.status_code == 422
    assert "Your file was not taken" in answer.text
    assert "line 1" in answer.text
    assert "Not counted" in answer.text
    refused = gradebook.submissions(world.other, world.ours.assignment_id)[0]
    page = browser.http.get(f"/submissions/{refused.id}").text
    assert "This upload could not be taken" in page
    assert "Hand in again" in page


def test_no_file_and_a_closed_assignment(world: World) -> None:
    browser = world.browser(world.other)
    assert "choose a file" in browser.post(f"{world.path}/submissions", world.path).text
    group = make_class(1, due=soon(-60))
    late = world.browser(group.students[0])
    path = f"/assignments/{group.assignment_id}"
    answer = late.post(f"{path}/submissions", path, files={"file": ("a.py", b"class Net: pass")})
    assert answer.status_code == 409
    assert "deadline was" in answer.text


def test_a_token_is_shown_once_in_a_command_that_works(world: World) -> None:
    browser = world.browser(world.other)
    page = browser.post(f"{world.path}/token", world.path).text
    token = re.search(r"Bearer (agt_[\w-]+)", page)
    assert token
    assert f"http://127.0.0.1:8000/api/v1{world.path}/submissions" in page
    assert accounts.person_by_token(token.group(1)) == world.other
    assert token.group(1) not in browser.http.get(world.path).text


def test_a_running_submission_shows_what_is_done_so_far(world: World) -> None:
    made = hand_in(world.other, world.ours)
    claim = jobs.claim("cpu", "w")
    assert claim
    jobs.report_progress(claim, "training: epoch 2 of 3", [make_check(1), make_check(2, 0.0)])
    page = world.browser(world.other).http.get(f"/submissions/{made.id}/fragment").text
    assert "Training: epoch 2 of 3" in page
    assert "1 of 2 passed" in page
    assert "<html" not in page


@pytest.mark.parametrize(
    ("report", "says", "never"),
    [
        (make_report(make_check(1)), "The check passed", "not shown yet"),
        (make_report(make_check(1), make_check(2)), "All 2 checks passed", "not shown yet"),
        (
            make_report(make_check(1), make_check(2, visibility=Visibility.AFTER_PUBLISHED)),
            "All shown checks passed",
            "All 2 checks passed",
        ),
        (
            make_report(make_check(1), make_check(2, 0.0, visibility=Visibility.HIDDEN)),
            "All shown checks passed",
            "not shown yet",
        ),
        (make_report(make_check(1, 0.0, visibility=Visibility.HIDDEN)), "1 more check counts", "passed"),
        (make_report(make_check(1), make_check(2, 0.5)), "Not there yet", "All"),
        (make_report(make_check(1), verdict=Verdict.GRADER_ERROR), "Something went wrong on our side", "100%"),
    ],
)
def test_the_headline_never_says_all_while_something_is_withheld(
    world: World, report: GradeReport, says: str, never: str
) -> None:
    made = hand_in(world.other, world.ours)
    grade_next(report)
    page = world.browser(world.other).http.get(f"/submissions/{made.id}/fragment").text
    banner = page[page.index('class="banner') : page.index("</section>", page.index('class="banner'))]
    assert says in banner
    assert never not in banner


def test_attempts_used_up_are_those_that_count(world: World) -> None:
    group = make_class(1, max_attempts=3)
    student = group.students[0]
    browser = world.browser(student)
    path = f"/assignments/{group.assignment_id}"
    assert "You have used 0 of 3 attempts." in browser.http.get(path).text
    for report in (make_report(make_check(1)), make_report(make_check(1), verdict=Verdict.GRADER_ERROR)):
        hand_in(student, group)
        grade_next(report)
    browser.post(f"{path}/submissions", path, files={"file": ("a.py", b"")})
    assert "You have used 1 of 3 attempts." in browser.http.get(path).text


@pytest.mark.parametrize("path", ["/nothing", "/assignments/none", "/submissions/s_none", "/static/none.css", "/a/b/c"])
def test_pages_that_are_not_there(world: World, path: str) -> None:
    answer = world.browser(world.owner).http.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert 'href="/"' in answer.text


def test_our_failure_has_a_page_with_a_number(world: World) -> None:
    for file in settings().blobs.rglob("*"):
        if file.is_file():
            file.unlink()
    browser = world.browser(world.owner)
    browser.http._transport.raise_server_exceptions = False
    answer = browser.http.get(f"/submissions/{world.done.id}/original")
    assert answer.status_code == 500
    assert "this number" in answer.text


def test_static_files_may_be_kept_and_pages_not(world: World) -> None:
    browser = world.browser(world.owner)
    page = browser.http.get("/")
    assert page.headers["cache-control"] == "no-store"
    style = re.search(r'href="(/static/style.css\?v=\w+)"', page.text)
    assert style
    assert "immutable" in browser.http.get(style.group(1)).headers["cache-control"]
    assert browser.http.get("/static/../app.py").status_code == 404
    assert browser.http.get("/static/%2e%2e/app.py").status_code == 404


# --------------------------------------------------------------------------------------------------- hostile values


def hostile_check(number: int) -> CheckResult:
    plots = [
        {"kind": "loss_curve", "title": HOSTILE, "series": {HOSTILE: [1, 2]}, "x": [HOSTILE], "y_label": HOSTILE},
        {"kind": "confusion_matrix", "title": HOSTILE, "labels": [HOSTILE, "b"], "matrix": [[1, 2], [3, 4]]},
        {"kind": "bars", "title": HOSTILE, "labels": [HOSTILE], "values": [1.0]},
        {"kind": HOSTILE},
    ]
    return replace(
        make_check(number, 0.0),
        name=HOSTILE,
        stage=HOSTILE,
        message=HOSTILE,
        hint=HOSTILE,
        trust=Trust.REPORTED,
        evidence={HOSTILE: HOSTILE, "deep": {HOSTILE: [HOSTILE, {HOSTILE: HOSTILE}]}, "plots": plots},
    )


def hostile_world(world: World) -> tuple[Any, SubmissionView]:
    """A person, a file and a report full of attacks."""
    person = accounts.create_user("hostile@example.org", HOSTILE, "correct horse")
    accounts.enrol(world.ours.course_id, person.id, gradebook.Role.STUDENT)
    accounts.ensure_assignment(world.ours.assignment_id, world.ours.course_id, "fake-task", HOSTILE)
    made = world.api(person).post(f"/api/v1{world.path}/submissions", files={"file": (HOSTILE + ".py", b"x = 1")})
    grade_next(
        make_report(
            hostile_check(1),
            remarks=(Remark(HOSTILE, HOSTILE, HOSTILE),),
            output=HOSTILE * 3,
            receipt={HOSTILE: HOSTILE},
            seconds={HOSTILE: 1.0},
            warning=HOSTILE,
        )
    )
    return person, gradebook.submission(person, made.json()["id"])


def test_hostile_text_is_shown_and_never_run(world: World) -> None:
    person, made = hostile_world(world)
    for viewer in (person, world.ours.instructor):
        browser = world.browser(viewer)
        for path in ("/", world.path, f"/submissions/{made.id}", f"/submissions/{made.id}/fragment"):
            text = browser.http.get(path).text
            assert_safe(text)
            assert "{{7*7}}" in text or path == "/"
    text = world.browser(world.ours.instructor).http.get(f"{world.path}/students/{person.id}").text
    assert_safe(text)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_hostile_words_in_addresses_and_forms(world: World) -> None:
    browser = world.browser()
    text = browser.http.get("/login", params={"next": "/" + HOSTILE}).text
    assert_safe(text)
    assert_safe(browser.sign_in(HOSTILE, HOSTILE, next=HOSTILE).text)
    signed_in = world.browser(world.owner)
    assert_safe(signed_in.http.get("/submissions/<script>alert(1)</script>").text)
    answer = signed_in.post(f"{world.path}/submissions", world.path, files={"file": (HOSTILE + ".exe", b"x")})
    assert answer.status_code == 422
    assert_safe(answer.text)


def test_long_output_does_not_break_the_page(world: World) -> None:
    made = hand_in(world.other, world.ours)
    grade_next(make_report(make_check(1, message="m" * 50_000), output="x" * 500_000))
    page = world.browser(world.other).http.get(f"/submissions/{made.id}").text
    assert len(page) < 60_000


# ---------------------------------------------------------------------------------------------- pages and templates


def template_names(name: str) -> set[str]:
    """What a template reads of `page`, with the templates it extends and includes."""
    environment = render.environment()
    assert environment.loader
    tree = environment.parse(environment.loader.get_source(environment, name)[0])
    found = {
        node.attr
        for node in tree.find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "page"
    }
    for node in tree.find_all((nodes.Extends, nodes.Include)):
        assert isinstance(node.template, nodes.Const)
        found |= template_names(node.template.value)
    return found


@pytest.mark.parametrize("page", list(render.TEMPLATES))
def test_a_template_reads_exactly_the_fields_of_its_page(page: type[pages.Page]) -> None:
    fields = {field.name for field in dataclasses.fields(page)}
    assert template_names(render.TEMPLATES[page]) == fields


def test_every_page_has_a_template_and_every_template_a_page() -> None:
    assert {page.__name__ for page in render.TEMPLATES} == {page.__name__ for page in pages.Page.__subclasses__()}
    files = {file.name for file in (render.HERE / "templates").iterdir()}
    assert files == {*render.TEMPLATES.values(), render.FRAGMENT, "base.html", "_parts.html"}


class Watched:
    """Notes which fields of which dataclass a template reads."""

    def __init__(self, inside: Any, seen: set[tuple[str, str]]) -> None:
        self._inside, self._seen = inside, seen

    def __getattr__(self, name: str) -> Any:
        self._seen.add((type(self._inside).__name__, name))
        return watched(getattr(self._inside, name), self._seen)


def watched(value: Any, seen: set[tuple[str, str]]) -> Any:
    if dataclasses.is_dataclass(value):
        return Watched(value, seen)
    return tuple(watched(item, seen) for item in value) if isinstance(value, tuple) else value


def test_every_field_of_the_parts_of_pages_is_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Renders real pages and notes what was read: a field nobody reads is one too many."""
    seen: set[tuple[str, str]] = set()
    real = render.page

    def noting(content: pages.Page, status: int = 200) -> Any:
        template = render.environment().get_template(render.TEMPLATES[type(content)])
        template.render(page=watched(content, seen))
        return real(content, status)

    monkeypatch.setattr(render, "page", noting)
    student, teacher = world.browser(world.owner), world.browser(world.ours.instructor)
    student.http.get("/")
    student.post(f"{world.path}/submissions", world.path, files={"file": ("a.py", b"")})
    student.http.get(f"/submissions/{world.done.id}")
    teacher.http.get(world.path)
    for part in (
        pages.Notice,
        pages.AssignmentCard,
        pages.CourseBlock,
        pages.HandoutBlock,
        pages.AttemptLine,
        pages.StudentLine,
        pages.PassRate,
        pages.CheckLine,
        pages.StageBlock,
        pages.Banner,
        pages.RemarkLine,
        Plot,
    ):
        fields = {(part.__name__, field.name) for field in dataclasses.fields(part)}
        assert fields <= seen, fields - seen
