"""Live updates: watches a submission's version number and reports each change as a Server-Sent Event."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from api.errors import TooManyRequests
from autograder.errors import NotFound
from autograder.services import gradebook
from autograder.services.views import Person, SubmissionView

POLL_S = 0.15
QUEUE_POLL_S = 2.0
IDLE_POLL_S = 1.0  # once nothing has changed for a while
IDLE_AFTER_S = 30.0
HEARTBEAT_S = 15.0
LONGEST_S = 900.0  # then the browser connects anew by itself
STREAMS_PER_PERSON = 20

_open: Counter[str] = Counter()
_lock = threading.Lock()


def stream(person: Person, submission_id: str, describe: Callable[[SubmissionView], str]) -> StreamingResponse:
    """Events `state` at once and on every change, then `end`; `describe` writes their data on one line.

    Raises NotFound before anything is sent, TooManyRequests for a person with very many streams open.
    """
    gradebook.version(person, submission_id)
    with _lock:
        if _open[person.id] >= STREAMS_PER_PERSON:
            raise TooManyRequests("Too many live pages are open.", "Close some of them.", 10)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(person, submission_id, describe), media_type="text/event-stream", headers=headers)


async def _events(person: Person, submission_id: str, describe: Callable[[SubmissionView], str]) -> AsyncIterator[str]:
    with _lock:  # again: several may have been let in before the first of them was counted
        room = _open[person.id] < STREAMS_PER_PERSON
        _open[person.id] += room
    if not room:
        yield "retry: 10000\n\n"
        return
    try:
        async for event in _watch(person, submission_id, describe):
            yield event
    except NotFound:
        yield "event: end\ndata: {}\n\n"
    finally:
        with _lock:
            _open[person.id] -= 1
            if not _open[person.id]:
                del _open[person.id]


async def _watch(person: Person, submission_id: str, describe: Callable[[SubmissionView], str]) -> AsyncIterator[str]:
    """No database session is held between two looks; each look runs in a worker thread."""
    begun = changed = spoken = looked = time.monotonic()
    version, status, sent = -1, "", ""
    yield "retry: 1000\n\n"
    while (moment := time.monotonic()) - begun < LONGEST_S:
        newest = await run_in_threadpool(gradebook.version, person, submission_id)
        # A place in the queue changes with other people's jobs, which this submission's version does not count.
        if newest != version or (status == "queued" and moment - looked > QUEUE_POLL_S):
            view = await run_in_threadpool(gradebook.submission, person, submission_id)
            version, status, looked, data = newest, view.status, moment, describe(view)
            if data != sent:
                sent, changed, spoken = data, moment, moment
                yield f"id: {version}\nevent: state\ndata: {data}\n\n"
            if status in ("done", "refused"):
                yield f"event: end\ndata: {data}\n\n"
                return
        elif moment - spoken > HEARTBEAT_S:
            spoken = moment
            yield ": still here\n\n"
        await anyio.sleep(POLL_S if moment - changed < IDLE_AFTER_S else IDLE_POLL_S)
