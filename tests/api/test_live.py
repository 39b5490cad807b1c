"""Live updates over a real server: events come when something changes, end when it is done, and hold nothing."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator

import anyio
import httpx
import pytest

from api import live
from autograder.services import jobs
from tests.api.conftest import World, a_report, grade_next
from tests.conftest import wait_until
from tests.factories import hand_in, make_check


class Listener:
    """Reads one stream of events in a thread."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.events: list[tuple[str, str, float]] = []
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._listen, args=(url, headers), daemon=True)
        self._thread.start()

    def _listen(self, url: str, headers: dict[str, str]) -> None:
        with contextlib.suppress(httpx.TransportError):  # a test may end before its stream does
            self._read(url, headers)

    def _read(self, url: str, headers: dict[str, str]) -> None:
        name = ""
        with httpx.stream("GET", url, headers=headers, timeout=30) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                kind, _, value = line.partition(": ")
                name = value if kind == "event" else name
                if kind == "data":
                    self.events.append((name, value, time.monotonic()))
        self.ended.set()


@pytest.fixture
def bearer(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.token(world.other)}"}


def test_each_change_is_told_at_once_and_the_end_ends_it(world: World, address: str, bearer: dict[str, str]) -> None:
    made = hand_in(world.other, world.ours)
    listener = Listener(f"{address}/api/v1/submissions/{made.id}/events", bearer)
    wait_until(lambda: len(listener.events) == 1, 5, "the first event")
    claim = jobs.claim("cpu", "w")
    assert claim
    jobs.report_progress(claim, "training", [make_check(1)])
    changed = time.monotonic()
    wait_until(lambda: len(listener.events) >= 2, 5, "the event of progress")
    assert listener.events[-1][2] - changed < 1.5
    wait_until(lambda: json.loads(listener.events[-1][1])["activity"] == "training", 5, "the activity")
    assert [check["id"] for check in json.loads(listener.events[-1][1])["progress"]] == ["check_1"]
    jobs.commit(claim, a_report())
    assert listener.ended.wait(5)
    name, data, _ = listener.events[-1]
    assert name == "end"
    assert json.loads(data)["report"]["verdict"] == "partial"
    assert [event for event, _, _ in listener.events].count("end") == 1


def test_a_done_submission_is_told_once(world: World, address: str) -> None:
    headers = {"Authorization": f"Bearer {world.token(world.owner)}"}
    listener = Listener(f"{address}/api/v1/submissions/{world.done.id}/events", headers)
    assert listener.ended.wait(5)
    assert [event for event, _, _ in listener.events] == ["state", "end"]


def test_a_place_in_line_moves(
    world: World, address: str, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "QUEUE_POLL_S", 0.2)
    hand_in(world.theirs.students[0], world.theirs)
    mine = hand_in(world.other, world.ours)
    listener = Listener(f"{address}/api/v1/submissions/{mine.id}/events", bearer)
    wait_until(lambda: len(listener.events) == 1, 5, "the first event")
    assert json.loads(listener.events[0][1])["position"] == 1
    grade_next()
    wait_until(lambda: json.loads(listener.events[-1][1])["position"] == 0, 5, "moving up")


def test_the_page_s_own_events_hold_no_report(world: World, address: str) -> None:
    browser = world.browser(world.owner)
    cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.http.cookies.jar)
    listener = Listener(f"{address}/submissions/{world.done.id}/events", {"Cookie": cookie})
    assert listener.ended.wait(5)
    assert "Loss" not in "".join(data for _, data, _ in listener.events)


def test_many_open_streams_are_refused_and_closed_ones_forgotten(
    world: World, address: str, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "STREAMS_PER_PERSON", 2)
    made = hand_in(world.other, world.ours)
    url = f"{address}/api/v1/submissions/{made.id}/events"
    streams = [_opened(url, bearer) for _ in range(2)]
    for stream in streams:
        next(stream)
    assert httpx.get(url, headers=bearer).status_code == 429
    for stream in streams:
        stream.close()
    wait_until(lambda: not live._open, 5, "forgetting the closed streams")
    grade_next()
    assert httpx.get(url, headers=bearer).status_code == 200


def test_streams_that_are_let_in_at_once_are_counted_before_they_watch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "STREAMS_PER_PERSON", 2)
    made = hand_in(world.other, world.ours)

    async def firsts() -> list[str]:
        streams = [live._events(world.other, made.id, lambda _: "{}") for _ in range(3)]
        said = [await anext(stream) for stream in streams]
        for stream in streams:
            await stream.aclose()
        return said

    assert anyio.run(firsts) == ["retry: 1000\n\n"] * 2 + ["retry: 10000\n\n"]
    assert not live._open


def _opened(url: str, headers: dict[str, str]) -> Iterator[str]:
    with httpx.stream("GET", url, headers=headers, timeout=30) as answer:
        yield from answer.iter_lines()


def test_a_stream_holds_no_database_connection(world: World, address: str, bearer: dict[str, str]) -> None:
    """Thirty open streams and the pages still answer: looks are short and hold nothing in between."""
    submissions = [hand_in(world.other, world.ours) for _ in range(3)]
    listeners = [
        Listener(f"{address}/api/v1/submissions/{made.id}/events", bearer) for made in submissions for _ in range(6)
    ]
    wait_until(lambda: all(listener.events for listener in listeners), 20, "all first events")
    started = time.monotonic()
    assert httpx.get(f"{address}/api/v1/assignments", headers=bearer, timeout=10).status_code == 200
    assert time.monotonic() - started < 3
    for _ in submissions:
        grade_next()
    assert all(listener.ended.wait(10) for listener in listeners)


def test_an_upload_that_is_too_large_is_answered_and_not_cut_off(
    world: World, address: str, bearer: dict[str, str]
) -> None:
    """Over a real connection, where a client that is still sending would otherwise see a broken pipe."""
    limit = world.app.state.settings.max_upload_mb
    data = b" " * ((limit + 5) * 1024 * 1024)
    url = f"{address}/api/v1{world.path}/submissions"
    answer = httpx.post(url, headers=bearer, files={"file": ("a.ipynb", data)}, timeout=60)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"
    assert re.search("outputs", answer.json()["hint"])
