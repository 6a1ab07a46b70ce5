from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from making import SIZE, dv_recording, join, make_events, packet_places, same, start_server
from serving import LONG_S, Server, free_port, servers

from neuroclip_drivers.aedat4.format import MAGIC, StreamInfo, parse_header
from neuroclip_drivers.aedat4.reader import MAX_PACKET_EVENTS, Recording
from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.network.source import MAX_PACKET_BYTES, NetworkSource
from neuroclip_drivers.source import MAX_WAIT_S, EventSource, SourceState
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    with servers() as start:
        yield start


@pytest.fixture
def events() -> Packet:
    return make_events(3000)


@pytest.fixture
def stream(tmp_path: Path, events: Packet) -> tuple[bytes, list[bytes]]:
    """The header and the packets of ``events``, as a server sends them."""
    path = dv_recording(tmp_path / "a.aedat4", events)
    data = path.read_bytes()
    header = data[len(MAGIC) : parse_header(data).end]
    return header, [data[place : place + 8 + size] for place, _, size in packet_places(path)]


def dial(address: str) -> NetworkSource:
    """Open a stream that is there, however long its server takes to say so."""
    return NetworkSource(address, answer_s=LONG_S)


def take(source: NetworkSource, count: int) -> Packet:
    """Read until so many events are there."""
    parts, total, until = [], 0, time.monotonic() + LONG_S
    for packet in source.packets():
        parts.append(packet)
        total += len(packet)
        if total >= count:
            break
        assert time.monotonic() < until, f"only {total} events came"
    return join(parts)


def quickest_s(packets: Iterator[Packet], count: int = 10) -> float:
    """Return the shortest time for one of some empty packets: the others may have waited for a processor."""
    times = []
    for _ in range(count):
        begin = time.monotonic()
        assert len(next(packets)) == 0
        times.append(time.monotonic() - begin)
    return min(times)


@pytest.mark.parametrize("transport", ["tcp", "unix"])
def test_a_dv_network_writer_gives_what_the_replay_gives(
    tmp_path: Path, events: Packet, transport: str
) -> None:
    path = dv_recording(tmp_path / "a.aedat4", events)
    where = str(free_port()) if transport == "tcp" else str(tmp_path / "s")
    server = start_server(where, path)
    try:
        source = dial(f"localhost:{where}" if transport == "tcp" else where)
        assert isinstance(source, EventSource)
        assert source.live
        assert source.resolution == SIZE
        assert source.camera == "TESTCAM_1"
        given = take(source, len(events))
        assert same(given, events)
        assert source.status().position_us == events["t"][-1]
        source.close()
        assert list(source.packets()) == []
    finally:
        server.kill()
        server.wait()


def test_a_real_recording_through_the_network(tmp_path: Path, data_dir: Path) -> None:
    path = data_dir / "recordings" / "objects_dvs128" / "mug.aedat4"
    port = free_port()
    server = start_server(str(port), path)
    try:
        source = dial(f"127.0.0.1:{port}")
        assert same(take(source, 351_217), join(Recording(path).read()))
        source.close()
    finally:
        server.kill()
        server.wait()


def test_server_dies_and_comes_back(tmp_path: Path, events: Packet) -> None:
    path = dv_recording(tmp_path / "a.aedat4", events)
    port = free_port()
    server = start_server(str(port), path)
    source = dial(f"127.0.0.1:{port}")
    packets = source.packets()
    try:
        given: list[Packet] = []
        while sum(map(len, given)) < len(events):
            given.append(next(packets))
        server.kill()
        server.wait()
        while source.status().state is not SourceState.WAITING:
            next(packets)
        assert f"127.0.0.1:{port} is away" in source.status().message
        assert quickest_s(packets) < MAX_WAIT_S + 0.3
        server = start_server(str(port), path)
        given = []
        until = time.monotonic() + LONG_S
        while sum(map(len, given)) < len(events):
            given.append(next(packets))
            assert time.monotonic() < until
        assert same(join(given), events)
        assert source.status().state is SourceState.STREAMING
        assert source.status().message == ""
    finally:
        source.close()
        server.kill()
        server.wait()


def test_bytes_in_any_portions(
    serve: Callable[..., Server], stream: tuple[bytes, list[bytes]], events: Packet
) -> None:
    header, packets = stream
    whole = header + b"".join(packets[:5])
    server = serve([whole[start : start + 97] for start in range(0, len(whole), 97)])
    source = dial(server.address)
    assert same(take(source, 500), events[:500])
    source.close()


def test_packets_that_come_together_with_the_header(
    serve: Callable[..., Server], stream: tuple[bytes, list[bytes]], events: Packet
) -> None:
    header, packets = stream
    source = dial(serve([header + b"".join(packets[:3])], hold=False).address)
    assert same(take(source, 300), events[:300])
    source.close()


def test_a_first_line_as_in_files_is_accepted(
    serve: Callable[..., Server], stream: tuple[bytes, list[bytes]], events: Packet
) -> None:
    header, packets = stream
    source = dial(serve([MAGIC + header, *packets[:3]]).address)
    assert same(take(source, 300), events[:300])
    source.close()


def test_cut_in_the_middle_of_a_packet(
    serve: Callable[..., Server], stream: tuple[bytes, list[bytes]], events: Packet
) -> None:
    header, packets = stream
    server = serve([header, packets[0], packets[1][:30]], [header, *packets[2:4]], hold=False)
    source = dial(server.address)
    given = take(source, 300)
    assert same(given, join([events[:100], events[200:400]]))
    source.close()


@pytest.mark.parametrize(
    "bad",
    [
        struct.pack("<ii", 0, -1),
        struct.pack("<ii", 0, MAX_PACKET_BYTES + 1),
        struct.pack("<ii", 0, 64) + b"\xff" * 64,
    ],
    ids=["negative", "huge", "garbage"],
)
def test_nonsense_ends_the_connection_not_the_program(
    serve: Callable[..., Server], stream: tuple[bytes, list[bytes]], events: Packet, bad: bytes
) -> None:
    header, packets = stream
    source = dial(serve([header, packets[0], bad], [header, packets[1]]).address)
    assert same(take(source, 200), events[:200])
    source.close()


def test_a_server_that_comes_back_with_another_sensor(
    serve: Callable[..., Server], stream: tuple[bytes, list[bytes]], tmp_path: Path
) -> None:
    header, packets = stream
    other = write_aedat4(tmp_path / "b.aedat4", [make_events()], Resolution(128, 128)).path.read_bytes()
    server = serve([header, packets[0]], [other[len(MAGIC) : parse_header(other).end]] * 1, hold=False)
    source = dial(server.address)
    until = time.monotonic() + LONG_S
    for _ in source.packets():
        if "it now sends" in source.status().message:
            break
        assert time.monotonic() < until
    assert source.status().state is SourceState.WAITING
    source.close()


@pytest.mark.parametrize(("wanted", "number"), [(None, 0), ("1", 1), ("Right", 1)])
def test_of_several_event_streams_one_is_taken_and_the_others_are_named(
    serve: Callable[..., Server], tmp_path: Path, wanted: str | None, number: int
) -> None:
    both = make_events(500, seed=1), make_events(500, seed=2)
    streams = [StreamInfo(0, "EVTS", "events", "Left", SIZE), StreamInfo(1, "EVTS", "events", "Right", SIZE)]
    with Aedat4Writer(tmp_path / "a.aedat4", SIZE, streams=streams) as writer:
        for start in range(0, 500, 100):
            for stream, events in enumerate(both):
                writer.write_events(stream, events[start : start + 100])
    data = (tmp_path / "a.aedat4").read_bytes()
    sent = data[len(MAGIC) : parse_header(data).index_position]
    server = serve([sent], [sent], hold=False)  # it comes back
    source = NetworkSource(server.address, answer_s=LONG_S, stream=wanted)
    said = ["0 'events' of Left", "1 'events' of Right"]
    message = f"plays event stream {said[number]}, not {said[1 - number]} (choose with --stream)"
    assert source.status().message == message
    assert same(take(source, 1000), join([both[number], both[number]]))
    assert source.status().message == message
    source.close()
    with pytest.raises(UserError, match=r"no event stream 'Middle'\. Choose one by its number with --stream"):
        NetworkSource(serve([sent]).address, answer_s=LONG_S, stream="Middle")


def test_large_packets_are_cut(serve: Callable[..., Server], tmp_path: Path) -> None:
    many = make_events(100_000)
    with Aedat4Writer(tmp_path / "a.aedat4", SIZE) as writer:
        writer.write(many)
    data = (tmp_path / "a.aedat4").read_bytes()
    server = serve([data[len(MAGIC) : parse_header(data).index_position]])
    source = dial(server.address)
    parts = []
    for packet in source.packets():
        assert len(packet) <= MAX_PACKET_EVENTS
        assert packet.dtype == EVENT_DTYPE
        parts.append(packet)
        if sum(map(len, parts)) == len(many):
            break
    assert same(join(parts), many)
    source.close()


def test_closing_wakes_a_waiting_reader(
    serve: Callable[..., Server], stream: tuple[bytes, list[bytes]]
) -> None:
    source = dial(serve([stream[0]]).address)
    thread = threading.Thread(target=lambda: list(source.packets()), daemon=True)
    thread.start()
    time.sleep(0.1)
    source.close()
    source.close()
    thread.join(LONG_S)
    assert not thread.is_alive()
    assert source.status().state is SourceState.ENDED


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1:1", "Nobody answers at 127.0.0.1:1: Connection refused"),
        ("/tmp/there/is/no/socket", "Nobody answers at /tmp/there/is/no/socket: No such file"),
        ("somewhere", "is not an address. Give HOST:PORT"),
        (":7777", "is not an address"),
        ("host:", "is not an address"),
        ("host:abc", "is not an address"),
        ("host:0", "is not an address"),
        ("host:70000", "is not an address"),
        ("a" * 300 + ":80", "There is no host called"),
    ],
)
def test_addresses_that_do_not_work(address: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        NetworkSource(address)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_host_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("neuroclip_drivers.network.source.socket.getaddrinfo", fail)
    with pytest.raises(UserError, match="There is no host called 'nowhere'"):
        NetworkSource("nowhere:7777")


@pytest.mark.parametrize(
    ("sent", "hold", "words"),
    [
        ([], True, "accepts connections but says nothing"),
        ([], False, "closed the connection"),
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], True, "is not an event stream"),
        ([struct.pack("<I", 900) + b"\0" * 900], True, "is not an event stream"),
    ],
    ids=["silent", "closes", "http", "zeros"],
)
def test_servers_of_another_kind(
    serve: Callable[..., Server], sent: list[bytes], hold: bool, words: str
) -> None:
    server = serve(sent, hold=hold)
    with pytest.raises(UserError) as caught:
        NetworkSource(server.address, answer_s=0.3 if hold and not sent else LONG_S)
    assert words in str(caught.value)
    assert server.address in str(caught.value)
