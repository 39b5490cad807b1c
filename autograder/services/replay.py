"""Grades a stored job once more from what its receipt says, and tells what came out differently. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from autograder import pipeline
from autograder.comparing import differences
from autograder.config import settings
from autograder.errors import NotFound, UsageError
from autograder.intake import unpack
from autograder.model import CheckResult, Verdict
from autograder.sandbox.base import Sandbox
from autograder.services import catalogue
from autograder.specs.dataset import secret_seed
from autograder.storage import blobs, reports
from autograder.storage.records import check_from_json, check_to_json
from autograder.storage.session import read_scope
from autograder.storage.tables import Submission

_WHY = {
    "spec": "the grader spec was changed since",
    "code": "the grader's code differs",
    "data": "the data are others: another builder, folder or AUTOGRADER_DATA_SECRET",
    "submission": "the stored upload is not what was graded",
    "seed": "another seed",
    "device": "another device",
    "processor": "another model rounds its own way",
    "card": "another model rounds its own way",
    "threads": "sums are taken in another order",
    "sandbox": "another sandbox",
}
_YOUNGER = frozenset({"code", "processor", "card", "threads"})  # entries that older receipts lack


@dataclass(frozen=True)
class Stored:
    """A report as it was stored, with what is needed to repeat it."""

    job_id: str
    submission_id: str
    filename: str
    blob: str
    spec_id: str
    verdict: Verdict
    score: float
    max_score: float
    checks: tuple[CheckResult, ...]
    receipt: Mapping[str, str]


@dataclass(frozen=True)
class Replay:
    """receipt: entries that differ, with the likely reason. checks: differences in the grade itself."""

    stored: Stored
    verdict: Verdict
    score: float
    receipt: tuple[str, ...]
    checks: tuple[str, ...]

    @property
    def same(self) -> bool:
        """True if the grade is the same to the last digit, whatever the receipts say."""
        return not self.checks


def find(job_id: str) -> Stored:
    """The stored report of a job, or the one in force of a submission. Raises NotFound, UsageError."""
    with read_scope() as session:
        row = reports.of_job(session, job_id) or reports.in_force(session, [job_id]).get(job_id)
        if row is None:
            raise NotFound(f"No job or submission '{job_id}' has a report.", "The report's page names its job.")
        submission = session.get_one(Submission, row.submission_id)
        stored = Stored(
            job_id=row.job_id,
            submission_id=row.submission_id,
            filename=submission.filename,
            blob=submission.blob or "",
            spec_id=row.spec_id,
            verdict=Verdict(row.verdict),
            score=float(row.score),
            max_score=float(row.max_score),
            checks=tuple(check_from_json(check) for check in row.detail["checks"]),
            receipt=row.detail["receipt"],
        )
    if stored.verdict is Verdict.GRADER_ERROR or "seed" not in stored.receipt:
        raise UsageError(
            "That grading failed on our side, so there is no grade to repeat.", "Regrade the submission instead."
        )
    return stored


def replay(stored: Stored, sandbox: Sandbox) -> Replay:
    """Grade again with the seed and data set of the receipt. Raises SpecError, SandboxError, BlobMissing."""
    conf, loaded = settings(), catalogue.find(stored.spec_id)
    data_name = stored.receipt["data"].split()[0]
    only = None if loaded.spec.data is None else data_name
    data = loaded.build_data(conf.data_dir, secret_seed(loaded.spec.seed, conf.data_secret), only)
    upload = unpack(stored.filename, blobs.get(stored.blob), max_mb=conf.max_upload_mb)
    report = pipeline.grade(loaded, upload, sandbox, seed=int(stored.receipt["seed"]), data=data)
    again = tuple(_as_stored(check) for check in report.checks)
    found = differences(stored.checks, again)
    if not found and report.score != stored.score:
        found.append(f"the score is {stored.score:g}, then {report.score:g}")
    return Replay(stored, report.verdict, report.score, _receipts(stored.receipt, report.receipt), tuple(found))


def _as_stored(check: CheckResult) -> CheckResult:
    return check_from_json(json.loads(json.dumps(check_to_json(check))))


def _receipts(first: Mapping[str, str], second: Mapping[str, str]) -> tuple[str, ...]:
    found = []
    for name in dict.fromkeys([*first, *second]):
        one, two = first.get(name, "nothing"), second.get(name, "nothing")
        if name in _YOUNGER and name not in first:
            found.append(f"{name}: not kept at the time, now {_short(two)}")
        elif one != two:
            why = _WHY.get(name, "the runtime was changed since" if name.startswith("runtime.") else "")
            found.append(f"{name}: {_short(one)}, now {_short(two)}" + (f" ({why})" if why else ""))
    return tuple(found)


def _short(text: str) -> str:
    return " ".join(word[:16] for word in text.split())
