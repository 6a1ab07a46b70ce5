"""Recognition that throws, hangs, runs out of memory or is given what it cannot use; the stream goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from fakes import PROMPTS, SETTINGS, Endless, FakeBackbone, ScriptedSource, packets, wait_for
from making import dv_events

from neuroclip_live.errors import UserError
from neuroclip_live.model.backbone import Backbone
from neuroclip_live.model.model_info import BackboneInfo
from neuroclip_live.model.preprocess import Preprocess
from neuroclip_live.model.runtimes.runtime import memory_errors
from neuroclip_live.recognition import status_snapshots
from neuroclip_live.recognition.pipeline import Pipeline, PipelineState
from neuroclip_live.recognition.pipeline_state import STALLED


def goes_on(pipeline: Pipeline, predictions: int = 3) -> None:
    """Wait for more predictions."""
    before = pipeline.status().predictions
    wait_for(lambda: pipeline.status().predictions >= before + predictions)


def test_recognition_that_hangs_is_said_and_everything_else_goes_on(  # type: ignore[no-untyped-def]
    start, hanging, monkeypatch, tmp_path
) -> None:
    monkeypatch.setattr(status_snapshots, "STALLED_S", 0.2)
    pipeline = start(Endless([]), hanging)
    goes_on(pipeline)
    pipeline.start_recording(tmp_path / "a.aedat4")
    hanging.go_on.clear()
    wait_for(lambda: pipeline.status().stalled)
    assert pipeline.status().message == STALLED
    assert pipeline.status().state is PipelineState.RUNNING
    predictions, events = pipeline.status().predictions, pipeline.status().total_events
    pipeline.set_prompts(PROMPTS.add("a dog"))  # commands do not wait for it
    wait_for(lambda: pipeline.status().total_events > events + 2_000)
    assert pipeline.status().predictions == predictions
    assert len(pipeline.recent_events(20_000)) > 0
    hanging.go_on.set()
    goes_on(pipeline)
    wait_for(lambda: not pipeline.status().stalled and pipeline.status().message == "")
    wait_for(lambda: "a dog" in pipeline.prediction().scores)
    report = pipeline.stop_recording()
    assert report.whole
    assert len(dv_events(report.path)) == report.events > 2_000
    assert pipeline.status().dropped_events == 0


def test_a_pipeline_whose_recognition_hangs_can_be_left(start, hanging) -> None:  # type: ignore[no-untyped-def]
    pipeline = start(Endless([]), hanging)
    goes_on(pipeline)
    hanging.go_on.clear()
    wait_for(hanging.entered.is_set)
    pipeline.open(Endless([], name="other"))  # answers at once, and its events come
    wait_for(lambda: pipeline.status().total_events > 500)
    assert not pipeline.stop(0.3)  # says that a thread is left behind instead of waiting for it
    assert pipeline.status().state is PipelineState.STOPPED


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory"), MemoryError(), RuntimeError("device lost\nat line 5")],
    ids=["gpu memory", "memory", "driver"],
)
def test_frames_that_cannot_be_encoded_are_skipped_until_they_can(start, error) -> None:  # type: ignore[no-untyped-def]
    backbone = FakeBackbone()
    pipeline = start(Endless([]), backbone)
    goes_on(pipeline)
    backbone.failing = error
    words = str(error).split("\n")[0] or "MemoryError"
    wait_for(lambda: pipeline.status().message == f"recognition failed, trying again: {words}")
    skipped, predictions = pipeline.status().skipped_windows, pipeline.status().predictions
    wait_for(lambda: pipeline.status().skipped_windows > skipped + 5)  # each of them is counted
    assert pipeline.status().predictions == predictions
    assert pipeline.status().state is PipelineState.RUNNING
    backbone.failing = None
    goes_on(pipeline)
    wait_for(lambda: pipeline.status().message == "")


class Gpu:
    """An image tower on a GPU that has room for so many frames and then for no more."""

    name = "torch"

    def __init__(self, room: int, device: str = "cuda:0") -> None:
        self.room, self.device = room, device

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self.room -= 1
        if self.room < 0:
            with memory_errors():
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return batch.reshape(len(batch), -1)[:, :16].astype(np.float32)


class Texts:
    def __init__(self, fake: FakeBackbone) -> None:
        self.encode, self.fake = fake.encode_texts, fake

    def count(self, text: str) -> int:
        return self.fake.token_counts([text])[0]

    def move_to(self, device: str) -> None:
        pass


def on_a_gpu(room: int) -> Callable[[object], Backbone]:
    """Return what loads a real backbone whose GPU runs out of memory while it works."""

    def load(progress) -> Backbone:  # type: ignore[no-untyped-def]
        fake = FakeBackbone()
        info: BackboneInfo = replace(fake.info, device="cuda:0", image_size=8)
        preprocess = Preprocess(8, info.mean, info.std, "letterbox")
        return Backbone(
            info,
            preprocess,
            Gpu(room),
            Texts(fake),
            to_cpu=lambda: Gpu(1 << 60, "cpu"),
            notice=progress,  # type: ignore[arg-type]
        )

    return load


def test_out_of_gpu_memory_it_goes_on_on_the_cpu_and_says_so(start) -> None:  # type: ignore[no-untyped-def]
    gate = threading.Event()
    pipeline = start(ScriptedSource([*packets(8), gate, *packets(20, first=8)], live=False), on_a_gpu(1))
    wait_for(lambda: pipeline.status().device == "cpu")
    assert pipeline.status().message == "cuda:0 is out of memory; fake runs on the CPU now, which is slower"
    assert pipeline.status().state is PipelineState.RUNNING
    gate.set()
    wait_for(lambda: pipeline.status().state is PipelineState.ENDED)
    status = pipeline.status()
    assert (status.total_events, status.windows, status.dropped_events) == (1_400, 14, 0)


def test_a_model_changed_to_that_leaves_the_gpu_says_so_too(start) -> None:  # type: ignore[no-untyped-def]
    pipeline = start(Endless([]))
    goes_on(pipeline)
    pipeline.change_model(on_a_gpu(4))
    wait_for(lambda: pipeline.status().device == "cpu" and "out of memory" in pipeline.status().message)
    goes_on(pipeline)
    assert pipeline.status().state is PipelineState.RUNNING


def test_a_model_that_has_no_room_for_its_first_frame_leaves_the_one_at_work(start) -> None:  # type: ignore[no-untyped-def]
    pipeline = start(Endless([]))
    goes_on(pipeline)
    large = FakeBackbone(failing=torch.OutOfMemoryError("CUDA out of memory"))
    large.info = replace(large.info, name="large")
    pipeline.change_model(lambda progress: large)  # type: ignore[arg-type,return-value]
    wait_for(lambda: pipeline.status().message == "large cannot be used (CUDA out of memory); fake stays")
    goes_on(pipeline)
    assert pipeline.status().model == "fake"
    assert pipeline.status().state is PipelineState.RUNNING


def test_a_t_for_which_there_is_no_room_leaves_the_one_at_work(start, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    backbone = FakeBackbone()
    pipeline = start(Endless([]), backbone)
    goes_on(pipeline)

    def no_room(self: object) -> None:
        raise MemoryError

    monkeypatch.setattr("neuroclip_live.recognition.recognizer.Recognizer.warm_up", no_room)
    pipeline.change_timesteps(7)
    wait_for(lambda: "cannot be used (MemoryError)" in pipeline.status().message)
    assert pipeline.settings.recognizer == SETTINGS.recognizer
    monkeypatch.undo()
    goes_on(pipeline)
    pipeline.change_timesteps(4)
    wait_for(lambda: pipeline.prediction().state == "ok" and len(pipeline.prediction().frames) == 4)
    assert pipeline.settings.recognizer == replace(SETTINGS.recognizer, timesteps=4)


def test_prompts_that_cannot_be_encoded_leave_the_old_ones(start, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    backbone = FakeBackbone()
    pipeline = start(Endless([]), backbone)
    goes_on(pipeline)

    def broken(texts: object) -> None:
        raise RuntimeError("text tower fell over")

    with monkeypatch.context() as patch:
        patch.setattr(backbone, "encode_texts", broken)
        before = pipeline.prompts
        pipeline.set_prompts(before.add("a dog"))
        wait_for(lambda: pipeline.status().message == "the prompts stay as they were: text tower fell over")
        assert pipeline.prompts is before
        goes_on(pipeline)
    pipeline.set_prompts(before.add("a dog"))
    wait_for(lambda: "a dog" in pipeline.prediction().scores)
    assert pipeline.status().message == ""


def test_an_adapter_that_throws_can_be_taken_away(start) -> None:  # type: ignore[no-untyped-def]
    class Broken:
        last_spikes = None

        def __call__(self, features: object) -> None:
            raise ValueError("shapes do not match")

    pipeline = start(Endless([]))
    goes_on(pipeline)
    pipeline.set_adapter(Broken())  # type: ignore[arg-type]
    wait_for(lambda: "shapes do not match" in pipeline.status().message)
    pipeline.set_adapter(None)
    goes_on(pipeline)
    wait_for(lambda: pipeline.status().message == "")


@pytest.mark.parametrize("error", [MemoryError(), OSError("disk gone"), UserError("no such model")])
def test_a_model_that_cannot_be_loaded_leaves_the_picture_and_another_can_be_chosen(start, error) -> None:  # type: ignore[no-untyped-def]
    def broken(progress: object) -> FakeBackbone:
        raise error

    pipeline = start(Endless([]), broken, replace(SETTINGS, wait_for_model=False))
    wait_for(lambda: pipeline.status().state is PipelineState.FAILED)
    assert (str(error) or "MemoryError") in pipeline.status().message
    events = pipeline.status().total_events
    wait_for(lambda: pipeline.status().total_events > events + 200)
    pipeline.change_model(lambda progress: FakeBackbone())  # type: ignore[arg-type,return-value]
    goes_on(pipeline)
    assert pipeline.status().state is PipelineState.RUNNING
