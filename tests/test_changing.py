"""Another model, another T and other slices while a stream runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from fakes import Endless, FakeBackbone, wait_for

from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.inference_loop import InferenceLoop
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings, PipelineState
from neuroclip_live.recognition.recognizer import RecognizerSettings
from neuroclip_live.stream.slicing import SliceBy

SETTINGS = PipelineSettings(
    slice_by=SliceBy("count", count=100, overlap=1), recognizer=RecognizerSettings(timesteps=3, motion=0.05)
)


class Named(FakeBackbone):
    def __init__(self, name: str, templates: tuple[str, ...] = ("{}",)) -> None:
        super().__init__()
        self.info = replace(self.info, name=name, templates=templates)


@pytest.fixture
def running() -> Iterator[Callable[..., Pipeline]]:
    made: list[Pipeline] = []

    def make(load=lambda progress: Named("first", ("a {}",)), adapter=None) -> Pipeline:  # type: ignore[no-untyped-def]
        made.append(Pipeline(Endless([]), load, parse_prompts("a mug, a phone"), SETTINGS, adapter))
        made[-1].start()
        return made[-1]

    yield make
    for pipeline in made:
        assert pipeline.stop(60.0)
    wait_for(lambda: not {"capture", "inference", "model-load"} & {t.name for t in threading.enumerate()})


def is_live(pipeline: Pipeline) -> None:
    number = pipeline.prediction().number if pipeline.prediction() else 0
    wait_for(lambda: (pipeline.prediction() is not None) and pipeline.prediction().number > number + 2)


def test_predictions_go_on_while_another_model_loads_and_it_then_takes_over(running) -> None:  # type: ignore[no-untyped-def]
    pipeline, gate, told = running(), threading.Event(), []

    def load(progress):  # type: ignore[no-untyped-def]
        progress("downloading", 0.4)
        told.append(1)
        gate.wait(120)
        return Named("second", ("the {}",))

    is_live(pipeline)
    pipeline.change_model(load)
    wait_for(lambda: bool(told))
    status = pipeline.status()
    assert status.changing
    assert (status.state, status.message, status.progress) == (PipelineState.RUNNING, "downloading", 0.4)
    is_live(pipeline)
    number = pipeline.prediction().number
    gate.set()
    wait_for(lambda: pipeline.status().model == "second")
    wait_for(lambda: pipeline.prediction().number > number)
    assert not pipeline.status().changing
    assert pipeline.prompts.templates == ("the {}",)
    assert pipeline.teacher.model == "second"
    is_live(pipeline)


def test_a_model_that_cannot_be_had_leaves_the_one_at_work(running) -> None:  # type: ignore[no-untyped-def]
    pipeline = running()
    is_live(pipeline)

    def load(progress):  # type: ignore[no-untyped-def]
        raise UserError("no model is called so")

    pipeline.change_model(load)
    wait_for(lambda: pipeline.status().message == "no model is called so")
    assert pipeline.status().model == "first"
    is_live(pipeline)


def test_after_a_failed_start_another_model_can_be_chosen(running) -> None:  # type: ignore[no-untyped-def]
    def broken(progress):  # type: ignore[no-untyped-def]
        raise UserError("no network")

    pipeline = running(broken)
    wait_for(lambda: pipeline.status().state is PipelineState.FAILED)
    pipeline.change_model(lambda progress: Named("second"))
    wait_for(lambda: pipeline.status().state is PipelineState.RUNNING)
    is_live(pipeline)


def test_a_model_chosen_in_the_moment_of_failing_is_taken_up(running, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    infer, ends = InferenceLoop._infer, threading.Event()

    def late(self: Pipeline) -> None:
        infer(self)
        ends.wait(0.5)  # between saying that it failed and being gone

    def broken(progress):  # type: ignore[no-untyped-def]
        raise UserError("no network")

    monkeypatch.setattr(InferenceLoop, "_infer", late)
    pipeline = running(broken)
    wait_for(lambda: pipeline.status().state is PipelineState.FAILED)
    pipeline.change_model(lambda progress: Named("second"))
    is_live(pipeline)
    ends.set()


def test_the_newest_wish_wins(running) -> None:  # type: ignore[no-untyped-def]
    pipeline, gate = running(), threading.Event()
    is_live(pipeline)
    pipeline.change_model(lambda progress: gate.wait(120) and Named("slow"))
    pipeline.change_model(lambda progress: Named("quick"))
    wait_for(lambda: pipeline.status().model == "quick")
    gate.set()
    is_live(pipeline)
    assert pipeline.status().model == "quick"


def test_another_t_keeps_the_features_it_has_room_for(running) -> None:  # type: ignore[no-untyped-def]
    pipeline = running()
    wait_for(lambda: pipeline.prediction() is not None and pipeline.prediction().state == "ok")
    pipeline.change_timesteps(5)
    wait_for(lambda: len(pipeline.prediction().frames) == 5)
    assert pipeline.teacher.timesteps == 5
    numbers = [p.number for p in pipeline.predictions()]
    assert numbers == sorted(set(numbers))
    pipeline.change_timesteps(2)
    wait_for(lambda: len(pipeline.prediction().frames) == 2)
    with pytest.raises(UserError):
        pipeline.change_timesteps(0)


def test_an_adapter_leaves_with_its_t_and_comes_back_with_it(running) -> None:  # type: ignore[no-untyped-def]
    class Adapter:
        last_spikes = None
        info = type("Info", (), {"timesteps": 3})()
        calls = 0

        def __call__(self, features):  # type: ignore[no-untyped-def]
            self.calls += 1
            return features

    adapter = Adapter()
    pipeline = running(adapter=lambda model: adapter)
    wait_for(lambda: adapter.calls > 2)
    pipeline.change_timesteps(4)
    wait_for(lambda: "the adapter" in pipeline.status().message)
    is_live(pipeline)
    before = adapter.calls
    is_live(pipeline)
    assert adapter.calls == before
    pipeline.change_timesteps(3)
    wait_for(lambda: adapter.calls > before)


def test_other_slices_take_effect_and_drop_nothing(running) -> None:  # type: ignore[no-untyped-def]
    pipeline = running()
    wait_for(lambda: pipeline.prediction() is not None and pipeline.prediction().events == 100)
    pipeline.change_slicing(SliceBy("count", count=60, overlap=1))
    wait_for(lambda: pipeline.prediction().events == 60)
    assert pipeline.status().dropped_events == 0
