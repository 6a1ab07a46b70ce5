"""Slow things away from the window's thread: opening files, reading them through, asking the text encoder.

Results are collected by the window's own clock, like everything else it shows: no thread calls into Qt.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from PySide6.QtCore import QObject
from shiboken6 import isValid

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
        self._jobs: dict[int, tuple[Work, Done, Failed]] = {}
        self._number = 0
        self._todo: SimpleQueue[int | None] = SimpleQueue()
        self._done: SimpleQueue[tuple[int, bool, Any]] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def do(self, work: Work, done: Done, failed: Failed) -> None:
        """Do ``work`` in the thread; later, in :meth:`collect`, ``done(result)`` or ``failed(message)``.

        A method of a widget that Qt has destroyed meanwhile (a dialog that was closed) is not called.
        """
        if self._closed.is_set():
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="window-jobs", daemon=True)
            self._thread.start()
        self._number += 1
        self._jobs[self._number] = work, done, failed
        self._todo.put(self._number)

    def collect(self) -> None:
        """Report the jobs that have ended; call from the window's thread."""
        while not self._done.empty() and not self._closed.is_set():
            number, fine, what = self._done.get()
            _, done, failed = self._jobs.pop(number)
            tell = done if fine else failed
            if _has_owner(tell):
                tell(what)

    def close(self, timeout_s: float = 0.5) -> bool:
        """Do no more; return whether the thread ended in time."""
        self._closed.set()
        # a thread that hangs may outlive the window: let go of the widgets in the call-backs here, not there
        self._jobs = {number: (work, _forget, _forget) for number, (work, *_) in self._jobs.items()}
        if self._thread is None:
            return True
        self._todo.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (number := self._todo.get()) is not None and not self._closed.is_set():
            self._done.put(self._result_of(number))

    def _result_of(self, number: int) -> tuple[int, bool, Any]:
        """Do a job.

        Its call-backs stay with the window: they hold widgets, and the thread must not be the last to let
        go of one.
        """
        try:
            return number, True, self._jobs[number][0]()
        except UserError as error:
            return number, False, str(error)
        except OSError as error:
            log.warning("a job failed: %s", error)
            return number, False, _of_the_system(error)
        except Exception as error:
            log.exception("a job failed")
            return number, False, f"{type(error).__name__}: {error}"


def _of_the_system(error: OSError) -> str:
    """Return what the system refused, with which file, and what to do about it."""
    reason = (error.strerror or str(error) or type(error).__name__).rstrip(".")
    if error.filename is None:
        return f"The system refused: {reason}. Try again, or choose another file or address"
    path = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else error.filename
    return f"{path}: {reason}. See that it is there, may be read and written, and that the disk is not full"


def _has_owner(tell: Callable[..., None]) -> bool:
    owner = getattr(tell, "__self__", None)
    return not isinstance(owner, QObject) or isValid(owner)


def _forget(_: Any) -> None:
    """Take the place of a call-back that nobody will call any more."""
