"""Recordings in the formats of others: every event, from any time, and what is left of damaged ones.

For each format two readers, ours and one of strangers, are compared on files that a third wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import event_files as made
import numpy as np
import pytest
from event_files import DAVIS, DVS128, SIZE, Table

from neuroclip_drivers.files.event_file import MAX_PACKET_EVENTS, EventFile, FileOptions, parse_sensor
from neuroclip_drivers.files.open_file import open_event_file
from neuroclip_drivers.files.registry import READERS, FileFormat, known_suffixes
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live import registry
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, join_packets

Maker = Callable[[Path], tuple[Path, Table]]


def table(packets: Iterator[Packet] | list[Packet]) -> Table:
    """Return packets as (N, 4): x, y, t, p."""
    kept = list(packets)
    assert all(packet.dtype == EVENT_DTYPE and 1 <= len(packet) <= MAX_PACKET_EVENTS for packet in kept)
    assert all(packet.flags.c_contiguous and packet.base is None for packet in kept)
    joined = join_packets(kept)
    return np.stack([joined[name].astype(np.int64) for name in ("x", "y", "t", "p")], axis=1)


def in_order(events: Table) -> Table:
    """Return events of one time in one order: encodings may change it."""
    return events[np.lexsort(tuple(events.T))]


def as_set(events: Table) -> set[tuple[int, ...]]:
    return set(map(tuple, events.tolist()))


def _structured(path: Path) -> tuple[Path, Table]:
    events = made.scene()
    array = np.zeros(len(events), dtype=[("x", "<u2"), ("y", "<u2"), ("t", "<u8"), ("p", "?")])
    array["x"], array["y"], array["t"], array["p"] = events.T
    np.save(path, array)
    return path, events


def _n_imagenet(path: Path) -> tuple[Path, Table]:
    _structured(path.with_suffix(".npy"))
    np.savez_compressed(path, event_data=np.load(path.with_suffix(".npy")))
    return path, made.scene()


def _seconds(path: Path) -> tuple[Path, Table]:
    events = made.scene()
    x, y, t, p = events.T
    np.save(path, np.stack([t / 1e6, x, y, p * 2.0 - 1], axis=1))
    return path, events


def _savetxt(path: Path) -> tuple[Path, Table]:
    events = made.scene()
    x, y, t, p = events.T
    np.savetxt(path, np.stack([t / 1e6, x, y, p], axis=1))
    return path, events


def _named_columns(path: Path) -> tuple[Path, Table]:
    events = made.scene()
    lines = [f"{n},{bool(p)},{x},{y},{t}" for n, (x, y, t, p) in enumerate(events.tolist())]
    path.write_text("\n".join([",polarity,x,y,timestamp_us", *lines, ""]))
    return path, events


def _fields(path: Path, name: str = "") -> Table:
    loaded = np.load(path)
    array = loaded[name] if name else loaded
    return np.stack([array[field].astype(np.int64) for field in "xytp"], axis=1)


def _dsec(path: Path) -> tuple[Path, Table]:
    events = made.scene() + np.array([0, 0, 5_000_000, 0])
    return made.hdf5_file(path, events, "DSEC"), events


def bag(container: str, encoding: str = "dvs_msgs") -> Maker:
    def make(path: Path) -> tuple[Path, Table]:
        events = made.scene(count=20_000)
        made.bag_file(path.with_suffix(".bag" if container == "ros1" else ""), events, container, encoding)
        if encoding != "evt3":
            events = events + np.array([0, 0, made.EPOCH_US, 0])
        found = path.with_suffix(".bag" if container == "ros1" else "")
        if found.is_dir():
            found = next(file for file in found.iterdir() if file.suffix in (".db3", ".mcap"))
        return found, events

    return make


def eventcv(suffix: str, size: Resolution = SIZE, **options: str) -> Maker:
    def make(path: Path) -> tuple[Path, Table]:
        events = made.scene(size)
        return made.eventcv_file(path.with_suffix(suffix), events, size, **options), events

    return make


def faery(suffix: str, **options: object) -> Maker:
    def make(path: Path) -> tuple[Path, Table]:
        events = made.scene()
        if options:
            options["zero_t0"] = False
        return made.faery_file(path.with_suffix(suffix), events, SIZE, **options), events

    return make


def own(writer: Callable[..., Path], sensor: Resolution = SIZE, **options: object) -> Maker:
    def make(path: Path) -> tuple[Path, Table]:
        events = made.scene(sensor)
        return writer(path, events, **options), events

    return make


FILES: dict[str, tuple[str, Maker, Resolution]] = {
    "EVT2 of EventCV": ("Prophesee EVT2", eventcv(".raw", format="evt2"), SIZE),
    "EVT2 of faery": ("Prophesee EVT2", faery(".raw", version="evt2"), SIZE),
    "EVT2.1": ("Prophesee EVT2.1", own(made.evt21_file), SIZE),
    "EVT2.1, older": ("Prophesee EVT2.1", own(made.evt21_file, legacy=True), SIZE),
    "EVT3 of EventCV": ("Prophesee EVT3", eventcv(".raw", format="evt3"), SIZE),
    "EVT3 of faery": ("Prophesee EVT3", faery(".raw", version="evt3"), SIZE),
    "DAT of EventCV": ("Prophesee DAT", eventcv(".dat"), SIZE),
    "DAT of faery": ("Prophesee DAT", faery(".dat", version="dat2"), SIZE),
    "AEDAT 2, DVS128": ("AEDAT 2", own(made.aedat2_file, DVS128), DVS128),
    "AEDAT 2, DAVIS": ("AEDAT 2", own(made.aedat2_file, DAVIS, chip="Davis346B", size=DAVIS), DAVIS),
    "AEDAT 3.1": ("AEDAT 3.1", own(made.aedat3_file, DVS128), DVS128),
    "structured npy": ("NumPy", _structured, SIZE),
    "seconds in an npy of N x 4": ("NumPy", _seconds, SIZE),
    "npz of EventCV": ("NumPy archive", eventcv(".npz"), SIZE),
    "npz of N-ImageNet": ("NumPy archive", _n_imagenet, SIZE),
    "HDF5 of EventCV": ("HDF5", eventcv(".h5"), SIZE),
    "HDF5 of OpenEB": ("HDF5", own(made.hdf5_file, layout="OpenEB"), SIZE),
    "HDF5 of DSEC": ("HDF5", _dsec, SIZE),
    "HDF5 of MVSEC": ("HDF5", own(made.hdf5_file, layout="MVSEC"), SIZE),
    "HDF5 of v2e": ("HDF5", own(made.hdf5_file, layout="v2e"), SIZE),
    "HDF5 of e2calib": ("HDF5", own(made.hdf5_file, layout="e2calib"), SIZE),
    "ROS 1 bag": ("ROS 1 bag, dvs_msgs", bag("ros1"), SIZE),
    "ROS 1 bag of EventCV": ("ROS 1 bag, dvs_msgs", eventcv(".bag"), SIZE),
    "ROS 1 bag, evt3": ("ROS 1 bag, evt3", bag("ros1", "evt3"), SIZE),
    "ROS 2 bag": ("ROS 2 bag, dvs_msgs", bag("db3"), SIZE),
    "ROS 2 bag, libcaer": ("ROS 2 bag, libcaer", bag("db3", "libcaer"), SIZE),
    "MCAP": ("MCAP, dvs_msgs", bag("mcap"), SIZE),
    "MCAP, evt3": ("MCAP, evt3", bag("mcap", "evt3"), SIZE),
    "MCAP, libcaer_cmp": ("MCAP, libcaer_cmp", bag("mcap", "libcaer_cmp"), SIZE),
    "text of EventCV": ("text", eventcv(".txt"), SIZE),
    "CSV of faery": ("text", faery(".csv"), SIZE),
    "text of numpy.savetxt": ("text", _savetxt, SIZE),
    "CSV with names and a column more": ("text", _named_columns, SIZE),
}


@pytest.fixture(params=list(FILES))
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Table, str, Resolution]:
    """A file that is called nothing like its format, what is in it, its format's name, and its sensor."""
    kind, maker, size = FILES[request.param]
    suffix = ".npy" if kind == "NumPy" else ".npz" if kind == "NumPy archive" else ".events"
    path, events = maker(tmp_path / f"made{suffix}")
    return path.rename(tmp_path / "recording.bin"), events, kind, size


def test_every_event_is_read(case: tuple[Path, Table, str, Resolution]) -> None:
    path, events, kind, size = case
    file = open_event_file(path)
    assert isinstance(file, EventFile)
    assert (file.format, file.resolution, file.losses) == (kind, size, "")
    assert np.array_equal(in_order(table(file.read())), in_order(events))
    assert (file.first_us, file.last_us) == (events[0, 2], events[-1, 2])
    file.close()
    file.close()
    assert list(file.read()) == []


def test_reading_begins_at_any_time(case: tuple[Path, Table, str, Resolution]) -> None:
    path, events, _, _ = case
    file = open_event_file(path)
    for share in (0.0, 0.001, 0.2, 0.43, 0.7, 0.95, 1.0):
        t_us = round(events[0, 2] + share * (events[-1, 2] - events[0, 2]))
        assert np.array_equal(in_order(table(file.read(t_us))), in_order(events[events[:, 2] >= t_us])), share
    assert list(file.read(file.last_us + 1)) == []
    counts = file.rate_histogram(50).counts
    assert counts.sum() == len(events)
    assert counts.max() < 5 * counts.mean()


def test_it_replays_a_part(case: tuple[Path, Table, str, Resolution]) -> None:
    path, events, _, size = case
    source = ReplaySource(path, speed=None, start_s=15.0, end_s=30.0)
    assert source.resolution == size
    played = table([packet for packet in source.packets() if len(packet)])
    first = events[0, 2]
    wanted = events[(events[:, 2] >= first + 15_000_000) & (events[:, 2] <= first + 30_000_000)]
    assert np.array_equal(in_order(played), in_order(wanted))


@pytest.mark.parametrize("write", [eventcv(".aedat4"), faery(".aedat4")], ids=["EventCV", "faery"])
def test_aedat4_of_others_is_read(write: Maker, tmp_path: Path) -> None:
    path, events = write(tmp_path / "made")
    file = open_event_file(path)
    assert (file.format, file.resolution, file.losses) == ("AEDAT 4", SIZE, "")
    assert np.array_equal(in_order(table(file.read())), in_order(events))
    half = int(events[len(events) // 2, 2])
    assert np.array_equal(in_order(table(file.read(half))), in_order(events[events[:, 2] >= half]))


PEERS: dict[str, tuple[Maker, Callable[[Path], Table]]] = {
    "EVT2 of EventCV by faery": (eventcv(".raw", format="evt2"), made.read_by_faery),
    "EVT2 of faery by EventCV": (faery(".raw", version="evt2"), made.read_by_eventcv),
    "EVT2 of EventCV by expelliarmus": (
        eventcv(".raw", format="evt2"),
        lambda path: made.read_by_expelliarmus(path, "evt2"),
    ),
    "EVT2.1 by evlib": (own(made.evt21_file), made.read_by_evlib),
    "EVT3 of EventCV by faery": (eventcv(".raw", format="evt3"), made.read_by_faery),
    "EVT3 of faery by EventCV": (faery(".raw", version="evt3"), made.read_by_eventcv),
    "DAT of EventCV by faery": (eventcv(".dat"), made.read_by_faery),
    "DAT of faery by EventCV": (faery(".dat", version="dat2"), made.read_by_eventcv),
    "npz of EventCV by numpy": (eventcv(".npz"), made.read_by_numpy),
    "ROS 1 bag of rosbags by rosbags": (bag("ros1"), made.read_by_rosbags),
    "ROS 1 bag of rosbags by EventCV": (
        bag("ros1"),
        lambda path: made.read_by_eventcv(path, topic="/dvs/events"),
    ),
    "ROS 2 bag of rosbags by rosbags": (
        bag("db3"),
        lambda path: made.read_by_rosbags(path.parent),
    ),
    "MCAP of rosbags by rosbags": (bag("mcap"), lambda path: made.read_by_rosbags(path.parent)),
    "HDF5 of OpenEB by EventCV": (own(made.hdf5_file, layout="OpenEB"), made.read_by_eventcv),
    "HDF5 of EventCV by EventCV": (eventcv(".h5"), made.read_by_eventcv),
    "text of EventCV by EventCV": (eventcv(".txt"), made.read_by_eventcv),
    "AEDAT 2 of a DAVIS by tonic": (
        own(made.aedat2_file, DAVIS, chip="Davis346B", size=DAVIS),
        lambda path: made.read_by_tonic(path, "read_davis_346"),
    ),
    "AEDAT 3.1 by tonic": (own(made.aedat3_file, DVS128), made.read_gesture_by_tonic),
    "npy of numpy by numpy": (_structured, _fields),
    "npy of seconds by numpy": (_seconds, made.read_seconds_by_numpy),
    "npz of N-ImageNet by numpy": (_n_imagenet, lambda path: _fields(path, "event_data")),
    "HDF5 of DSEC by h5py": (_dsec, lambda path: made.read_by_h5py(path, "DSEC")),
    "HDF5 of MVSEC by h5py": (
        own(made.hdf5_file, layout="MVSEC"),
        lambda path: made.read_by_h5py(path, "MVSEC"),
    ),
    "HDF5 of v2e by h5py": (own(made.hdf5_file, layout="v2e"), lambda path: made.read_by_h5py(path, "v2e")),
    "HDF5 of e2calib by EventCV": (own(made.hdf5_file, layout="e2calib"), made.read_by_eventcv),
    "evt3 in a ROS 1 bag by rosbags and EventCV": (
        bag("ros1", "evt3"),
        lambda path: made.read_payloads(path, "evt3", "eventcv"),
    ),
    "evt3 in an MCAP by rosbags and EventCV": (
        bag("mcap", "evt3"),
        lambda path: made.read_payloads(path.parent, "evt3", "eventcv"),
    ),
    "libcaer in a ROS 2 bag by rosbags and tonic": (
        bag("db3", "libcaer"),
        lambda path: made.read_payloads(path.parent, "libcaer", "tonic"),
    ),
    "text of savetxt by numpy": (_savetxt, made.read_seconds_by_numpy),
    "CSV of faery by faery": (faery(".csv"), made.read_by_faery),
    "CSV with names by csv": (_named_columns, made.read_named_columns),
}


@pytest.mark.parametrize("name", list(PEERS))
def test_two_readers_agree(name: str, tmp_path: Path) -> None:
    maker, peer = PEERS[name]
    kinds = {"npy": ".npy", "npz": ".npz", "HDF5": ".h5", "EVT": ".raw", "CSV": ".csv"}
    suffix = next((suffix for word, suffix in kinds.items() if word in name), ".aedat")
    path, _ = maker(tmp_path / f"made{suffix}")
    ours = table(open_event_file(path).read())
    theirs = peer(path)
    assert len(ours) == len(theirs)
    assert np.array_equal(in_order(ours), in_order(theirs))


@pytest.mark.parametrize("share", [0.3, 0.77, 0.9999])
def test_a_file_cut_off_plays_what_is_there(case: tuple[Path, Table, str, Resolution], share: float) -> None:
    path, events, kind, _ = case
    data = path.read_bytes()
    losses = []
    for length in (round(len(data) * share), round(len(data) * share) + 1):  # one is in the middle of a word
        path.write_bytes(data[:length])
        try:
            file = open_event_file(path)
        except UserError as error:  # these have their tables of contents at the end, or one chunk for all
            assert kind.startswith(("NumPy archive", "HDF5", "ROS", "MCAP"))
            losses.append(str(error))
            continue
        left = table(file.read())
        chunk = 10_000 if "bag" in kind or "MCAP" in kind else 0
        assert len(left) >= 0.9 * share * len(events) - chunk
        assert len(as_set(left) - as_set(events)) <= 2  # of a line or a page that was cut
        losses.append(file.losses)
    assert kind == "text" or any("damaged" in line or "cut off" in line for line in losses)


def test_bad_bytes_in_the_middle_cost_no_more_than_what_they_are(
    case: tuple[Path, Table, str, Resolution],
) -> None:
    path, events, kind, _ = case
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 100] = bytes(np.random.default_rng(1).integers(0, 256, 100, dtype=np.uint8))
    path.write_bytes(data)
    try:
        file = open_event_file(path)
    except UserError:
        assert kind == "HDF5"  # what was hit may be what says where everything is
        return
    left = table(file.read())
    if kind == "HDF5":
        assert len(left) > 0.3 * len(events)
    elif kind == "NumPy archive":  # a compressed stream is lost from its damage on, and damage is seen late
        assert "damaged part" in file.losses
    else:
        assert len(left) > (0.8 if "bag" in kind or "MCAP" in kind else 0.95) * len(events)  # a chunk
        early = as_set(events[: int(0.25 * len(events))])
        assert early <= as_set(left)
    file.rate_histogram()
    for t_us in (file.first_us, (file.first_us + file.last_us) // 2, file.last_us):
        next(file.read(t_us), None)


@pytest.mark.parametrize(
    ("name", "contents", "words"),
    [
        ("a.raw", b"% date 2026\n% end\n" + bytes(64), "does not say how its events are encoded"),
        ("a.raw", b"% evt 4.0\n% end\n" + bytes(64), "is encoded as 4.0, which is not known"),
        ("a.raw", b"% geometry 640x480\n% end\n" + bytes(64), "does not say how its events are encoded"),
        ("a.raw", b"% evt 3.0\n% end\n", "holds no events"),
        ("a.dat", b"% Version 2\n% Width 640\n\x0e\x08" + bytes(64), "records that are no events"),
        ("a.dat", b"% Version 2\n% Width 640\n\x0c\x08", "holds no events"),
        ("a.aedat", b"#!AER-DAT2.0\r\n# AEChip: net.sf.jaer.Cochlea\r\n" + bytes(64), "recorded by Cochlea"),
        ("a.aedat", b"#!AER-DAT2.0\r\n" + b"\x12\x34\x56\x78" * 8, "Give its size: --sensor 240x180"),
        ("a.aedat", b"#!AER-DAT3.1\r\n#Format: Serial-TS\r\n#!END-HEADER\r\n", "packed as Serial-TS"),
        ("a.aedat", b"#!AER-DAT3.1\r\n#!END-HEADER\r\n", "holds no events"),
        ("a.csv", b"name,size\nx,3\n1,2\n3,4\n", "names its columns name, size"),
        ("a.csv", b"1,2,3\n4,5,6\n", "is no recording that is known"),
        ("a.csv", b"1,2,3,4\n8,7,6,5\n", "does not tell which of its 4 columns"),
        ("a.npy", b"\x93NUMPY\x01\x00", "is no array of events that can be read"),
        ("a.npz", b"PK\x03\x04" + bytes(90), "is damaged"),
    ],
)
def test_what_cannot_be_played_is_told_in_one_line(
    tmp_path: Path, name: str, contents: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(contents)
    with pytest.raises(UserError, match=words) as caught:
        open_event_file(path)
    assert "\n" not in str(caught.value)


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"t": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="no plain numbers"):
        open_event_file(tmp_path / "a.npy")


def test_what_a_file_does_not_tell_is_given(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("t,x,y,p\n" + "".join(f"{t},{t % 90},7,1\n" for t in range(1000, 4000)))
    taken = open_event_file(path)
    assert taken.resolution == Resolution(128, 128)
    assert "--sensor" in taken.streams_note
    assert "--time-unit" in taken.streams_note
    assert taken.last_us == 3999
    told = open_event_file(path, FileOptions(sensor=parse_sensor("96x64"), time_unit="ms"))
    assert (told.resolution, told.first_us, told.last_us) == (Resolution(96, 64), 1_000_000, 3_999_000)
    assert told.streams_note == ""
    for text in ("", "640", "0x3", "640x480x3", "-1x5", "axb"):
        with pytest.raises(UserError, match="makes no sense"):
            parse_sensor(text)
    with pytest.raises(UserError, match="no time unit"):
        FileOptions(time_unit="h")


def test_clocks_that_begin_anew_go_on(tmp_path: Path) -> None:
    """32 bits of microseconds are 71 minutes, 34 are 4.8 hours."""
    t = np.linspace(0, 4 * (1 << 32) - 5, 200_000).astype(np.int64)
    words = np.stack([t & 0xFFFFFFFF, np.full_like(t, 5 | 7 << 14 | 1 << 28)], axis=1).astype("<u4")
    (tmp_path / "a.dat").write_bytes(b"% Version 2\n% Width 640\n% Height 480\n\x0c\x08" + words.tobytes())
    events = np.stack([np.full_like(t, 5), np.full_like(t, 7), t, np.ones_like(t)], axis=1)
    made.evt21_file(tmp_path / "b.raw", events)
    made.aedat3_file(tmp_path / "c.aedat", events)
    for name in ("a.dat", "b.raw", "c.aedat"):
        file = open_event_file(tmp_path / name)
        assert np.array_equal(table(file.read()), events), name
        for t_us in (t[3], t[77_777], t[150_001]):
            assert next(file.read(int(t_us)))["t"][0] == t_us, name


def test_quiet_evt3_of_minutes_is_in_time(tmp_path: Path) -> None:
    """The clock of EVT3 begins anew every 16.8 s, many times in a megabyte of a quiet recording."""
    t = np.arange(0, 600_000_000, 2048, dtype=np.int64)
    words = np.zeros((len(t), 4), dtype="<u2")
    words[:, 0] = 0x8000 | (t >> 12) & 0xFFF
    words[:, 1] = 0x6000 | t & 0xFFF
    words[:, 2] = 9
    words[:, 3] = 0x2800 | 100
    (tmp_path / "a.raw").write_bytes(b"% evt 3.0\n% geometry 640x480\n% end\n" + words.tobytes())
    file = open_event_file(tmp_path / "a.raw")
    assert np.array_equal(np.concatenate([p["t"] for p in file.read()]), t)
    assert (file.first_us, file.last_us) == (0, t[-1])
    for place in (1, 1000, 131_071, 200_000, len(t) - 1):
        assert next(file.read(int(t[place])))["t"][0] == t[place]


def test_a_reader_of_another_package_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    added = FileFormat(
        "own",
        "a format of one's own",
        "absent_reader:Reader",
        requires=("absent_reader",),
        install="own-reader",
        suffixes=(".own",),
        sniff=lambda head, path: head.startswith(b"OWN"),
    )
    point = SimpleNamespace(name="own", value="own_package:FORMAT", load=lambda: added)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if "readers" in group else [])
    monkeypatch.setattr(READERS, "_added", None)
    assert ".own" in known_suffixes()
    (tmp_path / "a.bin").write_bytes(b"OWN!")
    with pytest.raises(
        UserError, match=r'needs absent_reader, not installed here\. .*pip install "own-reader"'
    ):
        open_event_file(tmp_path / "a.bin")
