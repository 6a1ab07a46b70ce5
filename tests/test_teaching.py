"""Teaching a label while the stream runs: what is learned, what is left alone, what is refused."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import wait_for

from neuroclip_live.errors import UserError
from neuroclip_live.learning.gated_adapter import TaughtAdapter
from neuroclip_live.learning.lesson_training import LessonTrainer, live_settings
from neuroclip_live.learning.shotbook import MOST_SHOTS, Lesson, ShotBook
from neuroclip_live.learning.teaching import Teacher
from neuroclip_live.learning.window_buffer import MOST_COLLECTED
from neuroclip_live.model.scoring import normalized

T, C = 4, 64
LONG_S = 300.0
LABELS = ("mug", "phone", "thing", "dog")
_fixed = np.random.default_rng(7)
TEXT = normalized(_fixed.normal(size=(4, C)))
SCENES = {name: _fixed.normal(size=C) * 2 for name in ("mug", "phone", "thing")}
SCENES["dog"] = TEXT[3] * 16  # zero-shot knows the dog


def windows(scene: str, count: int, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    return (SCENES[scene] + 0.3 * random.normal(size=(count, T, C))).astype(np.float32)


class Live:
    """A teacher and the adapter that the pipeline would be using."""

    def __init__(self) -> None:
        self.adapter: TaughtAdapter | None = None
        self.swaps: list[TaughtAdapter | None] = []
        self.t_us = 0
        self.teacher = Teacher("tiny", C, T, 30.0, self.swap)
        self.teacher.set_labels(LABELS, TEXT)

    def swap(self, adapter: TaughtAdapter | None) -> None:
        self.adapter = adapter
        self.swaps.append(adapter)

    def show(self, scene: str, count: int = 30, seed: int = 0, moving: bool = True) -> None:
        for window in windows(scene, count, seed):
            self.t_us += 50_000
            self.teacher.observe(window, self.t_us, moving)

    def label(self, window: Any) -> str:
        features = normalized(window) if self.adapter is None else self.adapter(window)
        return LABELS[int((features.mean(axis=0) @ TEXT.T).argmax())]

    def right(self, scene: str) -> float:
        return float(np.mean([self.label(w) == scene for w in windows(scene, 20, seed=9)]))


@pytest.fixture
def live() -> Iterator[Live]:
    live = Live()
    yield live
    assert live.teacher.close(LONG_S)
    assert not [t for t in threading.enumerate() if t.name == "teaching"]


def test_two_labels_are_taught_and_typed_ones_left_alone(live: Live) -> None:
    assert live.right("dog") == 1.0
    live.show("mug")
    assert live.teacher.teach("mug", last_s=1.0) == 21
    live.show("phone")
    live.teacher.teach("phone", last_s=1.0)
    assert live.teacher.wait(LONG_S)
    assert live.right("mug") == live.right("phone") == 1.0
    assert live.right("dog") == 1.0
    assert live.adapter is not None
    assert live.adapter.last_gate < 0.1
    live.label(windows("mug", 1)[0])
    assert live.adapter.last_gate > 0.9
    assert live.adapter.last_spikes is not None
    assert live.adapter.last_spikes.shape == (T, C // 8)
    status = live.teacher.status()
    assert status.labels == (("mug", 21), ("phone", 21))
    assert status.trained
    assert status.training is None


def test_one_thing_among_several_is_taught_by_its_own_windows(live: Live) -> None:
    live.show("phone")  # what the whole picture looks like
    assert live.teacher.learn_from("mug", windows("mug", 8)) == 8
    assert live.teacher.learn_from("mug", windows("thing", 4), is_it=False) == 4
    assert live.teacher.wait(LONG_S)
    assert live.right("mug") == live.right("dog") == 1.0
    assert live.teacher.status().counter_examples == 4
    for wrong, why in (([], "nothing moved"), ([np.zeros((T, C + 1), np.float32)], "another model")):
        with pytest.raises(UserError, match=why):
            live.teacher.learn_from("mug", wrong)
    assert live.teacher.status().labels == (("mug", 8),)


def test_a_steer_works_before_the_network_is_trained(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    going = threading.Event()
    monkeypatch.setattr(LessonTrainer, "_train", lambda *_: going.wait(LONG_S) and None)
    live.show("mug")
    live.teacher.teach("mug")
    wait_for(lambda: live.adapter is not None)
    assert live.adapter.network is None
    assert live.right("mug") == 1.0
    assert live.right("dog") == 1.0
    going.set()


def test_what_passes_by_between_begin_and_end(live: Live) -> None:
    live.show("phone")
    live.teacher.begin("mug")
    live.show("mug", 12)
    live.show("phone", 7, moving=False)
    assert live.teacher.status().collecting == "mug"
    assert live.teacher.status().collected == 12
    assert live.teacher.end() == 12
    with pytest.raises(UserError, match="begin teaching"):
        live.teacher.end()


def test_a_lesson_canceled_teaches_nothing(live: Live) -> None:
    live.teacher.begin("mug")
    live.show("mug", 5)
    assert live.teacher.status().collected == 5
    live.teacher.cancel()
    assert live.teacher.status().collecting is None
    with pytest.raises(UserError, match="begin teaching"):
        live.teacher.end()
    assert not live.teacher.status().labels


def test_a_key_held_for_minutes_keeps_the_newest(live: Live) -> None:
    live.teacher.begin("mug")
    live.show("mug", MOST_COLLECTED + 40)
    assert live.teacher.status().collected == MOST_COLLECTED
    live.teacher.cancel()


def test_preparing_ends_with_the_teacher(live: Live) -> None:
    live.teacher.prepare()
    live.teacher.prepare()
    assert live.teacher.close(LONG_S)
    live.teacher.prepare()  # closed: nothing begins any more
    assert not [t for t in threading.enumerate() if t.name == "teaching"]


def test_nothing_moved(live: Live) -> None:
    live.show("mug", moving=False)
    live.teacher.observe(windows("mug", 1)[0][:2], 1)  # still warming up
    with pytest.raises(UserError, match="nothing moved"):
        live.teacher.teach("mug")
    assert live.adapter is None


def test_where_nothing_came_it_is_not_said_that_nothing_moved(live: Live) -> None:
    live.teacher.begin("mug")
    live.teacher.observe(windows("mug", 1)[0][:2], 1)  # still warming up
    with pytest.raises(UserError, match="nothing was recognized meanwhile: show it for longer"):
        live.teacher.end()
    live.teacher.begin("mug")
    live.show("mug", moving=False)
    with pytest.raises(UserError, match="nothing moved"):
        live.teacher.end()
    assert live.teacher.status().collecting is None


def test_another_time_is_not_the_last_seconds(live: Live) -> None:
    live.show("phone", 10)
    live.t_us = 0  # the recording begins again
    live.show("mug", 5)
    assert live.teacher.teach("mug", last_s=100) == 5


def test_undo_and_forget(live: Live) -> None:
    for scene in ("mug", "phone"):
        live.show(scene)
        live.teacher.teach(scene)
    live.teacher.undo()
    assert [label for label, _ in live.teacher.status().labels] == ["mug"]
    live.teacher.forget("mug")
    assert live.teacher.wait(LONG_S)
    assert live.adapter is None
    live.teacher.undo()
    assert live.teacher.wait(LONG_S)
    assert live.right("mug") == 1.0
    live.teacher.clear()
    assert live.teacher.wait(LONG_S)
    assert live.adapter is None
    with pytest.raises(UserError, match="was not taught"):
        live.teacher.forget("dog")


def test_undo_with_nothing_done(live: Live) -> None:
    with pytest.raises(UserError, match="nothing to undo"):
        live.teacher.undo()


def test_counter_examples_close_the_gate(live: Live) -> None:
    live.teacher.begin("mug")
    live.show("mug", 8)
    live.show("dog", 8)  # it walked into the lesson
    live.teacher.end()
    assert live.teacher.wait(LONG_S)
    assert live.right("dog") < 0.5
    live.show("dog")
    live.teacher.counter_example("mug", last_s=1.0)
    assert live.teacher.wait(LONG_S)
    assert live.right("dog") == 1.0
    assert live.right("mug") == 1.0
    assert live.teacher.status().counter_examples == 21


def test_labels_out_of_the_prompts_rest_and_come_back(live: Live) -> None:
    live.show("mug")
    live.teacher.teach("mug")
    live.teacher.set_labels(LABELS[1:], TEXT[1:])
    assert live.teacher.wait(LONG_S)
    assert live.adapter is None
    live.teacher.set_labels(LABELS, TEXT)
    assert live.teacher.wait(LONG_S)
    assert live.right("mug") == 1.0
    swaps = len(live.swaps)
    live.teacher.set_labels(LABELS, TEXT.copy())
    assert live.teacher.wait(LONG_S)
    assert len(live.swaps) == swaps, "nothing changed, so nothing is trained"


def test_one_prompt_alone_needs_no_network(live: Live) -> None:
    live.teacher.set_labels(("mug",), TEXT[:1])
    live.show("mug")
    live.teacher.teach("mug")
    assert live.teacher.wait(LONG_S)
    assert live.adapter is not None
    assert live.adapter.network is None


def test_a_newer_lesson_overtakes_the_older(live: Live) -> None:
    for scene in ("mug", "phone", "thing"):
        live.show(scene)
        live.teacher.teach(scene)
    assert live.teacher.wait(LONG_S)
    assert live.adapter is not None
    assert live.adapter.memory.labels == ("mug", "phone", "thing")
    assert live.adapter.network is not None


def test_a_failure_is_said_and_the_steer_stays(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    from neuroclip_live.learning import adapter_training

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(adapter_training, "train_adapter", fail)
    live.show("mug")
    live.teacher.teach("mug")
    assert live.teacher.wait(LONG_S)
    assert live.teacher.status().message == "training failed: no memory"
    assert live.right("mug") == 1.0


def test_what_is_saved_comes_back(live: Live, tmp_path: Path) -> None:
    path = tmp_path / "lessons.safetensors"
    with pytest.raises(UserError, match="nothing to save"):
        live.teacher.save(path)
    for scene in ("mug", "phone"):
        live.show(scene)
        live.teacher.teach(scene)
    live.teacher.counter_example(None)
    live.teacher.save(path)
    before = live.teacher.status()
    live.teacher.clear()
    assert live.teacher.load(path) == ("mug", "phone")
    assert live.teacher.wait(LONG_S)
    assert live.teacher.status() == before or live.teacher.status().labels == before.labels
    assert live.teacher.status().counter_examples == before.counter_examples
    live.teacher.undo()
    assert live.teacher.status().labels == ()


def test_files_that_do_not_fit(live: Live, tmp_path: Path) -> None:
    path = tmp_path / "lessons.safetensors"
    live.show("mug")
    live.teacher.teach("mug")
    live.teacher.save(path)
    other = Teacher("tiny", C, T + 1, 30.0, lambda adapter: None)
    with pytest.raises(UserError, match="taught with the model 'tiny' and 4 timesteps, not 'tiny' and 5"):
        other.load(path)
    with pytest.raises(UserError, match=r"cannot read"):
        live.teacher.load(tmp_path / "nowhere")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="damaged"):
        live.teacher.load(path)


def test_a_full_disk_leaves_the_old_lessons(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lessons.safetensors"
    live.show("mug")
    live.teacher.teach("mug")
    live.teacher.save(path)
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    live.teacher.teach("phone")
    with pytest.raises(UserError, match="No space left"):
        live.teacher.save(path)
    assert path.read_bytes() == before


def test_predictions_go_on_while_training(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """No prediction waits for training to end: training here does not end before some were made."""
    from neuroclip_live.learning import adapter_training

    begun, enough, train = threading.Event(), threading.Event(), adapter_training.train_adapter

    def held(*args: Any, progress: Any, **more: Any) -> Any:
        def tell(share: float) -> None:
            progress(share)
            begun.set()
            assert enough.wait(LONG_S)

        return train(*args, progress=tell, **more)

    monkeypatch.setattr(adapter_training, "train_adapter", held)
    live.show("mug", 64)
    live.teacher.teach("mug", last_s=10)
    assert begun.wait(LONG_S)
    for _ in range(5):
        live.label(windows("mug", 1)[0])
        live.show("mug", 1)
        assert live.teacher.status().training is not None
    enough.set()
    assert live.teacher.wait(LONG_S)
    assert live.adapter is not None
    assert live.adapter.network is not None


def test_a_book_keeps_an_even_selection() -> None:
    many = np.arange(200, dtype=np.float32)[:, None, None] * np.ones((1, T, C), np.float32)
    book = ShotBook().add(Lesson("mug", many))
    assert book.count("mug") == MOST_SHOTS
    assert book.shots("mug")[[0, -1], 0, 0].tolist() == [0.0, 199.0]


def test_live_training_is_short() -> None:
    assert live_settings(20).epochs == 250
    assert live_settings(320).epochs == 25
