"""The capture thread: one source, one ring, one thread that moves packets and does nothing else."""

from __future__ import annotations

import logging
import threading
from time import monotonic_ns
from typing import TYPE_CHECKING

from neuroclip_live.errors import UserError
from neuroclip_live.ring import EventRing

if TYPE_CHECKING:
    from drivers.source import EventSource

log = logging.getLogger(__name__)

RING_EVENTS = 1 << 22


class Capture:
    """Drains a source into a ring of its own until stopped; replaced whole when another source is opened.

    Attributes
    ----------
    ring : EventRing
    news : threading.Event
        Set after every packet, for whoever waits for the next.
    over : threading.Event
        Set when no packet will come any more.
    failure : str
        Why it ended, in one line; empty when it ended as it should.
    cursor : int or None
        How far inference has read, written by inference. A recording waits for it: unlike a camera it loses
        nothing by that.
    """

    def __init__(self, source: EventSource, capacity: int = RING_EVENTS) -> None:
        self.source = source
        self.ring = EventRing(capacity, width=source.resolution.width, height=source.resolution.height)
        self.news = threading.Event()
        self.over = threading.Event()
        self.failure = ""
        self.cursor: int | None = None
        self._stop = threading.Event()
        self._starting = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Begin; a second call, from whichever thread, does nothing."""
        with self._starting:
            if self._thread.ident is None and not self._stop.is_set():
                self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """Stop, close the source and wait for the thread; return whether it ended in time. Idempotent."""
        self._stop.set()
        self.source.close()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            for packet in self.source.packets():
                if self._stop.is_set():
                    break
                if len(packet):
                    self.ring.write(packet, monotonic_ns())
                    self.news.set()
                    self._wait_for_reader()
        except UserError as error:
            self.failure = str(error)
        except Exception as error:
            log.exception("capture from %s failed", self.source.name)
            self.failure = f"{self.source.name}: {error}"
        finally:
            self.over.set()
            self.news.set()

    def _wait_for_reader(self) -> None:
        while not (self.source.live or self._stop.is_set() or self.cursor is None):
            if self.ring.newest() - self.cursor <= self.ring.capacity // 2:
                return
            self._stop.wait(0.001)
