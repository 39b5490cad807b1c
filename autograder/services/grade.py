"""Grades one job: claim it, run the pipeline while the lease is kept alive, commit once."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from functools import lru_cache
from types import TracebackType
from typing import Self

from sqlalchemy.exc import OperationalError

from autograder import pipeline
from autograder.config import settings
from autograder.errors import LeaseLost, SpecError
from autograder.intake import unpack
from autograder.model import GradeReport
from autograder.pipeline import Progress
from autograder.sandbox.base import Sandbox
from autograder.services import catalogue, jobs
from autograder.services.jobs import Claim
from autograder.specs.dataset import DataSet, secret_seed
from autograder.specs.loader import LoadedSpec
from autograder.storage import blobs

_log = logging.getLogger(__name__)
_SHOW_EVERY_S = 0.5  # each time is a transaction, and a short grading is over before the second
_COMMIT_TRIES = 4


def grade_one(lane: str, worker: str, sandbox: Sandbox) -> bool:
    """Grade the job whose turn it is. False if there is none.

    Whatever goes wrong on our side is written to the job, which is queued again or ends as grader_error. Only a
    database that can't be reached raises (OperationalError): then the lease runs out and the sweep repairs it.
    """
    claim = jobs.claim(lane, worker)
    if claim is None:
        return False
    _log.info("job %s: claimed by %s (fence %d, try %d)", claim.job_id, worker, claim.fence, claim.tries + 1)
    try:
        with _Lease(claim) as lease:
            _commit(lease, _grade(lease, sandbox))
    except LeaseLost as error:
        _log.warning("%s; its work is dropped", error)
    except SpecError as error:
        _fail(claim, f"the grader spec can't be used: {error.message} {error.hint}", final=True)
    except Exception as error:
        _log.exception("job %s: grading failed", claim.job_id)
        _fail(claim, f"{type(error).__name__}: {error}")
    except BaseException:  # this process is told to end
        with suppress(Exception):
            jobs.hand_back(claim)
        raise
    return True


def _grade(lease: _Lease, sandbox: Sandbox) -> GradeReport:
    claim = lease.claim
    loaded = catalogue.find(claim.spec_id)
    upload = unpack(claim.filename, blobs.get(claim.blob), max_mb=settings().max_upload_mb)
    with _Show(lease) as show:
        return pipeline.grade(loaded, upload, sandbox, seed=claim.seed, data=_data(loaded), on_progress=show)


def _commit(lease: _Lease, report: GradeReport) -> None:
    """Commit; a database that is away for a moment must not cost a finished grading."""
    for attempt in range(_COMMIT_TRIES):
        lease.check()
        try:
            jobs.commit(lease.claim, report)
            return
        except OperationalError:
            if attempt == _COMMIT_TRIES - 1:
                raise
            _log.warning("job %s: the database refused the report, trying again", lease.claim.job_id)
            time.sleep(0.5 * 2**attempt)


def _fail(claim: Claim, message: str, *, final: bool = False) -> None:
    try:
        jobs.fail(claim, message[:2000], final=final)
    except LeaseLost as error:
        _log.warning("%s; its failure is dropped", error)


def _data(loaded: LoadedSpec) -> DataSet:
    return _built(_Key(loaded))


class _Key:
    """A loaded spec as a cache key: the same digest means the same data."""

    def __init__(self, loaded: LoadedSpec) -> None:
        self.loaded = loaded

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.loaded.digest == self.loaded.digest

    def __hash__(self) -> int:
        return hash(self.loaded.digest)


@lru_cache(maxsize=4)
def _built(key: _Key) -> DataSet:
    """Data sets are the same for every submission, and some take seconds to build."""
    seed = secret_seed(key.loaded.spec.seed, settings().data_secret)
    return key.loaded.build_data(settings().data_dir, seed)


class _Show:
    """Writes progress to the database from a thread of its own: the newest word counts, the grading never waits."""

    def __init__(self, lease: _Lease) -> None:
        self._lease = lease
        self._newest: Progress | None = None
        self._changed = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._write, name=f"progress-{lease.claim.job_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._over, self._newest = True, None  # the report or the error says more
            self._changed.notify()
        self._thread.join()

    def __call__(self, progress: Progress) -> None:
        """Raises LeaseLost, which stops the grading."""
        self._lease.check()
        with self._changed:
            self._newest = progress
            self._changed.notify()

    def _write(self) -> None:
        claim = self._lease.claim
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._over, _SHOW_EVERY_S)
                self._changed.wait_for(lambda: self._over or self._newest is not None)
                progress, self._newest = self._newest, None
                if self._over or progress is None:
                    return
            try:
                jobs.report_progress(claim, progress.activity, progress.checks)
            except LeaseLost:
                self._lease.lost()
                return
            except Exception:
                _log.warning("job %s: progress could not be written", claim.job_id, exc_info=True)


class _Lease:
    """Keeps a claim's lease alive from a thread of its own while it is entered."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self._lost = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease-{claim.job_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def check(self) -> None:
        """Raise LeaseLost if the job may be somebody else's by now."""
        if self._lost.is_set():
            raise LeaseLost(f"job {self.claim.job_id} is no longer held by {self.claim.worker}")

    def lost(self) -> None:
        """Note that the job is somebody else's."""
        self._lost.set()

    def _keep(self) -> None:
        lease_s = settings().lease_s
        renewed = time.monotonic()
        while not self._stop.wait(lease_s / 4):
            try:
                jobs.renew(self.claim)
                renewed = time.monotonic()
            except LeaseLost:
                self._lost.set()
                return
            except Exception:
                _log.exception("job %s: could not renew the lease", self.claim.job_id)
                if time.monotonic() - renewed > lease_s:
                    self._lost.set()
                    return
