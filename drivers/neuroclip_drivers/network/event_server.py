"""Gives events to whoever connects, as dv-processing's ``NetworkWriter`` does: an aedat4 header, packets.

Its readers are ``--connect`` of another neuroclip-live, dv-processing's ``NetworkReader`` and DV. Whoever
gives events (the capture thread) puts a packet into a queue and goes on; a thread of the server's own
compresses it once, however many read, and hands it to sockets that never wait. A reader that is too slow
loses its oldest packets, which are counted; others lose nothing by it.

dv-processing's own writer is not used: it takes an ``EventStore``, filled one event at a time, and what does
not fit into its queue is dropped without a word.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from neuroclip_drivers.aedat4.format import MAGIC, Compression, header_of, sensor_streams
from neuroclip_drivers.aedat4.packing import event_body
from neuroclip_drivers.network.connect import notice_death
from neuroclip_drivers.network.event_reader import READER_BYTES, Gone, Reader, wire_packet
from neuroclip_live.events import Packet, Resolution

log = logging.getLogger(__name__)

MAX_READERS = 64
QUEUE_EVENTS = 1 << 21
"""Events that may wait to be compressed: 32 MiB, taken only while they wait."""
PACKET_EVENTS = 1 << 15
_LOOK_S = 0.5
_BUSY_S = 0.05

Listener = Callable[[Packet], None]
"""Gets packets, which must not change afterwards; returns at once."""


@dataclass(frozen=True)
class Given:
    """What a server has given so far.

    Attributes
    ----------
    readers : int
        Connected now.
    events : int
        That were to be given while anybody read.
    lost : int
        Events that a reader did not get, each counted for every reader that missed it.
    """

    readers: int
    events: int
    lost: int


class EventServer:
    """Serves one stream of events at a time, from a thread of its own.

    Parameters
    ----------
    listener : socket.socket
        Listens already; closed with the server.
    context : ssl.SSLContext, optional
        For TLS; it decides which readers are believed.
    compression : Compression
        Of what goes over the wire.
    reader_bytes : int
        Most bytes kept for a reader that is behind.
    """

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext | None = None,
        compression: Compression = Compression.LZ4,
        reader_bytes: int = READER_BYTES,
    ) -> None:
        self._listener, self._context, self._compression = listener, context, compression
        self._reader_bytes = reader_bytes
        self._lock = threading.Lock()
        self._queue: deque[Packet] = deque()
        self._queued = self._events = self._lost = 0
        self._header = b""
        self._resolution: Resolution | None = None
        self._turn = 0  # of sources: what an earlier one still gives is not of this stream
        self._readers: set[Reader] = set()
        self._reading = self._closing = self._woken = False
        self._flush_until = 0.0
        self._alarm, self._bell = socket.socketpair()
        for end in (listener, self._alarm, self._bell):
            end.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="event server", daemon=True)
        self._thread.start()

    # ---- from any thread; nothing here waits

    def begin(self, resolution: Resolution | None, name: str) -> Listener:
        """Give another source's events from now on; return what gets them.

        Readers stay where the size is the same, else they are let go, and get the new one when they are back:
        a size is told once, at the beginning. None: there is no source yet, and nobody to be served.
        """
        with self._lock:
            self._turn += 1
            turn = self._turn
            if resolution != self._resolution:
                self._lost += self._queued * len(self._readers)
                self._queue.clear()
                self._queued = 0
            self._resolution = resolution
            if resolution is not None:
                self._header = header_of(sensor_streams(name, resolution), self._compression)[len(MAGIC) :]
        self._wake()
        return lambda packet: self._give(turn, packet)

    def status(self) -> Given:
        """Return what was given so far."""
        with self._lock:
            lost = self._lost + sum(reader.lost for reader in self._readers)
            return Given(sum(reader.ready for reader in self._readers), self._events, lost)

    def close(self, timeout_s: float = 2.0) -> bool:
        """Give readers what waits for them, for half of the time at most, and end; return whether it did."""
        with self._lock:
            self._flush_until, self._closing = time.monotonic() + timeout_s / 2, True
        self._wake()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _give(self, turn: int, packet: Packet) -> None:
        count = len(packet)
        if not self._reading or not count:
            return
        with self._lock:
            if turn != self._turn or self._closing:
                return
            self._events += count
            if self._queued and self._queued + count > QUEUE_EVENTS:
                self._lost += count * len(self._readers)
                return
            self._queue.append(packet)
            self._queued += count
        self._wake()

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            with contextlib.suppress(OSError):  # full: it is awake. Closed: it has ended
                self._bell.send(b"\0")

    # ---- the server's own thread

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            self._selector = selector
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._alarm, selectors.EVENT_READ)
            try:
                while not self._is_over():
                    for key, _ in selector.select(_LOOK_S):
                        if key.fileobj is self._listener:
                            self._accept()
                        elif key.fileobj is self._alarm:
                            with contextlib.suppress(OSError):
                                self._alarm.recv(4096)
                        else:
                            self._serve(key.data)
                    self._work()
            except Exception:
                log.exception("the server of events ended")
            for reader in list(self._readers):
                self._let_go(reader)
        for end in (self._listener, self._alarm, self._bell):
            end.close()

    def _is_over(self) -> bool:
        if not self._closing:
            return False
        waiting = self._queue or any(reader.waiting for reader in self._readers)
        return not waiting or time.monotonic() > self._flush_until

    def _work(self) -> None:
        """Hand over what is new, and look after those who are slow to begin."""
        self._woken = False  # before the queue is looked at: what comes from now on wakes it again
        with self._lock:
            packets = list(self._queue)
            self._queue.clear()
            self._queued = 0
            resolution = self._resolution
        for reader in [reader for reader in self._readers if reader.resolution != resolution]:
            self._let_go(reader)
        for packet in packets:
            for start in range(0, len(packet), PACKET_EVENTS):
                piece = packet[start : start + PACKET_EVENTS]
                data = wire_packet(event_body(piece, self._compression))
                for reader in list(self._readers):
                    reader.offer(data, len(piece))
                    if reader.crowded:  # what came at once must not push itself out
                        self._serve(reader)
        now = time.monotonic()
        for reader in list(self._readers):
            if reader.late(now):
                self._let_go(reader)
            else:
                self._serve(reader)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:  # no more files can be opened: others may be closed
            log.warning("nobody can connect: %s", error)
            time.sleep(_BUSY_S)
            return
        with self._lock:
            resolution, header = self._resolution, self._header
        if resolution is None or self._closing or len(self._readers) >= MAX_READERS:
            connection.close()
            return
        try:
            notice_death(connection)
            reader = Reader(connection, self._context, header, resolution, self._reader_bytes)
        except OSError:
            connection.close()
            return
        self._selector.register(reader.socket, selectors.EVENT_READ, reader)
        with self._lock:
            self._readers.add(reader)
            self._reading = True
        self._serve(reader)

    def _serve(self, reader: Reader) -> None:
        """Send a reader what it has room for, and be told when it has room again."""
        if reader not in self._readers:
            return
        try:
            reader.go_on()
        except Gone as why:
            log.info("a reader of events is gone: %s", why)
            self._let_go(reader)
            return
        self._selector.modify(reader.socket, reader.interest, reader)

    def _let_go(self, reader: Reader) -> None:
        self._selector.unregister(reader.socket)
        reader.socket.close()
        with self._lock:
            self._readers.discard(reader)
            self._lost += reader.lost
            self._reading = bool(self._readers)
