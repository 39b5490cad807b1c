"""The main job on real parts: a notebook goes in through the page, its graded report comes out there by itself."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.conftest import ROOT
from tests.e2e.conftest import Service, Visitor
from tests.factories import notebook

RIGHT = notebook(
    "!pip install torch\nimport torch\nfrom torch import nn\nimport matplotlib.pyplot as plt",
    "class SmallNet(nn.Module):\n"
    "    def __init__(self):\n"
    "        super().__init__()\n"
    "        self.conv = nn.Conv2d(1, 8, 3, padding=1)\n"
    "        self.head = nn.Linear(8 * 8 * 8, 3)\n\n"
    "    def forward(self, x):\n"
    "        return self.head(torch.relu(self.conv(x)).flatten(1))",
    "model = SmallNet()\nfor epoch in range(10**9):\n    pass  # trains at top level, for ever",
)
WRONG = b"""import torch
from torch import nn


class SmallNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 5)

    def forward(self, x):
        return self.head(x.flatten(1))
"""


def test_from_the_upload_to_the_report(service: Service, chromium: Browser, tmp_path: Path) -> None:
    upload = tmp_path / "my network.ipynb"
    upload.write_bytes(RIGHT)
    owner, other = service.group.students
    visitor = Visitor(chromium, service.address, owner)
    page = visitor.page

    page.get_by_role("link", name="Assignment").first.click()
    page.locator("input[type=file]").set_input_files(upload)
    expect(page.get_by_text("my network.ipynb")).to_be_visible()
    page.get_by_role("button", name="Hand in").click()
    page.wait_for_url(f"{service.address}/submissions/*")
    loads = visitor.loads
    expect(page.locator(".banner.passed")).to_be_visible(timeout=90_000)
    assert visitor.loads == loads, "the page was loaded again"

    expect(page.get_by_role("heading", name="All 4 checks passed")).to_be_visible()
    expect(page.locator("#status")).to_have_text("All 4 checks passed")
    assert page.locator(".banner .score").inner_text().split()[:3] == ["10", "/", "10"]
    curve = page.locator("svg.loss-curve")
    expect(curve).to_be_visible()
    assert curve.locator("circle.mark, rect.mark").count() == 2 * 5 + 2  # five points a line, and the legend
    assert curve.locator("text.legend").all_text_contents() == ["training", "validation"]
    matrix = page.locator("svg.confusion")
    expect(matrix).to_be_visible()
    assert sum(int(text) for text in matrix.locator("text.count").all_text_contents()) == 60
    assert visitor.errors == []

    _others_see_nothing(Visitor(chromium, service.address, other), page.url)
    _the_instructor_sees_scores(service, chromium, tmp_path)


def _others_see_nothing(visitor: Visitor, url: str) -> None:
    for suffix in ("", "/fragment", "/events", "/original"):
        answer = visitor.page.request.get(url + suffix)
        assert answer.status == 404, suffix
    visitor.page.goto(url)
    expect(visitor.page.get_by_role("heading", name="There is no such submission for you.")).to_be_visible()


def _the_instructor_sees_scores(service: Service, chromium: Browser, tmp_path: Path) -> None:
    visitor = Visitor(chromium, service.address, service.group.instructor)
    page = visitor.page
    page.goto(service.assignment)
    row = page.get_by_role("row").filter(has_text="Student 0")
    expect(row).to_contain_text("passed")
    expect(page.locator(".rates li").first).to_contain_text("1 of 1")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    path = tmp_path / "scores.csv"
    download.value.save_as(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = {line["name"]: line for line in csv.DictReader(file)}
    assert rows["Student 0"]["best_score"] == "10"
    assert rows["Student 1"]["best_score"] == ""
    page.get_by_placeholder("Find a student").fill("student 1")
    expect(row).to_be_hidden()
    page.get_by_placeholder("Find a student").fill("")
    row.get_by_role("link", name="Student 0").click()
    expect(page.get_by_role("link", name="Attempt 1")).to_be_visible()
    assert visitor.errors == []


def test_from_a_terminal(service: Service, tmp_path: Path) -> None:
    """A wrong shape, followed on the terminal: exit code 1, the failed check and what to do."""
    (tmp_path / "net.py").write_bytes(WRONG)
    words = ["submit", "net.py", "--assignment", service.group.assignment_id, "--server", service.address, "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "autograder", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "AUTOGRADER_TOKEN": service.token(service.group.students[1])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)["report"]
    verdicts = {check["id"]: check["verdict"] for check in report["checks"]}
    assert verdicts == {"names": "passed", "shape": "failed", "curve": "skipped", "classes": "skipped"}
    assert "✗" in done.stderr
    assert report["receipt"]["sandbox"] == "bubblewrap"
