"""Threads of actions: one for each effect, with one firing at a time, and one that tells and logs."""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from neuroclip_live.actions.effect import Beside, Effect
from neuroclip_live.actions.triggers import Firing
from neuroclip_live.errors import UserError

log = logging.getLogger(__name__)

QUEUE = 256
"""Lines that may wait for a terminal or a disk; more are dropped, and counted."""
KEPT_LINES = 200

Report = Callable[[Firing, Effect, str, bool], None]


class Worker:
    """Carries out one effect's firings, one at a time; its thread begins with the first.

    Parameters
    ----------
    effect : Effect
    beside : Beside
    report : callable
        Told of each firing what was done or failed (False), from the worker's thread.
    """

    def __init__(self, effect: Effect, beside: Beside, report: Report) -> None:
        self.effect = effect
        self._beside, self._report = beside, report
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def offer(self, firing: Firing) -> bool:
        """Begin a firing; return False where one is under way."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return False
            name = f"action {firing.rule.name}"[:60]
            self._thread = threading.Thread(target=self._work, args=(firing,), name=name, daemon=True)
            self._thread.start()
            return True

    def wait(self, timeout_s: float) -> bool:
        """Wait for what is under way; return whether it ended in time."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(max(0.0, timeout_s))
        return thread is None or not thread.is_alive()

    def _work(self, firing: Firing) -> None:
        try:
            self._report(firing, self.effect, self.effect.carry_out(firing, self._beside), True)
        except UserError as error:
            self._report(firing, self.effect, str(error), False)
        except Exception as error:
            log.exception("an effect failed")
            self._report(firing, self.effect, str(error) or type(error).__name__, False)


class Scribe:
    """Tells lines and writes a log, in a thread of its own: neither a terminal nor a disk holds up a run.

    Parameters
    ----------
    tell : callable
        Gets a line for people.
    path : path-like, optional
        JSON lines are added to it.

    Attributes
    ----------
    lost : int
        Lines that there was no room for, or that could not be written.
    said : deque of str
        The newest lines for people, the newest last.
    count : int
        How many lines there were.

    Raises
    ------
    UserError
        When the log cannot be opened.
    """

    def __init__(self, tell: Callable[[str], None], path: str | Path | None = None) -> None:
        self._tell, self._path = tell, path
        self._file: IO[bytes] | None = None
        self.lost = self.count = 0
        self.said: deque[str] = deque(maxlen=KEPT_LINES)
        if path is not None:
            try:
                self._file = Path(path).expanduser().open("ab", buffering=0)
            except (OSError, ValueError, RuntimeError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                raise UserError(f"cannot write --actions-log {path}: {reason}; choose another file") from None
        self._lines: queue.Queue[tuple[str, dict[str, Any] | None] | None] = queue.Queue(QUEUE)
        self._thread = threading.Thread(target=self._run, name="actions-log", daemon=True)
        self._thread.start()

    def say(self, text: str, entry: dict[str, Any] | None = None) -> None:
        """Tell a line, and log an object; never waits."""
        self.said.append(text)
        self.count += 1
        try:
            self._lines.put_nowait((text, entry))
        except queue.Full:
            self.lost += 1

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what waits, and end; a terminal or a disk that does not answer is left behind."""
        try:
            self._lines.put(None, timeout=timeout_s)
        except queue.Full:
            return
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            text, entry = line
            if text:
                try:
                    self._tell(text)
                except (OSError, ValueError):  # standard error is closed: nobody is there to be told
                    self.lost += 1
            if entry is not None:
                self._write(entry)
        if self._file is not None:
            self._file.close()

    def _write(self, entry: dict[str, Any]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        except OSError as error:
            self.lost += 1
            if self._lines.qsize() < QUEUE // 2 and self.lost == 1:
                self.say(f"actions: the log {self._path} cannot be written: {error.strerror}; actions go on")
