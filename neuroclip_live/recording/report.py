"""What is told of a recording while it is made and when it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StreamCount:
    """What came in of a stream beside the events, and what is in the file.

    ``what`` says what it holds, in the plural: frames, IMU samples, triggers, or the stream's name.
    """

    what: str
    came: int
    written: int

    def __str__(self) -> str:
        if self.written == self.came:
            return f"{self.written:,} {self.what}"
        return f"{self.written:,} of {self.came:,} {self.what}"


@dataclass(frozen=True)
class RecordingStatus:
    """A recording that is being made.

    ``events`` are those handed to the file, ``seconds`` is since the beginning; ``warning`` is one line for
    the user, or None. ``ended`` is True when it cannot go on (a full disk): close it. ``streams`` are those
    beside the events, with what is handed to the file.
    """

    path: Path
    events: int
    seconds: float
    bytes: int
    free_bytes: int
    warning: str | None
    dropped_events: int = 0
    ended: bool = False
    streams: tuple[StreamCount, ...] = ()


@dataclass(frozen=True)
class RecordingReport:
    """A recording that was made. ``whole`` means: nothing dropped, and it reads back as it came in.

    ``streams`` are those beside the events.
    """

    path: Path
    sidecar: Path | None
    events: int
    seconds: float
    bytes: int
    dropped_events: int
    whole: bool
    message: str
    streams: tuple[StreamCount, ...] = ()

    @classmethod
    def of(
        cls,
        path: Path,
        sidecar: Path | None,
        seconds: float,
        *,
        events: int,
        dropped: int,
        size: int,
        streams: tuple[StreamCount, ...],
        lost_notes: int,
        failure: str,
    ) -> RecordingReport:
        """Return the report of what was counted; ``failure`` says what went wrong, or is empty."""
        parts = [f"{path.name}: {events:,} events in {seconds:.1f} s, {dropped:,} dropped"]
        parts += [str(stream) for stream in streams]
        if lost_notes:
            parts.append(f"{lost_notes:,} labels lost")
        parts.append(failure or "file verified")
        whole = not (dropped or failure or any(s.written != s.came for s in streams))
        return cls(path, sidecar, events, seconds, size, dropped, whole, ", ".join(parts), streams)


def dropped(events: int, what: Sequence[str], beside: Mapping[int, int]) -> str:
    """Say what there was no room for, in one line; empty where there was room for all.

    ``beside`` is how much of each stream beside the events, which ``what`` names.
    """
    lost = [(events, "events"), *((beside.get(place, 0), name) for place, name in enumerate(what))]
    parts = [f"{count:,} {name}" for count, name in lost if count]
    return f"{', '.join(parts)} dropped: the disk is too slow" if parts else ""
