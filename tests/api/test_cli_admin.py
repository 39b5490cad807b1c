"""`autograder course`, `person` and `assignment`: what they make works on the web, what will not do changes nothing."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from autograder.cli import main
from autograder.errors import NotAuthenticated
from autograder.model import Role, Visibility
from autograder.services import accounts, administration, gradebook, submit
from autograder.storage import session
from autograder.storage.tables import ApiToken, Enrolment, User
from tests.api.conftest import Browser, grade_next
from tests.conftest import ROOT, SPECS, Configure, Postgres
from tests.factories import PASSWORD, make_check, make_person, make_report, module

COURSE = "dl-2027"


class Operator:
    """Types commands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self._monkeypatch, self._capsys, self.folder = monkeypatch, capsys, folder

    def run(self, *words: str, stdin: bytes = b"") -> tuple[int, str, str]:
        """A command's exit code, output and errors."""
        self._monkeypatch.setattr(sys, "argv", ["autograder", *words])
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = self._capsys.readouterr()
        assert "Traceback" not in said.err
        return int(ended.value.code or 0), said.out, said.err

    def does(self, *words: str, stdin: bytes = b"") -> str:
        """A command that works; its output."""
        code, out, err = self.run(*words, stdin=stdin)
        assert code == 0, err
        return out

    def fails(self, *words: str, stdin: bytes = b"") -> str:
        """A command that can't be done, with exit code 2; its errors."""
        code, out, err = self.run(*words, stdin=stdin)
        assert (code, out) == (2, ""), out
        return err

    def file(self, content: str | bytes, name: str = "people.csv") -> str:
        """A file's path."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Operator:
    """An operator without a database."""
    return Operator(monkeypatch, capsys, tmp_path)


@pytest.fixture
def operator(database: str, bare: Operator) -> Operator:
    """An operator who has made a course, on SQLite and on PostgreSQL."""
    bare.does("course", "add", COURSE, "Deep learning")
    return bare


def people() -> list[str]:
    """The addresses of everybody with an account."""
    with session.read_scope() as reading:
        return sorted(user.email for user in reading.query(User))


def roles() -> dict[str, str]:
    """What everybody is in the course."""
    return {person.email: role.value for person, role in administration.course(COURSE).people}


def test_a_student_made_this_way_signs_in_hands_in_and_sees_what_is_published(operator: Operator) -> None:
    operator.does("assignment", "add", "fake-task", "--course", COURSE, "--id", "cnn", "--due", "2099-01-31T12:00Z")
    password = operator.does("person", "add", "Ada@Example.org", "Ada").strip()
    assert operator.does("course", "enrol", COURSE, "ada@example.org") == f"ada@example.org is student in {COURSE}\n"

    app = create_app()
    assert Browser(app).sign_in("ada@example.org", password).status_code == 303
    made = TestClient(app).post("/api/v1/tokens", json={"email": "ada@example.org", "password": password})
    client = TestClient(app, headers={"Authorization": f"Bearer {made.json()['token']}"})
    answer = client.post("/api/v1/assignments/cnn/submissions", files={"file": ("net.py", module())})
    assert answer.status_code == 202
    late = replace(make_check(2, 0.0, 5.0, Visibility.AFTER_PUBLISHED), name="Secret shape")
    grade_next(make_report(make_check(1, 2.0, 2.0), late))

    def seen() -> list[str]:
        report = client.get(f"/api/v1/submissions/{answer.json()['id']}").json()["report"]
        return [check["name"] for check in report["checks"]]

    assert seen() == ["Check 1"]
    assert operator.does("assignment", "publish", "cnn") == "Published cnn: shape\n"
    assert seen() == ["Check 1", "Secret shape"]
    assert operator.does("assignment", "hide", "cnn") == "Hidden in cnn: shape\n"
    assert seen() == ["Check 1"]


def test_courses_are_made_renamed_listed_and_shown(operator: Operator) -> None:
    assert "Renamed" in operator.does("course", "add", COURSE, "Deep learning 2027")
    operator.does("course", "add", "b", "Another")
    make_person("grace@example.org", "Grace")
    make_person("ada@example.org", "Ada\x1b[2J")
    operator.does("course", "enrol", COURSE, "ada@example.org")
    operator.does("course", "enrol", COURSE, "grace@example.org", "--role", "instructor")
    due = ("--due", "2027-01-31T23:59:00+01:00", "--max-attempts", "10", "--cooldown", "60")
    operator.does("assignment", "add", "fake-task", "--course", COURSE, "--title", "A first CNN", *due)
    assert operator.does("course", "list").splitlines() == [
        "b        Another (0 people, 0 assignments)",
        "dl-2027  Deep learning 2027 (2 people, 1 assignment)",
    ]
    assert operator.does("course", "show", COURSE).splitlines() == [
        "dl-2027: Deep learning 2027",
        "",
        "2 people",
        "  instructor  grace@example.org  Grace",
        "  student     ada@example.org    Ada[2J",
        "",
        "1 assignment",
        "  fake-task: A first CNN (spec fake-task), due 2027-01-31 22:59 UTC, 10 attempts, 60 s between them, "
        "not published",
    ]


def test_a_second_enrolment_changes_the_role(operator: Operator) -> None:
    make_person("ada@example.org", "Ada")
    operator.does("course", "enrol", COURSE, "ada@example.org")
    said = operator.does("course", "enrol", COURSE, "ADA@example.org", "--role", "instructor")
    assert said == f"ada@example.org is instructor in {COURSE}; was student\n"
    assert roles() == {"ada@example.org": "instructor"}


def test_a_change_of_an_assignment_keeps_what_it_leaves_out(operator: Operator) -> None:
    add = ("assignment", "add", "fake-task", "--course", COURSE)
    assert "fake-task: A task for tests (spec fake-task), no due date, no limit on attempts" in operator.does(*add)
    due = "2099-01-31T23:59:00+01:00"
    operator.does(*add, "--title", "First", "--due", due, "--max-attempts", "3", "--cooldown", "60")
    operator.does("assignment", "publish", "fake-task")
    before = administration.assignment("fake-task")
    assert (before.title, before.max_attempts, before.cooldown_s, before.published) == ("First", 3, 60, True)
    assert operator.does(*add).startswith("Changed assignment fake-task: First (spec fake-task), due 2099-01-31 22:59")
    assert administration.assignment("fake-task") == before
    operator.does(*add, "--title", "Second")
    assert administration.assignment("fake-task") == replace(before, title="Second")
    operator.does(*add, "--no-due", "--no-max-attempts", "--cooldown", "0")
    after = replace(before, title="Second", due=None, max_attempts=None, cooldown_s=0)
    assert administration.assignment("fake-task") == after
    assert "has passed" in operator.does(*add, "--due", "2020-01-01T00:00Z")
    operator.does("assignment", "add", "small-cnn", "--course", COURSE, "--id", "fake-task")
    assert administration.assignment("fake-task").spec_id == "small-cnn"
    assert "nothing changes" in operator.does("assignment", "publish", "fake-task")


def test_a_password_is_given_or_made(operator: Operator) -> None:
    code, out, err = operator.run(
        "person", "add", "ada@example.org", "Ada", "--password-stdin", stdin="größer 9\n".encode()
    )
    assert (code, out, "größer" in err) == (0, "", False)
    assert accounts.authenticate("ada@example.org", "größer 9").name == "Ada"
    code, out, err = operator.run("person", "add", "ben@example.org", "Ben")
    assert (code, len(out), out.strip() in err) == (0, 15, False)
    assert out.strip().isalnum()
    assert accounts.authenticate("ben@example.org", out.strip()).name == "Ben"


def test_a_new_password_ends_the_old_one_and_every_token(operator: Operator) -> None:
    ada, ben = make_person("ada@example.org", "Ada"), make_person("ben@example.org", "Ben")
    token, other = accounts.create_token(ada.id, "laptop"), accounts.create_token(ben.id, "laptop")
    new = operator.does("person", "password", "ADA@example.org").strip()
    assert accounts.authenticate("ada@example.org", new) == ada
    for attempt in (
        lambda: accounts.authenticate("ada@example.org", PASSWORD),
        lambda: accounts.person_by_token(token),
    ):
        with pytest.raises(NotAuthenticated):
            attempt()
    assert accounts.person_by_token(other) == ben
    operator.does("person", "password", "ada@example.org", "--password-stdin", stdin=b"another one\r\nmore\n")
    assert accounts.authenticate("ada@example.org", "another one") == ada
    assert "too short" in operator.fails("person", "password", "ada@example.org", "--password-stdin", stdin=b"short")
    assert "UTF-8" in operator.fails("person", "password", "ada@example.org", "--password-stdin", stdin=b"\xff" * 9)
    assert accounts.authenticate("ada@example.org", "another one") == ada


def test_many_people_come_from_a_file(operator: Operator) -> None:
    grace = make_person("grace@example.org", "Grace")
    accounts.enrol(COURSE, grace.id, Role.INSTRUCTOR)
    dan = make_person("dan@example.org", "Dan")
    file = operator.file(
        "\ufeffNumber,Name, EMAIL \r\n"
        "1,Ada, Ada@Example.org\r\n"
        "\r\n"
        '2,"Çelik, ""Ben""\nJr.",ben@example.org,more\r\n'
        "3,Somebody else,DAN@example.org\r\n"
        "4,Grace,grace@example.org\r\n"
    )
    code, out, err = operator.run("person", "add-many", file, "--course", COURSE)
    assert code == 0
    made = list(csv.reader(io.StringIO(out)))
    assert [line[0] for line in made] == ["email", "ada@example.org", "ben@example.org"]
    assert made[0] == ["email", "password"]
    for email, password in made[1:]:
        assert accounts.authenticate(email, password).email == email
        assert password not in err
    assert accounts.person_by_email("ben@example.org").name == 'Çelik, "Ben"\nJr.'
    assert accounts.authenticate("dan@example.org", PASSWORD) == dan
    everybody = ("ada", "ben", "dan")
    assert roles() == {"grace@example.org": "instructor", **{f"{name}@example.org": "student" for name in everybody}}
    assert "2 new, 2 with an account already" in err
    assert "grace@example.org stays instructor" in err
    before = roles()
    assert operator.does("person", "add-many", file, "--course", COURSE) == "email,password\n"
    assert roles() == before


def test_many_people_may_come_without_a_course_or_as_instructors(operator: Operator) -> None:
    file = operator.file("email,name\nada@example.org,Ada\n")
    assert operator.does("person", "add-many", file).startswith("email,password\nada@example.org,")
    assert roles() == {}
    content = b"email,name\nada@example.org,Ada\n"
    operator.does("person", "add-many", "-", "--course", COURSE, "--role", "instructor", stdin=content)
    assert roles() == {"ada@example.org": "instructor"}
    assert "standard input:2: 'x'" in operator.fails("person", "add-many", "-", stdin=b"name,email\nX,x\n")


def test_a_file_with_bad_lines_changes_nothing_and_all_of_them_are_told(operator: Operator) -> None:
    file = operator.file(
        "email,name\n"
        "ada@example.org,Ada\n"
        "no address,Ben\n"
        ",Chi\n"
        "dan@example.org\n"
        "\n"
        '"eva@example.org","Eva\nlyn"\n'
        "ADA@example.org,Ada\n"
        '"fay@example.org"x,Fay\n'
        '"gus@example.org,Gus\n'
        "hal@example.org,Hal\n"
    )
    err = operator.fails("person", "add-many", file, "--course", COURSE)
    lines = err.splitlines()
    told = ["3: 'no address' is no", "4: there is no e-mail address", "5: dan@example.org has no name"]
    told += ["9: ada@example.org stands in line 2 already", "10: this is no CSV", "11: this is no CSV"]
    for line, said in zip(lines, told, strict=False):
        assert line.startswith(f"{file}:{said}"), err
    assert lines[len(told)] == f"autograder: 6 lines of {file} can't be used; nothing was written"
    assert (people(), roles()) == ([], {})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "people.csv:1: there is no column email and no column name\nIts first line has to name the columns"),
        ("ada@example.org,Ada\n", "no column email and no column name"),
        ("\nemail;name\nada@example.org;Ada\n", "people.csv:2: there is no column email and no column name"),
        ("email;name\nada@example.org;Ada\n", "not ';'"),
        ("email,nme\n", "there is no column name\n"),
        ("email,name\nada@example.org,Zoë\n".encode("latin-1"), "people.csv:2: is not UTF-8 text (byte 0xeb)"),
        ("email,name\n".encode("utf-16"), "people.csv:1: is not UTF-8 text"),
        ('email,name\nada@example.org,"' + "x" * 200_000 + '"\n', "people.csv:2: this is no CSV (field larger"),
    ],
)
def test_a_file_that_is_none_is_told(embedded: Path, bare: Operator, content: str | bytes, said: str) -> None:
    assert said in bare.fails("person", "add-many", bare.file(content))
    assert people() == []


def test_what_will_not_do_is_told_with_what_to_do(operator: Operator) -> None:
    make_person("ada@example.org", "Ada")
    operator.does("course", "add", "b", "Another")
    add = ("assignment", "add", "fake-task", "--course", COURSE)
    operator.does(*add)
    file = operator.file("email,name\nben@example.org,Ben\n")
    for words, said in (
        (("person", "add", "ADA@example.org", "Ada"), "bin/autograder person password ada@example.org"),
        (("person", "add", "no address", "Ada"), "It looks like name@example.org."),
        (("person", "add", "ben@example.org", "Ben", "--password-stdin"), "Use 8 to 1024 characters."),
        (("person", "password", "adda@example.org"), "Did you mean 'ada@example.org'?"),
        (("person", "password", "somebody"), "bin/autograder person add EMAIL NAME"),
        (("person", "add-many", "no-file.csv"), "can't be read"),
        (("person", "add-many", file, "--course", "dl-2072"), "Did you mean 'dl-2027'?"),
        (("person", "add-many", file, "--role", "student"), "Add --course ID."),
        (("person", "add-many", file, "--course", COURSE, "--role", "tutor"), "'student', 'instructor'"),
        (("course", "enrol", COURSE, "ada@example.org", "--role", "studnt"), "'student', 'instructor'"),
        (("course", "enrol", COURSE, "ada@exmple.org"), "Did you mean 'ada@example.org'?"),
        (("course", "enrol", "dl2027", "ada@example.org"), "Did you mean 'dl-2027'?"),
        (("course", "show", "zzz"), "Known here: b, dl-2027. Make one with: bin/autograder course add"),
        (("course", "add", "Not an id", "X"), "Use small letters"),
        (("course", "add", "x", " "), "needs a name"),
        ((*add, "--due", "2027-01-31T23:59"), "no time zone"),
        ((*add, "--due", "tomorrow"), "Write it like 2027-01-31T23:59:00+01:00."),
        ((*add, "--due", "0001-01-01T00:00+14:00"), "Write it like 2027-01-31T23:59:00+01:00."),
        ((*add, "--due", "2027-01-31T23:59Z", "--no-due"), "contradict"),
        ((*add, "--max-attempts", "0"), "--max-attempts"),
        ((*add, "--title", " "), "needs a title"),
        ((*add, "--id", "Not an id"), "Use small letters"),
        (("assignment", "add", "fake-tsk", "--course", COURSE), "Did you mean 'fake-task'?"),
        (("assignment", "add", str(SPECS / "fake-task"), "--course", COURSE), "Write: fake-task"),
        (("assignment", "add", "fake-task", "--course", "b"), "Choose another id (--id)."),
        (("assignment", "add", "fake-task", "--course", "dl"), "there is no course 'dl'"),
        (("assignment", "publish", "fake-tusk"), "Did you mean 'fake-task'?"),
        (("assignment", "hide", "zzz"), "Known here: fake-task."),
    ):
        assert said in " ".join(operator.fails(*words).replace("│", " ").split()), words
    assert people() == ["ada@example.org"]
    with session.read_scope() as reading:
        assert (reading.query(Enrolment).count(), reading.query(ApiToken).count()) == (0, 0)
    untouched = administration.assignment("fake-task")
    assert (untouched.due, untouched.published, untouched.course_id) == (None, False, COURSE)


def test_missing_tables_are_told_with_what_to_do(configure: Configure, postgres: Postgres, bare: Operator) -> None:
    url = postgres.empty()
    configure(database_url=url)
    for words in (("course", "list"), ("person", "add", "ada@example.org", "Ada"), ("assignment", "hide", "x")):
        assert "Run: bin/autograder db upgrade" in bare.fails(*words)
    assert bare.run("db", "upgrade")[0] == 0
    assert bare.does("course", "list").startswith("There is no course yet.")
    configure.forget()
    postgres.drop(url)


def test_who_leaves_a_course_finds_everything_again(operator: Operator) -> None:
    operator.does("assignment", "add", "fake-task", "--course", COURSE, "--id", "cnn")
    ada, teacher = make_person("ada@example.org", "Ada"), make_person("grace@example.org", "Grace")
    operator.does("course", "enrol", COURSE, "ada@example.org")
    operator.does("course", "enrol", COURSE, "grace@example.org", "--role", "instructor")
    made = submit.submit(ada, "cnn", "net.py", module())
    said = operator.does("course", "unenrol", COURSE, "Ada@example.org")
    assert said == f"ada@example.org is no longer student in {COURSE}; what was handed in is kept\n"
    grade_next(make_report(make_check(1, 2.0, 2.0)))  # it was in the queue when she left
    with pytest.raises(gradebook.NotFound):
        gradebook.submission(ada, made.id)
    assert gradebook.scores(teacher, "cnn").rows == ()
    code, _, err = operator.run("course", "unenrol", COURSE, "ada@example.org")
    assert (code, "not in course 'dl-2027'" in err) == (2, True)
    operator.does("course", "enrol", COURSE, "ada@example.org")
    assert gradebook.submission(ada, made.id).report is not None
    assert [row.best_score for row in gradebook.scores(teacher, "cnn").rows] == [2.0]


def test_a_database_that_does_not_answer_is_exit_code_3(configure: Configure, bare: Operator) -> None:
    configure(database_url="postgresql://postgres@127.0.0.1:9/nothing")
    for words in (("course", "list"), ("db", "status")):
        code, out, err = bare.run(*words)
        assert (code, out) == (3, "")
        assert "is AUTOGRADER_DATABASE_URL right?" in err


def test_operators_need_no_role_and_the_web_still_does(operator: Operator) -> None:
    person = make_person("ada@example.org", "Ada")
    operator.does("assignment", "add", "fake-task", "--course", COURSE)
    operator.does("course", "enrol", COURSE, "ada@example.org")
    with pytest.raises(gradebook.NotFound):
        gradebook.publish(person, "fake-task")
    assert not administration.assignment("fake-task").published


def test_passwords_can_be_sent_to_a_file(embedded: Path, bare: Operator) -> None:
    file = bare.file("email,name\nada@example.org,Ada\n")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "AUTOGRADER_VAR_DIR": str(embedded)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "autograder", "person", "add-many", file],
        env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (line,) = csv.DictReader(io.StringIO(done.stdout))
    assert accounts.authenticate(line["email"], line["password"]).name == "Ada"
