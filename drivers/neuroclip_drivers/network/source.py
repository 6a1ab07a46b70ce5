"""Events from a server of dv-processing or DV (``NetworkWriter``), over TCP or a UNIX socket.

What arrives is an aedat4 header and then packets, so the checked reader of recordings serves here too.
dv-processing's own ``NetworkReader`` is not used: its constructor keeps Python's lock while it waits, so that
a server which accepts and says nothing freezes the whole program for good; it takes numbers only, no host
names; and it believes what the other side says. Here nothing waits longer than ``MAX_WAIT_S``, and no packet
is larger than ``MAX_PACKET_BYTES``.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from neuroclip_drivers.aedat4.decompression import decompress
from neuroclip_drivers.aedat4.event_packets import HELD_BYTES
from neuroclip_drivers.aedat4.flatbuffer import FormatError
from neuroclip_drivers.aedat4.format import (
    MAGIC,
    MAX_HEADER_BYTES,
    Header,
    StreamInfo,
    join_events,
    locate_events,
    parse_header,
)
from neuroclip_drivers.aedat4.payloads import UnknownFrameFormat, extent, parse_frame
from neuroclip_drivers.aedat4.streams import choose, describe_choice, named
from neuroclip_drivers.files.event_file import MAX_PACKET_EVENTS
from neuroclip_drivers.network.connect import connect, explain, notice_death, parse_address, reason, resolve
from neuroclip_drivers.network.tls import Tls, wrap
from neuroclip_drivers.side_streams import KINDS, SidePacket, SideStreams
from neuroclip_drivers.source import MAX_WAIT_S, GrayFrame, SourceState, SourceStatus
from neuroclip_live.errors import SourceAway, UserError
from neuroclip_live.events import Packet, Resolution, copy_packet, empty_packet

if TYPE_CHECKING:
    from neuroclip_drivers.opening import SourceSpec

MAX_PACKET_BYTES = 1 << 26
"""A packet that claims to be larger ends the connection."""
_RECEIVE_BYTES = 1 << 20
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 4.0
_ANSWER_S = 5.0
"""How long a server may take to accept, and to say what it sends."""


class NetworkSource:
    """A network stream as an :class:`neuroclip_drivers.source.EventSource`.

    When the server goes away the source waits and tries again, a quarter of a second later at first, then
    more and more seldom, up to every four seconds, until it is back or the source is closed.

    Parameters
    ----------
    address : str
        ``HOST:PORT``, ``[IPv6]:PORT``, or the path of a UNIX socket.
    answer_s : float
        How long the server may take to accept, and again to say what it sends.
    tls : Tls, optional
        For a server that speaks TLS; it must prove who it is.
    stream : str, optional
        Number or name of the event stream, or name of its camera, where the server sends several; by default
        the first.

    Raises
    ------
    UserError
        When the address makes no sense, there is no such stream, or TLS fails;
        :class:`~neuroclip_live.errors.SourceAway` when nobody answers, or what answers does not send events.
    """

    live = True

    def __init__(
        self,
        address: str,
        *,
        answer_s: float = _ANSWER_S,
        tls: Tls | None = None,
        stream: str | None = None,
    ) -> None:
        place = parse_address(address)
        if tls is not None and place is None:
            raise UserError(f"{address} is a socket of this machine, which needs no TLS: leave --tls out")
        self._tls = None if tls is None else tls.context()
        self._tls_name = (tls.name if tls is not None else None) or (place[0] if place else "")
        self._targets = resolve(address)
        self.name = address
        self._wanted = stream
        self._answer_s = answer_s
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._state, self._message = SourceState.STREAMING, ""
        self._position_us: int | None = None
        self._frame: GrayFrame | None = None
        self._socket: socket.socket | None = None
        self._received = bytearray()
        dial = self._dial()
        try:
            while True:
                next(dial)
        except StopIteration as stop:
            header: Header = stop.value
        except ssl.SSLError as error:  # certificates mend themselves no more than addresses do
            raise UserError(explain(address, error)) from None
        except (OSError, FormatError) as error:
            raise SourceAway(explain(address, error), address) from None
        events = self._events_of(header)
        assert events.resolution is not None
        self._side = SideStreams.of_file(header.streams, events.source)
        self._use(header)
        self.camera = events.source
        self.resolution: Resolution = events.resolution

    def packets(self) -> Iterator[Packet]:
        """Yield packets as they arrive, empty ones while there is nothing."""
        buffer = memoryview(bytearray(_RECEIVE_BYTES))
        while not self._closed.is_set():
            connection = self._socket
            if connection is None:
                yield from self._reconnect()
                continue
            try:
                packet = self._take()  # some may have come together with the header
                if not len(packet):
                    self._receive(connection, buffer)
                    packet = self._take()
            except (OSError, FormatError) as error:
                self._lose(error)
                packet = empty_packet()
            if len(packet):
                self._position_us = int(packet["t"][-1])
            if len(packet) > MAX_PACKET_EVENTS:
                for start in range(0, len(packet), MAX_PACKET_EVENTS):
                    yield copy_packet(packet[start : start + MAX_PACKET_EVENTS])
            else:
                yield packet

    def status(self) -> SourceStatus:
        """Return STREAMING, or WAITING with the reason while the server is away."""
        with self._lock:
            if self._closed.is_set():
                return SourceStatus(SourceState.ENDED)
            return SourceStatus(self._state, self._message, self._position_us)

    def side_streams(self) -> SideStreams:
        """Return what the server sends beside events."""
        return self._side

    def latest_frame(self) -> GrayFrame | None:
        """Return the newest intensity frame, where the server sends them too."""
        return self._frame

    def close(self) -> None:
        """Close the connection; idempotent."""
        self._closed.set()
        self._drop()

    def _events_of(self, header: Header) -> StreamInfo:
        """Return the event stream that is read; raises FormatError, or UserError where none is called so."""
        streams = _event_streams(header)
        if not streams:
            raise FormatError("it sends no events")
        return choose(self.name, streams, streams, self._wanted)

    def _use(self, header: Header) -> None:
        events, frames = self._events_of(header), header.first("FRME")
        self._compression = header.compression
        self._events_stream = events.number
        self._frames_stream = frames.number if frames else None
        # a server that came back may number them otherwise
        self._side_places = {
            stream.number: place
            for stream in header.streams
            for place, known in enumerate(self._side.streams)
            if (stream.type_id, stream.name) == (known.type_id, known.name)
        }
        new = [s for s in header.streams if s.type_id != "EVTS" and s.number not in self._side_places]
        streams = _event_streams(header)
        notes = [describe_choice(streams, streams, events)]
        if new:
            notes.append(f"it now also sends {', '.join(map(named, new))}: open it again to have that")
        message = "; ".join(note for note in notes if note)
        with self._lock:
            self._state, self._message = SourceState.STREAMING, message

    def _drop(self) -> None:
        with self._lock:
            connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()

    def _lose(self, error: Exception) -> None:
        self._drop()
        self._received.clear()  # a packet that was cut off will not be completed
        if not self._closed.is_set():
            with self._lock:
                self._state = SourceState.WAITING
                self._message = f"{self.name} is away ({reason(error)}); trying again"

    def _reconnect(self) -> Iterator[Packet]:
        wait_s = _FIRST_WAIT_S
        while not self._closed.is_set():
            until = time.monotonic() + wait_s
            while (left := until - time.monotonic()) > 0 and not self._closed.wait(min(left, MAX_WAIT_S)):
                yield empty_packet()
            if self._closed.is_set():
                return
            dial = self._dial()
            try:
                while True:
                    next(dial)
                    yield empty_packet()
            except StopIteration as stop:
                if self._closed.is_set():
                    return
                stream = self._events_of(stop.value)
                if stream.resolution == self.resolution:
                    self._use(stop.value)
                    return
                self._lose(FormatError(f"it now sends {stream.resolution}, before it was {self.resolution}"))
            except (OSError, FormatError, UserError) as error:
                self._lose(error)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def _dial(self) -> Generator[None, None, Header]:
        """Connect and read the header; yields every ``MAX_WAIT_S``, raises OSError or FormatError."""
        failure: OSError = ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        for family, target in self._targets:
            connection = socket.socket(family, socket.SOCK_STREAM)
            connection.setblocking(False)
            try:
                yield from connect(connection, target, self._answer_s)
                notice_death(connection)
                if self._tls is not None:
                    connection = yield from wrap(connection, self._tls, self._tls_name, self._answer_s)
                connection.settimeout(MAX_WAIT_S)
                header = yield from self._greet(connection)
            except OSError as error:
                failure = error
                connection.close()
                continue
            except BaseException:
                connection.close()
                raise
            with self._lock:
                self._socket = connection
            if self._closed.is_set():
                self._drop()
            return header
        raise failure

    def _greet(self, connection: socket.socket) -> Generator[None, None, Header]:
        data = bytearray()
        until = time.monotonic() + self._answer_s
        as_tls = "" if self._tls is not None else ", as a server of TLS does (see --tls-cert)"
        while time.monotonic() < until and not self._closed.is_set():
            try:
                part = connection.recv(65536)
            except TimeoutError:
                yield
                continue
            if not part:
                raise FormatError(
                    f"it closed the connection without sending anything of use{'' if data else as_tls}"
                )
            data += part
            # A server leaves out the first line that a file has.
            whole = bytes(data) if data[: len(MAGIC)] == MAGIC else MAGIC + bytes(data)
            if len(whole) < len(MAGIC) + 8:
                continue
            size = struct.unpack_from("<I", whole, len(MAGIC))[0]
            if size > MAX_HEADER_BYTES or (len(whole) >= len(MAGIC) + 12 and whole[22:26] != b"IOHE"):
                raise FormatError("what it sends is not an event stream")
            if len(whole) < len(MAGIC) + 4 + size:
                continue
            header = parse_header(whole)
            self._events_of(header)  # raises where there is none
            self._received = bytearray(whole[header.end :])
            return header
        raise FormatError(f"it accepts connections but says nothing{as_tls}")

    def _receive(self, connection: socket.socket, buffer: memoryview) -> None:
        try:
            count = connection.recv_into(buffer)
        except TimeoutError:
            return
        if not count:
            raise ConnectionError("the server closed the connection")
        self._received += buffer[:count]

    def _take(self) -> Packet:
        """Take whole packets out of what was received and return their events; all, unless bloated."""
        places: list[tuple[bytes, int, int]] = []
        position = held = 0
        while position + 8 <= len(self._received) and held < HELD_BYTES:
            stream, size = struct.unpack_from("<ii", self._received, position)
            if not 0 < size <= MAX_PACKET_BYTES:
                raise FormatError("it sent a packet whose size makes no sense")
            if position + 8 + size > len(self._received):
                break
            body = bytes(self._received[position + 8 : position + 8 + size])
            position += 8 + size
            if stream == self._events_stream:
                data = decompress(body, self._compression)
                places.append((data, *locate_events(data)))
                held += len(data)
            elif stream in self._side_places and (stream == self._frames_stream or self._side.wanted):
                data = decompress(body, self._compression)
                self._take_beside(stream, data)
                held += len(data)
        del self._received[:position]
        return join_events(places) if places else empty_packet()

    def _take_beside(self, stream: int, payload: bytes) -> None:
        """Take a packet that is not of events; raises FormatError when it is not what its stream holds."""
        place = self._side_places[stream]
        kind = self._side.streams[place].type_id
        if stream == self._frames_stream:
            try:
                self._frame = parse_frame(payload)
            except UnknownFrameFormat as error:  # recorded all the same
                with self._lock:
                    self._message = f"{error} cannot be shown"
        count, start_us, end_us = extent(payload, kind) if kind in KINDS else (1, 0, 0)
        self._side.add(SidePacket(place, payload, count, start_us, end_us))


def _event_streams(header: Header) -> list[StreamInfo]:
    return [s for s in header.streams if s.type_id == "EVTS" and s.resolution is not None]


def open_network(spec: SourceSpec) -> NetworkSource:
    """Connect to the address that ``spec`` gives."""
    if not spec.target:
        raise UserError("No address was given. Give HOST:PORT or the path of a UNIX socket.")
    return NetworkSource(spec.target, tls=spec.tls, stream=spec.stream)
