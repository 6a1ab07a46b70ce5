"""Doors that recordings, streams and events come in by."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from neuroclip_drivers.aedat4.decompression import Decompressor
from neuroclip_drivers.aedat4.flatbuffer import FormatError
from neuroclip_drivers.aedat4.format import Compression
from neuroclip_drivers.aedat4.reader import MAX_PACKET_EVENTS, Recording
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Resolution

from . import containers, server
from .places import file, folder


def recording(data: bytes) -> None:
    """Open, play all, play from the middle, look at frames, count for the seek bar."""
    try:
        opened = Recording(file(data, "input.aedat4"))
    except UserError:
        return
    try:
        for packet in opened.read():
            assert packet.dtype == EVENT_DTYPE
            assert 1 <= len(packet) <= MAX_PACKET_EVENTS
        for _ in opened.read((opened.first_us + opened.last_us) // 2):
            pass
        opened.frame_at(opened.last_us)
        for frame in opened.frames():
            assert frame.image.ndim == 2
        assert opened.duration_us >= 0
        assert len(opened.rate_histogram(16).counts) == 16
        assert isinstance(opened.losses, str)
    finally:
        opened.close()


def repair(data: bytes) -> None:
    """Repair a recording; what comes out is whole, and holds what the message says."""
    from neuroclip_live.recording.repair import repair as mend

    out = folder() / "input.repaired.aedat4"
    out.unlink(missing_ok=True)
    try:
        done = mend(file(data, "input.aedat4"), out)
    except UserError:
        assert not out.exists()
        return
    if done.path is not None:
        again = Recording(done.path)
        try:
            assert again.is_indexed
            assert not again.damage
            assert sum(map(len, again.read())) == done.events
            assert not again.losses
        finally:
            again.close()


def unit(read: Callable[[bytes], Any]) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        with contextlib.suppress(FormatError):
            read(data)

    return run


def compressed(data: bytes) -> None:
    """Decompress; the first two bytes say how, and what size an index would promise."""
    if len(data) < 2:
        return
    undo = Decompressor(Compression(data[0] % len(Compression)))
    for expected in (-1, data[1] * 40):
        with contextlib.suppress(FormatError):
            undo(data[2:], expected)


@cache
def compressed_seeds() -> list[bytes]:
    from neuroclip_drivers.aedat4.packing import compress

    return [
        bytes([c, 1]) + compress(payload, c)
        for c in containers.COMPRESSIONS
        for payload in containers.event_payloads()
    ]


def network(data: bytes) -> None:
    """Read what a server sends until it has nothing more to say."""
    from neuroclip_drivers.network.source import NetworkSource
    from neuroclip_drivers.source import SourceState

    with server.sending(data, folder() / "socket") as address:
        try:
            source = NetworkSource(address, answer_s=0.2)
        except UserError:
            return
        try:
            for packet in source.packets():
                assert packet.dtype == EVENT_DTYPE
                assert len(packet) <= MAX_PACKET_EVENTS
                if source.status().state is not SourceState.STREAMING:
                    break
        finally:
            source.close()


@cache
def _jaer() -> tuple[Any, Any, socket.socket]:
    from neuroclip_drivers.network.jaer import JaerSource
    from neuroclip_drivers.network.listening import Address

    source = JaerSource(Address("127.0.0.1", 0), Resolution(346, 260))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(("127.0.0.1", source.address.port))
    return source, source.packets(), sender


def datagrams(data: bytes) -> None:
    """Take a datagram as one of jAER's."""
    source, packets, sender = _jaer()
    sender.send(data[:60_000])
    packet = next(packets)
    assert packet.dtype == EVENT_DTYPE
    assert not len(packet) or (packet["x"].min() >= 0 and packet["x"].max() < 346)
    assert not len(packet) or (packet["y"].min() >= 0 and packet["y"].max() < 260)
    assert "\n" not in source.status().message


ROS2_TOKENS = (b"evt3\0", b"libcaer\0", b"libcaer_cmp\0", b"\xff\xff\xff\xff", b"\0\1\0\0")
_ROS2_KEYS = tuple(
    f"0/dvs/{package}::msg::dds_::{kind}_/RIHS01_{'0' * 64}"
    for package, kind in (
        ("event_camera_msgs", "EventPacket"),
        ("event_array_msgs", "EventArray"),
        ("dvs_msgs", "EventArray"),
        ("sensor_msgs", "Image"),
    )
)


@cache
def ros2_seeds() -> list[bytes]:
    """Return messages of every kind; the first byte tells which key they come with."""
    pad = struct.pack("<IIII", 1, 2, 4, 0x6D6163)  # time, and "cam"
    front = b"\0\1\0\0" + pad + struct.pack("<II", 480, 640)
    seeds = [b"\2" + front + struct.pack("<I", 1) + struct.pack("<HHIIB", 1, 2, 3, 4, 1), b"\3" + front]
    for name, payload in (("evt3", b"\x01\x80\x02\x60\5\0\7\x20" * 4), ("libcaer", bytes(range(32)))):
        word = name.encode() + b"\0"
        word += bytes(-len(word) % 4)
        data = front + struct.pack("<QQI", 7, 8, len(name) + 1) + word + bytes(4)
        seeds.append(b"\0" + data + struct.pack("<I", len(payload)) + payload)
    return seeds


def ros2(data: bytes) -> None:
    """Take messages of a topic, from somebody who also chooses key and attachment."""
    from neuroclip_drivers.ros2.intake import Intake

    intake = Intake()
    key = _ROS2_KEYS[data[0] % len(_ROS2_KEYS)] if data else data.decode("latin-1")
    for number, beside in enumerate((None, data[:33], data[:5])):
        packet = intake.take(key, data[1:], beside, 10.0 * number)
        assert packet.dtype == EVENT_DTYPE
        assert intake.size is not None or not len(packet)
        assert intake.told(10.0 * number, 1.0).isprintable()


def events(data: bytes) -> None:
    """Let events with any values at all into the ring, cut them and paint them."""
    from neuroclip_live.stream.frames import count_events, event_frame
    from neuroclip_live.stream.ring import EventRing
    from neuroclip_live.stream.slicing import Slicer, parse_slice

    whole = len(data) // 16
    packet = np.frombuffer(data, dtype=EVENT_DTYPE, count=whole).copy()
    size = Resolution(64, 48)
    ring = EventRing(64, width=size.width, height=size.height)
    cursor = 0
    slicer = Slicer(parse_slice(("auto", "1ms", "7")[whole % 3]), size)
    for start in range(0, whole, 50):
        ring.write(packet[start : start + 50], 1)
        ring.latest(duration_us=1_000)
        while cursor < ring.newest():
            chunk = ring.read(cursor)
            cursor = chunk.end
            assert in_order(chunk.events)
            for made in slicer.push(chunk.events, chunk.start, chunk.epoch):
                assert made.start_us <= made.end_us
                assert event_frame(made.events, size).shape == (48, 64)
    event_frame(packet, size)
    count_events(packet, size)


def in_order(packet: np.ndarray) -> bool:
    return bool((packet["t"][1:] >= packet["t"][:-1]).all())  # a difference could overflow


@cache
def event_seeds() -> list[bytes]:
    return [payload[32:] for payload in containers.event_payloads()[2:]]
