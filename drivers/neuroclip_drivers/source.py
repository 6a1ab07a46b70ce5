"""What every source of events has in common.

A source *yields* packets and owns no thread: whoever reads it decides where it runs. Three promises make
that safe to drain from a capture thread:

1. ``packets()`` never blocks for much longer than ``MAX_WAIT_S``; with nothing to give it yields an empty
   packet.
2. Every packet owns its memory, is one-dimensional, contiguous and of
   :data:`neuroclip_live.events.EVENT_DTYPE`.
3. Small commands (speed, pause, seek, close) may come from any thread; they take effect at the next packet.

Rejected: call-backs (they pick the thread for you) and queues (they grow without bound when nobody reads).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from neuroclip_live.events import Packet, Resolution

MAX_WAIT_S = 0.05
"""Longest time, in seconds, a source waits before it yields an empty packet."""


class SourceState(Enum):
    """Where a source stands.

    ``STREAMING`` → ``WAITING`` (device or server gone, retried) → ``STREAMING``; ``PAUSED`` and ``ENDED`` are
    for recordings.
    """

    STREAMING = "streaming"
    WAITING = "waiting"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True)
class SourceStatus:
    """A snapshot of a source; safe to hand to any thread.

    Attributes
    ----------
    state : SourceState
    message : str
        One line for the user; empty when there is nothing to say.
    position_us, start_us, end_us : int or None
        Time of the last event given, and the range of a recording; ``None`` for live sources. In a recording
        they go on along the file where the camera's clock began anew.
    lost : bool
        The message is of something missing: a damaged recording's.
    at_end : bool
        A recording was played to its end, or to that of the part that is played, and is held there.
    shows : str
        What there is to see now, where the source knows it: the simulated camera does.
    """

    state: SourceState
    message: str = ""
    position_us: int | None = None
    start_us: int | None = None
    end_us: int | None = None
    shows: str = ""
    lost: bool = False
    at_end: bool = False


@dataclass(frozen=True)
class Jump:
    """Where a recording was last taken to: its beginning, a place that was sought, the one it was paused at.

    A source that can be taken to places shows it as ``jump``: in the thread that reads, it is of the packet
    yielded last.

    Attributes
    ----------
    number : int
        Grows by one each time.
    to_us : int
        The place.
    leads : bool
        Whether what happened before it is given first: so it is while paused, for the place to be recognized.
    given : bool
        All of that was given.
    """

    number: int
    to_us: int
    leads: bool = False
    given: bool = True


@dataclass(frozen=True)
class Lead:
    """How much of a recording is given before a place that is recognized while paused.

    ``time_us`` before it, or so many ``events`` where that is what counts.
    """

    time_us: int = 600_000
    events: int | None = None


@dataclass(frozen=True)
class GrayFrame:
    """An intensity frame of a DAVIS camera: ``image`` is (H, W) uint8, ``t_us`` its timestamp."""

    t_us: int
    image: npt.NDArray[Any]

    def __post_init__(self) -> None:
        if self.image.dtype != np.uint8 or self.image.ndim != 2:
            raise ValueError(f"a frame is (H, W) uint8, not {self.image.shape} {self.image.dtype}")


@runtime_checkable
class EventSource(Protocol):
    """A camera, a recording, a network stream or the simulator."""

    name: str
    """Shown to the user: a camera's model and serial, a file's name, an address."""
    resolution: Resolution
    live: bool
    """True when events are made now and cannot be had again: a reader that is late loses them."""

    def packets(self) -> Iterator[Packet]:
        """Yield packets until the source ends or is closed. Call once."""
        ...

    def status(self) -> SourceStatus:
        """Return a snapshot; cheap, from any thread."""
        ...

    def latest_frame(self) -> GrayFrame | None:
        """Return the newest intensity frame, or None where the sensor has none."""
        ...

    def close(self) -> None:
        """Release the device or file; idempotent; ``packets()`` then ends at its next step."""
        ...
