"""Events and recordings made on the spot, for tests."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import dv_processing as dv
import numpy as np

from neuroclip_drivers.aedat4.format import Compression, header_of, parse_header, sensor_streams
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution

START_US = 1_700_000_000_000_000
SIZE = Resolution(64, 48)


def make_events(count: int = 2000, duration_us: int = 1_000_000, seed: int = 0) -> Packet:
    """Return events spread evenly over a time, the first at ``START_US``, the last at the end of it."""
    rng = np.random.default_rng(seed)
    events = np.zeros(count, dtype=EVENT_DTYPE)
    events["t"] = START_US + np.linspace(0, duration_us, count).astype(np.int64)
    events["x"], events["y"] = rng.integers(0, SIZE.width, count), rng.integers(0, SIZE.height, count)
    events["p"] = rng.integers(0, 2, count)
    return events


def store_of(events: Packet) -> dv.EventStore:
    store = dv.EventStore()
    for t, x, y, p in events.tolist():
        store.push_back(t, x, y, bool(p))
    return store


def dv_recording(
    path: Path,
    events: Packet,
    *,
    compression: dv.CompressionType = dv.CompressionType.LZ4,
    packet_events: int = 100,
    frames: Iterable[tuple[int, np.ndarray]] = (),
    resolution: Resolution = SIZE,
) -> Path:
    """Have dv-processing write a recording."""
    frames = list(frames)
    config = dv.io.MonoCameraWriter.Config("TESTCAM_1", compression)
    config.addEventStream(tuple(resolution))
    if frames:
        config.addFrameStream(tuple(resolution))
    writer = dv.io.MonoCameraWriter(str(path), config)
    for start in range(0, len(events), packet_events):
        writer.writeEvents(store_of(events[start : start + packet_events]))
    for t_us, image in frames:
        writer.writeFrame(dv.Frame(t_us, image))
    del writer
    return path


def dv_events(path: Path) -> Packet:
    """Read a recording with a plain loop of dv-processing."""
    recording = dv.io.MonoCameraRecording(str(path))
    parts = []
    while (store := recording.getNextEventBatch()) is not None:
        parts.append(np.array(store.numpy().view("<i8")))
    return np.concatenate(parts).view(EVENT_DTYPE)


def join(packets: Iterable[Packet]) -> Packet:
    """Join packets into one array, field by field (numpy would repack them)."""
    parts = [packet for packet in packets if len(packet)]
    events = np.zeros(sum(map(len, parts)), dtype=EVENT_DTYPE)
    for field in ("t", "x", "y", "p"):
        if parts:
            events[field] = np.concatenate([part[field] for part in parts])
    return events


def same(a: Packet, b: Packet) -> bool:
    return len(a) == len(b) and all(bool((a[f] == b[f]).all()) for f in ("t", "x", "y", "p"))


def plain_header(name: str, size: Resolution, compression: Compression, frames: bool = False) -> bytes:
    return header_of(sensor_streams(name, size, frames=frames), compression)


def index_position(path: Path) -> int:
    return parse_header(path.read_bytes()).index_position


def packet_places(path: Path) -> list[tuple[int, int, int]]:
    """Return (position, stream, size) of every packet, by a plain walk of an intact file."""
    data = path.read_bytes()
    header = parse_header(data)
    position, places = header.end, []
    while position < header.index_position:
        stream, size = struct.unpack_from("<ii", data, position)
        places.append((position, stream, size))
        position += 8 + size
    return places


SERVER = """
import sys, time
import dv_processing as dv
where, file, hold_s, tls = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4:]
recording = dv.io.MonoCameraRecording(file)
stream = dv.io.Stream.EventStream(0, "events", "TESTCAM_1", recording.getEventResolution())
if where.startswith("/"):
    writer = dv.io.NetworkWriter(dv.Path(where), stream)
else:
    writer = dv.io.NetworkWriter("127.0.0.1", int(where), stream, *map(dv.Path, tls))
print("listening", flush=True)
while writer.getClientCount() == 0:
    time.sleep(0.005)
while (store := recording.getNextEventBatch()) is not None:
    writer.writeEvents(store)
    # The writer drops what does not fit into its queue, and says nothing.
    while writer.getQueuedPacketCount() > 50:
        time.sleep(0.001)
while writer.getQueuedPacketCount():
    time.sleep(0.005)
time.sleep(hold_s)
"""


def start_server(
    where: str, file: Path, hold_s: float = 30.0, tls: Iterable[Path] = ()
) -> subprocess.Popen[str]:
    """Start a dv-processing NetworkWriter in another process; it streams the file to its first client.

    With ``tls`` (its certificate, its key, and the authority of its clients) it speaks TLS.
    """
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, where, str(file), str(hold_s), *map(str, tls)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert server.stdout is not None
    assert server.stdout.readline().strip() == "listening"
    return server
