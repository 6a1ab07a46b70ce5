"""Recordings as other writers and untidy copies make them: nothing intact is lost or called damaged."""

from __future__ import annotations

import struct
from pathlib import Path

import event_files as made
import numpy as np
import pytest
from making import SIZE, START_US, index_position, join, make_events, packet_places, same

from neuroclip_drivers.aedat4.format import MAGIC, Compression, parse_header
from neuroclip_drivers.aedat4.index import INDEX_DTYPE, index_payload
from neuroclip_drivers.aedat4.packing import compress
from neuroclip_drivers.aedat4.payloads import frame_payload as encoded
from neuroclip_drivers.aedat4.payloads import parse_frame
from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.files.event_file import FileOptions
from neuroclip_drivers.files.open_file import open_event_file
from neuroclip_live.cli.main import main
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution
from neuroclip_live.recording.repair import repair

DEVICES_OWN_TIME = 20
"""Microseconds by which one event in each packet of a camera steps back."""


def untidy(count: int = 3000, packet: int = 100) -> Packet:
    """Events as cameras give them: in every packet one steps back a little and one lies off the sensor."""
    events = make_events(count)
    events["t"][50::packet] = events["t"][49::packet] - DEVICES_OWN_TIME
    events["x"][70::packet] = SIZE.width
    return events


def written(path: Path, events: Packet, compression: Compression, packet: int = 100) -> Path:
    with Aedat4Writer(path, SIZE, "TESTCAM", compression=compression) as writer:
        for start in range(0, len(events), packet):
            writer.write(events[start : start + packet])
            writer.flush()
    return path


def with_index(path: Path, **fields: int) -> Path:
    """Replace the index of a recording by one that tells something else."""
    data = path.read_bytes()
    header, at = parse_header(data), index_position(path)
    rows = np.zeros(len(packet_places(path)), dtype=INDEX_DTYPE)
    for row, (position, stream, size) in zip(rows, packet_places(path), strict=True):
        row["offset"], row["stream"], row["size"] = position + 8, stream, size
    for name, value in fields.items():
        rows[name] = value
    path.write_bytes(data[:at] + compress(index_payload(rows), header.compression))
    return path


@pytest.mark.parametrize("compression", list(Compression), ids=lambda c: c.name)
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_cut_costs_untidy_packets_no_event(tmp_path: Path, compression: Compression, share: float) -> None:
    events = untidy()
    path = written(tmp_path / "a.aedat4", events, compression)
    cut = int(share * index_position(path))
    whole = 100 * sum(position + 8 + size <= cut for position, _, size in packet_places(path))
    path.write_bytes(path.read_bytes()[:cut])
    recording = Recording(path)
    given = join(recording.read())
    assert whole <= len(given) < whole + 100
    assert same(given, events[: len(given)])
    assert "left out" not in recording.losses
    report = repair(path)
    assert report.path is not None
    assert same(join(Recording(report.path).read()), given)


@pytest.mark.parametrize("count", [0, -1, 1, 99, 101, 1 << 40])
@pytest.mark.parametrize("compression", list(Compression), ids=lambda c: c.name)
def test_an_index_that_counts_wrong_costs_nothing(
    tmp_path: Path, compression: Compression, count: int
) -> None:
    events = untidy()
    path = with_index(written(tmp_path / "a.aedat4", events, compression), count=count)
    recording = Recording(path)
    assert same(join(recording.read()), events)
    assert recording.losses == ""
    assert repair(path).path is None  # whole
    late = join(recording.read(START_US + 500_000))
    assert same(late, events[int(np.argmax(events["t"] >= START_US + 500_000)) :])


def test_a_damaged_packet_still_costs_only_itself(tmp_path: Path) -> None:
    events = untidy()
    path = written(tmp_path / "a.aedat4", events, Compression.LZ4)
    position, _, size = packet_places(path)[7]
    data = bytearray(path.read_bytes())
    data[position + 8 + size // 2 : position + 8 + size] = b"\xff" * (size - size // 2)
    path.write_bytes(data)
    recording = Recording(path)
    given = join(recording.read())
    assert len(events) - 100 <= len(given) < len(events)
    assert "1 damaged packet was left out" in recording.losses
    assert same(given[-2200:], events[-2200:])


def described(path: Path, xml: str) -> Path:
    """Give a recording another description of its streams; the index is left out."""
    data = path.read_bytes()
    body = (
        struct.pack("<I4s6x5H", 24, b"IOHE", 10, 24, 4, 12, 8)
        + struct.pack("<iiIq4x", 10, int(parse_header(data).compression), 16, -1)
        + struct.pack("<I", len(xml))
        + xml.encode()
    )
    body += b"\0" * (4 - len(body) % 4)
    path.write_bytes(
        MAGIC + struct.pack("<I", len(body)) + body + data[parse_header(data).end : index_position(path)]
    )
    return path


STREAM = '<attr key="typeIdentifier" {}/><attr key="sizeX" {}/><attr key="sizeY" {}/>'
BY_VALUE = STREAM.format('value="EVTS"', f'value="{SIZE.width}"', f'value="{SIZE.height}"')
BY_TEXT = (
    '<attr key="typeIdentifier">EVTS</attr>'
    f'<attr key="sizeX">{SIZE.width}</attr><attr key="sizeY">{SIZE.height}</attr>'
)


@pytest.mark.parametrize(
    "xml",
    [
        f'<dv version="2.0"><outInfo><node name="0">{BY_VALUE}</node></outInfo></dv>',
        f'<dv version="2.0"><node name="outInfo"><node name="0">{BY_VALUE}</node></node></dv>',
        f'<dv version="2.0"><outInfo><node name="0">{BY_TEXT}</node></outInfo></dv>',
        '<dv version="2.0"><node name="outInfo"><node name="jAERConfigSnapshot"><attr key="a">x</attr></node>'
        f'<node name="0">{BY_TEXT}</node></node></dv>',
    ],
    ids=["element and values", "values", "element", "settings between the streams"],
)
def test_jaer_3_describes_its_streams_otherwise(tmp_path: Path, xml: str) -> None:
    events = make_events(1000)
    path = described(written(tmp_path / "a.aedat4", events, Compression.LZ4), xml)
    recording = Recording(path)
    assert recording.resolution == SIZE
    assert same(join(recording.read()), events)


def frame_payload(pixels: np.ndarray, code: int) -> bytes:
    """A frame packet with pixels in any of OpenCV's types."""
    height, width = pixels.shape[:2]
    gray = np.zeros((height, pixels.nbytes // height), dtype=np.uint8)
    gray[:] = np.frombuffer(pixels.tobytes(), np.uint8).reshape(gray.shape)
    data = bytearray(encoded(START_US, gray))
    table = 4 + struct.unpack_from("<I", data, 4)[0]
    vtable = table - struct.unpack_from("<i", data, table)[0]
    width_at = table + struct.unpack_from("<H", data, vtable + 4 + 2 * 6)[0]
    struct.pack_into("<h", data, width_at, width)
    data[table + struct.unpack_from("<H", data, vtable + 4 + 2 * 5)[0]] = code
    return bytes(data)


@pytest.mark.parametrize(
    ("code", "channels", "dtype"),
    [(0, 1, "u1"), (16, 3, "u1"), (24, 4, "u1"), (2, 1, "<u2"), (18, 3, "<u2"), (26, 4, "<u2")],
)
def test_frames_of_every_depth_are_read(code: int, channels: int, dtype: str) -> None:
    value = 200 if dtype == "u1" else 200 << 8
    shape = (6, 8) if channels == 1 else (6, 8, channels)
    frame = parse_frame(frame_payload(np.full(shape, value, dtype=dtype), code))
    assert frame.image.shape == (6, 8)
    assert frame.image.dtype == np.uint8
    assert (frame.image == 200).all()


@pytest.mark.parametrize("kind", ["16 bit", "unknown"])
def test_frames_that_are_whole_are_never_called_damage(tmp_path: Path, kind: str) -> None:
    path, events = tmp_path / "a.aedat4", make_events(500)
    with Aedat4Writer(path, SIZE, "TESTCAM", frames=True, compression=Compression.LZ4) as writer:
        writer.write(events)
        writer.flush()
        if kind == "16 bit":
            data = frame_payload(np.full((6, 8), 50 << 8, "<u2"), 2)
        else:
            data = frame_payload(np.full((6, 8), 0.5, "<f4"), 5)
        writer._packet(1, data, 1, START_US, START_US)
    recording = Recording(path)
    frames = list(recording.frames())
    assert "damage" not in recording.losses
    if kind == "16 bit":
        assert [int(frame.image[0, 0]) for frame in frames] == [50]
        assert recording.losses == ""
        assert repair(path).path is None
    else:
        assert frames == []
        assert "frames of OpenCV's type 5 cannot be shown" in recording.losses


@pytest.mark.parametrize("turned", [b"\n", b"\r\r\n"])
def test_a_copy_in_text_mode_is_named(tmp_path: Path, turned: bytes) -> None:
    path = written(tmp_path / "a.aedat4", make_events(500), Compression.LZ4)
    path.write_bytes(path.read_bytes().replace(b"\r\n", turned))
    with pytest.raises(UserError, match=r"changed by a copy in text mode.*again in binary"):
        Recording(path)


@pytest.mark.parametrize("compression", list(Compression), ids=lambda c: c.name)
@pytest.mark.parametrize("name", ["a.aedat4", "a.raw", "a.aedat", "a.npy"])
def test_a_copy_in_text_mode_is_named_whatever_its_first_line_says(
    tmp_path: Path, name: str, compression: Compression
) -> None:
    """Line ends turned but for the first, as git does for Windows, or bytes replaced by an editor."""
    path = tmp_path / name
    table = made.scene(made.DVS128, count=9_000, seconds=3.0)
    if name == "a.aedat4":
        written(path, make_events(9_000), compression)
    elif compression is not Compression.NONE:
        pytest.skip("its bodies are not compressed")
    elif name == "a.raw":
        made.evt21_file(path, table)
    elif name == "a.aedat":
        made.aedat2_file(path, table)
    else:
        np.save(path, table)
    data = path.read_bytes()
    open_event_file(path).close()
    path.write_bytes(data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    with pytest.raises(UserError, match=r"changed by a copy in text mode.*again in binary"):
        open_event_file(path)
    for changed in (data.decode("utf-8", "replace"), data.decode("latin-1")):
        path.write_bytes(changed.encode())
        with pytest.raises(UserError, match=r"written as text.*again in binary"):
            open_event_file(path)


@pytest.mark.parametrize("name", ["a.raw", "a.aedat"])
def test_a_copy_that_took_carriage_returns_out_of_it_is_named(tmp_path: Path, name: str) -> None:
    """The first line of these ends in any way, and the length of most is a possible one."""
    path = tmp_path / name
    if name == "a.raw":
        size = Resolution(640, 480)
        made.evt21_file(path, made.scene(size, seconds=5.0), size)
    else:
        made.aedat2_file(path, made.scene(made.DVS128, seconds=5.0))
    data = path.read_bytes()
    returns = data.count(b"\r\n")
    assert returns > 5
    whole = open_event_file(path)
    events = sum(map(len, whole.read()))
    path.write_bytes(data.replace(b"\r\n", b"\n"))
    with pytest.raises(UserError, match=r"changed by a copy in text mode.*again in binary"):
        open_event_file(path)
    path.write_bytes(data[: len(data) // 2 + 3])  # what is only cut off is played
    half = open_event_file(path)
    assert 0.4 * events < sum(map(len, half.read())) < 0.6 * events
    assert "cut off" in half.losses


@pytest.mark.parametrize("kind", ["structured", "columns", "packed"])
def test_an_array_whose_carriage_returns_a_copy_took_out_is_named(tmp_path: Path, kind: str) -> None:
    events = make_events(200_000, 20_000_000)
    events["t"] -= START_US
    array = np.stack([events[name].astype(np.int64) for name in "txyp"], axis=1)
    if kind == "structured":
        array = events
    elif kind == "packed":
        array = np.zeros(len(events), [("t", "<u4"), ("x", "<u2"), ("y", "<u2"), ("p", "?")])
        for name in "txyp":
            array[name] = events[name]
    path = tmp_path / "a.npy"
    np.save(path, array)
    data = path.read_bytes()
    assert len(join(open_event_file(path, FileOptions(time_unit="us")).read())) == len(events)
    returns = data.count(b"\r\n")
    assert returns > 5
    path.write_bytes(data.replace(b"\r\n", b"\n"))
    with pytest.raises(UserError, match=r"changed by a copy in text mode.*again in binary"):
        open_event_file(path, FileOptions(time_unit="us"))
    path.write_bytes(data[:-1000])  # what is only cut off is played
    assert "cut off" in open_event_file(path, FileOptions(time_unit="us")).losses


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r\r\n"])
def test_a_file_of_text_may_be_copied_as_text(tmp_path: Path, ends: str) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{t},{t % 60},{t % 40},{t % 2}" for t in range(1, 500)]
    path.write_bytes(ends.join(["# größe, né à", "t,x,y,p", *rows, ""]).encode())
    recording = open_event_file(path, FileOptions(time_unit="us"))
    assert len(join(recording.read())) == 499


def test_a_git_lfs_pointer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.aedat4"
    path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 1234567\n")
    with pytest.raises(UserError, match=r"is a Git LFS pointer.*git lfs pull"):
        Recording(path)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--adapter",), "the adapter"),
        (("--taught",), "the lessons"),
        (("--model", "ViT-B-32", "--weights"), "the weights"),
        (("--prompt-file",), "the labels"),
    ],
)
def test_a_git_lfs_pointer_is_named_in_place_of_any_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], what: str
) -> None:
    path, pointer = tmp_path / "a.aedat4", tmp_path / "pointer.pt"
    written(path, make_events(2000), Compression.LZ4)
    pointer.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 1234567\n")
    run = ["--replay", str(path), "--headless", "--speed", "max", "--jsonl", "-"]
    labels = [] if what in ("the labels", "the lessons") else ["--prompts", "a, b"]
    assert main([*run, *labels, *options, str(pointer)]) == 2
    assert f"is a Git LFS pointer, not {what}. Run 'git lfs pull'" in capsys.readouterr().err
