"""Slow things away from the window's thread: opening files, reading them through, asking the text encoder.

Results are collected by the window's own clock, like everything else it shows: no thread calls into Qt.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from neuroclip_live.errors import UserError

log = logging.getLogger(__name__)

Work = Callable[[], Any]
Done = Callable[[Any], None]
Failed = Callable[[str], None]


class Jobs:
    """One daemon thread that does jobs in turn.

    A daemon, because a job may hang (a dead network disk) and must not keep the window from closing.
    """

    def __init__(self) -> None:
        self._todo: SimpleQueue[tuple[Work, Done, Failed] | None] = SimpleQueue()
        self._done: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def do(self, work: Work, done: Done, failed: Failed) -> None:
        """Do ``work`` in the thread; later, in :meth:`collect`, ``done(result)`` or ``failed(message)``."""
        if self._closed.is_set():
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="window-jobs", daemon=True)
            self._thread.start()
        self._todo.put((work, done, failed))

    def collect(self) -> None:
        """Report the jobs that have ended; call from the window's thread."""
        while not self._done.empty() and not self._closed.is_set():
            self._done.get()()

    def close(self, timeout_s: float = 0.5) -> bool:
        """Do no more; return whether the thread ended in time."""
        self._closed.set()
        if self._thread is None:
            return True
        self._todo.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._todo.get()) is not None and not self._closed.is_set():
            work, done, failed = job
            try:
                result = work()
            except UserError as error:
                self._report(failed, str(error))
            except Exception as error:
                log.exception("a job failed")
                self._report(failed, f"{type(error).__name__}: {error}")
            else:
                self._report(done, result)

    def _report(self, tell: Callable[[Any], None], what: Any) -> None:
        self._done.put(lambda: tell(what))
