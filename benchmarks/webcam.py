"""A webcam's way to a word: 640 x 480 at 30 frames a second, on one core, with the window open.

A stand-in gives the frames when a webcam would, whether or not somebody fetches them: a picture of the
simulated camera's show, moved as a hand does. And how often the thing filmed is named, beside ``--simulate``
of the same picture, where the sensor sees every moment and not 30 a second. All events are simulated.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.events import VGA
from benchmarks.real_window import RealWindow
from benchmarks.timing import Options, Row, load
from neuroclip_drivers.film.frames import WebcamFrames
from neuroclip_drivers.film.source import FilmSource
from neuroclip_drivers.simulator.show import SHOW_SENSOR, load_show
from neuroclip_drivers.simulator.show_words import SHOW
from neuroclip_drivers.simulator.source import SimulatorSource
from neuroclip_drivers.source import EventSource
from neuroclip_live.model.backbone import Backbone, load_backbone
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings
from neuroclip_live.recognition.pipeline_state import PipelineState

FPS = 30.0
LOOP_FRAMES = 90
SECONDS, WARM_S, FILM_S = 20.0, 4.0, 4.0
LEAST_SHARE = 0.99
"""Of the frames, to be made into events: what is passed over is motion that nobody saw."""


def run(options: Options) -> Iterator[Row]:
    """Measure the way there, then how often things are named."""
    pictures = load_show()[:1] if options.quick else load_show()
    backbone = load_backbone()
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(before)[:1]))
    try:
        made = _frames(pictures[0])
        yield _alone(made)
        yield from _with_window(made, backbone, options)
    finally:
        os.sched_setaffinity(0, before)
    yield _named(pictures, backbone, options)


class PacedWebcam:
    """What OpenCV gives for a webcam: the next frame, when its time has come; none is kept for later."""

    def __init__(self, frames: list[npt.NDArray[np.uint8]]) -> None:
        self._frames = frames
        self._begin = time.monotonic()
        self._released = False
        self.given = 0

    def __call__(self, number: int) -> PacedWebcam:
        """Be what ``cv2.VideoCapture`` returns."""
        return self

    def isOpened(self) -> bool:
        """Return True."""
        return True

    def read(self) -> tuple[bool, npt.NDArray[np.uint8] | None]:
        """Wait for the frame that comes next by the clock."""
        due = int((time.monotonic() - self._begin) * FPS) + 1
        time.sleep(max(0.0, self._begin + due / FPS - time.monotonic()))
        if self._released:
            return False, None
        self.given = due
        return True, self._frames[due % len(self._frames)]

    def release(self) -> None:
        """End."""
        self._released = True


def _frames(picture: tuple[str, Any, Any]) -> list[npt.NDArray[np.uint8]]:
    """Return a loop of colored frames (480, 640, 3) of a picture that is moved."""
    _, gray, opacity = picture
    camera = SimulatorSource([np.stack([gray, opacity])], resolution=VGA, motion="orbit")
    images = [camera.image_at(round(k * 1e6 / FPS)) for k in range(LOOP_FRAMES)]
    return [np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), dtype=np.uint8) for image in images]


def _alone(frames: list[npt.NDArray[np.uint8]]) -> Row:
    """How many frames a second become events where nothing else is done."""
    source = FilmSource(_Given(frames), realtime=False)
    begun = time.perf_counter()
    events = sum(map(len, source.packets()))
    rate = len(frames) / (time.perf_counter() - begun)
    return Row(
        "webcam", "640 x 480, into events, one core", "made", "30 a second", rate, FPS, "frames/s",
        rate / FPS, goal=1.0, repeats=1, note=f"{events:,} events of {len(frames)} frames", load=load(),
    )  # fmt: skip


class _Given:
    """Frames as a film gives them, without a file to decode."""

    name, live = "frames", False

    def __init__(self, frames: list[npt.NDArray[np.uint8]]) -> None:
        self._frames = frames

    def frames(self) -> Iterator[tuple[int, npt.NDArray[np.uint8]] | None]:
        for number, frame in enumerate(self._frames):
            yield round(number * 1e6 / FPS), np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)

    def close(self) -> None:
        """Do nothing."""


def _with_window(frames: list[npt.NDArray[np.uint8]], backbone: Backbone, options: Options) -> Iterator[Row]:
    """How many of a webcam's frames become events with the window open and recognition running."""
    webcam = PacedWebcam(frames)
    fetched = WebcamFrames(0, webcam)
    source = FilmSource(fetched)
    pipeline = Pipeline(source, lambda progress: backbone, parse_prompts(", ".join(SHOW)), PipelineSettings())
    with RealWindow(pipeline) as shown:
        window = shown.window
        shown.run(
            0.3 if options.quick else WARM_S, lambda: pipeline.prediction() is not None and window.live.ready
        )
        given, passed, decided = webcam.given, fetched.passed_over, pipeline.status().predictions
        seconds = 0.5 if options.quick else SECONDS
        turning = shown.run(seconds)
        given, passed = webcam.given - given, fetched.passed_over - passed
        decisions = (pipeline.status().predictions - decided) / seconds
    share = 1 - passed / max(1, given)
    note = f"{given} frames in {seconds:g} s, {decisions:.0f} decisions/s, {turning.paints_hz:.0f} paints/s"
    yield Row(
        "webcam", "640 x 480 at 30 a second, window open, one core", "into events", "all", share, 1.0, "of 1",
        share, goal=LEAST_SHARE, repeats=1, note=note, load=load(),
    )  # fmt: skip


def _named(pictures: list[tuple[str, Any, Any]], backbone: Backbone, options: Options) -> Row:
    """How often what is filmed is named, against the same picture before the simulated camera."""
    film, simulated = [], []
    for name, gray, opacity in pictures:
        picture = np.stack([gray, opacity])
        most = 20 if options.quick else round(FILM_S * FPS)
        camera = SimulatorSource([picture], resolution=VGA, motion="orbit")
        images = [camera.image_at(round(k * 1e6 / FPS)) for k in range(most)]
        colored = [np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), dtype=np.uint8) for image in images]
        film.append(_share(FilmSource(_Given(colored), realtime=False), name, backbone))
        seen = SimulatorSource(
            [picture],
            resolution=VGA,
            motion="orbit",
            sensor=SHOW_SENSOR,
            realtime=False,
            duration_s=most / FPS,
        )
        simulated.append(_share(seen, name, backbone))
    ours, theirs = float(np.mean(film)), float(np.mean(simulated))
    worst = ", ".join(f"{name} {share:.2f}" for (name, _, _), share in zip(pictures, film, strict=True))
    return Row(
        "webcam", f"named, {len(pictures)} things among {len(SHOW)} names", "filmed at 30 a second",
        "--simulate", ours, theirs, "of 1", ours / max(theirs, 1e-9), goal=0.95, repeats=1,
        note=f"filmed: {worst}", load=load(),
    )  # fmt: skip


def _share(source: EventSource, name: str, backbone: Backbone) -> float:
    """Return the share of predictions that name the thing, once T timesteps have been seen."""
    settings = PipelineSettings(wait_for_model=True)
    pipeline = Pipeline(source, lambda progress: backbone, parse_prompts(", ".join(SHOW)), settings)
    right, number = [], 0
    pipeline.start()
    try:
        while True:
            ended = pipeline.status().state is PipelineState.ENDED
            for prediction in pipeline.predictions(after=number):
                number = prediction.number
                if not prediction.decision.settling:
                    right.append(prediction.label == name)
            if ended:
                return float(np.mean(right)) if right else 0.0
            time.sleep(0.01)
    finally:
        pipeline.stop()
