"""Files of other makers for the tests: a scene, and who writes it, independently of our readers."""

from __future__ import annotations

import csv
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroclip_live.events import Resolution

SIZE = Resolution(640, 480)
DAVIS = Resolution(346, 260)
DVS128 = Resolution(128, 128)

Table = np.ndarray[Any, np.dtype[np.int64]]
"""(N, 4) int64: x, y, time in microseconds, polarity."""


def scene(size: Resolution = SIZE, *, count: int = 60_000, seconds: float = 40.0, seed: int = 0) -> Table:
    """Random events in order of time, with bursts of neighbors of one time, which encodings pack

    Longer than the 16.8 s after which the clock of EVT3 begins anew.
    """
    dice = np.random.default_rng(seed)
    lone = np.stack(
        [
            dice.integers(0, size.width, count),
            dice.integers(0, size.height, count),
            np.sort(dice.integers(0, round(seconds * 1e6), count)),
            dice.integers(0, 2, count),
        ],
        axis=1,
    )
    x, y, t, p = lone[:: count // 200].T
    width = 50
    burst = np.stack(
        [
            (np.minimum(x, size.width - width)[:, None] + np.arange(width)).ravel(),
            np.repeat(y, width),
            np.repeat(t, width),
            np.repeat(p, width),
        ],
        axis=1,
    )
    both = np.concatenate([lone, burst])
    both = both[np.lexsort((both[:, 0], both[:, 1], both[:, 3], both[:, 2]))]
    both[:, 2] += 24
    return both


def eventcv_file(path: Path, events: Table, size: Resolution = SIZE, **options: Any) -> Path:
    eventcv = pytest.importorskip("eventcv")
    stream = eventcv.from_numpy(events, sensor_size=tuple(size), time_unit="us")
    stream.save(str(path), **options)
    return path


def faery_file(path: Path, events: Table, size: Resolution = SIZE, **options: Any) -> Path:
    """Write with faery, which may begin time at zero; ``zero_t0=False`` keeps it."""
    faery = pytest.importorskip("faery")
    array = np.zeros(len(events), dtype=faery.EVENTS_DTYPE)
    array["x"], array["y"], array["t"], array["p"] = events.T
    faery.events_stream_from_array(array, tuple(size)).to_file(str(path), **options)
    return path


def read_by_eventcv(path: Path, **options: str) -> Table:
    return np.asarray(pytest.importorskip("eventcv").load(str(path), **options).numpy()).astype(np.int64)


def read_by_faery(path: Path) -> Table:
    packets = list(pytest.importorskip("faery").events_stream_from_file(str(path)))
    return np.concatenate(
        [np.stack([p["x"], p["y"], p["t"], p["p"]], axis=1).astype(np.int64) for p in packets]
    )


def read_by_expelliarmus(path: Path, encoding: str) -> Table:
    wizard = pytest.importorskip("expelliarmus").Wizard(encoding=encoding)
    events = wizard.read(str(path))
    return np.stack([events["x"], events["y"], events["t"], events["p"]], axis=1).astype(np.int64)


def read_by_numpy(path: Path) -> Table:
    with np.load(path) as arrays:
        return np.stack([arrays[name].astype(np.int64) for name in ("x", "y", "t", "p")], axis=1)


def read_by_evlib(path: Path) -> Table:
    frame = pytest.importorskip("evlib").load_events(str(path)).collect()
    t = frame["t"].dt.total_microseconds().to_numpy()
    return np.stack(
        [frame["x"].to_numpy(), frame["y"].to_numpy(), t, frame["polarity"].to_numpy() > 0], axis=1
    )


def evt21_file(path: Path, events: Table, size: Resolution = SIZE, *, legacy: bool = False) -> Path:
    """Write EVT2.1 word by word, after Prophesee's description; no library here writes it."""
    words: list[tuple[int, int]] = []
    high = -1
    for x, y, t, p in events.tolist():
        if t >> 6 != high:
            high = t >> 6
            words.append((8 << 28 | high & 0xFFFFFFF, 0))
        words.append((p << 28 | (t & 63) << 22 | (x & ~31) << 11 | y, 1 << (x & 31)))
    body = np.array(words, dtype="<u4")
    header = f"% evt 2.1\n% format EVT21;{'endianness=legacy;' if legacy else ''}height={size.height};"
    header += f"width={size.width}\n% end\n"
    path.write_bytes(header.encode() + np.ascontiguousarray(body if legacy else body[:, ::-1]).tobytes())
    return path


def aedat2_file(path: Path, events: Table, chip: str = "DVS128", size: Resolution = DVS128) -> Path:
    """Write AEDAT 2 as jAER does: columns from the right, rows from the bottom; ON is 0 on a DVS128."""
    x, y, t, p = events.T
    if chip == "DVS128":
        address = (size.width - 1 - x) << 1 | (size.height - 1 - y) << 8 | (1 - p)
        name = "ch.unizh.ini.jaer.chip.retina.DVS128"
    else:
        address = (size.width - 1 - x) << 12 | (size.height - 1 - y) << 22 | p << 11
        name = f"eu.seebetter.ini.chips.davis.{chip}"
    words = np.stack([address, t & 0xFFFFFFFF], axis=1).astype(">u4")
    path.write_bytes(f"#!AER-DAT2.0\r\n# AEChip: {name}\r\n".encode() + words.tobytes())
    return path


def aedat3_file(path: Path, events: Table, source: str = "DVS128", *, packet: int = 500) -> Path:
    """Write AEDAT 3.1 after iniVation's description: packets of polarity events, and one of another kind."""
    out = bytearray(f"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: {source}\r\n#!END-HEADER\r\n".encode())
    out += struct.pack("<hhiiiiii", 0, 1, 8, 4, 0, 1, 1, 1) + bytes(8)  # a special event
    begin = 0
    while begin < len(events):
        part = events[begin : begin + packet]
        overflow = int(part[0, 2] >> 31)
        part = part[part[:, 2] >> 31 == overflow]
        begin += len(part)
        x, y, t, p = part.T
        words = np.stack([1 | p << 1 | y << 2 | x << 17, t & 0x7FFFFFFF], axis=1).astype("<u4")
        out += (
            struct.pack("<hhiiiiii", 1, 1, 8, 4, overflow, len(part), len(part), len(part)) + words.tobytes()
        )
    path.write_bytes(out)
    return path


def read_by_tonic(path: Path, reader: str) -> Table:
    """Read with tonic, which needs a line that no file of a library here has: when it was made."""
    tonic = pytest.importorskip("tonic.io")
    data = path.read_bytes()
    end = data.index(b"\n") + 1
    path = path.with_suffix(".tonic")
    path.write_bytes(
        data[:end] + b"# Creation time: System.currentTimeMillis() 1700000000000\r\n" + data[end:]
    )
    *_, events = getattr(tonic, reader)(str(path))
    return np.stack([events["x"], events["y"], events["t"], events["p"]], axis=1).astype(np.int64)


def read_gesture_by_tonic(path: Path) -> Table:
    """Read AEDAT 3.1 with the part of tonic that its DVS128 Gesture reader is made of; that itself fails."""
    tonic = pytest.importorskip("tonic.io")
    data = path.read_bytes()
    begin = data.index(b"#!END-HEADER\r\n") + len(b"#!END-HEADER\r\n") + 36  # without the special event
    words = tonic.get_aer_events_from_file(str(path), 3.1, begin)
    address, t = words["address"].astype(np.int64), words["timeStamp"].astype(np.int64)
    return np.stack([(address >> 17) & 0x1FFF, (address >> 2) & 0x1FFF, t, (address >> 1) & 1], axis=1)


def hdf5_file(path: Path, events: Table, layout: str) -> Path:
    """Write HDF5 as the named tool lays it out, with h5py."""
    h5py = pytest.importorskip("h5py")
    x, y, t, p = events.T
    types = {"x": "<u2", "y": "<u2", "t": "<i8", "p": "u1"}
    columns = {name: column.astype(types[name]) for name, column in zip("xytp", events.T, strict=True)}
    with h5py.File(path, "w") as file:
        if layout == "OpenEB":
            array = np.zeros(len(events), dtype=[("x", "<u2"), ("y", "<u2"), ("p", "<i2"), ("t", "<i8")])
            array["x"], array["y"], array["t"], array["p"] = events.T
            file.attrs["geometry"] = "640x480"
            file.create_dataset("CD/events", data=array, chunks=(16384,))
            file.create_dataset("CD/indexes", data=np.zeros(9, dtype=[("id", "<u8"), ("ts", "<i8")]))
        elif layout == "DSEC":
            blosc = pytest.importorskip("hdf5plugin").Blosc(cname="zstd")
            for name, column in columns.items():
                column = (column - 5_000_000).astype("<u4") if name == "t" else column
                file.create_dataset(f"events/{name}", data=column, chunks=(20_000,), **blosc)
            file["ms_to_idx"] = np.arange(40_000, dtype="<u8")
            file["t_offset"] = np.int64(5_000_000)
        elif layout == "MVSEC":
            table = np.stack([x, y, t / 1e6, p * 2.0 - 1], axis=1)
            file.create_dataset("davis/left/events", data=table, chunks=(4096, 4), compression="gzip")
            file.create_dataset("davis/left/imu", data=np.zeros((100, 6)))
            file.create_dataset("davis/right/events", data=table[:100])
        elif layout == "v2e":
            table = np.stack([t, x, y, p], axis=1).astype("<u4")
            file.create_dataset("events", data=table, chunks=(4096, 4), compression="gzip")
        else:
            for name, column in columns.items():
                file[name] = column
    return path


DVS_MESSAGES = {
    "dvs_msgs/msg/Event": "uint16 x\nuint16 y\n{time} ts\nbool polarity\n",
    "dvs_msgs/msg/EventArray": (
        "std_msgs/Header header\nuint32 height\nuint32 width\ndvs_msgs/Event[] events\n"
    ),
    "event_camera_msgs/msg/EventPacket": (
        "std_msgs/Header header\nuint32 height\nuint32 width\nuint64 seq\nuint64 time_base\nstring encoding\n"
        "bool is_bigendian\nuint8[] events\n"
    ),
}
EPOCH_US = 1_700_000_000_000_000


def bag_file(
    path: Path, events: Table, container: str, encoding: str = "dvs_msgs", *, split: int = 40
) -> Path:
    """Write a bag of ROS 1, or of ROS 2 (db3 or mcap), with rosbags, in ``split`` messages."""
    rosbag1, rosbag2 = pytest.importorskip("rosbags.rosbag1"), pytest.importorskip("rosbags.rosbag2")
    ros1 = container == "ros1"
    store = ros_types(ros1=ros1)
    name = ros_type(encoding)
    options = {}
    if not ros1:
        plugin = rosbag2.StoragePlugin.MCAP if container == "mcap" else rosbag2.StoragePlugin.SQLITE3
        options = {"version": 9, "storage_plugin": plugin}
    made = rosbag1.Writer(path) if ros1 else rosbag2.Writer(path, **options)
    if ros1:
        made.set_compression(made.CompressionFormat.LZ4)
        made.chunk_threshold = 1 << 16
    with made as writer:
        connection = writer.add_connection("/dvs/events", name, typestore=store)
        other = writer.add_connection("/note", "std_msgs/msg/String", typestore=store)
        serialize = store.serialize_ros1 if ros1 else store.serialize_cdr
        for stamp_ns, message in ros_messages(store, events, encoding, split=split, ros1=ros1):
            writer.write(connection, stamp_ns, serialize(message, name))
            note = store.types["std_msgs/msg/String"]("between")
            writer.write(other, stamp_ns, serialize(note, "std_msgs/msg/String"))
    return path


def ros_types(*, ros1: bool = False) -> Any:
    """Return rosbags' types, with those of events."""
    typesys = pytest.importorskip("rosbags.typesys")
    store = typesys.get_typestore(typesys.Stores.ROS1_NOETIC if ros1 else typesys.Stores.ROS2_HUMBLE)
    added: dict[str, Any] = {}
    for name, text in DVS_MESSAGES.items():
        text = text.replace("{time}", "time" if ros1 else "builtin_interfaces/Time")
        added.update(typesys.get_types_from_msg(text, name))
    store.register(added)
    return store


def ros_type(encoding: str) -> str:
    """Return the type of messages that hold events in an encoding."""
    return "dvs_msgs/msg/EventArray" if encoding == "dvs_msgs" else "event_camera_msgs/msg/EventPacket"


def ros_messages(
    store: Any, events: Table, encoding: str, *, split: int, ros1: bool = False, size: Resolution = SIZE
) -> Iterator[tuple[int, Any]]:
    """Make ``split`` messages of events: the time of each in nanoseconds, and the message."""
    kinds, name = store.types, ros_type(encoding)
    for number, part in enumerate(np.array_split(events, split)):
        stamp_ns = (EPOCH_US + int(part[0, 2])) * 1000
        time = kinds["builtin_interfaces/msg/Time"](stamp_ns // 10**9, stamp_ns % 10**9)
        seq = {"seq": number} if ros1 else {}
        header = kinds["std_msgs/msg/Header"](stamp=time, frame_id="cam", **seq)
        if encoding == "dvs_msgs":
            yield stamp_ns, kinds[name](header, size.height, size.width, _ros_events(kinds, part))
            continue
        payload, base = _payload(part, encoding, first=not number)
        yield (
            stamp_ns,
            kinds[name](header, size.height, size.width, number, base, encoding, False, payload),
        )


def _ros_events(kinds: Any, part: Table) -> list[Any]:
    event, time = kinds["dvs_msgs/msg/Event"], kinds["builtin_interfaces/msg/Time"]
    made = []
    for x, y, t, p in part.tolist():
        seconds, rest = divmod(t + EPOCH_US, 1_000_000)
        made.append(event(x, y, time(seconds, rest * 1000), bool(p)))
    return made


def _payload(part: Table, encoding: str, *, first: bool) -> tuple[Any, int]:
    """Return the events of a packet as event_camera_codecs encodes them, and the packet's base of time."""
    if encoding == "libcaer":
        x, y, t, p = part.T
        words = np.stack([x << 17 | y << 2 | p << 1 | 1, t], axis=1).astype("<u4")
        return words.view(np.uint8).ravel(), EPOCH_US * 1000
    if encoding == "libcaer_cmp":
        words16: list[int] = []
        base = int(part[0, 2])
        for x, y, t, p in part.tolist():
            since = t - base
            words16 += [since >> 12 & 0xFFF, 0x1000 | since & 0xFFF, 0x2000 | x, 0x3000 | p << 11 | y]
        return np.array(words16, dtype="<u2").view(np.uint8), (EPOCH_US + base) * 1000
    words16 = []
    high = -1 if first else int(part[0, 2]) >> 12  # only the first packet is sure to begin with the time
    for x, y, t, p in part.tolist():
        if t >> 12 != high or not words16:
            high = t >> 12
            words16.append(0x8000 | high & 0xFFF)
        words16 += [0x6000 | t & 0xFFF, y, 0x2000 | p << 11 | x]
    return np.array(words16, dtype="<u2").view(np.uint8), 0


def read_by_rosbags(path: Path) -> Table:
    """Read arrays of events with rosbags' general deserializer: an object for every event."""
    from rosbags.highlevel import AnyReader
    from rosbags.typesys import Stores, get_typestore

    rows = []
    with AnyReader([path], default_typestore=get_typestore(Stores.ROS1_NOETIC)) as reader:
        wanted = [c for c in reader.connections if c.msgtype == "dvs_msgs/msg/EventArray"]
        for connection, _, raw in reader.messages(wanted):
            for event in reader.deserialize(raw, connection.msgtype).events:
                t = event.ts.sec * 1_000_000 + event.ts.nanosec // 1000
                rows.append((event.x, event.y, t, int(event.polarity)))
    return np.array(rows, dtype=np.int64)


def read_payloads(path: Path, encoding: str, peer: str) -> Table:
    """Read event_camera_msgs: the payloads that rosbags finds, decoded by ``peer`` as a file of its own."""
    highlevel = pytest.importorskip("rosbags.highlevel")
    typesys = pytest.importorskip("rosbags.typesys")
    store = typesys.get_typestore(typesys.Stores.ROS1_NOETIC)
    payload = bytearray()
    with highlevel.AnyReader([path], default_typestore=store) as reader:
        wanted = [c for c in reader.connections if c.msgtype == "event_camera_msgs/msg/EventPacket"]
        for connection, _, raw in reader.messages(wanted):
            message = reader.deserialize(raw, connection.msgtype)
            assert message.encoding == encoding
            payload += message.events.tobytes()
    if encoding == "evt3":
        raw_path = path.with_name("payloads.raw")
        head = b"% evt 3.0\n% format EVT3;height=480;width=640\n% geometry 640x480\n% end\n"
        raw_path.write_bytes(head + payload)
        assert peer == "eventcv"  # faery 0.7.1 lets time stand at 16.8 s where it began anew in a long pause
        return read_by_eventcv(raw_path)
    assert (encoding, peer) == ("libcaer", "tonic")  # the words of AEDAT 3.1, in one packet
    words = np.frombuffer(bytes(payload), dtype="<u4").reshape(-1, 2)
    aedat = path.with_name("payloads.aedat")
    head = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n"
    special = struct.pack("<hhiiiiii", 0, 1, 8, 4, 0, 1, 1, 1) + bytes(8)
    packet = struct.pack("<hhiiiiii", 1, 1, 8, 4, 0, *(len(words),) * 3)
    aedat.write_bytes(head + special + packet + words.tobytes())
    events = read_gesture_by_tonic(aedat)
    return events + np.array([0, 0, EPOCH_US, 0])


def read_by_h5py(path: Path, layout: str) -> Table:
    """Read HDF5 with h5py alone, column by column, as the tool that lays it out so describes it."""
    with pytest.importorskip("h5py").File(path, "r") as file:
        if layout == "DSEC":
            pytest.importorskip("hdf5plugin")
            columns = [file[f"events/{name}"][:].astype(np.int64) for name in "xytp"]
            columns[2] += int(file["t_offset"][()])
            return np.stack(columns, axis=1)
        if layout == "v2e":
            return file["events"][:].astype(np.int64)[:, [1, 2, 0, 3]]
        x, y, t, p = file["davis/left/events"][:].T
        return np.stack([x, y, np.round(t * 1e6), p > 0], axis=1).astype(np.int64)


def read_seconds_by_numpy(path: Path) -> Table:
    """Read columns t, x, y, p, of which t is in seconds, from text or an array."""
    t, x, y, p = (np.load(path) if path.suffix == ".npy" else np.loadtxt(path)).T
    return np.stack([x, y, np.round(t * 1e6), p > 0], axis=1).astype(np.int64)


def read_named_columns(path: Path) -> Table:
    """Read a CSV with Python's own reader."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return np.array(
        [(int(r["x"]), int(r["y"]), int(r["timestamp_us"]), r["polarity"] == "True") for r in rows]
    )
