"""Reading recordings of others' formats beside the best reader of each, and what a long one takes in memory.

RAW EVT3 against EventCV, which decodes it whole; HDF5 against h5py's bare reading of the same columns; a bag
of ROS 1 against rosbags' bare reading of its messages, which decodes no event, and against its decoding. The
files are EventCV's, h5py's and rosbags' own. We count the events that packets hold, peers those of their
arrays: it has to be as many.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.events import VGA, moving_edge
from benchmarks.machine import ROOT
from benchmarks.timing import Options, Row, absent, alternate, compared, load, told
from neuroclip_drivers.files.open_file import open_event_file
from neuroclip_live.events import Packet

EVENTS = 4_000_000
DECODED_EVENTS = 200_000
"""For a peer that makes an object of every event."""
GOAL = 0.8
MEMORY_MIB = 200.0
LONG_BYTES = 2_000_000_000
Read = Callable[[], int]
Case = tuple[str, str, Path, Read]
"""What is read, by whom else, which file, and that reader, which returns how many events it read."""


def run(options: Options) -> Iterator[Row]:
    """Measure each format, then the memory of a RAW of 2 GB."""
    events = moving_edge(20_000 if options.quick else EVENTS, VGA)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for make in (_evt3, _hdf5, _hdf5_zstd, _bag, _bag_decoded):
            try:
                title, peer, path, theirs = make(folder, events)
            except ImportError as error:
                yield absent("file_formats", make.__name__.strip("_"), str(error))
                continue
            count = min(len(events), DECODED_EVENTS if make is _bag_decoded else len(events))
            yield from _against(title, peer, path, theirs, count, options)
        if (folder / "edge.raw").exists():
            yield _memory(folder / "edge.raw", options)


def _against(title: str, peer: str, path: Path, theirs: Read, count: int, options: Options) -> Iterator[Row]:
    """Compare reading of a file that is open; what opening takes is told, as peers open and read in one."""
    began = time.perf_counter()
    file = open_event_file(path)
    opening = 1000 * (time.perf_counter() - began)

    def ours() -> int:
        return sum(map(len, file.read()))

    if (ours(), theirs()) != (count, count):
        raise RuntimeError(f"{title}: {ours():,} events by us, {theirs():,} by {peer}, of {count:,}")
    samples = alternate({"ours": ours, peer: theirs}, options.repeats)
    file.close()
    case = f"{title}, {count:,} events"
    yield compared("file_formats", case, samples, "ours", peer, goal=GOAL, work=count / 1e6, unit="ev")
    yield told("file_formats", f"{title}: opening", opening, "ms", "once; finds the size of the sensor")


def _evt3(folder: Path, events: Packet) -> Case:
    import eventcv

    path = folder / "edge.raw"
    table = np.stack([events[name].astype(np.int64) for name in "xytp"], axis=1)
    stream = eventcv.from_numpy(table, sensor_size=tuple(VGA), time_unit="us")
    stream.save(str(path), format="evt3")
    return "Prophesee RAW EVT3", "EventCV", path, lambda: len(eventcv.load(str(path)).numpy())


def _hdf5(folder: Path, events: Packet, **filters: Any) -> Case:
    import h5py

    path = folder / "edge.h5"
    with h5py.File(path, "w") as file:
        for name, kind in (("x", "<u2"), ("y", "<u2"), ("t", "<i8"), ("p", "u1")):
            column = events[name].astype(kind)
            file.create_dataset(f"events/{name}", data=column, chunks=(min(65_536, len(column)),), **filters)

    def bare() -> int:
        with h5py.File(path, "r") as file:
            return min(len(file[f"events/{name}"][:]) for name in "xytp")

    return "HDF5, four columns", "h5py, bare", path, bare


def _hdf5_zstd(folder: Path, events: Packet) -> Case:
    import hdf5plugin

    _, peer, path, bare = _hdf5(folder, events, **hdf5plugin.Blosc(cname="zstd", clevel=5))
    return "HDF5, four columns, Blosc and Zstandard as DSEC's", peer, path, bare


def _bag(folder: Path, events: Packet) -> Case:
    from rosbags.rosbag1 import Reader, Writer

    path, store = folder / "edge.bag", _ros1_types()
    path.unlink(missing_ok=True)
    layout = np.dtype([("x", "<u2"), ("y", "<u2"), ("s", "<u4"), ("ns", "<u4"), ("p", "u1")])
    with Writer(path) as writer:
        connection = writer.add_connection("/dvs/events", "dvs_msgs/msg/EventArray", typestore=store)
        for begin in range(0, len(events), 50_000):
            part = events[begin : begin + 50_000]
            rows = np.zeros(len(part), dtype=layout)
            rows["x"], rows["y"], rows["p"] = part["x"], part["y"], part["p"]
            rows["s"], rows["ns"] = part["t"] // 1_000_000, part["t"] % 1_000_000 * 1000
            about = (0, rows["s"][0], rows["ns"][0], 0, VGA.height, VGA.width, len(part))
            head = np.array(about, dtype="<u4")
            writer.write(connection, int(part["t"][0]) * 1000, head.tobytes() + rows.tobytes())

    def bare() -> int:
        with Reader(path) as reader:
            return sum((len(raw) - 28) // layout.itemsize for _, _, raw in reader.messages())

    return "ROS 1 bag, dvs_msgs", "rosbags, bare", path, bare


def _bag_decoded(folder: Path, events: Packet) -> Case:
    from rosbags.rosbag1 import Reader

    _, _, path, _ = _bag(folder, events[:DECODED_EVENTS])
    store = _ros1_types()

    def decoded() -> int:
        with Reader(path) as reader:
            kind = "dvs_msgs/msg/EventArray"
            return sum(len(store.deserialize_ros1(raw, kind).events) for _, _, raw in reader.messages())

    return "ROS 1 bag, dvs_msgs, decoded", "rosbags, decoded", path, decoded


def _ros1_types() -> Any:
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS1_NOETIC)
    event = get_types_from_msg("uint16 x\nuint16 y\ntime ts\nbool polarity\n", "dvs_msgs/msg/Event")
    array = "std_msgs/Header header\nuint32 height\nuint32 width\ndvs_msgs/Event[] events\n"
    store.register({**event, **get_types_from_msg(array, "dvs_msgs/msg/EventArray")})
    return store


_GROWTH = """
import sys
from benchmarks.sampling import resident_mib
from neuroclip_drivers.files.open_file import open_event_file
start, most, events = resident_mib(), 0.0, 0
for packet in open_event_file(sys.argv[1]).read():
    events += len(packet)
    most = max(most, resident_mib()) if events % 1_000_000 < len(packet) else most
print(events, max(most, resident_mib()) - start)
"""


def _memory(path: Path, options: Options) -> Row:
    """Read a file of 2 GB, the same events again and again, in a process of its own."""
    data = path.read_bytes()
    head_end = data.index(b"% end\n") + len(b"% end\n")
    long = path.with_name("long.raw")
    with long.open("wb") as out:
        out.write(data[:head_end])
        while out.tell() < (len(data) if options.quick else LONG_BYTES):
            out.write(data[head_end:])
    size = long.stat().st_size
    command = [sys.executable, "-c", _GROWTH, str(long)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env={**os.environ})
    long.unlink()
    events, grown = done.stdout.split()
    return Row(
        "file_formats", f"memory: opening and reading {size / 1e9:.1f} GB of RAW EVT3", "grown", "limit",
        float(grown), MEMORY_MIB, "MiB", MEMORY_MIB / max(float(grown), 1e-3), goal=1.0, repeats=1,
        note=f"{int(events):,} events", load=load(),
    )  # fmt: skip
