"""The handout on an assignment's page: shown, harmless whatever stands in it, its files for the course only."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest

from api.dashboard import markdown
from tests.api.conftest import World
from tests.conftest import SPECS, Configure
from tests.factories import hand_in, make_class


def shown(text: str) -> str:
    """A handout as HTML, where img/a.png and data.csv are its files."""
    return str(markdown.render(text, {"img/a.png": "/files/a.png", "data.csv": "/files/data.csv"}.get))


def test_it_is_on_top_until_something_is_handed_in_and_folded_below_afterwards(world: World) -> None:
    fresh = world.browser(world.other).http.get(world.path).text
    assert "<h2>A model called Net</h2>" in fresh
    assert '<th class="right">points</th>' in fresh
    assert '<details class="card handout" open>' in fresh
    assert fresh.index("A model called Net") < fresh.index("Your attempts")
    after = world.browser(world.owner).http.get(world.path).text
    assert '<details class="card handout">' in after
    assert after.index("Your attempts") < after.index("A model called Net")
    assert "A model called Net" in world.browser(world.ours.instructor).http.get(world.path).text


def test_its_files_are_served_with_their_type_and_kept_by_the_browser_only(world: World) -> None:
    http = world.browser(world.other).http
    picture = http.get(f"{world.path}/handout/img/square.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert picture.headers["cache-control"] == "private, max-age=3600"
    book = http.get(f"{world.path}/handout/submission.ipynb")
    assert 'filename="submission.ipynb"' in book.headers["content-disposition"]
    read = nbformat.reads(book.text, as_version=4)
    assert [cell.cell_type for cell in read.cells][:2] == ["markdown", "markdown"]
    assert http.get(f"{world.path}/handout/submission.py").content.startswith(b'"""What to hand in."""')


@pytest.mark.parametrize(
    "name",
    [
        "spec.yaml",
        "data.py",
        "starter/submission.py",
        "../spec.yaml",
        "img/../../data.py",
        "%2e%2e/spec.yaml",
        "img%2f..%2f..%2fspec.yaml",
        "%2fetc%2fpasswd",
        "img/",
        "img",
        "submission.py%00.svg",
    ],
)
def test_nothing_but_the_listed_files_is_served(world: World, name: str) -> None:
    assert world.browser(world.other).http.get(f"{world.path}/handout/{name}").status_code == 404


def test_strangers_get_nothing(world: World) -> None:
    path = f"{world.path}/handout/img/square.svg"
    assert world.browser(world.theirs.students[0]).http.get(path).status_code == 404
    assert world.browser().http.get(path).headers["location"].startswith("/login")


def test_a_changed_handout_is_read_anew_and_a_broken_one_breaks_no_page(
    world: World, configure: Configure, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(SPECS / "fake-task", tmp_path / "specs" / "fake-task"))
    configure(specs_dir=folder.parent)
    browser = world.browser(world.other)
    (folder / "README.md").write_text("# Changed\n<script>alert(1)</script>\n")
    page = browser.http.get(world.path).text
    assert "<h2>Changed</h2>" in page
    assert "&lt;script&gt;alert(1)" in page
    for broken in (b"\xff", None):
        (folder / "README.md").unlink() if broken is None else (folder / "README.md").write_bytes(broken)
        answer = browser.http.get(world.path)
        assert answer.status_code == 200
        assert "Instructions" not in answer.text
        assert browser.http.get(f"{world.path}/handout/submission.py").status_code == 404


def test_a_task_without_a_handout_has_its_page(world: World) -> None:
    group = make_class(1, spec_id="small-cnn")
    hand_in(group.students[0], group)
    page = world.browser(group.students[0]).http.get(f"/assignments/{group.assignment_id}").text
    assert "Your attempts" in page
    assert "Instructions" not in page


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<b onclick=x>a</b>", "&lt;b onclick=x&gt;a&lt;/b&gt;"),
        ("[a](https://example.org)", '<a href="https://example.org" rel="noopener noreferrer" target="_blank">a</a>'),
        ("[a](data.csv)", '<a href="/files/data.csv">a</a>'),
        ("![a *b*](./img/a.png)", '<img src="/files/a.png" alt="a b" />'),
        ("![a](https://example.org/a.png)", "<p>a</p>"),
        ("[![a](img/a.png)](data.csv)", '<a href="/files/data.csv"><img src="/files/a.png" alt="a" /></a>'),
        ("[a](//example.org)", "<p>a</p>"),
        ("[a](../spec.yaml)", "<p>a</p>"),
        ("[a](ftp://example.org)", "<p>a</p>"),
        ("[a](mailto:a@example.org)", "<p>a</p>"),
        ("$a_1 < b_2$ costs $5", '<code class="formula">a<sub>1</sub> &lt; b<sub>2</sub></code> costs $5'),
        (r"$\frac{A^\top}{\sqrt{d}}\left(\what\right)$", r"(A<sup>T</sup>) / (√d)(\what)</code>"),
        ("$$\na\n$$", '<code class="formula block">a</code>'),
    ],
)
def test_markdown(text: str, html: str) -> None:
    assert html in shown(text)


@pytest.mark.parametrize("scheme", ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x"])
def test_no_link_runs_anything(scheme: str) -> None:
    for text in (f"[a]({scheme})", f"![a]({scheme})", f"<{scheme}>", f"[a][b]\n\n[b]: {scheme}"):
        assert "href" not in shown(text)
        assert "src" not in shown(text)
