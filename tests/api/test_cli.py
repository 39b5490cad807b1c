"""`autograder submit` and `login` as processes of their own against a real server."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.model import Verdict, Visibility
from autograder.services import jobs
from tests.api.conftest import World, a_report, grade_next
from tests.conftest import ROOT, wait_until
from tests.factories import PASSWORD, make_check, make_report


class Cli:
    """Runs the command line with an empty home."""

    def __init__(self, world: World, address: str, home: Path) -> None:
        self.world, self.address, self.home = world, address, home
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
            "AUTOGRADER_SERVER": address,
            "AUTOGRADER_TOKEN": world.token(world.other),
        }

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """A running command."""
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "autograder", *words],
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.home,
        )

    def run(self, *words: str, **environment: str) -> tuple[int, str, str]:
        """A command's exit code, output and errors."""
        process = self.start(*words, **environment)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def submit(self, name: str = "net.py", *words: str, **environment: str) -> tuple[int, str, str]:
        """Hand a file in."""
        return self.run("submit", name, "--assignment", self.world.ours.assignment_id, *words, **environment)


@pytest.fixture
def cli(world: World, address: str, tmp_path: Path) -> Iterator[Cli]:
    home = tmp_path / "home"
    home.mkdir()
    (home / "net.py").write_text("class Net: pass\n")
    (home / "broken.py").write_text("def f(:\n")
    return Cli(world, address, home)


def graded(report) -> threading.Thread:
    """Grades the next job that comes, in a thread."""

    def work() -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            claim = jobs.claim("cpu", "w")
            if claim is not None:
                jobs.report_progress(claim, "training", list(report.checks[:1]))
                time.sleep(0.4)
                jobs.commit(claim, report)
                return
            time.sleep(0.05)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_all_passed_is_exit_code_0(cli: Cli) -> None:
    worker = graded(make_report(make_check(1, name="Names"), make_check(2, name="Shape")))
    code, out, err = cli.submit()
    worker.join()
    assert (code, err) == (0, "")
    assert "Handed in as attempt 1" in out
    assert out.index("✓ Names") < out.index("✓ Shape") < out.index("2/2 points, 2 of 2 checks passed")
    assert out.count("✓ Names") == 1


def test_some_failed_is_exit_code_1_with_hints(cli: Cli) -> None:
    worker = graded(a_report())
    code, out, _ = cli.submit()
    worker.join()
    assert code == 1
    assert "✗ Accuracy  0/5" in out
    assert "Train longer." in out


def test_withheld_checks_are_never_called_passed(cli: Cli) -> None:
    worker = graded(make_report(make_check(1), make_check(2, 0.0, visibility=Visibility.AFTER_PUBLISHED)))
    code, out, _ = cli.submit()
    worker.join()
    assert code == 0
    assert "1 of 1 shown checks passed; 1 more count as well and are not shown yet" in out


def test_checks_that_stay_hidden_are_not_promised(cli: Cli) -> None:
    worker = graded(make_report(make_check(1), make_check(2, 0.0, visibility=Visibility.HIDDEN)))
    code, out, _ = cli.submit()
    worker.join()
    assert code == 0
    assert "1 of 1 shown checks passed; 1 more count as well and stay hidden" in out


def test_refused_is_exit_code_2(cli: Cli) -> None:
    code, _, err = cli.submit("broken.py")
    assert code == 2
    assert "line 1" in err
    assert "Run the file once on your own computer" in err
    assert cli.run("submit", "net.py", "--assignment", "nothing")[0] == 2
    assert cli.submit(AUTOGRADER_TOKEN="wrong")[0] == 2


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("work", "a .zip of the folder"),
        ("nett.py", "Did you mean 'net.py'?"),
        ("work/notebok.ipynb", "Did you mean 'work/notebook.ipynb'?"),
        ("something-else.zip", "Check the file's name."),
        ("no-folder/net.py", "Check the file's name."),
    ],
)
def test_a_path_without_a_file_is_refused_with_advice(cli: Cli, name: str, advice: str) -> None:
    (cli.home / "work").mkdir()
    (cli.home / "work" / "notebook.ipynb").touch()
    code, _, err = cli.submit(name)
    assert code == 2
    assert f"{name} can't be read" in err
    assert advice in err


def test_our_failure_is_exit_code_3(cli: Cli) -> None:
    worker = graded(make_report(make_check(1), verdict=Verdict.GRADER_ERROR))
    code, out, _ = cli.submit()
    worker.join()
    assert code == 3
    assert "does not count" in out
    code, _, err = cli.submit("net.py", "--server", "http://127.0.0.1:9")
    assert code == 3
    assert "can't be reached" in err
    assert "Traceback" not in err


def test_json_is_one_document_on_standard_output(cli: Cli) -> None:
    worker = graded(a_report())
    code, out, err = cli.submit("net.py", "--json")
    worker.join()
    assert code == 1
    assert json.loads(out)["report"]["score"] == 5.0
    assert "✓ Names" in err
    code, out, _ = cli.submit("broken.py", "--json")
    assert code == 2
    assert json.loads(out)["code"] == "syntax_error"
    code, out, _ = cli.submit("net.py", "--json", "--no-watch")
    assert code == 0
    assert json.loads(out)["status"] == "queued"
    grade_next()


def test_checks_appear_while_the_grading_runs(cli: Cli) -> None:
    process = cli.start("submit", "net.py", "--assignment", cli.world.ours.assignment_id)
    claim = None

    def claimed() -> bool:
        nonlocal claim
        claim = jobs.claim("cpu", "w")
        return claim is not None

    wait_until(claimed, 20, "the upload")
    jobs.report_progress(claim, "training", [make_check(1, name="Early")])
    assert process.stdout
    line = ""
    while "Early" not in line:
        line = process.stdout.readline()
        assert line, "the command ended before it showed the check"
    assert process.poll() is None
    jobs.commit(claim, make_report(make_check(1, name="Early")))
    assert process.wait(20) == 0
    process.communicate()


def test_hostile_words_do_not_reach_the_terminal(cli: Cli) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J[bold]x[/bold]\u202e"
    worker = graded(make_report(make_check(1, 0.0, name=f"N{evil}", message=f"M{evil}", hint=f"H{evil}")))
    code, out, _ = cli.submit()
    worker.join()
    assert code == 1
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "[bold]x[/bold]" in out


def test_signing_in_keeps_a_private_token(cli: Cli) -> None:
    del cli.environment["AUTOGRADER_TOKEN"]
    code, _, err = cli.submit()
    assert code == 2
    assert "autograder login" in err
    assert cli.run("login", "--email", cli.world.other.email, AUTOGRADER_PASSWORD="wrong")[0] == 2
    code, out, _ = cli.run("login", "--email", cli.world.other.email, AUTOGRADER_PASSWORD=PASSWORD)
    assert code == 0
    kept = cli.home / ".config" / "autograder" / "token"
    assert str(kept) in out
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert cli.submit("net.py", "--no-watch")[0] == 0


def test_a_kept_token_goes_to_its_server_alone(cli: Cli) -> None:
    del cli.environment["AUTOGRADER_TOKEN"]
    login = ("login", "--email", cli.world.other.email)
    code, out, _ = cli.run(*login, "--server", f"{cli.address}/", AUTOGRADER_PASSWORD=PASSWORD)
    assert (code, f"Signed in at {cli.address}" in out) == (0, True)
    del cli.environment["AUTOGRADER_SERVER"]
    assert cli.submit("net.py", "--no-watch")[0] == 0, "it knows the way by itself"
    grade_next()
    assert cli.submit("net.py", "--no-watch", "--server", cli.address.replace("http", "HTTP"))[0] == 0
    grade_next()
    elsewhere = "http://127.0.0.1:9"  # nobody listens there: exit code 3 if it were tried
    for words, environment in ((("--server", elsewhere), {}), ((), {"AUTOGRADER_SERVER": elsewhere})):
        code, _, err = cli.submit("net.py", *words, **environment)
        assert code == 2
        assert f"The kept token is for {cli.address}" in err
        assert f"autograder login --server {elsewhere}" in err
    assert cli.submit("net.py", "--server", elsewhere, "--token", "another")[0] == 3
    assert cli.run(*login, AUTOGRADER_PASSWORD=PASSWORD)[0] == 0, "signs in where it did before"


def test_a_token_of_an_older_version_is_sent_where_it_is_told(cli: Cli) -> None:
    kept = cli.home / ".config" / "autograder" / "token"
    kept.parent.mkdir(parents=True)
    kept.write_text(cli.environment.pop("AUTOGRADER_TOKEN"))
    assert cli.submit("net.py", "--no-watch")[0] == 0
    kept.write_text("\n")
    assert "There is no token" in cli.submit()[2]


def test_submit_starts_without_heavy_imports(cli: Cli) -> None:
    code = (
        "import sys, autograder.cli.submit\n"
        "heavy = {'numpy', 'sqlalchemy', 'fastapi', 'celery', 'sklearn', 'torch', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], env=cli.environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_help_lists_every_command(cli: Cli) -> None:
    code, out, _ = cli.run("--help")
    assert code == 0
    for name in ("submit", "login", "serve", "spec", "db"):
        assert name in out
    assert cli.run("nonsense")[0] == 2
