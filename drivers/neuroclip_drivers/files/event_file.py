"""What every recorded file has in common, whatever its format.

A file is opened once and read by several at a time: playback, the histogram of a seek bar, a conversion. It
has no clock and no thread of its own. Rejected: a list of all events in memory, which is what most readers
of these formats give: a recording of a minute from a megapixel sensor is ten gigabytes of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.format import StreamInfo
from neuroclip_drivers.side_streams import SidePacket
from neuroclip_drivers.source import GrayFrame
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution, copy_packet

MAX_PACKET_EVENTS = 1 << 16
"""Largest packet that a file yields."""

LARGEST_SIDE = 1 << 14
"""More pixels on a side than any sensor has: what claims more is damaged or no recording."""

TIME_UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
"""Nanoseconds in each unit of ``--time-unit``."""


@dataclass(frozen=True)
class RateHistogram:
    """Events over a recording, for a seek bar.

    ``counts`` is (N,) int64, events in N equal spans of time between ``start_us`` and ``end_us``.
    """

    start_us: int
    end_us: int
    counts: npt.NDArray[Any]


@dataclass(frozen=True)
class FileOptions:
    """What the user says about a file that does not say it itself.

    Attributes
    ----------
    stream : str or None
        Number or name of one of several event streams: a topic of a bag, a camera of a stereo file.
    sensor : Resolution or None
        Size of the sensor; goes before what the file says.
    time_unit : str or None
        "s", "ms", "us" or "ns"; goes before what the file says.
    """

    stream: str | None = None
    sensor: Resolution | None = None
    time_unit: str | None = None

    def __post_init__(self) -> None:
        if self.time_unit is not None and self.time_unit not in TIME_UNITS:
            raise UserError(
                f"There is no time unit {self.time_unit!r}. Choose from: {', '.join(TIME_UNITS)}."
            )


@dataclass(frozen=True)
class StreamChoice:
    """One of several event streams of a file.

    Attributes
    ----------
    wanted : str
        What ``--stream`` takes for it.
    title : str
        As a user knows it.
    filled : bool
        Whether it holds events.
    """

    wanted: str
    title: str
    filled: bool = True


class HeldBeside(Protocol):
    """What a file holds beside its events, packet by packet, in the order of their places."""

    streams: tuple[StreamInfo, ...]

    def __len__(self) -> int:
        """Return how many packets there are."""
        ...

    def number_at(self, place: int) -> int:
        """Return how many packets lie before a place."""
        ...

    def packet(self, number: int) -> SidePacket | None:
        """Return a packet by its number; None for one that is damaged."""
        ...


class NothingBeside:
    """A file that holds nothing but events; see :class:`HeldBeside`."""

    streams: tuple[StreamInfo, ...] = ()

    def __len__(self) -> int:
        return 0

    def number_at(self, place: int) -> int:
        """Return 0."""
        return 0

    def packet(self, number: int) -> SidePacket | None:
        """Return None."""
        return None


@runtime_checkable
class EventFile(Protocol):
    """A recording that is open.

    Attributes
    ----------
    path : Path
    format : str
        Its format, as the user knows it: "Prophesee EVT3".
    camera : str
        Name of the camera that made it; may be empty.
    resolution : Resolution
    first_us, last_us : int
        Place of the first event and the latest one. Places are times, save that they go on along the file
        where the camera's clock began anew.
    streams_note : str
        One line on what was chosen or assumed: which of several streams, a sensor size that the file does not
        tell; empty when there is nothing to say.
    choices : tuple of StreamChoice
        All event streams, in the order of the file.
    chosen : str
        The ``wanted`` of the one that is read.
    """

    path: Path
    format: str
    camera: str
    resolution: Resolution
    first_us: int
    last_us: int
    streams_note: str
    choices: tuple[StreamChoice, ...]
    chosen: str

    @property
    def side(self) -> HeldBeside:
        """What the file holds beside the events."""
        ...

    @property
    def losses(self) -> str:
        """What is missing, with what turned out to be unreadable so far; empty when all is well."""
        ...

    @property
    def remedy(self) -> str:
        """What the user can do about the losses; empty when nothing."""
        ...

    @property
    def has_frames(self) -> bool:
        """True when the file also holds intensity frames."""
        ...

    def read(self, from_us: int | None = None) -> Iterator[Packet]:
        """Yield the events in file order, from the beginning or from the first one at or after a time.

        Packets own their memory and hold 1 to ``MAX_PACKET_EVENTS`` events. After :meth:`close` the iterator
        ends at its next step.
        """
        ...

    def read_placed(self, from_us: int | None = None) -> Iterator[tuple[Packet, int]]:
        """Yield packets as :meth:`read` does, each with what turns its times into places when added."""
        ...

    def time_at(self, place_us: int) -> int:
        """Return what the camera's clock showed at a place."""
        ...

    def clock_start(self, place_us: int) -> int:
        """Return the place at which the clock began that runs at a place."""
        ...

    def place_before(self, t_us: int, place_us: int) -> int:
        """Return where a time stands; where several clocks showed it, the last such place up to another."""
        ...

    def frame_at(self, place_us: int) -> GrayFrame | None:
        """Return the newest intensity frame that is not beyond a place, or None."""
        ...

    def rate_histogram(self, bins: int = 400) -> RateHistogram:
        """Count the events in ``bins`` equal spans; may read the whole file, so use a thread of its own."""
        ...

    def close(self) -> None:
        """Release the file; idempotent, from any thread."""
        ...


def parse_sensor(text: str) -> Resolution:
    """Return the sensor size that ``--sensor`` names, as "640x480"; raises UserError for anything else."""
    width, cross, height = text.lower().replace("×", "x").partition("x")
    try:
        size = Resolution(int(width), int(height))
    except ValueError:
        cross = ""
    if not cross or not (0 < size.width <= LARGEST_SIDE and 0 < size.height <= LARGEST_SIDE):
        raise UserError(f"A sensor of {text!r} makes no sense. Give WIDTHxHEIGHT in pixels, like 640x480.")
    return size


def from_place(parts: Iterable[tuple[Packet, int]], from_us: int | None) -> Iterator[tuple[Packet, int]]:
    """Yield events, each array with the shift of its times, from the first one at or after a place on."""
    skipping = from_us is not None
    for events, shift in parts:
        if skipping:
            assert from_us is not None
            late = events["t"] >= from_us - shift
            if not late.any():
                continue
            events, skipping = events[int(np.argmax(late)) :], False
        yield events, shift


def in_packets(parts: Iterable[tuple[Packet, int]]) -> Iterator[tuple[Packet, int]]:
    """Yield the same events in arrays that own their memory and hold ``MAX_PACKET_EVENTS`` at the most."""
    for events, shift in parts:
        if events.base is None and len(events) <= MAX_PACKET_EVENTS:
            yield events, shift
            continue
        for start in range(0, len(events), MAX_PACKET_EVENTS):
            yield copy_packet(events[start : start + MAX_PACKET_EVENTS]), shift


def bin_places(times: npt.NDArray[Any], first_us: int, end_us: int, bins: int) -> npt.NDArray[np.int64]:
    """Return in which of ``bins`` equal spans times lie; as floats, as damaged times overflow 64 bits."""
    share = (times.astype(np.float64) - first_us) / (end_us - first_us)
    return np.clip(share * bins, 0, bins - 1).astype(np.int64)
