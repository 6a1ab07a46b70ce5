"""A recording cut or damaged anywhere: every intact packet is in the repaired file, which dv opens."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import dv_processing as dv
import numpy as np
import pytest
from making import SIZE, dv_events, dv_recording, index_position, join, make_events, packet_places, same

from neuroclip_drivers.aedat4.format import Compression, parse_header
from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.replay import ReplaySource
from neuroclip_drivers.source import GrayFrame
from neuroclip_live.cli.main import main
from neuroclip_live.errors import UserError
from neuroclip_live.recording.repair import repair

EVENTS = make_events(3000)
ROOT = Path(__file__).resolve().parents[1]


def written(path: Path, compression: Compression = Compression.LZ4) -> Path:
    """Make a recording of 30 packets of 100 events, with a frame in every tenth."""
    with Aedat4Writer(path, SIZE, "Cam", frames=True, compression=compression) as writer:
        for start in range(0, 3000, 100):
            writer.write(EVENTS[start : start + 100])
            writer.flush()
            if start % 1000 == 0:
                image = np.full((48, 64), start // 100, dtype=np.uint8)
                writer.write_frame(GrayFrame(int(EVENTS["t"][start]), image))
        writer.flush()
    return path


def intact(whole: Path, cut: int) -> int:
    ends = [(at + 8 + size, stream) for at, stream, size in packet_places(whole)]
    return 100 * sum(stream == 0 and end <= cut for end, stream in ends)


def boundaries(path: Path) -> dict[str, int]:
    """Return a length to cut to for every kind of place in a file."""
    places, index = packet_places(path), index_position(path)
    kinds = {"first packet whole": places[1][0], "all packets, no index": index}
    for name, (at, _, size) in {"early": places[2], "middle": places[15], "last": places[-1]}.items():
        kinds |= {
            f"{name}: before its stream number": at,
            f"{name}: in its stream number": at + 2,
            f"{name}: between number and length": at + 4,
            f"{name}: in its length": at + 6,
            f"{name}: before its body": at + 8,
            f"{name}: in the compression's mark": at + 10,
            f"{name}: mid-payload": at + 8 + size // 2,
            f"{name}: one byte short": at + 7 + size,
        }
    size = path.stat().st_size
    kinds |= {"index: in its first bytes": index + 3, "index: middle": (index + size) // 2}
    return kinds | {"index: one byte short": size - 1}


@pytest.mark.parametrize("compression", [Compression.LZ4, Compression.ZSTD, Compression.NONE])
def test_cut_at_every_kind_of_boundary(tmp_path: Path, compression: Compression) -> None:
    whole = written(tmp_path / "whole.aedat4", compression)
    data = whole.read_bytes()
    for kind, cut in boundaries(whole).items():
        path, out = tmp_path / "cut.aedat4", tmp_path / "out.aedat4"
        path.write_bytes(data[:cut])
        report = repair(path, out)
        assert path.read_bytes() == data[:cut], kind
        given = dv_events(out)
        assert len(given) == report.events, kind
        assert intact(whole, cut) <= len(given) <= intact(whole, cut) + 100, kind
        assert same(given, EVENTS[: len(given)]), kind
        assert repair(out, tmp_path / "again").path is None, kind
        out.unlink()


@pytest.mark.parametrize("where", ["empty", "first line", "header length", "header body", "header whole"])
def test_cut_in_the_header_nothing_is_left_and_it_is_said(tmp_path: Path, where: str) -> None:
    data = written(tmp_path / "whole.aedat4").read_bytes()
    end = parse_header(data).end
    cut = {"empty": 0, "first line": 7, "header length": 16, "header body": end // 2, "header whole": end}
    path = tmp_path / "cut.aedat4"
    path.write_bytes(data[: cut[where]])
    with pytest.raises(UserError) as told:
        repair(path)
    assert "\n" not in str(told.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cut.aedat4", "whole.aedat4"]


def test_a_table_that_points_to_nowhere(tmp_path: Path) -> None:
    path = written(tmp_path / "a.aedat4")
    data = bytearray(path.read_bytes())
    place = data.index(struct.pack("<q", index_position(path)))
    struct.pack_into("<q", data, place, 1 << 40)
    (tmp_path / "bad.aedat4").write_bytes(data)
    report = repair(tmp_path / "bad.aedat4")
    assert report.events == 3000
    assert same(dv_events(tmp_path / "bad.repaired.aedat4"), EVENTS)


@pytest.mark.parametrize(("number", "left"), [(14, (2900, 3)), (12, (3000, 2))], ids=["events", "frame"])
def test_damage_in_the_middle_costs_that_packet(tmp_path: Path, number: int, left: tuple[int, int]) -> None:
    path = written(tmp_path / "a.aedat4")
    data = bytearray(path.read_bytes())
    at, _, size = packet_places(path)[number]
    data[at + 8 + 4 : at + 8 + size] = bytes(size - 4)
    (tmp_path / "bad.aedat4").write_bytes(data)
    report = repair(tmp_path / "bad.aedat4")
    assert report.path == tmp_path / "bad.repaired.aedat4"
    assert (report.events, report.frames) == left
    assert report.lost == "1 damaged packet was left out" + (" (about 100 events)" if number == 14 else "")
    reading = dv.io.MonoCameraRecording(str(report.path))
    assert reading.getCameraName() == "Cam"
    frame = reading.getNextFrame()
    assert (frame.image == 0).all()


def test_a_whole_recording_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = dv_recording(tmp_path / "a.aedat4", EVENTS)
    assert main(["repair", str(path)]) == 0
    assert capsys.readouterr().out == "the recording is whole: there is nothing to repair\n"
    assert [p.name for p in tmp_path.iterdir()] == ["a.aedat4"]


def test_the_command_and_replay_that_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = written(tmp_path / "whole.aedat4")
    path = tmp_path / "cut.aedat4"
    path.write_bytes(whole.read_bytes()[: index_position(whole) // 2])
    assert "neuroclip-live repair cut.aedat4" in ReplaySource(path, speed=None).status().message
    assert main(["repair", str(path)]) == 0
    assert " events and " in capsys.readouterr().out
    assert ReplaySource(tmp_path / "cut.repaired.aedat4").status().message == ""
    assert main(["repair", str(path)]) == 2
    assert "exists already. Choose another name with --out" in capsys.readouterr().err
    assert main(["repair", str(path), "--out", str(path)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["repair", str(tmp_path / "none.aedat4")]) == 2
    assert main(["repair", str(path), "--out", str(tmp_path / "no" / "x.aedat4")]) == 2


def test_a_real_run_killed_while_it_records_is_repaired(tmp_path: Path) -> None:
    path = tmp_path / "killed.aedat4"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "neuroclip_live", "--headless", "--simulate"),
            *("--jsonl", os.devnull, "--record", str(path)),
        ],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 300
        while not path.exists() or path.stat().st_size < 100_000:
            assert time.monotonic() < deadline, "it did not record"
            assert process.poll() is None
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    report = repair(path)
    assert report.path is not None
    given = dv_events(report.path)
    assert same(given, join(Recording(path).read()))
    assert report.events == len(given) > 1000
