"""``neuroclip-live convert``: any recording into an aedat4."""

from __future__ import annotations

from pathlib import Path

import event_files as made
import numpy as np
import pytest
from making import SIZE, START_US, join, make_events, same

from neuroclip_drivers.aedat4.format import StreamInfo, sensor_streams
from neuroclip_drivers.aedat4.payloads import TRIGGER_DTYPE, trigger_payload
from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.files.open_file import open_event_file
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.cli import main as command_line


def read(path: Path) -> made.Table:
    file = open_event_file(path)
    events = np.concatenate(list(file.read()))
    assert file.losses == ""
    file.close()
    return np.stack([events[name].astype(np.int64) for name in "xytp"], axis=1)


def run(*arguments: object) -> int:
    return command_line.main(["convert", *map(str, arguments)])


def test_there_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = made.scene(count=5_000)
    path = made.evt21_file(tmp_path / "a.raw", events)
    assert run(path, tmp_path / "b.aedat4") == 0
    assert f"b.aedat4: {len(events):,} events" in capsys.readouterr().out
    assert run(tmp_path / "b.aedat4", tmp_path / "c.aedat4") == 0
    for name in ("b.aedat4", "c.aedat4"):
        assert np.array_equal(read(tmp_path / name), events), name
        assert open_event_file(tmp_path / name).resolution == made.SIZE


def test_a_part_and_several(tmp_path: Path) -> None:
    events = made.scene(count=5_000)
    path = made.evt21_file(tmp_path / "a.raw", events)
    assert run(path, path, tmp_path / "b.aedat4", "--start", 3, "--end", 9) == 0
    since = events[:, 2] - events[0, 2]
    part = events[(since >= 3_000_000) & (since <= 9_000_000)]
    assert np.array_equal(read(tmp_path / "b.aedat4"), np.concatenate([part, part]))


def test_a_part_of_a_recording_whose_clock_began_anew(tmp_path: Path) -> None:
    """A part is what replay plays of it: places along the file, whatever the camera's clock showed."""
    after, before = make_events(1000, 500_000, seed=1), make_events(1000, 500_000, seed=2)
    after["t"] -= START_US - 7
    with Aedat4Writer(tmp_path / "a.aedat4", SIZE) as writer:
        for events in (before, after, after):
            writer.write(events)
    for start, end in ((0.0, 0.2), (0.3, 0.8), (0.7, 1.3), (1.2, 9.0)):
        assert run(tmp_path / "a.aedat4", tmp_path / "b.aedat4", "--start", start, "--end", end) == 0
        source = ReplaySource(tmp_path / "a.aedat4", speed=None, start_s=start, end_s=end)
        wanted = join(source.packets())
        source.close()
        assert 300 < len(wanted) < 1300
        assert same(join(open_event_file(tmp_path / "b.aedat4").read()), wanted)
        (tmp_path / "b.aedat4").unlink()


def test_what_is_not_taken_along_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    streams = [*sensor_streams("CAM", SIZE), StreamInfo(1, "TRIG", "triggers", "CAM", None)]
    triggers = np.zeros(3, dtype=TRIGGER_DTYPE)
    with Aedat4Writer(tmp_path / "a.aedat4", SIZE, streams=streams) as writer:
        writer.write(make_events(500))
        writer.write_payload(1, trigger_payload(triggers), 3, 0, 0)
    assert run(tmp_path / "a.aedat4", tmp_path / "b.aedat4") == 0
    assert "not taken along: triggers" in capsys.readouterr().err


def test_recordings_that_overlap_in_time_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = [make_events(500, seed=seed) for seed in range(3)]
    for number, (events, later_us) in enumerate(zip(parts, (0, 500_000, 5_000_000), strict=True)):
        events["t"] += later_us
        write_aedat4(tmp_path / f"{number}.aedat4", [events], SIZE)
    one, two, three = (tmp_path / f"{number}.aedat4" for number in range(3))
    for inputs, said in (
        ([one, three], ""),
        (
            [one, two, three],
            "1.aedat4 begins at an earlier time than 0.aedat4 ends: there the clock begins anew",
        ),
        ([three, two, one], "1.aedat4 begins at an earlier time than 2.aedat4 ends (and so do 1 more)"),
    ):
        out = tmp_path / f"out{len(said)}.aedat4"
        assert run(*inputs, out) == 0
        told = capsys.readouterr().err
        assert said in told
        assert bool(said) == bool(told)
        source = ReplaySource(out, speed=None)
        assert same(join(source.packets()), join([parts[int(path.stem)] for path in inputs]))
        assert source.recording.duration_us >= 1_000_000 * len(inputs)  # none lies over another


def test_what_others_read_of_it(tmp_path: Path) -> None:
    """Our aedat4 holds as many events for EventCV, faery, aedat and dv-processing as for us."""
    events = made.scene(count=5_000)
    path = tmp_path / "b.aedat4"
    assert run(made.evt21_file(tmp_path / "a.raw", events), path) == 0
    assert np.array_equal(made.read_by_eventcv(path), events)
    assert np.array_equal(made.read_by_faery(path), events)
    decoder = pytest.importorskip("aedat").Decoder(str(path))
    assert sum(len(packet["events"]) for packet in decoder if "events" in packet) == len(events)
    dv = pytest.importorskip("dv_processing")
    reading, count = dv.io.MonoCameraRecording(str(path)), 0
    while (batch := reading.getNextEventBatch()) is not None:
        count += len(batch)
    assert count == len(events)


def test_what_cannot_be_converted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = made.evt21_file(tmp_path / "a.raw", made.scene(count=500))
    other = made.aedat2_file(tmp_path / "b.aedat", made.scene(made.DVS128, count=500))
    (tmp_path / "there.aedat4").write_bytes(b"mine")
    for arguments, words in (
        ((path,), "needs an input and an output"),
        ((path, tmp_path / "b.mp4"), "only aedat4 is written"),
        ((path, tmp_path / "there.aedat4"), "exists already"),
        ((path, other, tmp_path / "c.aedat4"), "different sensors (128x128, 640x480)"),
        ((path, tmp_path / "c.aedat4", "--start", 5, "--end", 2), "--end 2: give seconds"),
        ((path, tmp_path / "c.aedat4", "--start", 500), "there is nothing at 500 s"),
        ((tmp_path / "none.raw", tmp_path / "c.aedat4"), "No such file"),
    ):
        assert run(*arguments) == 2
        message = capsys.readouterr().err
        assert words in message
        assert not (tmp_path / "c.aedat4").exists()
    assert (tmp_path / "there.aedat4").read_bytes() == b"mine"
