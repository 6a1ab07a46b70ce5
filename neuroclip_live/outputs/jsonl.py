"""Predictions as JSON lines: a header, an object for each prediction, a summary.

What the lines hold is described by the JSON Schema in :data:`SCHEMA_FILE`, which ships with the package.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import select
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from neuroclip_live.errors import UserError
from neuroclip_live.plain_output import json_for_stdout
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header, Summary

_FULL_S = 0.002
"""Pause before another try to write into a pipe that is full."""
_PIECE = getattr(select, "PIPE_BUF", 512)
"""What a pipe that is ready takes at once."""
GIVE_UP_S = 3.0
"""A reader who takes nothing for so long, once the run is over, is waited for no more."""
_LOOK_S = 0.05

SCHEMA_FILE = Path(__file__).parent / "schema" / "lines-1.schema.json"


class JsonLines:
    """Writes a line for each object, whole and at once, to a file or (``-``) to standard output.

    A line leaves in one piece: whoever follows the file never sees half of one. A pipe is waited for as long
    as the run lasts, and for three seconds more; who reads on, however slowly, gets all.

    Parameters
    ----------
    target : str

    Attributes
    ----------
    over : callable
        Tells whether the run is over.

    Raises
    ------
    UserError
        When the file cannot be opened; from :meth:`write` when it cannot be written to.
    """

    def __init__(self, target: str) -> None:
        if not target:
            raise UserError("jsonl needs a file: write --output jsonl:FILE, or jsonl:- for standard output")
        self._target = target
        self.over: Callable[[], bool] = lambda: False
        self._lost = 0
        self._file: IO[bytes] | None = None
        if target != "-":
            try:
                self._file = Path(target).open("wb", buffering=0)
            except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
                reason = getattr(error, "strerror", None) or str(error)
                raise UserError(f"cannot write {target}: {reason}; choose another --jsonl file") from None

    def open(self, header: Header) -> None:
        """Write a header; it holds until the next one."""
        self._write(header.to_dict())

    def write(self, prediction: Prediction) -> None:
        """Write a prediction."""
        self._write(prediction.to_dict())

    def close(self, summary: Summary | None) -> None:
        """Write the summary and close the file; standard output stays open.

        What a full disk has no room for was told before.
        """
        try:
            if summary is not None:
                self._write(summary.to_dict())
        finally:
            if self._file is not None:
                with contextlib.suppress(OSError):  # of the line that could not be written
                    self._file.close()

    def trouble(self) -> str:
        """Return how many lines were lost at the end because nobody read them, or ""."""
        lines = "1 line was" if self._lost == 1 else f"{self._lost:,} lines were"
        return f"nobody reads {self._name}: {lines} lost at the end" if self._lost else ""

    @property
    def _name(self) -> str:
        return "standard output" if self._target == "-" else self._target

    def _write(self, line: dict[str, Any]) -> None:
        if self._lost:
            self._lost += 1
            return
        try:
            if self._file is not None:
                text = json.dumps(line, ensure_ascii=False) + "\n"
                _write_whole(self._file, text.encode("utf-8", "replace"), self.over)
            else:
                _print_whole(json_for_stdout(line) + "\n", self.over)
        except TimeoutError:
            self._lost += 1
        except BrokenPipeError:
            raise
        except OSError as error:
            raise UserError(
                f"writing {self._target} failed: {error.strerror}; what came before is kept"
            ) from None


def _print_whole(text: str, over: Callable[[], bool]) -> None:
    """Write to standard output, past its buffers where it has some."""
    buffer = getattr(sys.stdout, "buffer", None)
    raw = getattr(buffer, "raw", buffer)  # with PYTHONUNBUFFERED there is no buffer
    sys.stdout.flush()
    if isinstance(raw, io.RawIOBase):
        _write_whole(raw, text.encode(sys.stdout.encoding or "utf-8", "replace"), over)
    else:
        sys.stdout.write(text)
        sys.stdout.flush()


def _write_whole(file: Any, data: bytes, over: Callable[[], bool]) -> None:
    """Write all of ``data``; a pipe that is full is waited for, also one with ``O_NONBLOCK``.

    Raises
    ------
    TimeoutError
        When the run is over and nobody reads.
    """
    rest, ready = memoryview(data), _waits(file)
    while rest:
        if ready is not None:
            _await(ready, over)
        written = file.write(rest[:_PIECE] if ready is not None else rest)
        if written is None:
            time.sleep(_FULL_S)
        else:
            rest = rest[written:]


def _waits(file: Any) -> Any:
    """Return what tells when a pipe or terminal takes more; None for a file, and where nothing can tell."""
    try:
        number = file.fileno()
        if stat.S_ISREG(os.fstat(number).st_mode):
            return None
        poll = select.poll()
        poll.register(number, select.POLLOUT)
        return poll
    except (AttributeError, OSError, ValueError):  # Windows has no poll; some files are none of the system's
        return None


def _await(ready: Any, over: Callable[[], bool]) -> None:
    """Wait until a pipe takes more; raises TimeoutError when the run is over and it does not."""
    until: float | None = None
    while not ready.poll(_LOOK_S * 1000):
        if until is None and over():
            until = time.monotonic() + GIVE_UP_S
        if until is not None and time.monotonic() > until:
            raise TimeoutError
