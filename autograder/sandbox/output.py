"""Keeps the head of what a student process prints, and never lets it block on a full pipe."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable

FLOOD_BYTES = 16 << 20  # more than this is no log any more
_PIECE = 1 << 16  # what a pipe holds
_PIECES_AT_ONCE = 16  # while somebody waits for the text: a flood must not keep them


class Output:
    """Drains one pipe on its own thread until every writer is gone."""

    def __init__(self, pipe: int, cap_bytes: int, on_flood: Callable[[], None]) -> None:
        """pipe: descriptor to read, closed at its end. on_flood is called once, beyond FLOOD_BYTES."""
        self._pipe = pipe
        os.set_blocking(pipe, False)
        self._cap = cap_bytes
        self._on_flood = on_flood
        self._kept = bytearray()
        self._total = 0
        self._ended = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._drain, name="sandbox-output", daemon=True)
        self._thread.start()

    def text(self) -> str:
        """What was printed before this call and kept, with a note if it was cut. Undecodable bytes become U+FFFD."""
        with self._lock:
            for _ in range(_PIECES_AT_ONCE):
                if not self._take():
                    break
            kept, lost = bytes(self._kept), self._total - len(self._kept)
        text = kept.decode("utf-8", "replace").replace("\0", "\ufffd")
        return f"{text}\n[… {lost:,} more bytes were printed and not kept]" if lost else text

    def join(self, seconds: float) -> bool:
        """Wait for the end of the output; False if a writer is still there after `seconds`."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _take(self) -> bool:
        """Read a piece of what lies in the pipe; False if nothing does. The lock is held."""
        if self._ended:
            return False
        try:
            piece = os.read(self._pipe, _PIECE)
        except BlockingIOError:
            return False
        self._ended = not piece
        self._total += len(piece)
        self._kept += piece[: max(self._cap - len(self._kept), 0)]
        return bool(piece)

    def _drain(self) -> None:
        flooded = False
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        try:
            while not self._ended:
                poll.poll()
                with self._lock:
                    self._take()
                if self._total > FLOOD_BYTES and not flooded:
                    flooded = True
                    self._on_flood()
        finally:
            with self._lock:
                self._ended = True
            os.close(self._pipe)
