"""``--serve-events``: what a pipeline captures is given to others as it came, whatever is opened."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from fakes import PROMPTS, SENSOR, SETTINGS, FakeBackbone, ScriptedSource, packet, packets, wait_for
from making import join, same
from readers import Taking
from serving import LONG_S, free_port

from neuroclip_drivers.awaited import AwaitedSource
from neuroclip_drivers.source import SourceState
from neuroclip_live.cli.main import main
from neuroclip_live.errors import SourceAway, UserError
from neuroclip_live.events import Packet
from neuroclip_live.outputs import passing_trouble
from neuroclip_live.outputs.carrier import Carrier
from neuroclip_live.outputs.shared_events import SharedEvents, SharingSettings
from neuroclip_live.recognition.pipeline import Pipeline
from neuroclip_live.stream.filters import Treatment


@pytest.fixture
def shared() -> Iterator[SharedEvents]:
    shared = SharedEvents(SharingSettings("0"))
    yield shared
    shared.close(None)


def port_of(shared: SharedEvents) -> int:
    return int(shared.address.rpartition(":")[2])


def started(shared: SharedEvents, source: ScriptedSource) -> Pipeline:
    pipeline = Pipeline(source, lambda progress: FakeBackbone(), PROMPTS, SETTINGS)
    shared.follow(pipeline)
    pipeline.start()
    return pipeline


def test_all_that_comes_in_is_given_as_it_came(shared: SharedEvents) -> None:
    begin = threading.Event()
    outside = packet(500_000, 50)
    outside["x"] += SENSOR.width
    came: list[Packet] = [*packets(20), outside, packet(600_000, 50)]
    pipeline = started(shared, ScriptedSource([begin, *came, threading.Event()]))
    pipeline.treat(Treatment(quarter_turns=1, support_us=100))
    reader = Taking(port_of(shared))
    wait_for(lambda: shared.status().readers == 1)
    begin.set()
    wait_for(lambda: reader.count == sum(map(len, came)))
    assert reader.source.resolution == SENSOR
    assert reader.source.camera == "script"
    assert same(reader.close(), join(came))
    wait_for(lambda: pipeline.status().outside_events == 50)
    assert shared.status().lost == 0
    pipeline.stop()


def test_what_is_opened_next_is_given_too_and_a_source_that_is_awaited_is_not(shared: SharedEvents) -> None:
    away = AwaitedSource(SourceAway("no camera", "the camera"), lambda: pytest.fail("not asked"))
    pipeline = started(shared, away)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="without sending anything"):
        Taking(port_of(shared))
    first, second = threading.Event(), threading.Event()
    pipeline.open(ScriptedSource([first, *packets(3), threading.Event()], name="one"))
    reader = Taking(port_of(shared))
    wait_for(lambda: shared.status().readers == 1)
    first.set()
    wait_for(lambda: reader.count == 150)
    pipeline.open(ScriptedSource([second, *packets(2), threading.Event()], name="two"))
    second.set()
    wait_for(lambda: reader.count == 250)
    assert reader.source.status().state is SourceState.STREAMING
    shared.close(None)
    wait_for(lambda: reader.source.status().state is SourceState.WAITING)
    reader.close()
    pipeline.stop()


def test_the_place_where_a_recording_is_paused_is_not_given_twice(shared: SharedEvents) -> None:
    from neuroclip_drivers.source import Jump

    begin = threading.Event()
    source = ScriptedSource([begin, *packets(2), threading.Event()], live=False)
    source.jump = Jump(1, 0, leads=True, given=False)  # type: ignore[attr-defined]
    pipeline = started(shared, source)
    reader = Taking(port_of(shared))
    wait_for(lambda: shared.status().readers == 1)
    begin.set()
    wait_for(lambda: pipeline.status().total_events)
    assert shared.status().events == 0
    reader.close()
    pipeline.stop()


def test_losses_are_told_and_the_sum_at_the_end(
    shared: SharedEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = started(shared, ScriptedSource([threading.Event()]))
    told: list[str] = []
    carrier = Carrier(pipeline, [shared], tell=told.append)
    carrier.look()
    shared._server._lost = 12_345
    carrier.look()
    assert told == [f"{shared.address}: a reader of events is too slow and loses some; others lose nothing"]
    monkeypatch.setattr(passing_trouble, "TOLD_S", 0.0)  # as if it was long ago
    carrier.look()
    assert told[1:] == [""]
    carrier.give_up()
    assert told[2:] == [f"{shared.address}: 12,345 events lost by readers that are too slow"]
    pipeline.stop()


def test_others_than_this_machine_must_show_who_they_are() -> None:
    for place in ("0.0.0.0:0", "[::]:0", "192.168.1.9:7777"):
        with pytest.raises(UserError, match="--serve-ca, --serve-cert and --serve-key"):
            SharedEvents(SharingSettings(place))
    with pytest.raises(UserError, match="no such file"):
        SharedEvents(SharingSettings("0.0.0.0:0", ca="missing.pem"))


def test_a_port_that_is_taken_is_one_line(shared: SharedEvents, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--headless", "--loop", "--serve-events", str(port_of(shared))]) == 2
    assert f"--serve-events: cannot listen on {shared.address}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--headless", "--speed", "max", "--serve-events", "0"], "--serve-events follows a run"),
        (["--headless", "--serve-ca", "x.pem"], "--serve-ca is for a server: .*--serve-events"),
        (["--headless", "--serve-cert", "x.pem"], "--serve-cert is for a server"),
        (["--headless", "--serve-events", "0", "--serve-cert", "x.pem"], "--serve-cert .* needs --serve-ca"),
    ],
)
def test_options_that_make_no_sense(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import re

    assert main(options) == 2
    assert re.search(words, capsys.readouterr().err)


def test_from_the_command_line_to_another_neuroclip_live() -> None:
    port = free_port()
    giving = subprocess.Popen(
        [
            *(sys.executable, "-m", "neuroclip_live", "--headless", "--loop", "--duration", "100"),
            *("--output", "jsonl:-", "--serve-events", str(port)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert giving.stderr is not None
        assert giving.stderr.readline() == f"events at 127.0.0.1:{port}\n"
        wait_for(lambda: _connects(port))
        taking = subprocess.run(
            [
                *(sys.executable, "-m", "neuroclip_live", "--connect", f"127.0.0.1:{port}", "--headless"),
                *("--duration", "2", "--output", "jsonl:-"),
            ],
            capture_output=True,
            text=True,
            timeout=LONG_S,
            check=True,
        )
        assert taking.stdout.count('"type": "prediction"') > 2
    finally:
        giving.terminate()
        giving.communicate(timeout=LONG_S)


def _connects(port: int) -> bool:
    try:
        Taking(port).close()
    except UserError:
        return False
    return True
