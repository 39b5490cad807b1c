"""What wraps every request: a limit on its body, security headers on its answer, a brake on guessing passwords."""

from __future__ import annotations

import ipaddress
import re
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import TooManyRequests

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_UPLOAD = re.compile(r"(/api/v1)?/assignments/[^/]+/submissions")
_FORM_BYTES = 64 * 1024
_ENVELOPE = 64 * 1024  # multipart boundaries and the other fields around a file
_MOST_KEYS = 10_000  # of the brake on passwords
_AT_ONCE = 2  # uploads of one sender: each takes memory, and one of the threads that serve everybody


class LimitBody:
    """Refuses a request body that is too large (413) while it is read, whatever its Content-Length says.

    Once over the limit, up to as much again is read and thrown away before answering, so that a client that sends
    first and reads later gets the answer instead of a broken connection. An upload of somebody who is not signed in,
    and a sender's third at a time (429), are thrown away as they come: nothing of them takes memory or disk space.
    """

    def __init__(self, app: ASGIApp, upload_bytes: int, sender: Callable[[Request], str | None]) -> None:
        """sender: who a request comes from, None if nobody is signed in. Runs in a thread of its own."""
        self.app = app
        self.upload_bytes = upload_bytes
        self._sender = sender
        self._uploads: Counter[str] = Counter()  # by sender; the event loop's alone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a counting `receive`."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        upload = _UPLOAD.fullmatch(scope["path"]) and scope.get("method") == "POST"
        body = _Counter(receive, self.upload_bytes + _ENVELOPE if upload else _FORM_BYTES, Headers(scope=scope))
        if not upload:
            await self.app(scope, body.receive, send)
            return
        sender = await run_in_threadpool(self._sender, Request(scope))
        if sender is None:
            await self.app(scope, body.nothing, send)  # the application finds out, and says so
            return
        if self._uploads[sender] >= _AT_ONCE:
            await self.app(scope, body.refuse, send)
            return
        self._uploads[sender] += 1
        try:
            await self.app(scope, body.receive, send)
        finally:
            self._uploads[sender] -= 1
            self._uploads += Counter()  # drops those at zero


class _Counter:
    def __init__(self, receive: Receive, limit: int, headers: Headers) -> None:
        self._receive, self._limit, self._seen = receive, limit, 0
        declared = headers.get("content-length", "")
        self._declared = int(declared) if declared.isascii() and declared.isdigit() else 0

    async def receive(self) -> Message:
        if self._declared > 2 * self._limit:
            raise HTTPException(413)
        message = await self._receive()
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            if self._seen > self._limit:
                await self._drain(message)
                raise HTTPException(413)
        return message

    async def nothing(self) -> Message:
        """An empty body, after what came was thrown away."""
        await self._drain({"type": "http.request", "more_body": True})
        return {"type": "http.request", "body": b"", "more_body": False}

    async def refuse(self) -> Message:
        """Throw away what comes. Raises HTTPException."""
        await self.nothing()
        raise HTTPException(429, headers={"Retry-After": "5"})

    async def _drain(self, message: Message) -> None:
        while message["type"] == "http.request" and message.get("more_body") and self._seen <= 2 * self._limit:
            message = await self._receive()
            self._seen += len(message.get("body", b""))


class SecurityHeaders:
    """Adds the headers that keep a page from being framed, sniffed, or running scripts that are not ours."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add headers where the answer has none of its own."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", POLICY)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("X-Frame-Options", "DENY")
                headers.setdefault("Referrer-Policy", "same-origin")
                headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
                headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


def _network(address: str) -> str:
    """What one person can send from: an address, of IPv6 the 64 bits that a provider gives to a line.

    A server that listens on IPv6 is told of all of IPv4 in one network of 64 bits: those are addresses of IPv4.
    """
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    known = getattr(known, "ipv4_mapped", None) or known
    return str(ipaddress.ip_network((known, 64), strict=False)) if known.version == 6 else str(known)


class LoginBrake:
    """Slows down guessing: a few failures per address and account, more per address, then a pause. In memory."""

    def __init__(
        self,
        *,
        per_account: int = 5,
        per_address: int = 50,
        window_s: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = {"account": per_account, "address": per_address}
        self._window, self._clock = window_s, clock
        self._failures: OrderedDict[tuple[str, ...], deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def attempt(self, email: str, address: str) -> None:
        """Count an attempt as failed until it has succeeded, so that none slips in while others are being tried.

        Raises TooManyRequests while this address must wait.
        """
        with self._lock:
            for kind, key in self._keys(email, address):
                times = self._recent(key)
                if len(times) >= self._limits[kind]:
                    wait = int(times[0] + self._window - self._clock()) + 1
                    raise TooManyRequests("Too many failed sign-ins.", f"Wait {wait} s, then try again.", wait)
            for _, key in self._keys(email, address):
                self._failures.setdefault(key, deque(maxlen=100)).append(self._clock())
                self._failures.move_to_end(key)
            while len(self._failures) > _MOST_KEYS:
                del self._failures[self._least()]

    def succeeded(self, email: str, address: str) -> None:
        """Forget the account's failures from this address, and that this attempt was counted as one."""
        with self._lock:
            (_, account), (_, everybody) = self._keys(email, address)
            self._failures.pop(account, None)
            if times := self._failures.get(everybody):
                times.pop()

    def _least(self) -> tuple[str, ...]:
        """The oldest key that keeps nobody waiting, so that fresh ones can't wash out one that does."""
        waiting = min(self._limits.values())
        return next((key for key, times in self._failures.items() if len(times) < waiting), next(iter(self._failures)))

    def _keys(self, email: str, address: str) -> list[tuple[str, tuple[str, ...]]]:
        network = _network(address)
        return [("account", (email.strip().lower()[:200], network)), ("address", (network,))]

    def _recent(self, key: tuple[str, ...]) -> deque[float]:
        times = self._failures.get(key, deque())
        while times and times[0] <= self._clock() - self._window:
            times.popleft()
        return times
