"""Events for others: our own source, dv-processing's reader in another process, readers that are slow."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from fakes import wait_for
from making import SIZE, join, make_events, same
from readers import DvReader, Taking
from serving import LONG_S, servers

from neuroclip_drivers.aedat4.format import MAGIC, Compression, StreamInfo, header_of
from neuroclip_drivers.aedat4.packing import checksum, event_body
from neuroclip_drivers.aedat4.payloads import frame_payload
from neuroclip_drivers.network.event_reader import wire_packet
from neuroclip_drivers.network.event_server import MAX_READERS, EventServer, Listener
from neuroclip_drivers.network.listening import Address, listen
from neuroclip_drivers.source import SourceState
from neuroclip_live.events import Packet, Resolution

COUNT = 60_000
Serve = Callable[..., tuple[EventServer, int]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    made = []

    def start(*context: object, **how: object) -> tuple[EventServer, int]:
        listener, address = listen(Address("127.0.0.1", 0))
        made.append(EventServer(listener, *context, **how))  # type: ignore[arg-type]
        return made[-1], address.port

    yield start
    for server in made:
        assert server.close(LONG_S)


def give(listener: Listener, events: Packet, size: int = 500) -> None:
    for start in range(0, len(events), size):
        listener(events[start : start + size].copy())


@pytest.mark.parametrize("compression", [Compression.NONE, Compression.LZ4])
def test_our_own_source_and_dv_processings_get_the_same_events(
    serve: Serve, compression: Compression
) -> None:
    server, port = serve(compression=compression)
    listener = server.begin(SIZE, "TESTCAM_7 <&>")
    events = make_events(COUNT)
    ours, dvs = [Taking(port), Taking(port)], DvReader(port, COUNT)
    try:
        assert dvs.line() == ["TESTCAM_7", "<&>", str(SIZE.width), str(SIZE.height)]
        wait_for(lambda: server.status().readers == 3)
        give(listener, events)
        sums = int((events["t"] % 1_000_000).sum()), int(events["x"].astype(int).sum())
        assert dvs.line() == [str(COUNT), *map(str, sums)]
        for taking in ours:
            wait_for(lambda taking=taking: taking.count >= COUNT)  # type: ignore[misc]
            assert taking.source.camera == "TESTCAM_7 <&>"
            assert taking.source.resolution == SIZE
            taken = taking.close()
            assert same(taken, events)
            assert checksum(taken) == checksum(events)
        status = server.status()
        assert (status.events, status.lost) == (COUNT, 0)
    finally:
        dvs.close()
    wait_for(lambda: server.status().readers == 0)


@pytest.mark.parametrize("more", [False, True], ids=["events", "a frame between"])
def test_dv_processings_reader_bears_events_and_nothing_else(more: bool) -> None:
    """Why no frames, samples and triggers are given beside events: it ends at the first of them.

    Where this fails because a newer one passes them over, they can be given.
    """
    events = make_events(COUNT)
    streams = [StreamInfo(0, "EVTS", "events", "cam", SIZE), StreamInfo(1, "FRME", "frames", "cam", SIZE)]
    frame = frame_payload(1, np.zeros((SIZE.height, SIZE.width), np.uint8))
    body = event_body(events, Compression.NONE)
    between = struct.pack("<ii", 1, len(frame)) + frame if more else b""
    header = header_of(streams, Compression.NONE)[len(MAGIC) :]
    with servers() as start:
        dvs = DvReader(start([header, between + wire_packet(body)]).port, COUNT)
        try:
            assert dvs.line()[0] == "cam"
            assert (dvs.line()[:1] == [str(COUNT)]) is not more
        finally:
            dvs.close()


def test_who_comes_late_gets_what_comes_from_then_on(serve: Serve) -> None:
    server, port = serve()
    listener = server.begin(SIZE, "camera")
    events = make_events(COUNT)
    give(listener, events[:1000])  # nobody is there
    assert server.status().events == 0
    first = Taking(port)
    wait_for(lambda: server.status().readers == 1)
    give(listener, events[1000:2000])
    wait_for(lambda: first.count == 1000)
    second = Taking(port)
    wait_for(lambda: server.status().readers == 2)
    give(listener, events[2000:3000])
    wait_for(lambda: first.count == 2000 and second.count == 1000)
    assert same(first.close(), events[1000:3000])
    assert same(second.close(), events[2000:3000])


def test_a_slow_reader_loses_its_oldest_packets_and_nobody_else_any(serve: Serve) -> None:
    most = 1 << 20
    server, port = serve(compression=Compression.NONE, reader_bytes=most)
    listener = server.begin(SIZE, "camera")
    slow = socket.create_connection(("127.0.0.1", port))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    quick = Taking(port)
    wait_for(lambda: server.status().readers == 2)
    events, rounds = make_events(COUNT), 40
    for number in range(rounds):
        give(listener, events, 10_000)
        wait_for(lambda number=number: quick.count == (number + 1) * COUNT)  # type: ignore[misc]
    lost = server.status().lost
    assert lost > rounds * COUNT // 2  # 38 MB were given; the kernel and the server keep some of it
    ending = threading.Thread(target=server.close, args=(LONG_S,))
    ending.start()  # what waits is given before it ends
    got = b""
    while part := slow.recv(1 << 20):
        got += part
    ending.join(LONG_S)
    slow.close()
    held = (rounds * COUNT - lost) * 16
    assert abs(len(got) - held) < 0.01 * held + 2000  # all that is not lost came, with heads of packets
    assert got.rstrip()[-16:-8] == events[-1:].tobytes()[:8]  # the newest is among it
    assert len(quick.close()) == rounds * COUNT


def test_what_comes_at_once_does_not_push_itself_out(serve: Serve) -> None:
    server, port = serve(compression=Compression.NONE, reader_bytes=100_000)
    listener = server.begin(SIZE, "camera")
    reader = Taking(port)
    wait_for(lambda: server.status().readers == 1)
    stop, work = threading.Event(), server._work

    def stuck() -> None:
        stop.wait(LONG_S)
        work()

    server._work = stuck  # type: ignore[method-assign]
    events = make_events(COUNT)
    give(listener, events, 2000)  # ten times as much as may wait for a reader
    stop.set()
    wait_for(lambda: reader.count + server.status().lost == COUNT)
    assert server.status().lost == 0
    assert same(reader.close(), events)


def test_giving_never_waits_and_never_queues_without_bound(serve: Serve) -> None:
    server, port = serve()
    listener = server.begin(SIZE, "camera")
    reader = socket.create_connection(("127.0.0.1", port))
    wait_for(lambda: server.status().readers == 1)
    stop, holding = threading.Event(), threading.Event()

    body = server._work

    def stuck() -> None:
        holding.set()
        stop.wait(LONG_S)
        body()

    server._work = stuck  # type: ignore[method-assign]
    packet = make_events(COUNT)
    listener(packet)
    assert holding.wait(LONG_S)
    for _ in range(100):
        listener(packet)
    waiting = sum(map(len, server._queue))
    assert waiting <= 1 << 21
    assert server.status().lost == 101 * COUNT - waiting
    stop.set()
    reader.close()


def test_another_source_of_the_same_size_goes_on_and_of_another_begins_anew(serve: Serve) -> None:
    server, port = serve()
    events = make_events(2000)
    before = server.begin(SIZE, "one")
    reader = Taking(port)
    wait_for(lambda: server.status().readers == 1)
    before(events[:500].copy())
    wait_for(lambda: reader.count == 500)
    after = server.begin(SIZE, "two")
    before(events[:500].copy())  # the one before is not of this stream any more
    after(events[500:1000].copy())
    wait_for(lambda: reader.count == 1000)
    assert same(join(reader.packets), events[:1000])
    server.begin(Resolution(640, 480), "three")
    wait_for(lambda: reader.source.status().state is SourceState.WAITING)
    wait_for(lambda: "it now sends" in reader.source.status().message)
    server.begin(SIZE, "one")
    wait_for(lambda: reader.source.status().state is SourceState.STREAMING)
    reader.close()


def test_nobody_is_served_while_there_is_no_source(serve: Serve) -> None:
    server, port = serve()
    with socket.create_connection(("127.0.0.1", port), 30) as early:
        assert early.recv(100) == b""
    server.begin(SIZE, "camera")
    with socket.create_connection(("127.0.0.1", port), 30) as reader:
        assert b"IOHE" in reader.recv(100)
        wait_for(lambda: server.status().readers == 1)
        server.begin(None, "camera")
        while reader.recv(1000):
            pass


def test_what_asks_for_a_page_is_no_reader(serve: Serve) -> None:
    server, port = serve()
    server.begin(SIZE, "camera")
    with socket.create_connection(("127.0.0.1", port), 30) as browser:
        browser.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        wait_for(lambda: server.status().readers == 0)
    reader = Taking(port)
    reader.close()


def test_more_readers_than_there_is_room_for_are_let_go(serve: Serve) -> None:
    server, port = serve()
    listener = server.begin(SIZE, "camera")
    connections = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(MAX_READERS + 3)]
    wait_for(lambda: server.status().readers == MAX_READERS)
    events = make_events(1000)
    listener(events)
    ended = 0
    for connection in connections:
        data = b""
        while len(data) < 1000 and (part := connection.recv(65536)):
            data += part
        ended += not data
    for connection in connections:  # only now: a place that is free would be taken
        connection.close()
    assert ended == 3


def test_what_waits_is_given_before_it_ends(serve: Serve) -> None:
    server, port = serve()
    listener = server.begin(SIZE, "camera")
    events = np.concatenate([make_events(COUNT)] * 10)
    reader = socket.create_connection(("127.0.0.1", port), LONG_S)
    wait_for(lambda: server.status().readers == 1)
    give(listener, events, 20_000)
    ended: list[bool] = []
    closing = threading.Thread(target=lambda: ended.append(server.close(LONG_S)))
    closing.start()
    size = 0
    while part := reader.recv(1 << 20):
        size += len(part)
    closing.join(LONG_S)
    assert ended == [True]
    assert size > 0
    assert server.status().lost == 0
    reader.close()
