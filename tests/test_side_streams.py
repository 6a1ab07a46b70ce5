"""Frames, inertial samples and triggers in recordings: as many as came, whatever the speed and the source."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import dv_processing as dv
import event_files as made
import numpy as np
import pytest
from test_event_streams import davis
from tiny_model import make_tiny_model

from neuroclip_drivers.aedat4.format import StreamInfo
from neuroclip_drivers.side_streams import SidePacket, SideStreams
from neuroclip_live.cli.main import main
from neuroclip_live.events import Resolution

COUNTED = ("events", "frames", "IMU samples", "triggers")


def counted(path: Path) -> dict[str, int]:
    """Count what is in a recording, by dv-processing."""
    batches = {
        "events": "getNextEventBatch",
        "frames": "getNextFrame",
        "IMU samples": "getNextImuBatch",
        "triggers": "getNextTriggerBatch",
    }
    found = {}
    for name, method in batches.items():
        recording, count = dv.io.MonoCameraRecording(str(path)), 0
        while (batch := getattr(recording, method)()) is not None:
            count += 1 if name == "frames" else batch.size() if name == "events" else len(batch)
        found[name] = count
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny_model(tmp_path_factory.mktemp("model")))


def recorded(source: list[str], model: str, out: Path) -> dict[str, int]:
    options = ["--headless", "--runtime", "torch", "--model", model, "-p", "a, b", "--jsonl", "-"]
    assert main([*source, *options, "--record", str(out)]) == 0
    return counted(out)


@pytest.mark.parametrize("speed", ["4", "100", "max"])
def test_everything_in_a_recording_is_recorded_again(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str], speed: str
) -> None:
    path = davis(tmp_path / "a.aedat4")
    wanted = counted(path)
    assert min(wanted.values()) > 0
    assert recorded(["--replay", str(path), "--speed", speed], model, tmp_path / "b.aedat4") == wanted
    told = capsys.readouterr()
    assert all(f"{wanted[name]:,} {name}" in told.err for name in COUNTED)
    assert "file verified" in told.err
    assert json.loads(told.out.splitlines()[-1])["dropped_events"] == 0


@pytest.mark.parametrize("reader", ["EventCV", "faery", "aedat"])
def test_others_read_as_many_of_a_recording_with_frames_and_samples(
    tmp_path: Path, model: str, reader: str
) -> None:
    wanted = recorded(
        ["--replay", str(davis(tmp_path / "a.aedat4")), "--speed", "max"], model, tmp_path / "b.aedat4"
    )
    if reader == "aedat":
        found = Counter[str]()
        for packet in pytest.importorskip("aedat").Decoder(str(tmp_path / "b.aedat4")):
            for name, kind in (("events", "events"), ("imus", "IMU samples"), ("triggers", "triggers")):
                found[kind] += len(packet[name]) if name in packet else 0
            found["frames"] += "frame" in packet
        assert dict(found) == wanted
    else:
        read = made.read_by_eventcv if reader == "EventCV" else made.read_by_faery
        assert len(read(tmp_path / "b.aedat4")) == wanted["events"]


def test_nothing_is_kept_that_nobody_takes() -> None:
    streams = SideStreams.of_sensor(Resolution(4, 3), frames=True)
    streams.add_frame(1, np.zeros((3, 4), np.uint8))
    streams.want(True)
    assert streams.take() == ([], {})
    streams.add_frame(2, np.zeros((3, 4), np.uint8))
    (packet,), lost = streams.take()
    assert (packet.start_us, packet.count, dict(lost)) == (2, 1, {})


def test_what_there_is_no_room_for_is_counted_by_stream() -> None:
    kinds = [StreamInfo(n, kind, kind, "", None) for n, kind in enumerate(("IMUS", "TRIG"))]
    streams = SideStreams(kinds, room_bytes=100)
    streams.want(True)
    for stream, count in ((0, 3), (1, 5), (0, 7), (1, 2)):
        streams.add(SidePacket(stream, bytes(60), count, 0, 1))
    taken, lost = streams.take()
    assert [(p.stream, p.count) for p in taken] == [(0, 3)]
    assert dict(lost) == {0: 7, 1: 7}
    streams.add(SidePacket(1, bytes(60), 1, 0, 1))  # there is room again, and the count begins anew
    taken, lost = streams.take()
    assert ([p.stream for p in taken], dict(lost)) == ([1], {})
