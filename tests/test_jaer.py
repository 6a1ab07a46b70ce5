"""jAER's stream of datagrams, from a stand-in that writes what jAER's AEUnicastOutput does."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator

import numpy as np
import pytest
from event_files import DAVIS, DVS128, Table, scene
from making import join
from serving import LONG_S

from neuroclip_drivers import SourceSpec, open_source
from neuroclip_drivers.network.jaer import JaerSource, open_jaer
from neuroclip_drivers.network.listening import Address
from neuroclip_drivers.source import EventSource, SourceState
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution

HERE = Address("127.0.0.1", 0)


class Jaer:
    """Sends as jAER does: a sequence number, then address and time of each event, big-endian."""

    def __init__(self, source: JaerSource, size: Resolution) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", source.address.port))
        self._size, self.number = size, 0

    def addresses(self, events: Table) -> np.ndarray:
        x, y, _, p = events.T
        if self._size == DVS128:
            return (127 - x) << 1 | (127 - y) << 8 | (1 - p)
        return (self._size.width - 1 - x) << 12 | (self._size.height - 1 - y) << 22 | p << 11

    def send(self, events: Table, *, numbered: bool = True, each: int = 180) -> None:
        words = np.stack([self.addresses(events), events[:, 2] & 0xFFFFFFFF], axis=1).astype(">u4")
        for begin in range(0, len(words), each):
            self.number += 1
            head = struct.pack(">i", self.number) if numbered else b""
            self.send_bytes(head + words[begin : begin + each].tobytes())

    def send_bytes(self, data: bytes) -> None:
        self._socket.send(data)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=[DAVIS, DVS128], ids=["davis346", "dvs128"])
def size(request: pytest.FixtureRequest) -> Resolution:
    return Resolution(*request.param)


@pytest.fixture
def source(size: Resolution) -> Iterator[JaerSource]:
    source = JaerSource(HERE, size)
    yield source
    source.close()


@pytest.fixture
def jaer(source: JaerSource, size: Resolution) -> Iterator[Jaer]:
    jaer = Jaer(source, size)
    yield jaer
    jaer.close()


def take(packets: Iterator[Packet], count: int) -> Packet:
    parts: list[Packet] = []
    until = time.monotonic() + LONG_S
    while sum(map(len, parts)) < count:
        parts.append(next(packets))
        assert time.monotonic() < until
    return join(parts)


def table(packet: Packet) -> Table:
    return np.stack([packet[field].astype(np.int64) for field in ("x", "y", "t", "p")], axis=1)


@pytest.mark.parametrize("numbered", [True, False])
def test_every_event_comes_as_it_was_sent(
    source: JaerSource, jaer: Jaer, size: Resolution, numbered: bool
) -> None:
    assert isinstance(source, EventSource)
    events = scene(size, count=4000)
    packets = source.packets()
    assert len(next(packets)) == 0
    given = []
    for begin in range(0, len(events), 400):  # no more than the system keeps
        jaer.send(events[begin : begin + 400], numbered=numbered)
        given.append(take(packets, len(events[begin : begin + 400])))
    assert np.array_equal(table(join(given)), events)
    status = source.status()
    assert (status.state, status.message, status.lost) == (SourceState.STREAMING, "", False)
    assert status.position_us == events[-1, 2]
    source.close()
    assert all(len(packet) == 0 for packet in packets)
    assert source.status().state is SourceState.ENDED


def test_it_waits_and_says_what_to_do_in_jaer(source: JaerSource) -> None:
    status = source.status()
    assert status.state is SourceState.WAITING
    assert f"jAER at 127.0.0.1:{source.address.port}" in status.message
    assert "enable unicast output" in status.message
    assert not status.lost


def test_what_is_lost_on_the_way_is_told(source: JaerSource, jaer: Jaer, size: Resolution) -> None:
    packets, events = source.packets(), scene(size, count=400)
    jaer.send(events[:10])
    take(packets, 10)
    jaer.number += 7
    jaer.send(events[10:20])
    take(packets, 10)
    status = source.status()
    assert status.lost
    assert status.message.startswith("a few datagrams of jAER at")
    jaer.number = 0  # jAER was started anew: nothing was lost by that
    jaer.send(events[20:30])
    take(packets, 10)
    assert source.lost == 7
    jaer.number = 5000
    jaer.send(events[30:40])
    take(packets, 10)
    assert source.status().message.startswith("more than 999 datagrams of jAER at")
    source.close()
    assert source.status().message.startswith("5,006 datagrams of jAER at")


def test_what_is_no_event_is_left_out(source: JaerSource, jaer: Jaer, size: Resolution) -> None:
    packets, events = source.packets(), scene(size, count=400)[:5]
    addresses = jaer.addresses(events).astype(np.int64)
    other = [0x8000_0000, 0x400, 0x3FF << 12 | 0x1FF << 22] if size == DAVIS else [0x8000, 0xFFFF_FFFF]
    words = [(int(a), int(t)) for a, t in zip(addresses, events[:, 2], strict=True)]
    words[2:2] = [(address, 7) for address in other]
    jaer.send_bytes(struct.pack(">i", 1) + b"".join(struct.pack(">II", *word) for word in words))
    assert np.array_equal(table(take(packets, 5)), events)


def test_nonsense_costs_nothing_and_is_said(source: JaerSource, jaer: Jaer, size: Resolution) -> None:
    packets = source.packets()
    for data in (b"", b"x", b"GET / HTTP/1.1", b"123"):
        jaer.send_bytes(data)
    for _ in range(3):
        assert len(next(packets)) == 0
    assert "4 datagrams came that are not its" in source.status().message
    events = scene(size, count=400)[:5]
    jaer.send(events)
    assert np.array_equal(table(take(packets, 5)), events)


def test_the_clock_of_32_bits_goes_on_and_one_that_is_reset_does_not(
    source: JaerSource, jaer: Jaer, size: Resolution
) -> None:
    packets, events = source.packets(), scene(size, count=400)[:6]
    events[:, 2] = [2**31 - 1, 2**31 + 5, 2**32 - 10, 2**32 + 3, 2**32 + 7, 2**32 + 9]
    jaer.send(events, each=2)
    assert list(take(packets, 6)["t"]) == list(events[:, 2])
    events[:, 2] = [500, 600, 700, 800, 900, 1000]  # less than half of the range back
    source._base_us, source._last_us = 0, 10_000_000
    jaer.send(events)
    assert list(take(packets, 6)["t"]) == list(events[:, 2])


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (None, "write --source jaer:346x260, one of 128x128"),
        ("8991", "A sensor of '8991' makes no sense"),
        ("8991/", "needs the camera's size"),
        ("100x100", "no camera of jAER's that is known here is 100x100"),
        ("nonsense/346x260", "give a port"),
    ],
)
def test_what_makes_no_sense(target: str | None, words: str) -> None:
    with pytest.raises(UserError, match=words):
        open_jaer(SourceSpec("jaer", target))


def test_a_port_that_is_taken_is_one_line(source: JaerSource) -> None:
    with pytest.raises(UserError, match="cannot listen on 127"):
        open_source(SourceSpec("jaer", f"{source.address.port}/346x260"))
    source.close()  # nobody reads: the port is free again
    again = open_source(SourceSpec("jaer", f"{source.address.port}/346x260"))
    assert again.resolution == Resolution(346, 260)
    again.close()
