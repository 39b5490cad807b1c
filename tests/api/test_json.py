"""The JSON API: hand in, read, download, problems."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from starlette.exceptions import HTTPException

from api.app import create_app
from api.limits import LimitBody
from api.tables import safe_cell
from autograder.model import Visibility
from autograder.services import accounts, gradebook
from tests.api.conftest import World, a_report, grade_next, png
from tests.conftest import Configure
from tests.factories import make_check, make_class, make_report, notebook, soon

NOTEBOOK = notebook("class Net: pass")


def hand_in(world: World, name: str = "work.ipynb", data: bytes = NOTEBOOK, person=None):
    client = world.api(person or world.other)
    return client.post(f"/api/v1{world.path}/submissions", files={"file": (name, data)})


def test_the_way_through(world: World) -> None:
    """Upload, look, be graded, look again: attempt, place in line, checks and figures as they are in the database."""
    answer = hand_in(world)
    assert answer.status_code == 202
    made = answer.json()
    assert made["status"] == "queued"
    assert made["attempt"] == 1
    assert made["filename"] == "work.ipynb"
    assert answer.headers["location"] == f"/api/v1/submissions/{made['id']}"
    assert made["page"] == f"http://127.0.0.1:8000/submissions/{made['id']}"

    grade_next()
    client = world.api(world.other)
    done = client.get(answer.headers["location"]).json()
    assert done["status"] == "done"
    report = done["report"]
    assert (report["score"], report["max_score"], report["verdict"]) == (5.0, 10.0, "partial")
    assert [check["verdict"] for check in report["checks"]] == ["passed", "passed", "failed"]
    assert report["checks"][1]["evidence"]["plots"][0]["series"]["validation"] == [2.3, None, 0.9]
    figure = client.get(report["figures"][0])
    assert figure.content == png()
    assert figure.headers["content-type"] == "image/png"
    assert "sandbox" in figure.headers["content-security-policy"]

    again = hand_in(world).json()
    assert again["attempt"] == 2
    listed = client.get(f"/api/v1{world.path}/submissions").json()
    assert [item["id"] for item in listed] == [again["id"], made["id"]]
    assert [item["assignment_id"] for item in listed] == [world.ours.assignment_id] * 2


def test_assignments(world: World) -> None:
    client = world.api(world.owner)
    listed = client.get("/api/v1/assignments").json()
    assert [item["id"] for item in listed] == [world.ours.assignment_id]
    one = client.get(f"/api/v1{world.path}").json()
    assert one == listed[0]
    assert one["role"] == "student"
    assert one["points"] == 10
    assert one["entry_points"] == ["Net"]


def test_what_is_handed_in_comes_back_to_the_byte(world: World) -> None:
    data = notebook("class Net: pass", "# ü \u2028")
    made = hand_in(world, "Übung 1 “final”.ipynb", data).json()
    answer = world.api(world.other).get(f"/api/v1/submissions/{made['id']}/original")
    assert answer.content == data
    assert answer.headers["content-type"] == "application/octet-stream"
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="_bung 1 _final_.ipynb"')
    assert "filename*=UTF-8''%C3%9Cbung%201%20%E2%80%9Cfinal%E2%80%9D.ipynb" in disposition


def problem(answer) -> dict:
    """A problem document with all its parts."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:autograder:problem:{body['code']}"
    for part in ("title", "detail", "hint", "code", "instance"):
        assert body[part], part
    return body


def test_a_refused_upload_says_what_to_do_and_is_recorded(world: World) -> None:
    body = problem(hand_in(world, "work.ipynb", b"{'cells': []"))
    assert (body["status"], body["code"]) == (422, "not_json")
    assert "Jupyter" in body["hint"]
    kept = world.api(world.other).get(f"/api/v1/submissions/{body['submission_id']}").json()
    assert kept["status"] == "refused"
    assert kept["attempt"] == 0
    assert kept["refusal"]["code"] == "not_json"
    assert hand_in(world).json()["attempt"] == 1


def test_a_deadline_is_a_conflict(world: World) -> None:
    group = make_class(1, due=soon(-60))
    path = f"/api/v1/assignments/{group.assignment_id}/submissions"
    body = problem(world.api(group.students[0]).post(path, files={"file": ("a.ipynb", NOTEBOOK)}))
    assert (body["status"], body["code"]) == (409, "deadline_passed")


def test_a_cooldown_is_too_many_requests(world: World) -> None:
    group = make_class(1, cooldown_s=600)
    path = f"/api/v1/assignments/{group.assignment_id}/submissions"
    client = world.api(group.students[0])
    assert client.post(path, files={"file": ("a.ipynb", NOTEBOOK)}).status_code == 202
    body = problem(client.post(path, files={"file": ("a.ipynb", NOTEBOOK)}))
    assert (body["status"], body["code"]) == (429, "cooldown")


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"data": {"file": "text"}}, 422),
        ({"files": {"other": ("a.py", b"x")}}, 422),
        ({"content": b"raw"}, 422),
        ({"content": b"--x\r\nbroken", "headers": {"content-type": "multipart/form-data; boundary=x"}}, 422),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400),
        ({"files": [("file", ("a.py", b"x")), ("file", ("b.py", b"x"))]}, 400),
        ({"files": {"file": ("a.py", b"x")}, "data": {f"f{n}": "x" for n in range(9)}}, 400),
    ],
)
def test_forms_that_are_no_upload(world: World, form: dict, status: int) -> None:
    body = problem(world.api(world.other).post(f"/api/v1{world.path}/submissions", **form))
    assert body["status"] == status
    assert "file" in body["hint"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/", 404),
        ("GET", "/api/v2/assignments", 404),
        ("DELETE", "/api/v1/assignments", 404),
        ("GET", "/api/v1/submissions/x/figures/abc.png", 422),
        ("GET", "/api/v1/submissions/%00/original", 404),
        ("GET", "/api/v1/submissions/" + "x" * 5000, 404),
    ],
)
def test_programs_get_problems_for_everything(world: World, method: str, path: str, status: int) -> None:
    assert problem(world.api(world.owner).request(method, path))["status"] == status


def test_a_figure_that_is_not_there(world: World) -> None:
    client = world.api(world.owner)
    for number in ("1", "-1", "99999999999999999999"):
        assert problem(client.get(f"/api/v1/submissions/{world.done.id}/figures/{number}.png"))["status"] == 404


def test_withheld_checks_are_counted_and_nothing_else_is_said(world: World) -> None:
    shown = make_check(1, 2.0, 2.0)
    secret = replace(make_check(2, 0.0, 8.0, Visibility.AFTER_PUBLISHED), name="Secret name", message="Secret words")
    made = hand_in(world).json()
    grade_next(make_report(shown, secret))
    answer = world.api(world.other).get(f"/api/v1/submissions/{made['id']}")
    report = answer.json()["report"]
    assert (report["withheld"], report["score"], report["max_score"]) == (1, 2.0, 2.0)
    assert report["withheld_until"] == {"after_published": 1}
    assert "Secret" not in answer.text
    gradebook.publish(world.ours.instructor, world.ours.assignment_id)
    report = world.api(world.other).get(f"/api/v1/submissions/{made['id']}").json()["report"]
    assert (report["withheld"], report["score"], report["max_score"]) == (0, 2.0, 10.0)


def test_regrade(world: World) -> None:
    client = world.api(world.ours.instructor)
    path = f"/api/v1/submissions/{world.done.id}/regrade"
    assert client.post(path).status_code == 202
    assert problem(client.post(path))["status"] == 409
    grade_next(make_report(make_check(1, 10.0, 10.0)))
    assert client.get(f"/api/v1/submissions/{world.done.id}").json()["report"]["score"] == 10


def test_scores_as_json_and_csv(world: World) -> None:
    client = world.api(world.ours.instructor)
    scores = client.get(f"/api/v1{world.path}/scores").json()
    assert [(row["name"], row["attempts"], row["best_score"]) for row in scores["rows"]] == [
        ("Student 0", 1, 5.0),
        ("Student 1", 0, None),
    ]
    assert {rate["check_id"]: (rate["passed"], rate["graded"]) for rate in scores["pass_rates"]} == {
        "check_1": (1, 1),
        "check_2": (1, 1),
        "check_3": (0, 1),
    }
    answer = client.get(f"/api/v1{world.path}/scores.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["name"], row["best_score"], row["max_score"]) for row in rows] == [
        ("Student 0", "5", "10"),
        ("Student 1", "", "10"),
    ]


def test_names_are_no_formulas_in_the_csv(world: World) -> None:
    evil = accounts.create_user("evil@example.org", '=HYPERLINK("http://x","y")', "correct horse")
    accounts.enrol(world.ours.course_id, evil.id, gradebook.Role.STUDENT)
    text = world.api(world.ours.instructor).get(f"/api/v1{world.path}/scores.csv").text
    assert "\n'=" not in text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["name"] for row in rows if row["email"] == "evil@example.org"] == ['\'=HYPERLINK("http://x","y")']


@pytest.mark.parametrize(
    "value",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "\n\n-x", "\x00=1", "\u200b =1", "\u200d=1"],
)
def test_cells_that_a_spreadsheet_would_run(value: str) -> None:
    assert safe_cell(value).startswith("'")


@pytest.mark.parametrize(("value", "cell"), [(None, ""), (-1.5, "-1.5"), (7, "7"), ("a-b", "a-b"), ("", "")])
def test_cells_that_are_harmless(value: object, cell: str) -> None:
    assert safe_cell(value) == cell


def test_tokens_for_programs(world: World) -> None:
    client = world.api()
    body = {"email": world.owner.email, "password": "correct horse"}
    token = client.post("/api/v1/tokens", json=body).json()["token"]
    mine = client.get("/api/v1/assignments", headers={"Authorization": f"Bearer {token}"})
    assert [item["id"] for item in mine.json()] == [world.ours.assignment_id]
    wrong = client.post("/api/v1/tokens", json={**body, "password": "wrong"})
    assert problem(wrong)["status"] == 401
    assert "wrong" not in json.dumps({**wrong.json(), "detail": ""})


def test_guessing_is_slowed_down_at_both_doors_together(world: World) -> None:
    client, browser = world.api(), world.browser()
    body = {"email": world.owner.email, "password": "wrong"}
    for _ in range(3):
        assert client.post("/api/v1/tokens", json=body).status_code == 401
    for _ in range(2):
        assert browser.sign_in(world.owner.email, "wrong").status_code == 401
    stopped = client.post("/api/v1/tokens", json={**body, "password": "correct horse"})
    assert problem(stopped)["status"] == 429
    assert 0 < int(stopped.headers["retry-after"]) <= 301
    assert browser.sign_in(world.owner.email).status_code == 429
    assert browser.sign_in(world.other.email).status_code == 303


def test_a_burst_of_guesses_gets_no_more_tries_than_a_row_of_them(world: World) -> None:
    client, body = world.api(), {"email": world.owner.email, "password": "wrong"}
    with ThreadPoolExecutor(12) as threads:
        codes = list(threads.map(lambda _: client.post("/api/v1/tokens", json=body).status_code, range(24)))
    assert sorted(set(codes)) == [401, 429]
    assert codes.count(401) == 5


def test_health(world: World, configure: Configure) -> None:
    client = world.api()
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}
    configure(database_url="postgresql://nobody@127.0.0.1:9/nothing")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready"})
    assert client.get("/healthz").status_code == 200


def test_openapi_names_every_problem(world: World) -> None:
    schema = world.api().get("/api/openapi.json").json()
    upload = schema["paths"]["/api/v1/assignments/{assignment_id}/submissions"]["post"]
    assert {"202", "401", "404", "409", "413", "422", "429"} <= set(upload["responses"])
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert operation.get("description"), f"{method} {path}"


def test_our_failures_are_problems_with_a_number(world: World) -> None:
    """A blob that vanished from the disk is our failure: the answer names an incident and nothing of the inside."""
    for file in (world.app.state.settings.blobs).rglob("*"):
        if file.is_file():
            file.unlink()
    client = world.api(world.owner)
    client._transport.raise_server_exceptions = False  # as a real server does
    body = problem(client.get(f"/api/v1/submissions/{world.done.id}/original"))
    assert body["status"] == 500
    assert "blob" not in json.dumps(body).lower()


def test_every_answer_carries_the_security_headers(world: World) -> None:
    for path in ("/healthz", "/api/v1/assignments", "/login", "/nothing", "/static/style.css", "/api/openapi.json"):
        headers = world.api().get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_the_body_limit_counts_what_comes_and_not_what_is_said() -> None:
    """At most twice the limit is ever read, and nothing beyond the limit reaches the application."""
    read = 0
    got = 0

    async def receive():
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    async def app(scope, receive, send):
        nonlocal got
        while True:
            got += len((await receive())["body"])

    async def go() -> None:
        path = "/api/v1/assignments/a/submissions"
        scope = {"type": "http", "method": "POST", "path": path, "headers": [(b"content-length", b"5")]}
        with pytest.raises(HTTPException) as caught:
            await LimitBody(app, 100_000, lambda _: "somebody")(scope, receive, None)
        assert caught.value.status_code == 413

    asyncio.run(go())
    assert got <= 100_000 + 64 * 1024
    assert read <= 2 * (100 + 66) + 2


def test_a_sender_has_few_uploads_at_a_time() -> None:
    """Of the third nothing reaches the application; other senders, and later uploads, are not met by it."""
    running: list[str] = []
    go_on = asyncio.Event()

    async def receive():
        return {"type": "http.request", "body": b"x" * 1000, "more_body": False}

    async def app(scope, receive, send):
        assert (await receive())["body"]
        running.append(scope["user"])
        await go_on.wait()

    def request(sender: str):
        path = "/api/v1/assignments/a/submissions"
        return limited({"type": "http", "method": "POST", "path": path, "headers": [], "user": sender}, receive, None)

    async def go() -> None:
        tasks = [asyncio.create_task(request(sender)) for sender in ("a", "a", "b")]
        while len(running) < 3:
            await asyncio.sleep(0.01)
        with pytest.raises(HTTPException) as caught:
            await request("a")
        assert (caught.value.status_code, len(running)) == (429, 3)
        go_on.set()
        await asyncio.gather(*tasks)
        await request("a")

    limited = LimitBody(app, 100_000, lambda request: request.scope["user"])
    asyncio.run(go())
    assert len(running) == 4


def test_what_a_stranger_sends_is_kept_nowhere() -> None:
    """The body is read to a limit and thrown away, so that it fills neither memory nor the folder of large files."""
    read = 0
    seen: list[bytes] = []

    async def receive():
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    async def app(scope, receive, send):
        seen.append((await receive())["body"])

    scope = {"type": "http", "method": "POST", "path": "/assignments/a/submissions", "headers": []}
    asyncio.run(LimitBody(app, 100_000, lambda _: None)(scope, receive, None))
    assert seen == [b""]
    assert read <= 2 * (100 + 66) + 2


def test_a_stranger_with_a_large_upload_is_told_to_sign_in(world: World) -> None:
    address = f"/api/v1/assignments/{world.ours.assignment_id}/submissions"
    files = {"file": ("a.py", b"#" * 3_000_000)}
    for headers in ({}, {"authorization": "Bearer nothing"}, {"cookie": "autograder_session=forged"}):
        answer = world.api().post(address, files=files, headers=headers)
        assert problem(answer)["status"] == 401
    page = world.api().post(address.removeprefix("/api/v1"), files=files)
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=/")


def test_large_uploads(world: World, configure: Configure) -> None:
    configure(max_upload_mb=1)
    world.app = create_app()
    body = problem(hand_in(world, "a.ipynb", b" " * (5 * 1024 * 1024)))
    assert (body["status"], body["code"]) == (413, "too_large")
    body = problem(hand_in(world, "a.ipynb", b" " * (1024 * 1024 + 1000)))
    assert (body["status"], body["code"]) == (413, "too_large")
    assert hand_in(world).status_code == 202
    login = world.api().post("/api/v1/tokens", json={"email": "x" * 200_000, "password": "x"})
    assert problem(login)["status"] == 413


def test_a_report_with_what_json_has_no_word_for(world: World) -> None:
    made = hand_in(world).json()
    odd = make_check(1, 1.0, 1.0, evidence={"nan": float("nan"), "list": [float("inf"), 1, "x"], "text": "\x1b[31m"})
    grade_next(replace(a_report(), checks=(odd,)))
    check = world.api(world.other).get(f"/api/v1/submissions/{made['id']}").json()["report"]["checks"][0]
    assert check["evidence"]["nan"] is None
    assert check["evidence"]["list"] == [None, 1, "x"]
