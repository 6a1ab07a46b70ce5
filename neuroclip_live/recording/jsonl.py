"""Predictions as JSON lines: one header, one object a prediction, one summary, however it runs."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from neuroclip_live import __version__
from neuroclip_live.errors import UserError

if TYPE_CHECKING:
    from neuroclip_drivers.source import EventSource
    from neuroclip_live.model.backbone import BackboneInfo
    from neuroclip_live.prompting.prompts import PromptSet
    from neuroclip_live.stream.latency import Percentiles
    from neuroclip_live.stream.slicing import SliceBy

_FULL_S = 0.002
"""Pause before another try to write into a pipe that is full."""


def header(
    source: EventSource, model: BackboneInfo, prompts: PromptSet, by: SliceBy, timesteps: int
) -> dict[str, Any]:
    """Return the first line: everything needed to read the others, or to make them again."""
    return {
        "type": "header",
        "version": __version__,
        "model": model.name,
        "device": model.device,
        "runtime": model.runtime,
        **prompt_fields(prompts),
        "slicing": {"kind": by.kind, "time_us": by.time_us, "count": by.count, "overlap": by.overlap},
        "timesteps": timesteps,
        "source": source.name,
        "resolution": list(source.resolution),
    }


def prompt_fields(prompts: PromptSet) -> dict[str, Any]:
    """Return what is asked for, as fields of a line."""
    return {
        "prompts": [p.label for p in prompts.enabled if not p.negative],
        "negatives": [p.label for p in prompts.enabled if p.negative],
        "none_of_these": prompts.none_of_these,
        "template": list(prompts.templates),
    }


def summary(
    *,
    events: int,
    windows: int,
    predictions: int,
    skipped_windows: int,
    dropped_events: int,
    outside_events: int,
    stray_events: int,
    unwritten_predictions: int = 0,
    total: Percentiles | None,
    wall_s: float,
) -> dict[str, Any]:
    """Return the last line; for ``unwritten_predictions`` whoever reads the lines was too slow."""
    return {
        "type": "summary",
        "events": events,
        "windows": windows,
        "predictions": predictions,
        "skipped_windows": skipped_windows,
        "dropped_events": dropped_events,
        "outside_events": outside_events,
        "stray_events": stray_events,
        "unwritten_predictions": unwritten_predictions,
        "latency_ms": {"p50": total.p50_ms if total else None, "p99": total.p99_ms if total else None},
        "wall_s": round(wall_s, 3),
    }


class JsonlWriter:
    """Writes objects a line each, whole and at once, to a file or (``-``) to standard output.

    A line leaves in one piece: whoever follows the file or the pipe never sees half of one.

    Raises
    ------
    UserError
        When the file cannot be opened or written to.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._file: IO[bytes] | None = None
        if target != "-":
            try:
                self._file = Path(target).open("wb", buffering=0)
            except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
                reason = getattr(error, "strerror", None) or str(error)
                raise UserError(f"cannot write {target}: {reason}; choose another --jsonl file") from None

    def write(self, line: dict[str, Any]) -> None:
        """Write one object."""
        text = json.dumps(line, ensure_ascii=False) + "\n"
        try:
            if self._file is not None:
                _write_whole(self._file, text.encode("utf-8", "replace"))
            else:
                _print_whole(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise UserError(
                f"writing {self._target} failed: {error.strerror}; what came before is kept"
            ) from None

    def close(self) -> None:
        """Close the file; standard output stays open. What a full disk has no room for was told before."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # of the line that could not be written
                self._file.close()


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
