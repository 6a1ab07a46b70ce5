"""A camera that is unplugged and comes back, under a pipeline that records and recognizes."""

from __future__ import annotations

import pytest
from fakes import wait_for
from making import START_US, dv_events, join, make_events, same, store_of
from test_camera import DV_STACK, FakeApi, FakeCamera, open_camera

from neuroclip_drivers.source import SourceState
from neuroclip_live.events import Packet, copy_packet
from neuroclip_live.recognition.pipeline import PipelineState

EVENTS = make_events(4_000)


def later(events: Packet, begin_us: int) -> Packet:
    """Return the events as a camera gives them whose clock stands at ``begin_us``."""
    events = copy_packet(events)
    events["t"] += begin_us - int(events["t"][0])
    return events


def feed(camera: FakeCamera, events: Packet) -> None:
    for start in range(0, len(events), 100):
        camera.events.append(store_of(events[start : start + 100]))


@pytest.fixture(params=["stops", "throws"])
def unplug(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("begin_us", [START_US + 9_000_000, 0], ids=["clock goes on", "clock begins anew"])
def test_unplugged_and_back_while_it_records(start, tmp_path, unplug: str, begin_us: int) -> None:  # type: ignore[no-untyped-def]
    camera, back = FakeCamera("0001"), FakeCamera("0001")
    api = FakeApi(camera)
    pipeline = start(open_camera(api))
    wait_for(lambda: pipeline.status().state is PipelineState.RUNNING)
    pipeline.start_recording(tmp_path / "a.aedat4")
    first, second = EVENTS[:2_000].copy(), later(EVENTS[2_000:], begin_us)
    feed(camera, first)
    wait_for(lambda: pipeline.status().total_events == 2_000 and pipeline.prediction() is not None)
    api.cameras = []
    if unplug == "stops":
        camera.running = False
    else:
        camera.fails = RuntimeError(DV_STACK)
    wait_for(lambda: pipeline.status().source.state is SourceState.WAITING)
    message = pipeline.status().message
    assert message.startswith("DAVIS346_0001 is gone (")
    assert message.endswith("); waiting for it to be plugged in again")
    wait_for(lambda: pipeline.prediction().state == "no-motion")  # no stale label while it is away
    number = pipeline.prediction().number
    assert pipeline.status().state is PipelineState.RUNNING
    feed(back, second)
    api.cameras = [back]
    wait_for(lambda: pipeline.status().total_events == 4_000)
    wait_for(lambda: pipeline.status().message == "")
    assert pipeline.status().source.state is SourceState.STREAMING
    wait_for(
        lambda: any(p.label is not None and p.t_us > begin_us for p in pipeline.predictions(after=number))
    )
    assert (pipeline.status().dropped_events, pipeline.status().outside_events) == (0, 0)
    report = pipeline.stop_recording()
    assert (report.whole, report.events, report.dropped_events) == (True, 4_000, 0)
    assert same(dv_events(report.path), join([first, second]))


def test_a_camera_away_when_the_pipeline_ends_holds_nobody_up(start) -> None:  # type: ignore[no-untyped-def]
    camera = FakeCamera("0001")
    api = FakeApi(camera)
    pipeline = start(open_camera(api))
    api.cameras, camera.running = [], False
    wait_for(lambda: pipeline.status().source.state is SourceState.WAITING)
    assert pipeline.stop(60.0)
