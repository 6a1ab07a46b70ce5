"""Predictions as JSON lines: a header, an object for each prediction, a summary.

What the lines hold is described by the JSON Schema in :data:`SCHEMA_FILE`, which ships with the package.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from pathlib import Path
from typing import IO, Any

from neuroclip_live.errors import UserError
from neuroclip_live.plain_output import json_for_stdout
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header, Summary

_FULL_S = 0.002
"""Pause before another try to write into a pipe that is full."""

SCHEMA_FILE = Path(__file__).parent / "schema" / "lines-1.schema.json"


class JsonLines:
    """Writes a line for each object, whole and at once, to a file or (``-``) to standard output.

    A line leaves in one piece: whoever follows the file or the pipe never sees half of one.

    Parameters
    ----------
    target : str

    Raises
    ------
    UserError
        When the file cannot be opened; from :meth:`write` when it cannot be written to.
    """

    def __init__(self, target: str) -> None:
        if not target:
            raise UserError("jsonl needs a file: write --output jsonl:FILE, or jsonl:- for standard output")
        self._target = target
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

    def _write(self, line: dict[str, Any]) -> None:
        try:
            if self._file is not None:
                text = json.dumps(line, ensure_ascii=False) + "\n"
                _write_whole(self._file, text.encode("utf-8", "replace"))
            else:
                _print_whole(json_for_stdout(line) + "\n")
        except BrokenPipeError:
            raise
        except OSError as error:
            raise UserError(
                f"writing {self._target} failed: {error.strerror}; what came before is kept"
            ) from None


def _print_whole(text: str) -> None:
    """Write to standard output, past its buffers where it has some."""
    buffer = getattr(sys.stdout, "buffer", None)
    raw = getattr(buffer, "raw", buffer)  # with PYTHONUNBUFFERED there is no buffer
    sys.stdout.flush()
    if isinstance(raw, io.RawIOBase):
        _write_whole(raw, text.encode(sys.stdout.encoding or "utf-8", "replace"))
    else:
        sys.stdout.write(text)
        sys.stdout.flush()


def _write_whole(file: Any, data: bytes) -> None:
    """Write all of ``data``; a pipe that is not to be waited for (``O_NONBLOCK``) is waited for."""
    rest = memoryview(data)
    while rest:
        written = file.write(rest)
        if written is None:
            time.sleep(_FULL_S)
        else:
            rest = rest[written:]
