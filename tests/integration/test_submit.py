"""Taking uploads: what is recorded, what is refused, and that nothing is lost on the way."""

import io
import threading
import traceback
import zipfile

import pytest

from autograder.config import settings
from autograder.errors import NotFound, PolicyRefused, UploadRefused, UsageError
from autograder.services import gradebook, jobs
from autograder.services.regrade import regrade
from autograder.services.submit import REFUSED_A_MINUTE, submit
from autograder.services.views import SubmissionView
from autograder.storage import blobs
from autograder.storage.session import session_scope
from autograder.storage.tables import Assignment
from tests.conftest import Configure, Redis
from tests.factories import hand_in, make_class, make_report, module, notebook, soon


def test_attempts_are_numbered_and_originals_kept(database: str) -> None:
    group = make_class()
    student, other = group.students
    data = notebook("class Net: pass")
    first = submit(student, group.assignment_id, "../../my  work.ipynb", data)
    second = submit(student, group.assignment_id, "again.ipynb", data)
    assert (first.attempt, second.attempt, hand_in(other, group).attempt) == (1, 2, 1)
    assert first.filename == "my  work.ipynb" or "/" not in first.filename
    assert gradebook.original(student, first.id)[1] == data
    assert first.size == len(data)
    assert len(first.id) > 20
    stored = [path for path in settings().blobs.rglob("*") if path.is_file()]
    assert len(stored) == 2, "two different blobs: equal uploads share one"


def test_refused_uploads_are_recorded_and_cost_nothing(database: str) -> None:
    group = make_class(max_attempts=1)
    student = group.students[0]
    with pytest.raises(UploadRefused) as caught:
        submit(student, group.assignment_id, "broken.ipynb", b"{ not json")
    assert caught.value.submission_id is not None
    view = gradebook.submission(student, caught.value.submission_id)
    assert (view.status, view.attempt, view.report) == ("refused", 0, None)
    assert view.refusal is not None
    assert (view.refusal.message, view.refusal.hint) == (caught.value.message, caught.value.hint)
    assert gradebook.original(student, view.id)[1] == b"{ not json"
    with pytest.raises(UploadRefused):
        submit(student, group.assignment_id, "broken.ipynb", b"{ not json")
    assert hand_in(student, group).attempt == 1
    assert jobs.waiting("cpu") == 1
    assert len(gradebook.submissions(student, group.assignment_id)) == 3
    with pytest.raises(UsageError, match="refused"):
        regrade(group.instructor, view.id)


def test_too_large_uploads_are_recorded_without_their_bytes(database: str, configure: Configure) -> None:
    configure(max_upload_mb=1)
    group = make_class()
    with pytest.raises(UploadRefused) as caught:
        submit(group.students[0], group.assignment_id, "big.py", b"#" * 1_100_000)
    assert caught.value.submission_id is not None
    with pytest.raises(NotFound, match="not kept"):
        gradebook.original(group.students[0], caught.value.submission_id)


def test_only_the_enrolled_may_submit(database: str) -> None:
    group, elsewhere = make_class(), make_class()
    for person in (*elsewhere.students, elsewhere.instructor):
        with pytest.raises(NotFound):
            hand_in(person, group)
    with pytest.raises(NotFound):
        submit(group.students[0], "no\x00such", "a.py", module())
    assert jobs.waiting("cpu") == 0


def test_the_deadline_holds_for_students_only(database: str) -> None:
    group = make_class(due=soon(-5))
    with pytest.raises(PolicyRefused, match="deadline") as caught:
        hand_in(group.students[0], group)
    assert caught.value.code == "deadline_passed"
    kept = gradebook.submissions(group.students[0], group.assignment_id)
    assert [(view.id, view.status, view.attempt) for view in kept] == [(caught.value.submission_id, "refused", 0)]
    assert jobs.waiting("cpu") == 0
    assert hand_in(group.instructor, group).attempt == 1


def test_an_upload_whose_deadline_passes_while_it_is_looked_at_is_kept(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = make_class(due=soon(60))

    def look(_name: str, _data: bytes) -> None:
        with session_scope() as session:
            session.get_one(Assignment, group.assignment_id).due = soon(-5)

    monkeypatch.setattr("autograder.services.submit._refusal", look)
    with pytest.raises(PolicyRefused, match="deadline") as caught:
        hand_in(group.students[0], group)
    kept = gradebook.submissions(group.students[0], group.assignment_id)
    assert [(view.id, view.status) for view in kept] == [(caught.value.submission_id, "refused")]


def test_refused_uploads_are_kept_up_to_a_number(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.services.submit.REFUSED_A_DAY", 2)
    group = make_class()
    for expected in (True, True, False):
        with pytest.raises(UploadRefused) as caught:
            submit(group.students[0], group.assignment_id, "broken.ipynb", b"no notebook")
        assert (caught.value.submission_id is not None) is expected
    assert len(gradebook.submissions(group.students[0], group.assignment_id)) == 2
    assert hand_in(group.students[0], group).attempt == 1


def test_a_refusal_lets_go_of_what_was_unpacked(database: str) -> None:
    group = make_class()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("data.txt", "no main file")
    with pytest.raises(UploadRefused) as caught:
        submit(group.students[0], group.assignment_id, "a.zip", archive.getvalue())
    frames = [frame.f_code.co_name for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert frames[-1] == "submit"  # nothing below, whose frames hold the files
    assert caught.value.__context__ is None


def test_refused_uploads_are_looked_at_up_to_a_number_a_minute(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    group = make_class()
    student, other = group.students
    now = [100.0]
    monkeypatch.setattr("autograder.services.submit.time.monotonic", lambda: now[0])
    for _ in range(REFUSED_A_MINUTE):
        with pytest.raises(UploadRefused):
            submit(student, group.assignment_id, "broken.ipynb", b"{ not json")
    with pytest.raises(PolicyRefused, match=r"30 of your uploads") as caught:
        hand_in(student, group)
    assert "in 61 s" in caught.value.hint
    assert hand_in(other, group).attempt == 1
    now[0] += 61
    assert hand_in(student, group).attempt == 1


def test_attempts_and_cooldown_are_limited(database: str) -> None:
    group = make_class(max_attempts=2)
    student = group.students[0]
    hand_in(student, group)
    hand_in(student, group)
    with pytest.raises(PolicyRefused, match="2 of 2") as caught:
        hand_in(student, group)
    assert caught.value.code == "attempts_used_up"
    slow = make_class(cooldown_s=60)
    hand_in(slow.students[0], slow)
    with pytest.raises(PolicyRefused, match="every 60 s") as caught:
        hand_in(slow.students[0], slow)
    assert "Submit again in" in caught.value.hint
    hand_in(slow.students[1], slow)


def test_simultaneous_uploads_get_different_numbers_and_obey_the_limit(database: str) -> None:
    group = make_class(max_attempts=3)
    student = group.students[0]
    taken: list[SubmissionView] = []
    refused: list[PolicyRefused] = []

    def one() -> None:
        try:
            taken.append(hand_in(student, group))
        except PolicyRefused as error:
            refused.append(error)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(view.attempt for view in taken) == [1, 2, 3]
    assert len(refused) == 5


def test_a_spec_that_vanished_loses_no_submission(database: str, configure: Configure) -> None:
    group = make_class()
    configure(specs_dir=settings().var_dir / "nothing-here")
    view = hand_in(group.students[0], group)
    assert view.status == "queued"
    assert gradebook.assignment(group.students[0], group.assignment_id).points == 0


def test_a_broker_that_is_down_loses_no_submission(embedded: object, configure: Configure, redis: Redis) -> None:
    redis.stop()
    configure(broker_url=redis.url)
    group = make_class()
    assert hand_in(group.students[0], group).status == "queued"
    assert jobs.waiting("cpu") == 1
    redis.start()
    assert hand_in(group.students[1], group).status == "queued"


def test_damaged_blobs_are_noticed(embedded: object) -> None:
    digest = blobs.put(b"content")
    assert blobs.get(digest) == b"content"
    (settings().blobs / digest[:2] / digest[2:]).write_bytes(b"other")
    with pytest.raises(blobs.BlobMissing, match="damaged"):
        blobs.get(digest)
    for wrong in ("0" * 64, "../../etc/passwd", ""):
        with pytest.raises(blobs.BlobMissing):
            blobs.get(wrong)


def test_regrade_is_for_instructors_and_waits_its_turn(database: str) -> None:
    group = make_class()
    view = hand_in(group.students[0], group)
    with pytest.raises(UsageError, match="already"):
        regrade(group.instructor, view.id)
    claimed = jobs.claim("cpu", "w")
    assert claimed is not None
    jobs.commit(claimed, make_report())
    for person in group.students:
        with pytest.raises(NotFound):
            regrade(person, view.id)
    before = gradebook.version(group.students[0], view.id)
    assert regrade(group.instructor, view.id).status == "queued"
    assert gradebook.version(group.students[0], view.id) > before
