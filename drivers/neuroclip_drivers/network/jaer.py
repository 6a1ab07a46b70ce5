"""Events from jAER over UDP: what its AEUnicast output sends as it is set at first.

A datagram is a sequence number and then an address and a time in microseconds for each event, all of them
32 bits, the highest byte first (jAER's ``AEUnicastOutput``). Nothing in it tells which camera it is of, and
what the bits of an address mean depends on that: so the size is asked for. jAER has other settings for other
machines (two bytes, times first, SpiNNaker); these are not read.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.files.event_file import parse_sensor
from neuroclip_drivers.files.jaer_addresses import DAVIS, DVS128, decode
from neuroclip_drivers.network.listening import DEFAULT_HOST, Address, listen_datagrams, parse_listening
from neuroclip_drivers.opening import SourceSpec
from neuroclip_drivers.source import MAX_WAIT_S, GrayFrame, SourceState, SourceStatus
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, empty_packet

PORT = 8991
"""jAER's own."""
_LARGEST = 65_536
_AT_ONCE = 256
"""Datagrams that become one packet, where so many wait."""
_BUFFER_BYTES = 1 << 22
_RANGE = 1 << 32
_RESTART = 1 << 20
"""A sequence number so much smaller is that of a jAER that began anew."""


class JaerSource:
    """jAER's datagrams as an :class:`neuroclip_drivers.source.EventSource`.

    Parameters
    ----------
    address : Address
        Where to take datagrams.
    resolution : Resolution
        Of the camera: 128x128 is a DVS128, the sizes of DAVIS cameras are theirs.

    Raises
    ------
    UserError
        When datagrams cannot be taken there.
    """

    live = True

    def __init__(self, address: Address, resolution: Resolution) -> None:
        self.resolution = resolution
        self._davis = resolution != DVS128
        self._socket, self.address = listen_datagrams(address)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        self._socket.setblocking(False)
        self.name = f"jAER at {self.address.called}"
        self._closed = threading.Event()
        self._reading = False
        self._number: int | None = None
        self._position_us: int | None = None
        self._base_us = 0
        self._last_us: int | None = None
        self.lost = self.nonsense = 0

    def packets(self) -> Iterator[Packet]:
        """Yield packets as they arrive, empty ones while there is nothing."""
        self._reading = True
        buffer = bytearray(_LARGEST)
        with self._socket, selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            while not self._closed.is_set():
                selector.select(MAX_WAIT_S)
                packet = self._take(buffer)
                if len(packet):
                    self._position_us = int(packet["t"][-1])
                yield packet

    def status(self) -> SourceStatus:
        """Return WAITING until something came, then STREAMING, with what was lost on the way."""
        if self._closed.is_set():
            return SourceStatus(SourceState.ENDED, self._told(f"{self.lost:,}"), lost=bool(self.lost))
        if self._position_us is None:
            other = f" {self.nonsense:,} datagrams came that are not its." if self.nonsense else ""
            return SourceStatus(
                SourceState.WAITING,
                f"Waiting for {self.name}: enable unicast output (UDP) there, in File > Remote.{other}",
            )
        # in powers of ten: what changes is told anew each time
        some = "a few" if self.lost < 10 else f"more than {10 ** (len(str(self.lost)) - 1) - 1:,}"
        return SourceStatus(SourceState.STREAMING, self._told(some), self._position_us, lost=bool(self.lost))

    def _told(self, many: str) -> str:
        return f"{many} datagrams of {self.name} were lost on the way" if self.lost else ""

    def latest_frame(self) -> GrayFrame | None:
        """Return None: frames are not sent as such."""
        return None

    def close(self) -> None:
        """Take no more; idempotent."""
        self._closed.set()
        if not self._reading:  # else whoever reads closes it
            self._socket.close()

    def _take(self, buffer: bytearray) -> Packet:
        parts: list[npt.NDArray[np.uint32]] = []
        for _ in range(_AT_ONCE):
            try:
                size = self._socket.recv_into(buffer)
            except (BlockingIOError, ConnectionError):
                break
            words = np.frombuffer(buffer, dtype=">u4", count=size // 4).astype(np.uint32)
            if size % 4 or not size:
                self.nonsense += 1
                continue
            if len(words) % 2:  # with a sequence number, as jAER does where it is not told otherwise
                self._count(int(words[0]))
                words = words[1:]
            parts.append(words.reshape(-1, 2))
        if not parts:
            return empty_packet()
        return self._events(np.concatenate(parts))

    def _count(self, number: int) -> None:
        before, self._number = self._number, number
        if before is not None and 0 < number - before < _RESTART:
            self.lost += number - before - 1

    def _events(self, words: npt.NDArray[np.uint32]) -> Packet:
        x, y, polarity, keep = decode(words[:, 0], self.resolution, davis=self._davis)
        keep &= (x < self.resolution.width) & (y < self.resolution.height)
        packet = np.zeros(int(keep.sum()), dtype=EVENT_DTYPE)
        if len(packet):
            packet["t"] = self._unwrapped(words[:, 1].astype(np.int64)[keep])
            for field, values in (("x", x), ("y", y), ("p", polarity)):
                packet[field] = values[keep]
        return packet

    def _unwrapped(self, times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return times that go on where 32 bits begin anew; a clock that is reset is left as it is."""
        before = times[0] if self._last_us is None else self._last_us
        self._last_us = int(times[-1])
        begun = np.cumsum(np.diff(times, prepend=before) < -(_RANGE // 2))
        given = times + self._base_us + begun * _RANGE
        self._base_us += int(begun[-1]) * _RANGE
        return given


def open_jaer(spec: SourceSpec) -> JaerSource:
    """Take jAER's datagrams where ``spec`` says, of a camera of the size that it says.

    Raises
    ------
    UserError
        When it makes no sense, or is no size of a camera whose addresses are known.
    """
    place, _, size = (spec.target or "").rpartition("/")
    sizes = {DVS128, *DAVIS.values()}
    listed = ", ".join(f"{w}x{h}" for w, h in sorted(sizes))
    if not size:
        raise UserError(f"jaer needs the camera's size: write --source jaer:346x260, one of {listed}")
    resolution = parse_sensor(size)
    if resolution not in sizes:
        raise UserError(f"no camera of jAER's that is known here is {size}: write one of {listed}")
    return JaerSource(parse_listening(place) if place else Address(DEFAULT_HOST, PORT), resolution)
