"""What the fault tests share: pipelines that must end, slices that are looked at, memory that is watched."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pytest
from fakes import FakeBackbone, pipelines, wait_for

from neuroclip_live.recognition.pipeline import Pipeline
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.recognizer import Recognizer
from neuroclip_live.stream.slicing import Slice


@pytest.fixture
def start() -> Iterator[Callable[..., Pipeline]]:
    with pipelines() as make:
        yield make


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> list[Slice]:
    """Collect every slice that is recognized."""
    seen: list[Slice] = []
    answer = Recognizer.answer

    def looked_at(self: Recognizer, piece: Slice, skipped: int = 0) -> Prediction:
        seen.append(piece)
        return answer(self, piece, skipped)

    monkeypatch.setattr(Recognizer, "answer", looked_at)
    return seen


@pytest.fixture
def memory_within() -> Callable[[float], object]:
    """Fail when more than so many megabytes are allocated inside, at any one time."""

    @contextmanager
    def within(megabytes: float) -> Iterator[None]:
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            yield
            used = (tracemalloc.get_traced_memory()[1] - before) / 1e6
        finally:
            tracemalloc.stop()
        assert used < megabytes, f"{used:.0f} MB were taken"

    return within


class Hanging(FakeBackbone):
    """Encodes nothing while it hangs."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.go_on.set()
        self.entered = threading.Event()

    def encode_frames(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        if not self.go_on.is_set():
            self.entered.set()
            assert self.go_on.wait(600)
        return super().encode_frames(frames)


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    backbone = Hanging()
    yield backbone
    backbone.go_on.set()


def still(pipeline: Pipeline) -> None:
    """Wait until everything that came in was looked at: no counter moves any more."""
    before: object = None

    def same() -> bool:
        nonlocal before
        threading.Event().wait(0.3)
        status = pipeline.status()
        now = (status.total_events, status.windows, status.dropped_events)
        before, was = now, before
        return now == was

    wait_for(same)
