"""The fast sandbox: children of a warm server, each locked in as tightly as a single-use bubblewrap.

What differs from bubblewrap.py is how a session starts, never what student code finds. See docs/decisions/0009.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from autograder.errors import SandboxError, SandboxUnavailable
from autograder.sandbox.base import Limits
from autograder.sandbox.card import Card
from autograder.sandbox.cgroups import Groups
from autograder.sandbox.forkserver_process import SHELF, ForkServer, recipe, start
from autograder.sandbox.launch import LOCK_FAILED, Plan, explain
from autograder.sandbox.runtime import discover
from autograder.sandbox.session import Session, Started, settle

log = logging.getLogger(__name__)

WARM = (
    *("numpy", "torch", "torch._dynamo", "torch.utils.data", "safetensors.torch", "sklearn.metrics"),
    *("pandas", "matplotlib.pyplot", "IPython.core.interactiveshell"),
)
# What Limits.preload may name. Each combination has a server of its own, started when first asked for.
PRELOAD: Mapping[str, tuple[str, ...]] = {
    "transformers": (
        *("transformers", "tokenizers", "transformers.models.auto.auto_factory", "transformers.pipelines"),
        *("transformers.models.auto.modeling_auto", "transformers.models.auto.tokenization_auto"),
        *("transformers.models.bert.modeling_bert", "transformers.models.bert.tokenization_bert"),
        *("transformers.models.distilbert.modeling_distilbert", "transformers.trainer"),
    ),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """When a server is replaced. Its children share its memory layout and hash seed, so it does not live for ever."""

    children: int = 1000
    age_s: float = 3600.0
    start_s: float = 120.0  # for its imports
    ready_s: float = 20.0  # for a child


@dataclass(frozen=True, slots=True)
class _Spare:
    """A child made ahead of need."""

    recipe: bytes
    server: ForkServer
    started: Started


class ForkServerSandbox:
    """Implements Sandbox. Safe to use from several threads."""

    name = "forkserver"

    def __init__(
        self,
        runtime_python: Path,
        harness_dir: Path,
        *,
        device: int | None = None,
        modules: Sequence[str] = WARM,
        policy: Policy = Policy(),
        spare: bool = True,
        groups: Groups | None = None,
        card: Card | None = None,
        shelf: Path | None = None,
    ) -> None:
        """runtime_python, harness_dir, device, groups, card: as for BubblewrapSandbox. modules: what is imported early.

        spare: keep a child ready that has the limits asked for last. shelf: folder (made if missing) in which every
        folder lies that Limits.shown may name. Raises SandboxUnavailable if the interpreter or the harness is missing.
        Nothing is started before `warm_up` or `open`.
        """
        self._python = runtime_python
        self._runtime = discover(runtime_python)
        if not (harness_dir / "__main__.py").is_file():
            raise SandboxUnavailable(f"The harness is missing: {harness_dir / '__main__.py'} does not exist.")
        self._harness = harness_dir.resolve()
        self._device = device
        self._modules = tuple(modules)
        self._policy = policy
        self._keep_spare = spare
        self._groups = groups
        self._card = card
        self._shelf = shelf
        self._kin: dict[tuple[str, ...], ForkServerSandbox] = {}  # by what they have imported beside the usual
        self._recipe = lru_cache(64)(lambda limits: recipe(self._plan(limits)))
        # One thread that lives as long as this object starts the servers: they end with the thread that started them.
        self._keeper = ThreadPoolExecutor(1, "forkserver-keeper")
        self._lock = threading.Lock()
        self._server: ForkServer | None = None
        self._retired: list[ForkServer] = []
        self._spare: Future[_Spare | None] | None = None
        self._closed = False

    def warm_up(self) -> None:
        """Begin to start the server, without waiting for it."""
        self._keeper.submit(self._quietly_start)

    @property
    def server(self) -> ForkServer | None:
        """The server that makes the next child; None before the first."""
        return self._server

    def open(self, limits: Limits) -> Session:
        """Start a process with the harness ready for `load`. Raises SandboxError, SandboxUnavailable.

        A server that died or is in doubt is replaced once before that.
        """
        if self._closed:
            raise SandboxError("the sandbox is closed")
        if limits.preload:
            return self._having(limits.preload).open(replace(limits, preload=()))
        wanted = self._recipe(limits)
        spare = self._take_spare(wanted)
        session = None
        if spare is not None:
            with contextlib.suppress(SandboxError):
                session = self._session(spare.started, limits)
        if session is None:
            try:
                session = self._fork(wanted, limits)
            except SandboxUnavailable:
                raise
            except SandboxError as error:
                log.warning("trying again with a new fork server: %s", error)
                session = self._fork(wanted, limits)
        self._look_ahead(wanted, limits)
        return session

    def warning(self) -> str:
        """Empty: every lock is on, or `open` fails."""
        return ""

    def runtime(self) -> Mapping[str, str]:
        """Package versions of the runtime, for the receipt, with a digest over all of them."""
        return self._runtime.versions

    def close(self) -> None:
        """End the servers; sessions that are open die, those that were ended are waited for. Safe to call twice."""
        settle()
        if self._closed:
            return
        self._closed = True
        with self._lock:
            spare, self._spare = self._spare, None
            kin, self._kin = list(self._kin.values()), {}
        for other in kin:
            other.close()
        if spare is not None and not spare.cancel():
            self._throw_away(spare.result())
        self._keeper.submit(self._end_servers).result()  # on the keeper, so that no start is under way
        self._keeper.shutdown()

    def _having(self, preload: tuple[str, ...]) -> ForkServerSandbox:
        """The sandbox whose server has imported this as well. Raises SandboxError."""
        unknown = sorted(set(preload) - set(PRELOAD))
        if unknown:
            raise SandboxError(f"nothing is known to preload for {', '.join(unknown)}; known: {', '.join(PRELOAD)}")
        modules = [module for name in sorted(set(preload)) for module in PRELOAD[name]]
        with self._lock:
            if self._closed:
                raise SandboxError("the sandbox is closed")
            if preload not in self._kin:
                self._kin[preload] = ForkServerSandbox(
                    self._python,
                    self._harness,
                    device=self._device,
                    modules=(*self._modules, *modules),
                    policy=self._policy,
                    spare=self._keep_spare,
                    groups=self._groups,
                    card=self._card,
                    shelf=self._shelf,
                )
            return self._kin[preload]

    def _plan(self, limits: Limits) -> Plan:
        if limits.shown is not None and (self._shelf is None or limits.shown.parent != self._shelf):
            raise SandboxError(f"{limits.shown} can't be shown: the fork server shows folders of {self._shelf} only")
        shows = {} if self._shelf is None else {SHELF: self._shelf}
        return Plan(self._runtime, self._harness, limits, self._device, shows)

    def _fork(self, wanted: bytes, limits: Limits) -> Session:
        """A session with a new child. A server that fails is ended. Raises SandboxError, SandboxUnavailable."""
        server = self._current()
        try:
            return self._session(self._child(server, wanted, limits), limits)
        except SandboxError:
            self._discard(server)
            raise

    def _child(self, server: ForkServer, wanted: bytes, limits: Limits) -> Started:
        group = self._groups.make(limits) if self._groups else None
        try:
            return server.fork(wanted, group)
        except BaseException:
            if group is not None:
                group.remove()
            raise

    def _session(self, started: Started, limits: Limits) -> Session:
        session = Session(started, limits, self._card)
        try:
            session.wait_ready(self._policy.ready_s)
        except BaseException:
            status, said = session.exit_status(0), session.output()
            session.close()
            if status == LOCK_FAILED:
                raise SandboxUnavailable(explain(said)) from None
            raise
        return session

    def _current(self) -> ForkServer:
        """A server that runs, started if need be."""
        server = self._server
        if server is None or not server.alive:
            return self._keeper.submit(self._start).result()
        return server

    def _look_ahead(self, wanted: bytes, limits: Limits) -> None:
        """Have the keeper replace a server that is due, and make a spare like the child that was just asked for."""
        server = self._server
        if server is not None and not server.due:
            age = time.monotonic() - server.born
            server.due = server.children >= self._policy.children or age > self._policy.age_s
            if server.due:
                self._keeper.submit(self._quietly_start, server)
        with self._lock:
            if self._keep_spare and self._spare is None:
                self._spare = self._keeper.submit(self._make_spare, wanted, limits)

    def _start(self, instead_of: ForkServer | None = None) -> ForkServer:
        """Runs on the keeper. A running server that is not `instead_of` is good enough."""
        current = self._server
        if current is not None and current is not instead_of and current.alive:
            return current
        if self._closed:
            raise SandboxError("the sandbox is closed")
        if self._shelf is not None:
            self._shelf.mkdir(parents=True, exist_ok=True)
        server = start(self._plan(Limits()), self._modules)
        try:
            server.wait_up(self._policy.start_s)
        except BaseException:
            server.kill()
            raise
        with self._lock:
            if self._server is not None:
                self._server.retire()
                self._retired.append(self._server)
            self._server = server
            ended = [old for old in self._retired if not old.alive]
            self._retired = [old for old in self._retired if old not in ended]
        for old in ended:
            old.kill()
        return server

    def _quietly_start(self, instead_of: ForkServer | None = None) -> None:
        try:
            self._start(instead_of)
        except SandboxError as error:  # whoever needs it will meet it
            log.warning("no new fork server: %s", error)

    def _end_servers(self) -> None:
        with self._lock:
            servers = [*self._retired, *([self._server] if self._server else [])]
            self._server, self._retired = None, []
        for server in servers:
            server.kill()

    def _discard(self, server: ForkServer) -> None:
        """End a server that failed, unless another thread has seen to it."""
        with self._lock:
            if self._server is not server:
                return
            self._server = None
        server.kill()

    def _make_spare(self, wanted: bytes, limits: Limits) -> _Spare | None:
        """Runs on the keeper."""
        server = self._server
        if self._closed or server is None or not server.alive:
            return None
        try:
            return _Spare(wanted, server, self._child(server, wanted, limits))
        except SandboxError as error:
            log.warning("no spare child: %s", error)
            return None

    def _take_spare(self, wanted: bytes) -> _Spare | None:
        """The spare if it fits; one that does not is ended. Waits for one in the making, but not for a server."""
        with self._lock:
            future, self._spare = self._spare, None
        spare = None if future is None or future.cancel() else future.result()
        if spare is None:
            return None
        if spare.recipe == wanted and spare.server is self._server and spare.started.process.wait(0) is None:
            return spare
        self._throw_away(spare)
        return None

    @staticmethod
    def _throw_away(spare: _Spare | None) -> None:
        if spare is not None:
            Session(spare.started, Limits()).close()
