"""Regions and tracks of a slice, beside EventCV's connected components and Tracker, in the same run.

Simulated scenes with the noise that brings a slice to 50,000 events at 640x480 and 200,000 at 1280x720. The
peers label every pixel that fired and follow the blobs: no level of noise, no parts of one thing, so the
things they find are told and not compared. Ours is given the newer half of a slice, as while it runs.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.events import HD, VGA
from benchmarks.noise import core_seconds
from benchmarks.timing import Options, Row, absent, alternate, compared, load
from neuroclip_live.evaluation.track_scenes import Scene, SceneSettings
from neuroclip_live.events import Packet, Resolution, join_packets
from neuroclip_live.objects.regions import RegionFinder
from neuroclip_live.objects.tracker import Tracker
from neuroclip_live.stream.slicing import Slice, SliceBy, Slicer

CASES = (
    (
        SceneSettings(VGA, 8, small=0.1, large=0.2, apart=True, noise_hz=1.5, seconds=1.0, seed=10),
        50_000,
        2.0,
    ),
    (SceneSettings(HD, 5, small=0.1, large=0.3, apart=True, noise_hz=2.0, seconds=1.0, seed=9), 200_000, 5.0),
)
"""Scene, events in a slice, and the milliseconds a slice may take."""
TINY = ((SceneSettings(Resolution(128, 128), 1, seconds=0.4), 500, 2.0),)


def run(options: Options) -> Iterator[Row]:
    """Follow each scene, over and over."""
    for scene, count, goal_ms in TINY if options.quick else CASES:
        slices = cut(scene, count)
        case = f"{scene.things} things, slices of {count:,} events, {scene.resolution}"
        runs = {"ours": lambda scene=scene, slices=slices: follow(scene.resolution, slices)}
        try:
            runs |= _peers(scene.resolution, slices)
        except ImportError as error:
            yield absent("objects", "EventCV", str(error))
        told = {name: follow_once() for name, follow_once in runs.items()}
        note = "core's time; things at the end: " + ", ".join(f"{name} {n}" for name, n in told.items())
        samples = {
            name: [s / len(slices) for s in each] for name, each in alternate(runs, options.repeats).items()
        }
        taken = statistics.median(core_seconds(runs["ours"]) for _ in range(options.repeats))
        ours = taken / len(slices) * 1e3
        yield Row(
            "objects", case, "ours", "goal", ours, goal_ms, "ms", goal_ms / ours, goal=1.0,
            repeats=options.repeats, note=note, load=load(),
        )  # fmt: skip
        for peer in list(runs)[1:]:
            yield compared("objects", case, samples, "ours", peer)


def cut(scene: SceneSettings, count: int) -> list[Slice]:
    """Return a scene's slices of so many events."""
    events = join_packets([packet for packet, _ in Scene(scene).steps()])
    slices = list(Slicer(SliceBy("count", count=count), scene.resolution).push(events))
    return [piece for piece in slices if len(piece.events) == count]


def follow(resolution: Resolution, slices: list[Slice]) -> int:
    """Find and follow what moves in all slices; return how many things there are at the end."""
    finder = RegionFinder(resolution)
    tracker = Tracker(finder)
    tracks = []
    for piece in slices:
        newest = piece.events[len(piece.events) // 2 :]
        span_us = int(newest["t"][-1] - newest["t"][0])
        tracks = tracker.update(finder.find(newest), piece.end_us, span_us)
    return len(tracks)


def _peers(resolution: Resolution, slices: list[Slice]) -> dict[str, Any]:
    import eventcv

    streams = [
        eventcv.from_numpy(_rows(piece.events), sensor_size=tuple(resolution), time_unit="us")
        for piece in slices
    ]
    least = RegionFinder(resolution).smallest

    def components() -> int:
        for stream in streams:
            labels = stream.count().connected_components()
        return int(labels.numpy().max())

    def tracks() -> int:
        tracker = eventcv.Tracker(min_area=least)
        for stream in streams:
            found = tracker.update(stream.count())
        return len(found)

    return {"EventCV connected_components": components, "EventCV Tracker": tracks}


def _rows(events: Packet) -> Any:
    return np.stack([events[name].astype(np.int64) for name in ("x", "y", "t", "p")], axis=1)
