"""Indexing beside the window: ``neuroclip-live index`` in a process of its own, paused and stopped from here.

In a process: encoding holds the interpreter lock now and then, which would show in a picture painted 60 times
a second, and a recording that crashes a reader costs the process alone. What it had done is in the index.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QProcess

_END_MS = 500
_MOST_SAID = 4000
"""Characters kept of what it says on standard error: the last line is why it failed."""


class IndexRun:
    """One run at a time.

    Parameters
    ----------
    done : callable
        Given what :class:`neuroclip_live.archive.indexer.IndexReport` holds, when it has ended.
    failed : callable
        Given why it could not.

    Attributes
    ----------
    doing : str
        What it is at; empty while there is no run.
    share : float or None
        How much is done, 0 to 1; None where nobody knows yet.
    paused : bool
    """

    def __init__(self, done: Callable[[Mapping[str, Any]], None], failed: Callable[[str], None]) -> None:
        self._done, self._failed = done, failed
        self._process: QProcess | None = None
        self._said = ""
        self._report: Mapping[str, Any] | None = None
        self.doing = ""
        self.share: float | None = None
        self.paused = False

    @property
    def running(self) -> bool:
        """Whether there is a run."""
        return self._process is not None

    def start(self, arguments: Sequence[str]) -> None:
        """Begin; ``arguments`` are those of ``neuroclip-live index``."""
        if self._process is not None:
            return
        self.doing, self.share, self.paused = "Starting", None, False
        self._said, self._report = "", None
        self._process = QProcess()
        self._process.start(sys.executable, ["-m", "neuroclip_live", "index", *arguments, "--driven"])

    def pause(self, on: bool) -> None:
        """Rest, or go on."""
        if self._process is not None and on != self.paused:
            self.paused = on
            self._order("pause" if on else "go")

    def stop(self) -> None:
        """End soon; what is done stays."""
        if self._process is not None:
            self.doing = "Stopping"
            self._order("stop")

    def close(self) -> None:
        """End now, as the window closes: a stretch of ten minutes at the most is done again next time."""
        process, self._process = self._process, None
        self.doing = ""
        if process is not None and process.state() != QProcess.ProcessState.NotRunning:
            process.closeWriteChannel()
            process.kill()
            process.waitForFinished(_END_MS)

    def look(self) -> None:
        """Take up what it says; often."""
        process = self._process
        if process is None:
            return
        ended = process.state() == QProcess.ProcessState.NotRunning
        while process.canReadLine():
            self._hear(bytes(process.readLine().data()))
        self._said = (self._said + bytes(process.readAllStandardError().data()).decode(errors="replace"))[
            -_MOST_SAID:
        ]
        if ended:
            self._end(process)

    def _order(self, what: str) -> None:
        assert self._process is not None
        self._process.write(f"{what}\n".encode())

    def _hear(self, line: bytes) -> None:
        try:
            told = json.loads(line)
        except ValueError:
            return  # a library that prints
        if "report" in told:
            self._report = told["report"]
        elif self.doing != "Stopping":
            self.doing, self.share = str(told["doing"]), told["share"]

    def _end(self, process: QProcess) -> None:
        self._process, self.doing, self.paused = None, "", False
        if self._report is not None:
            self._done(self._report)
            return
        lines = self._said.strip().splitlines()
        why = lines[-1].removeprefix("error: ") if lines else process.errorString()
        self._failed(f"Indexing ended: {why}")
