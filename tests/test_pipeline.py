from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from fakes import PROMPTS, SETTINGS, FakeBackbone, ScriptedSource, packets, pipelines, wait_for

from neuroclip_drivers.source import SourceState
from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompts import PromptEncoder, parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings, PipelineState
from neuroclip_live.recognition.recognizer import Recognizer
from neuroclip_live.recognition.replay_all import Totals, recognize_all

BY = SETTINGS.slice_by


@pytest.fixture
def start() -> Iterator[Callable[..., Pipeline]]:
    with pipelines() as make:
        yield make


def test_a_recording_is_recognized_to_its_end_with_counters_that_add_up(start) -> None:  # type: ignore[no-untyped-def]
    pipeline = start(ScriptedSource(packets(40), live=False))
    wait_for(lambda: pipeline.status().state is PipelineState.ENDED)
    status = pipeline.status()
    assert status.total_events == 2_000
    assert (status.dropped_events, status.windows) == (0, 20)
    assert status.predictions + status.skipped_windows == 20
    log = pipeline.predictions()
    assert sum(p.skipped for p in log) + len(log) == 20
    assert [p.number for p in log] == sorted(p.number for p in log)
    assert set(status.latency) >= {"slice", "frame", "encode", "score", "total"}


def test_the_threads_and_the_plain_loop_agree(start) -> None:  # type: ignore[no-untyped-def]
    gates = [threading.Event() for _ in range(20)]
    script = [item for two in zip(gates, *[iter(packets(40))] * 2, strict=True) for item in two]
    pipeline = start(ScriptedSource(script, live=True))
    for number, gate in enumerate(gates, 1):  # one slice at a time: inference has time for all
        gate.set()
        wait_for(lambda number=number: len(pipeline.predictions()) == number)
    backbone = FakeBackbone()
    recognizer = Recognizer(backbone, PromptEncoder(backbone).encode(PROMPTS), SETTINGS.recognizer)  # type: ignore[arg-type]
    totals = Totals()
    plain = list(recognize_all(ScriptedSource(packets(40)), recognizer, BY, totals))
    assert [p.label for p in pipeline.predictions()] == [p.label for p in plain]
    assert (totals.events, totals.windows, totals.dropped_events) == (2_000, 20, 0)
    for live, offline in zip(pipeline.predictions(), plain, strict=True):
        np.testing.assert_allclose(list(live.scores.values()), list(offline.scores.values()), atol=1e-6)


def test_a_slow_model_skips_and_counts_but_stays_fresh(start) -> None:  # type: ignore[no-untyped-def]
    source = ScriptedSource(packets(400), live=False)

    class Slow(FakeBackbone):
        """Is at its first frame with an event in it until everything has come."""

        def encode_frames(self, frames: np.ndarray) -> np.ndarray:
            if (frames != 127).any():
                wait_for(lambda: source.state is SourceState.ENDED)
            return super().encode_frames(frames)

    pipeline = start(source, Slow(delay_s=0.05))
    wait_for(lambda: pipeline.status().state is PipelineState.ENDED)
    status = pipeline.status()
    assert status.skipped_windows > 0
    assert status.windows == status.predictions + status.skipped_windows == 200
    assert pipeline.prediction().t_us >= 400 * 50 * 100 - 20_000  # type: ignore[union-attr]


def test_a_model_that_does_not_load_fails_but_the_video_goes_on(start) -> None:  # type: ignore[no-untyped-def]
    def broken(progress: object) -> None:
        raise UserError("no such model")

    settings = PipelineSettings(slice_by=BY, wait_for_model=False)
    pipeline = start(ScriptedSource(packets(10), live=True), broken, settings)
    wait_for(lambda: pipeline.status().state is PipelineState.FAILED)
    wait_for(lambda: pipeline.status().total_events == 500)
    assert pipeline.status().message == "no such model"
    assert len(pipeline.recent_events(10**9)) == 500


def test_inference_that_throws_recovers_and_says_so(start) -> None:  # type: ignore[no-untyped-def]
    backbone, begin, healed = FakeBackbone(), threading.Event(), threading.Event()
    script = [begin, *packets(4), healed, *packets(10)[4:], threading.Event()]
    pipeline = start(ScriptedSource(script, live=True), backbone)
    wait_for(lambda: pipeline.status().state is PipelineState.RUNNING)
    backbone.failing = RuntimeError("cosmic ray")
    begin.set()
    wait_for(lambda: "cosmic ray" in pipeline.status().message)
    assert pipeline.status().predictions == 0
    backbone.failing = None
    healed.set()
    wait_for(lambda: pipeline.status().predictions > 0)
    wait_for(lambda: pipeline.status().message == "")
    assert pipeline.status().state is PipelineState.RUNNING


def test_a_source_that_throws_is_reported(start) -> None:  # type: ignore[no-untyped-def]
    pipeline = start(ScriptedSource([*packets(4), RuntimeError("cable chewed")], live=True))
    wait_for(lambda: pipeline.status().state is PipelineState.ENDED)
    assert "cable chewed" in pipeline.status().message


def test_prompts_change_while_running(start) -> None:  # type: ignore[no-untyped-def]
    gate = threading.Event()
    pipeline = start(ScriptedSource([*packets(4), gate, *packets(10)[4:]], live=True))
    wait_for(lambda: pipeline.prediction() is not None)
    before = pipeline.table
    pipeline.set_prompts(PROMPTS.add("a dog"))
    wait_for(lambda: pipeline.table is not before)
    gate.set()
    wait_for(lambda: any("a dog" in p.scores for p in pipeline.predictions()))
    pipeline.set_prompts(parse_prompts(""))
    wait_for(lambda: pipeline.prompts.prompts == ())


def test_prompts_too_long_are_refused_and_the_old_ones_stay(start) -> None:  # type: ignore[no-untyped-def]
    pipeline = start(ScriptedSource([threading.Event()], live=True))
    wait_for(lambda: pipeline.status().state is PipelineState.RUNNING)
    pipeline.set_prompts(PROMPTS.add("word " * 50))
    wait_for(lambda: pipeline.status().message != "")
    assert "word" in pipeline.status().message
    assert pipeline.prompts == PROMPTS


def test_a_scene_that_comes_to_rest_loses_its_label(start) -> None:  # type: ignore[no-untyped-def]
    pipeline = start(ScriptedSource([*packets(20), threading.Event()], live=True))
    wait_for(lambda: any(p.label is not None for p in pipeline.predictions()))
    wait_for(lambda: pipeline.prediction().state == "no-motion")
    assert pipeline.prediction().label is None


def test_another_source_is_opened_without_reloading(start) -> None:  # type: ignore[no-untyped-def]
    first = ScriptedSource([*packets(4), threading.Event()], live=True, name="first")
    pipeline = start(first)
    wait_for(lambda: pipeline.status().predictions > 0)
    pipeline.open(ScriptedSource(packets(10), live=False, name="second"))
    assert first.closed.is_set()
    wait_for(lambda: pipeline.status().total_events == 500)
    assert pipeline.status().source_name == "second"
    wait_for(lambda: pipeline.status().state is PipelineState.ENDED)


def test_stop_is_idempotent_and_works_before_start() -> None:
    pipeline = Pipeline(ScriptedSource([]), lambda progress: FakeBackbone(), PROMPTS, SETTINGS)  # type: ignore[arg-type]
    assert pipeline.stop()
    assert pipeline.stop()
    assert pipeline.status().state is PipelineState.STOPPED


def test_a_label_is_taught_while_the_stream_runs(start) -> None:  # type: ignore[no-untyped-def]
    gates = [threading.Event() for _ in range(40)]
    script = [item for two in zip(gates, *[iter(packets(80))] * 2, strict=True) for item in two]
    pipeline = start(ScriptedSource([*script, threading.Event()], live=True))

    def show(numbers: range) -> None:
        for number in numbers:  # one slice at a time: none is passed over, however slow inference is
            gates[number].set()
            wait_for(lambda number=number: len(pipeline.predictions()) >= number)

    show(range(20))
    with pytest.raises(UserError, match="nothing"):
        pipeline.teacher.end()
    assert pipeline.teach("grey noise", last_s=5.0) > 0
    assert "grey noise" in pipeline.prompts.labels
    wait_for(lambda: dict(pipeline.teacher.status().labels).get("grey noise", 0) > 0)
    assert pipeline.teacher.wait(300)  # it imports torch first
    show(range(20, 40))
    assert "grey noise" in {p.label for p in pipeline.predictions()[20:]}


def test_teaching_needs_the_model(start) -> None:  # type: ignore[no-untyped-def]
    blocked = threading.Event()

    def slow(progress: object) -> FakeBackbone:
        blocked.wait(120)
        return FakeBackbone()

    pipeline = start(ScriptedSource([threading.Event()], live=True), slow)
    with pytest.raises(UserError, match="still loading"):
        pipeline.teach("a mug")
    blocked.set()
