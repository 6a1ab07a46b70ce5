"""Events into an ``.aedat4`` file that dv-processing, DV and this project open.

dv-processing has no way to take events from an array (its writer wants an ``EventStore``, filled one event at
a time at 1.1 million a second, and writes the whole store when given a slice of it). An event packet is 32
fixed bytes and the array as it lies in memory, so it is written here directly, at the speed of the
compression.

A recording must survive whatever stops it. Until :meth:`Aedat4Writer.close` the header says that there is no
index; readers then walk the packets, and a file that ends in the middle of one loses no more than that one.
Rejected: writing to another name and renaming on close, which leaves an odd file behind after a crash.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.format import (
    INDEX_POSITION_AT,
    Compression,
    StreamInfo,
    header_of,
    sensor_streams,
)
from neuroclip_drivers.aedat4.index import INDEX_DTYPE, index_payload
from neuroclip_drivers.aedat4.packing import compress, event_body, event_payload, plain_rows
from neuroclip_drivers.aedat4.payloads import frame_payload
from neuroclip_drivers.portable_io import write_at
from neuroclip_drivers.source import GrayFrame
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution

_PACKET_EVENTS = 1 << 15
_PACKET_US = 10_000
_EVENTS_STREAM = 0
_STEP_BACK_US = 1_000
"""Cameras' time stamps jitter by less. Where it steps back further a packet ends: it holds no two clocks."""


@dataclass(frozen=True)
class Written:
    """What a file holds.

    ``checksum`` is the CRC-32 of all events as they lie in memory, with the padding of
    :data:`neuroclip_live.events.EVENT_DTYPE` zero; :func:`checksum` makes the same of any packets.
    ``side`` is how much each other stream holds, by its number; ``side_checksum`` is the CRC-32 of their
    payloads.
    """

    path: Path
    events: int
    packets: int
    bytes: int
    checksum: int
    side: Mapping[int, int]
    side_checksum: int


class Aedat4Writer:
    """Writes packets as they come.

    Parameters
    ----------
    path : path-like
        File to make; one that is there is replaced.
    resolution : Resolution
    name : str
        The camera's name, as readers will show it.
    frames : bool
        Also make a stream of intensity frames, for :meth:`write_frame`.
    compression : Compression
    replace : bool
        False: a file that is there is left alone, and it is an error.
    streams : sequence of StreamInfo, optional
        All streams, instead of one of events and one of frames. :meth:`write` fills number 0.

    Raises
    ------
    UserError
        When the file cannot be made, and from every method when it cannot be written (a full disk). The file
        then ends with its last whole packet; :meth:`close` finishes it with what room there is.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        resolution: Resolution,
        name: str = "neuroclip-live",
        *,
        frames: bool = False,
        compression: Compression = Compression.LZ4,
        replace: bool = True,
        streams: Sequence[StreamInfo] | None = None,
    ) -> None:
        self.path = Path(path)
        self.compression = compression
        self._pending: list[npt.NDArray[np.uint8]] = []
        self._pending_events = 0
        self._pending_from_us = self._pending_to_us = 0
        self._rows = array("q")  # six numbers a packet: an hour of tuples would be 80 MB
        self._broken = False
        self._events = self._checksum = self._side_checksum = 0
        self._side: Counter[int] = Counter()
        self._result: Written | None = None
        if streams is None:
            streams = sensor_streams(name, Resolution(*resolution), frames=frames)
        self._frames_stream = next((s.number for s in streams if s.type_id == "FRME"), None)
        try:
            self._file = self.path.open("wb" if replace else "xb", buffering=0)
        except FileExistsError:
            raise UserError(f"{self.path} exists already. Choose another name.") from None
        except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
            reason = getattr(error, "strerror", None) or str(error)
            raise UserError(f"Cannot write {self.path}: {reason}. Choose another place.") from None
        self._position = 0
        try:
            self._append(header_of(streams, compression))
        except UserError:
            self._file.close()
            raise

    @property
    def events(self) -> int:
        """Events in the file so far; those still being collected for a packet are not among them."""
        return self._events

    @property
    def side(self) -> Mapping[int, int]:
        """How much every other stream holds so far, by its number."""
        return dict(self._side)

    @property
    def size(self) -> int:
        """Length of the file so far."""
        return self._position

    def packet_places(self, begin: int = 0) -> npt.NDArray[np.int64]:
        """Return the packets in the file from number ``begin`` on.

        Returns
        -------
        (N, 6) int64
            Position of the body, stream, size of the body, count, first and last time in microseconds.
        """
        return np.array(self._rows[6 * begin :], dtype=np.int64).reshape(-1, 6)

    def write(self, packet: Packet) -> None:
        """Add events; they reach the file when 10 ms or 32,768 of them are together, or on :meth:`flush`."""
        if packet.dtype != EVENT_DTYPE or packet.ndim != 1:
            raise ValueError(f"a packet is a one-dimensional array of {EVENT_DTYPE}, not {packet.dtype}")
        for start in range(0, len(packet), _PACKET_EVENTS):
            self._collect(packet[start : start + _PACKET_EVENTS])

    def _collect(self, packet: Packet) -> None:
        raw = plain_rows(packet)
        first, last = int(packet["t"][0]), int(packet["t"][-1])
        if self._pending and first < self._pending_to_us - _STEP_BACK_US:
            self._write_pending()
        if not self._pending:
            self._pending_from_us = first
        self._pending_to_us = last
        self._pending.append(raw)
        self._pending_events += len(packet)
        if self._pending_events >= _PACKET_EVENTS or last - self._pending_from_us >= _PACKET_US:
            self._write_pending()

    def _write_pending(self) -> None:
        if not self._pending:
            return
        raw = self._pending[0] if len(self._pending) == 1 else np.concatenate(self._pending)
        self._pending, self._pending_events = [], 0
        count = len(raw)
        times = raw.reshape(-1).view("<i8")[::2]
        body = raw.tobytes()
        self._packet(_EVENTS_STREAM, event_payload(body, count), count, int(times[0]), int(times[-1]))
        self._events += count
        self._checksum = zlib.crc32(body, self._checksum)

    def write_frame(self, frame: GrayFrame) -> None:
        """Add an intensity frame."""
        if self._frames_stream is None:
            raise ValueError("this file was opened without a stream of frames")
        payload = frame_payload(frame.t_us, frame.image)
        self.write_payload(self._frames_stream, payload, 1, frame.t_us, frame.t_us)

    def write_payload(self, stream: int, payload: bytes, count: int, start_us: int, end_us: int) -> None:
        """Add a packet of another stream than that of the events, as it is before compression."""
        self._packet(stream, payload, count, start_us, end_us)
        self._side[stream] += count
        self._side_checksum = zlib.crc32(payload, self._side_checksum)

    def write_body(self, stream: int, body: bytes, count: int, start_us: int, end_us: int) -> None:
        """Add a packet that is compressed already, as it lies in another file of the same compression."""
        self._append(struct.pack("<ii", stream, len(body)) + body)
        self._rows.extend((self._position - len(body), stream, len(body), count, start_us, end_us))

    def write_events(self, stream: int, packet: Packet) -> None:
        """Add events to a stream of one's own choice as one packet."""
        body = event_body(packet, self.compression)
        self.write_body(stream, body, len(packet), int(packet["t"][0]), int(packet["t"][-1]))

    def flush(self) -> None:
        """Bring everything so far onto the disk."""
        self._write_pending()
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failed(error) from None

    def close(self) -> Written:
        """Finish the file with its index; idempotent.

        After a failure, told by an exception once, it returns what the file holds; without an index where
        there was no room for one.
        """
        if self._result is not None:
            return self._result
        told, failure = self._broken, None
        try:
            if not told:
                self._write_pending()
        except UserError as error:
            failure = error
        try:
            self._finish()
        except UserError as error:
            failure = failure or (None if told else error)
        finally:
            self._file.close()
        packets = len(self._rows) // 6
        self._result = Written(
            self.path,
            self._events,
            packets,
            self._position,
            self._checksum,
            dict(self._side),
            self._side_checksum,
        )
        if failure is not None:
            raise failure
        return self._result

    def _finish(self) -> None:
        rows = np.zeros(len(self._rows) // 6, dtype=INDEX_DTYPE)
        for column, field in enumerate(("offset", "stream", "size", "count", "start", "end")):
            rows[field] = self.packet_places()[:, column]
        size = self._position
        self._append(compress(index_payload(rows), self.compression))
        try:
            write_at(self._file.fileno(), struct.pack("<q", size), INDEX_POSITION_AT)
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failed(error) from None

    def __enter__(self) -> Aedat4Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _packet(self, stream: int, data: bytes, count: int, start_us: int, end_us: int) -> None:
        body = compress(data, self.compression)
        place = self._position + 8
        self._append(struct.pack("<ii", stream, len(body)) + body)
        self._rows.extend((place, stream, len(body), count, start_us, end_us))

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            # half a packet helps nobody, and the room it takes may be what the index needs
            with contextlib.suppress(OSError):
                os.ftruncate(self._file.fileno(), self._position)
                os.lseek(self._file.fileno(), self._position, os.SEEK_SET)
            raise self._failed(error) from None
        self._position += len(data)

    def _failed(self, error: OSError) -> UserError:
        self._broken = True
        return UserError(
            f"Writing {self.path} failed: {error.strerror}. What was written before can be played."
        )
