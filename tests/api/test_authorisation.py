"""Who may call which route. Every route of the application needs a line here."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from api.app import create_app
from autograder.services import accounts
from tests.api.conftest import World

PUBLIC, ANYONE, MEMBER, OWNER, INSTRUCTOR = "public", "anyone signed in", "course member", "owner", "instructor"

RULES = {
    "GET /api/openapi.json": PUBLIC,
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    "POST /api/v1/tokens": PUBLIC,
    "GET /api/v1/assignments": ANYONE,
    "GET /api/v1/assignments/{assignment_id}": MEMBER,
    "POST /api/v1/assignments/{assignment_id}/submissions": MEMBER,
    "GET /api/v1/assignments/{assignment_id}/submissions": MEMBER,
    "GET /api/v1/assignments/{assignment_id}/submissions?student_id={student_id}": OWNER,
    "GET /api/v1/assignments/{assignment_id}/scores": INSTRUCTOR,
    "GET /api/v1/assignments/{assignment_id}/scores.csv": INSTRUCTOR,
    "GET /api/v1/submissions/{submission_id}": OWNER,
    "GET /api/v1/submissions/{submission_id}/events": OWNER,
    "GET /api/v1/submissions/{submission_id}/figures/{number}.png": OWNER,
    "GET /api/v1/submissions/{submission_id}/original": OWNER,
    "POST /api/v1/submissions/{submission_id}/regrade": INSTRUCTOR,
    "GET /static": PUBLIC,
    "GET /login": PUBLIC,
    "POST /login": PUBLIC,
    "POST /logout": PUBLIC,
    "GET /": ANYONE,
    "GET /assignments/{assignment_id}": MEMBER,
    "POST /assignments/{assignment_id}/submissions": MEMBER,
    "POST /assignments/{assignment_id}/token": MEMBER,
    "GET /assignments/{assignment_id}/handout/{name:path}": MEMBER,
    "GET /assignments/{assignment_id}/scores.csv": INSTRUCTOR,
    "POST /assignments/{assignment_id}/publish": INSTRUCTOR,
    "GET /assignments/{assignment_id}/students/{student_id}": INSTRUCTOR,
    "GET /submissions/{submission_id}": OWNER,
    "GET /submissions/{submission_id}/fragment": OWNER,
    "GET /submissions/{submission_id}/events": OWNER,
    "GET /submissions/{submission_id}/figures/{number}.png": OWNER,
    "GET /submissions/{submission_id}/original": OWNER,
    "POST /submissions/{submission_id}/regrade": INSTRUCTOR,
}
GUARDED = [rule for rule, who in RULES.items() if who != PUBLIC]


def routes(app: FastAPI, prefix: str = "") -> Iterator[str]:
    """Every route of an application and of those mounted in it, as `METHOD /path`."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, Mount) and isinstance(route.app, FastAPI):
            yield from routes(route.app, prefix + route.path)
        elif isinstance(route, Mount):
            yield f"GET {prefix}{route.path}"
        else:
            for method in sorted((context.methods or set()) - {"HEAD"}):
                yield f"{method} {prefix}{context.path}"


def test_every_route_has_a_rule(embedded: object) -> None:
    found = set(routes(create_app()))
    assert len(found) > 25
    assert found == {rule for rule in RULES if "?" not in rule}


def status(world: World, rule: str, actor: str) -> tuple[int, str]:
    """What an actor gets for a route: the status, and where it redirects to."""
    person = {
        "anonymous": None,
        "owner": world.owner,
        "other student": world.other,
        "instructor": world.ours.instructor,
        "outsider": world.theirs.students[0],
        "foreign instructor": world.theirs.instructor,
    }[actor]
    method, path = rule.split(" ", 1)
    path = path.replace(":path", "").format(
        assignment_id=world.ours.assignment_id,
        submission_id=world.done.id,
        student_id=world.owner.id,
        number=0,
        name="submission.ipynb",
    )
    files = {"file": ("submission.py", b"class Net: pass\n")} if path.endswith("/submissions") else None
    if path.startswith("/api/"):
        client = world.api(person)
        answer = client.get(path) if method == "GET" else client.post(path, files=files)
    else:
        browser = world.browser(person)
        page = "/" if person else "/login"
        answer = browser.http.get(path) if method == "GET" else browser.post(path, page, files=files)
    return answer.status_code, answer.headers.get("location", "")


ALLOWED = {
    ANYONE: {"owner", "other student", "instructor", "outsider", "foreign instructor"},
    MEMBER: {"owner", "other student", "instructor"},
    OWNER: {"owner", "instructor"},
    INSTRUCTOR: {"instructor"},
}
ACTORS = ["anonymous", "owner", "other student", "instructor", "outsider", "foreign instructor"]


@pytest.mark.parametrize("rule", GUARDED)
def test_only_those_who_may(world: World, rule: str) -> None:
    for actor in ACTORS:
        code, location = status(world, rule, actor)
        if actor in ALLOWED[RULES[rule]]:
            assert code in (200, 202, 303), (actor, code)
            assert "/login" not in location
        elif actor == "anonymous":
            assert code == 401 if "/api/" in rule else (code == 303 and location.startswith("/login")), (actor, code)
        else:
            assert code == 404, (actor, code)


@pytest.mark.parametrize("rule", [rule for rule in GUARDED if "{" in rule and rule.startswith("GET /api")])
def test_not_yours_looks_like_not_there(world: World, rule: str) -> None:
    """The answer for somebody else's thing is word for word that for a thing which does not exist."""
    path = rule.split(" ", 1)[1]
    real = {"assignment_id": world.ours.assignment_id, "submission_id": world.done.id}
    unreal = {"assignment_id": "no-such-thing", "submission_id": "s_nosuchthing"}
    client = world.api(world.theirs.students[0])
    answers = [client.get(path.format(student_id=world.owner.id, number=0, **ids)) for ids in (real, unreal)]
    bodies = [{key: value for key, value in answer.json().items() if key != "instance"} for answer in answers]
    assert bodies[0] == bodies[1]
    assert bodies[0]["status"] == 404


@pytest.mark.parametrize(
    "header",
    ["Bearer nonsense", "Bearer ", "Basic YTpi", "Bearer agt_" + "x" * 5000, "Bearer é"],
)
def test_wrong_credentials(world: World, header: str) -> None:
    answer = world.api().get("/api/v1/assignments", headers=[(b"authorization", header.encode("latin-1"))])
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_cookie_is_no_key_to_the_api_and_a_token_none_to_the_pages(world: World) -> None:
    browser = world.browser(world.owner)
    assert browser.http.get("/api/v1/assignments").status_code == 401
    assert world.api(world.owner).get("/").status_code == 303


def test_the_longest_password_that_an_account_takes_can_be_typed_in(world: World) -> None:
    longest = "p" * 1024
    accounts.create_user("long@example.org", "Long", longest)
    field = re.search(r'<input type="password"[^>]* maxlength="(\d+)"', world.browser().http.get("/login").text)
    assert field
    assert int(field.group(1)) >= len(longest), "a browser would cut it"
    assert world.browser().sign_in("long@example.org", longest).status_code == 303
