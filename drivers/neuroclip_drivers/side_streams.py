"""What a source sends beside its events: intensity frames, inertial samples, triggers, whatever there is.

Recognition needs none of it, and a recording needs all of it. So a source puts what comes into its
:class:`SideStreams`, packet by packet, and whoever records takes it out after every packet of events, in the
same thread. Nobody who takes it, nothing is kept: it is collected only while it is ``wanted``, and never more
than ``ROOM_BYTES``; what there is no room for is counted.

Rejected: frames as a kind of event packet (every reader of events would have to know of them), and call-backs
(see :mod:`neuroclip_drivers.source`).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy.typing as npt

from neuroclip_drivers.aedat4.format import StreamInfo
from neuroclip_drivers.aedat4.payloads import frame_payload, imu_payload, trigger_payload
from neuroclip_live.events import Resolution

ROOM_BYTES = 1 << 26
"""Most that waits to be taken: 700 frames of a DAVIS346."""

KINDS = {"FRME": "frames", "IMUS": "IMU samples", "TRIG": "triggers"}
"""What streams hold, by their type."""


@dataclass(frozen=True)
class SidePacket:
    """Frames, samples or triggers that came together.

    Attributes
    ----------
    stream : int
        Place in :attr:`SideStreams.streams`.
    payload : bytes
        As :mod:`neuroclip_drivers.aedat4.payloads` describes.
    count : int
        Frames, samples or triggers in it.
    start_us, end_us : int
        Time of the first and the last of them.
    """

    stream: int
    payload: bytes
    count: int
    start_us: int
    end_us: int


class SideStreams:
    """What a source sends beside its events, until it is taken.

    Parameters
    ----------
    streams : sequence of StreamInfo
        All that can come. A recording's header names them, so they are known from the beginning. Their
        numbers play no part; an empty ``source`` means the camera of the events.
    room_bytes : int
        Most that waits to be taken.
    """

    def __init__(self, streams: Sequence[StreamInfo] = (), room_bytes: int = ROOM_BYTES) -> None:
        self.streams = tuple(streams)
        self._room_bytes = room_bytes
        self._lock = threading.Lock()
        self._waiting: list[SidePacket] = []
        self._held_bytes = 0
        self._lost: Counter[int] = Counter()
        self._wanted = False

    @classmethod
    def of_sensor(
        cls, resolution: Resolution, *, frames: bool = False, imu: bool = False, triggers: bool = False
    ) -> SideStreams:
        """Return those of a camera, with dv-processing's names."""
        kinds = [("FRME", "frames", frames), ("IMUS", "imu", imu), ("TRIG", "triggers", triggers)]
        return cls(
            [
                StreamInfo(number, kind, name, "", resolution if kind == "FRME" else None)
                for number, (kind, name, there) in enumerate(kinds, 1)
                if there
            ]
        )

    @classmethod
    def of_file(cls, streams: Sequence[StreamInfo], camera: str) -> SideStreams:
        """Return those that a header names, where the events are those of ``camera``."""
        return cls(
            [replace(s, source="") if s.source == camera else s for s in streams if s.type_id != "EVTS"]
        )

    @property
    def wanted(self) -> bool:
        """Whether anybody takes what comes; otherwise making it is wasted work."""
        return self._wanted

    def want(self, wanted: bool) -> None:
        """Begin to collect, or stop and forget what was collected; any thread."""
        with self._lock:
            if wanted != self._wanted:
                self._wanted = wanted
                self._waiting, self._held_bytes = [], 0
                self._lost.clear()

    @property
    def full(self) -> bool:
        """Whether half of the room is taken; a source that can wait lets somebody take it first."""
        return self._held_bytes > self._room_bytes // 2

    def place(self, type_id: str) -> int | None:
        """Return the place of the first stream of a type; None where there is none."""
        return next((i for i, stream in enumerate(self.streams) if stream.type_id == type_id), None)

    # ---- from the thread that reads the source

    def add(self, packet: SidePacket) -> None:
        """Put in what came; it is lost, and counted, where there is no room."""
        with self._lock:
            if not self._wanted:
                return
            size = len(packet.payload)
            if self._waiting and self._held_bytes + size > self._room_bytes:
                self._lost[packet.stream] += packet.count
                return
            self._waiting.append(packet)
            self._held_bytes += size

    def add_frame(self, t_us: int, image: npt.NDArray[Any], **more: Any) -> None:
        """Put in a frame; parameters as of :func:`neuroclip_drivers.aedat4.payloads.frame_payload`."""
        if self._wanted and (stream := self.place("FRME")) is not None:
            self.add(SidePacket(stream, frame_payload(t_us, image, **more), 1, t_us, t_us))

    def add_imu(self, samples: npt.NDArray[Any]) -> None:
        """Put in inertial samples, (N,) array of ``IMU_DTYPE``."""
        self._add_rows("IMUS", samples, imu_payload)

    def add_triggers(self, triggers: npt.NDArray[Any]) -> None:
        """Put in triggers, (N,) array of ``TRIGGER_DTYPE``."""
        self._add_rows("TRIG", triggers, trigger_payload)

    def _add_rows(self, type_id: str, rows: npt.NDArray[Any], encode: Any) -> None:
        if self._wanted and len(rows) and (stream := self.place(type_id)) is not None:
            first, last = int(rows["t"][0]), int(rows["t"][-1])
            self.add(SidePacket(stream, encode(rows), len(rows), first, last))

    # ---- from whoever records, after every packet of events

    def take(self) -> tuple[list[SidePacket], Counter[int]]:
        """Return what came since it was last asked, and how much was lost of each stream, by place."""
        with self._lock:
            taken, lost = self._waiting, self._lost
            self._waiting, self._held_bytes, self._lost = [], 0, Counter()
            return taken, lost


@runtime_checkable
class HasSideStreams(Protocol):
    """A source that sends more than events."""

    def side_streams(self) -> SideStreams:
        """Return what comes beside the events; always the same object."""
        ...


def side_streams_of(source: object) -> SideStreams:
    """Return what a source sends beside its events; without any stream where it sends nothing else."""
    return source.side_streams() if isinstance(source, HasSideStreams) else SideStreams()
