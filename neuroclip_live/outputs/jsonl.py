"""Predictions as JSON lines: a header, an object for each prediction, a summary.

What the lines hold is described by the JSON Schema in :data:`SCHEMA_FILE`, which ships with the package.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import IO, Any

from neuroclip_live.errors import UserError
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header, Summary

SCHEMA_FILE = Path(__file__).parent / "schema" / "lines-1.schema.json"


class JsonLines:
    """Writes a line for each object, flushed at once, to a file or (``-``) to standard output.

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
        self._file: IO[str]
        if target == "-":
            self._file = sys.stdout
        else:
            try:
                self._file = Path(target).open("w", encoding="utf-8")
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
            if self._file is not sys.stdout:
                with contextlib.suppress(OSError):  # of the line that could not be written
                    self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise UserError(
                f"writing {self._target} failed: {error.strerror}; what came before is kept"
            ) from None
