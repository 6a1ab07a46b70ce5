"""A network stream that is cut, stalls, is read too slowly or by two, under a pipeline where that matters."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import wait_for
from making import SIZE, dv_events, dv_recording, join, make_events, packet_places, same
from serving import LONG_S, Server, servers

from neuroclip_drivers.aedat4.format import MAGIC, Compression, parse_header
from neuroclip_drivers.aedat4.reader import MAX_PACKET_EVENTS
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.network.source import NetworkSource
from neuroclip_drivers.source import SourceState
from neuroclip_live.events import Packet
from neuroclip_live.recognition.pipeline import Pipeline, PipelineState

EVENTS = make_events(3_000)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    with servers() as start:
        yield start


def stream_of(path: Path) -> tuple[bytes, list[bytes]]:
    """Return the header and the packets of a recording, as a server sends them."""
    data = path.read_bytes()
    header = data[len(MAGIC) : parse_header(data).end]
    return header, [data[place : place + 8 + size] for place, _, size in packet_places(path)]


@pytest.fixture
def sent(tmp_path: Path) -> tuple[bytes, list[bytes]]:
    """``EVENTS`` as a server sends them: a header, and 30 packets of 100."""
    return stream_of(dv_recording(tmp_path / "sent.aedat4", EVENTS))


def read(source: NetworkSource, count: int) -> Packet:
    """Read until so many events are there."""
    parts, total, deadline = [], 0, time.monotonic() + LONG_S
    for packet in source.packets():
        assert len(packet) <= MAX_PACKET_EVENTS
        parts.append(packet)
        total += len(packet)
        if total >= count:
            break
        assert time.monotonic() < deadline, f"{total} of {count} events came"
    return join(parts)


def test_cut_in_the_middle_of_a_packet_and_the_server_comes_back(start, serve, sent, tmp_path) -> None:  # type: ignore[no-untyped-def]
    header, packets = sent
    first = serve([header, *packets[:10], packets[10][:40]])
    pipeline: Pipeline = start(NetworkSource(first.address, answer_s=LONG_S))
    wait_for(lambda: pipeline.status().state is PipelineState.RUNNING)
    wait_for(lambda: pipeline.status().total_events == 1_000)
    pipeline.start_recording(tmp_path / "a.aedat4")
    first.close()
    wait_for(lambda: pipeline.status().source.state is SourceState.WAITING)
    assert pipeline.status().message.startswith(f"{first.address} is away (")
    assert pipeline.status().message.endswith("); trying again")
    assert pipeline.status().state is PipelineState.RUNNING
    wait_for(lambda: pipeline.prediction() is not None and pipeline.prediction().state == "no-motion")
    number = pipeline.prediction().number
    serve([header, *packets[11:]], port=first.port)
    wait_for(lambda: pipeline.status().total_events == 2_900)  # all but the packet that was cut
    wait_for(lambda: pipeline.status().message == "")
    wait_for(lambda: any(p.label is not None for p in pipeline.predictions(after=number)))
    assert pipeline.status().dropped_events == 0
    report = pipeline.stop_recording()
    assert report.whole
    assert same(dv_events(report.path), EVENTS[1_100:])


def test_a_server_that_stalls_in_the_middle_of_a_packet_loses_nothing(start, serve, sent) -> None:  # type: ignore[no-untyped-def]
    header, packets = sent
    server = serve([header, *packets[:10], packets[10][:40]])
    pipeline: Pipeline = start(NetworkSource(server.address, answer_s=LONG_S))
    wait_for(lambda: pipeline.status().total_events == 1_000)
    wait_for(lambda: pipeline.prediction() is not None and pipeline.prediction().state == "no-motion")
    assert pipeline.status().message == ""
    number = pipeline.prediction().number
    server.connections[0].sendall(packets[10][40:] + b"".join(packets[11:]))
    wait_for(lambda: pipeline.status().total_events == 3_000)
    wait_for(lambda: any(p.label is not None for p in pipeline.predictions(after=number)))


def test_a_pipeline_ends_while_its_server_stalls(start, serve, sent) -> None:  # type: ignore[no-untyped-def]
    header, packets = sent
    address = serve([header, packets[0], packets[1][:40]]).address
    pipeline: Pipeline = start(NetworkSource(address, answer_s=LONG_S))
    wait_for(lambda: pipeline.status().total_events == 100)
    assert pipeline.stop(60.0)


def test_a_slow_reader_loses_nothing_and_keeps_little(serve, tmp_path, memory_within) -> None:  # type: ignore[no-untyped-def]
    many = make_events(1_000_000)
    with Aedat4Writer(tmp_path / "many.aedat4", SIZE, compression=Compression.NONE) as writer:
        writer.write(many)  # 16 MB: more than lies in the buffers of most connections
    header, packets = stream_of(tmp_path / "many.aedat4")
    server = serve([header, *packets])
    source = NetworkSource(server.address, answer_s=LONG_S)
    try:
        stream = source.packets()
        given = [next(stream)]
        with memory_within(8):  # the server waits; it is not we who keep what it sends
            server.thread.join(1.0)
        given.append(read(source, len(many) - len(given[0])))
        assert same(join(given), many)
        assert source.status().state is SourceState.STREAMING
    finally:
        source.close()


def test_two_clients_get_the_same_and_one_that_leaves_does_not_disturb_the_other(serve, sent) -> None:  # type: ignore[no-untyped-def]
    header, packets = sent
    server = serve([header, *packets[:10]], [header, *packets[:10]])
    first, second = (NetworkSource(server.address, answer_s=LONG_S) for _ in range(2))
    try:
        assert same(read(first, 1_000), EVENTS[:1_000])
        assert same(read(second, 1_000), EVENTS[:1_000])
        first.close()
        wait_for(lambda: len(server.connections) == 2)
        server.connections[1].sendall(b"".join(packets[10:]))
        assert same(read(second, 2_000), EVENTS[1_000:])
        assert first.status().state is SourceState.ENDED
        assert second.status().state is SourceState.STREAMING
    finally:
        first.close()
        second.close()
