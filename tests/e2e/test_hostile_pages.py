"""A report full of attacks in a real browser: nothing runs, nothing is fetched from elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
import uvicorn
from playwright.sync_api import Browser, expect

from api.app import create_app
from autograder.model import Remark, Role
from autograder.services import accounts
from autograder.services.submit import submit
from tests.api.conftest import grade_next
from tests.conftest import Configure, free_port, wait_until
from tests.e2e.conftest import Visitor
from tests.factories import PASSWORD, make_check, make_class, make_report

ATTACKS = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "<svg onload=\"document.title='owned'\">",
    "\"><script>document.title='owned'</script>",
    "'; document.title='owned'; '",
    "</pre></svg></title><script>document.title='owned'</script>",
    "<style>body{display:none}</style>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<iframe srcdoc=\"<script>top.document.title='owned'</script>\">",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<form action=//evil.example><button>Sign in</button></form>",
)
ATTACK = "".join(ATTACKS)


@pytest.fixture
def address(configure: Configure) -> Iterator[str]:
    """The web application in this process."""
    port = free_port()
    configure(public_url=f"http://127.0.0.1:{port}")
    config = uvicorn.Config(create_app(), port=port, log_level="warning", timeout_graceful_shutdown=1, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, 10, "the server's start")
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def test_nothing_in_a_report_runs(address: str, chromium: Browser) -> None:
    group = make_class(0)
    person = accounts.create_user("eve@example.org", ATTACK, PASSWORD)
    accounts.enrol(group.course_id, person.id, Role.STUDENT)
    made = submit(person, group.assignment_id, f"{ATTACKS[1]}.py", b"x = 1\n")
    plots = [
        {"kind": "loss_curve", "title": ATTACK, "series": {a: [1, 2] for a in ATTACKS[:3]}, "x": ATTACKS[:2]},
        {"kind": "confusion_matrix", "title": ATTACK, "labels": ATTACKS[:3], "matrix": [[1, 2, 3]] * 3},
        {"kind": "bars", "title": ATTACK, "labels": ATTACKS, "values": [1.0] * len(ATTACKS)},
    ]
    check = make_check(1, 0.0, name=ATTACK, message=ATTACK, hint=ATTACK, evidence={ATTACK: ATTACK, "plots": plots})
    remarks = (Remark(ATTACK, ATTACK, ATTACK),)
    grade_next(make_report(replace(check, stage=ATTACK), output=ATTACK, remarks=remarks, receipt={ATTACK: ATTACK}))

    for who in (person, group.instructor):
        visitor = Visitor(chromium, address, who)
        asked: list[str] = []
        visitor.page.on("request", lambda request, asked=asked: asked.append(request.url))
        for path in ("/", f"/assignments/{group.assignment_id}", f"/submissions/{made.id}", f"/<script>{ATTACKS[0]}"):
            visitor.page.goto(address + path)
            visitor.page.wait_for_load_state("networkidle")
            assert "owned" not in visitor.page.title().replace("document.title='owned'", "")
            expect(visitor.page.locator("main")).to_be_visible()
            assert visitor.page.locator("main script, main iframe, main style, main link, main meta").count() == 0
        assert [url for url in asked if not url.startswith(address)] == []
        assert [error for error in visitor.errors if "404" not in error] == []


def test_pages_work_without_scripts(address: str, chromium: Browser) -> None:
    """The form, the reload while waiting, and the result need no JavaScript."""
    group = make_class(1)
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/assignments/{group.assignment_id}")
    page.get_by_label("Email").fill(group.students[0].email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    file = {"name": "net.py", "mimeType": "text/plain", "buffer": b"class Net: pass\n"}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("heading", name="Next in line")).to_be_visible()
    grade_next(make_report(make_check(1)))
    expect(page.get_by_role("heading", name="The check passed")).to_be_visible(timeout=15_000)
    context.close()


def test_dropping_a_file_and_copying_the_command(address: str, chromium: Browser) -> None:
    group = make_class(1)
    visitor = Visitor(chromium, address, group.students[0])
    page = visitor.page
    page.goto(f"{address}/assignments/{group.assignment_id}")
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["class Net: pass\\n"], "dropped.py"));
          document.querySelector(".drop").dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true}));
        }"""
    )
    expect(page.locator(".chosen")).to_have_text("dropped.py")
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("heading", name="Attempt 1")).to_be_visible()
    assert visitor.errors == []
