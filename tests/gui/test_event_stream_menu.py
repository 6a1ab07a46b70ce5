"""The menu that chooses among the event streams of a recording."""

from __future__ import annotations

from pathlib import Path

import pytest
from making import SIZE, join, make_events, same

from neuroclip_drivers.aedat4.format import StreamInfo
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.events import Packet

NAMES = (("events", "Left"), ("events", "Right"), ("spare", "None"))


@pytest.fixture
def cameras() -> list[Packet]:
    return [make_events(1000, seed=seed) for seed in (1, 2)]


def rig(path: Path, cameras: list[Packet]) -> Path:
    """Write a recording of two cameras whose streams are called alike, and of a stream without events."""
    streams = [StreamInfo(n, "EVTS", name, camera, SIZE) for n, (name, camera) in enumerate(NAMES)]
    with Aedat4Writer(path, SIZE, streams=streams) as writer:
        for start in range(0, 1000, 100):
            for number, events in enumerate(cameras):
                writer.write_events(number, events[start : start + 100])
    return path


def entries(window) -> list[tuple[str, bool, bool]]:
    menu = window.actions_.menus["event_stream"]
    return [(action.text(), action.isEnabled(), action.isChecked()) for action in menu.actions()]


def choose(qtbot, window, number: int) -> ReplaySource:
    before = window.pipeline.source
    window.actions_.menus["event_stream"].actions()[number].trigger()
    qtbot.waitUntil(lambda: window.pipeline.source is not before)
    qtbot.waitUntil(lambda: window.windowTitle().startswith(window.pipeline.source.name))
    return window.pipeline.source


@pytest.mark.parametrize("paused", [True, False])
def test_another_stream_is_played_from_the_same_place(qtbot, make_window, tmp_path, cameras, paused):
    source = ReplaySource(rig(tmp_path / "rig.aedat4", cameras), speed=4.0, hold_at_end=True)
    source.seek(0.5)
    if paused:
        source.pause()
    window = make_window(source)
    assert window.actions_.menus["event_stream"].isEnabled()
    left, right = "0 'events' of Left", "1 'events' of Right"
    silent = ("2 'spare' of None (no events)", False, False)
    assert entries(window) == [(left, True, True), (right, True, False), silent]

    other = choose(qtbot, window, 1)
    qtbot.waitUntil(lambda: entries(window)[1][2])
    assert entries(window) == [(left, True, False), (right, True, True), silent]
    assert (other.speed, other.status().position_us) == (4.0, source.recording.first_us + 500_000)
    assert other.status().state.value == ("paused" if paused else "streaming")
    other.resume()
    other.set_speed(None)
    other.hold_at_end = False
    wanted = cameras[1][cameras[1]["t"] >= other.recording.first_us + 500_000]
    assert same(join(other.packets())[-len(wanted) :], wanted)
    other.close()
    source.close()


def test_one_stream_leaves_nothing_to_choose(make_window, tmp_path, cameras):
    path = tmp_path / "one.aedat4"
    with Aedat4Writer(path, SIZE) as writer:
        writer.write(cameras[0])
    source = ReplaySource(path)
    window = make_window(source)
    assert not window.actions_.menus["event_stream"].isEnabled()
    assert entries(window) == []
    source.close()


def test_a_camera_has_no_such_menu(make_window):
    assert not make_window().actions_.menus["event_stream"].isEnabled()


def test_a_file_that_is_gone_is_said_and_what_was_played_goes_on(qtbot, make_window, tmp_path, cameras):
    path = rig(tmp_path / "rig.aedat4", cameras)
    source = ReplaySource(path, hold_at_end=True)
    window = make_window(source)
    path.unlink()
    window.actions_.menus["event_stream"].actions()[1].trigger()
    qtbot.waitUntil(lambda: "rig.aedat4" in window.banner.text)
    assert window.pipeline.source is source
    assert [checked for _, _, checked in entries(window)] == [True, False, False]
    source.close()


def test_the_part_that_is_played_stays_with_another_stream(qtbot, make_window, tmp_path, cameras):
    source = ReplaySource(rig(tmp_path / "rig.aedat4", cameras), speed=4.0, hold_at_end=True)
    source.pause()
    window = make_window(source)
    transport, length_s = window.transport, (source.recording.last_us - source.recording.first_us) / 1e6
    for share, which in ((0.25, "in"), (0.75, "out")):
        transport.seek_share(share)
        at_us = source.recording.first_us + share * length_s * 1e6
        qtbot.waitUntil(lambda at_us=at_us: abs(source.status().position_us - at_us) < 1000)
        transport.mark(which)
    begin, end = transport.part_s
    assert (begin, end) == pytest.approx((0.25 * length_s, 0.75 * length_s), abs=0.02 * length_s)
    other = choose(qtbot, window, 1)
    assert transport.part_s == pytest.approx((begin, end), abs=0.02 * length_s)
    status = other.status()
    played_s = (status.end_us - status.start_us) / 1e6
    assert played_s == pytest.approx(end - begin, abs=0.02 * length_s)


def test_places_are_those_of_the_whole_recording_where_a_part_is_played(
    qtbot, make_window, tmp_path, cameras
):
    path = rig(tmp_path / "rig.aedat4", cameras)
    whole = ReplaySource(path).recording
    length_s = (whole.last_us - whole.first_us) / 1e6
    source = ReplaySource(path, start_s=0.5 * length_s, end_s=0.75 * length_s, hold_at_end=True)
    source.pause()
    window = make_window(source)
    transport = window.transport
    assert transport.part_s == pytest.approx((0.5 * length_s, 0.75 * length_s), abs=1e-3)
    transport.seek_s(0.6 * length_s)
    at_us = whole.first_us + 0.6e6 * length_s
    qtbot.waitUntil(lambda: abs(source.status().position_us - at_us) < 1000)
    transport.mark("clear")
    assert source.status().start_us == whole.first_us
    assert source.status().end_us == whole.last_us
