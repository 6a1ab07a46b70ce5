"""Stand-ins shared by tests: a scripted source, and a backbone that is a known function of the frame."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.source import GrayFrame, SourceState, SourceStatus
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, empty_packet
from neuroclip_live.model.backbone import BackboneInfo
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings
from neuroclip_live.recognition.recognizer import RecognizerSettings
from neuroclip_live.stream.slicing import SliceBy

SENSOR = Resolution(32, 24)
DIM = 16
PROMPTS = parse_prompts("a mug, a phone, scissors")
MOTION_HZ = 0.05
"""Events at random are noise to ``auto``; tests that are not about motion count them instead."""
SETTINGS = PipelineSettings(
    slice_by=SliceBy("count", count=100, overlap=1),
    recognizer=RecognizerSettings(timesteps=3, motion=MOTION_HZ),
    wait_for_model=True,
)


def packet(
    start_us: int, count: int, step_us: int = 100, seed: int = 0, sensor: Resolution = SENSOR
) -> Packet:
    """Make ``count`` events at random pixels, one every ``step_us``."""
    rng = np.random.default_rng(seed + start_us)
    events = np.zeros(count, dtype=EVENT_DTYPE)
    events["t"] = start_us + step_us * np.arange(count)
    events["x"] = rng.integers(0, sensor.width, count)
    events["y"] = rng.integers(0, sensor.height, count)
    events["p"] = rng.integers(0, 2, count)
    return events


def packets(count: int, size: int = 50, first: int = 0) -> list[Packet]:
    """Make packets that follow each other, of ``size`` events, one every 100 µs; from number ``first``."""
    return [packet(i * size * 100, size) for i in range(first, first + count)]


def wait_for(condition: Callable[[], object], timeout_s: float = 120.0) -> None:
    """Wait for what another thread brings about; fail when it does not."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


class ScriptedSource:
    """Yields the packets it is given, waiting where the script says so.

    A script is a series of packets, exceptions (raised) and ``threading.Event`` objects (waited for).
    """

    def __init__(
        self,
        script: Iterable[Packet | Exception | threading.Event],
        *,
        live: bool = True,
        resolution: Resolution = SENSOR,
        name: str = "script",
    ) -> None:
        self.name, self.resolution, self.live = name, resolution, live
        self._script = list(script)
        self.closed = threading.Event()
        self.state = SourceState.STREAMING

    def packets(self) -> Iterator[Packet]:
        for item in self._script:
            if isinstance(item, threading.Event):
                while not item.wait(0.01):
                    if self.closed.is_set():
                        return
                    yield empty_packet()
            elif isinstance(item, Exception):
                raise item
            else:
                yield item
            if self.closed.is_set():
                return
        self.state = SourceState.ENDED

    def status(self) -> SourceStatus:
        return SourceStatus(self.state)

    def latest_frame(self) -> GrayFrame | None:
        return None

    def close(self) -> None:
        self.closed.set()


class Endless(ScriptedSource):
    """Gives 50 events every few milliseconds until closed."""

    def packets(self) -> Iterator[Packet]:
        number = 0
        while not self.closed.wait(0.004):
            yield packet(number * 5_000, 50)
            number += 1


class Moving(ScriptedSource):
    """Gives 400 events, a slice full, every twenty milliseconds until closed."""

    def packets(self) -> Iterator[Packet]:
        number = 0
        while not self.closed.wait(0.02):
            yield packet(number * 20_000, 400, step_us=50)
            number += 1


class FakeBackbone:
    """A fixed random projection of the frame's pixels; texts get random unit vectors of their own."""

    def __init__(self, failing: Exception | None = None, delay_s: float = 0.0) -> None:
        self.info = BackboneInfo(
            name="fake",
            embed_dim=DIM,
            image_size=8,
            context_length=32,
            mean=(0.5, 0.5, 0.5),
            std=(1.0, 1.0, 1.0),
            fit="letterbox",
            device="cpu",
            runtime="torch",
            bundled=False,
            logit_scale=20.0,
            none_logit=4.0,
            description="for tests",
        )
        self.encoded = 0
        self.failing = failing
        self.delay_s = delay_s

    def encode_frames(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        if self.delay_s:
            threading.Event().wait(self.delay_s)
        if self.failing is not None:
            raise self.failing
        self.encoded += len(frames)
        flat = frames.reshape(len(frames), -1).astype(np.float32) / 255 - 0.5
        projection = np.random.default_rng(7).standard_normal((flat.shape[1], DIM), dtype=np.float32)
        return flat @ projection

    def encode_texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        rows = [np.random.default_rng(list(text.encode())).standard_normal(DIM) for text in texts]
        array = np.asarray(rows, dtype=np.float32)
        return array / np.linalg.norm(array, axis=1, keepdims=True)

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + 2 for text in texts]

    def familiarity(self, text: str) -> None:
        return None


@contextmanager
def pipelines() -> Iterator[Callable[..., Pipeline]]:
    """Start pipelines around scripted sources; at the end all of them stop, and no thread is left."""
    made: list[Pipeline] = []

    def make(
        source: ScriptedSource, backbone: object = None, settings: PipelineSettings = SETTINGS
    ) -> Pipeline:
        model = backbone or FakeBackbone()
        load = model if callable(model) else lambda progress: model
        made.append(Pipeline(source, load, PROMPTS, settings))  # type: ignore[arg-type]
        made[-1].start()
        return made[-1]

    yield make
    for pipeline in made:
        assert pipeline.stop(60.0), "a thread outlived stop()"
    wait_for(lambda: not {"capture", "inference"} & {thread.name for thread in threading.enumerate()})
