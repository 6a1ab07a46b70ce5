"""How others turn a slice of events into a frame; every peer gets the input it likes best, made beforehand.

``image`` peers give a picture, ``counts`` peers give counts per polarity and pixel. :meth:`FramePeer.check`
compares with ours before anything is timed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neuroclip_live.events import Packet, Resolution
from neuroclip_live.stream.frames import count_events, event_frame


@dataclass(frozen=True)
class FramePeer:
    """One way to make a frame of one slice. ``matches`` tells whether its output says what ours says."""

    name: str
    kind: Literal["image", "counts"]
    run: Callable[[], Any]
    matches: Callable[[Any], bool]
    most: int = 10_000_000
    """Largest slice it is asked for: beyond, one run takes seconds and says nothing new."""


def peers(events: Packet, resolution: Resolution) -> Iterator[FramePeer | tuple[str, str]]:
    """Yield the peers for a slice; a pair of name and reason for one that is not installed."""
    for make in (_dv, _bincount, _spikingjelly, _tonic, _evlib):
        try:
            yield from make(events, resolution)
        except ImportError as error:
            yield make.__name__.strip("_"), f"{error}; pip install -e .[bench]"


def store_of(events: Packet, resolution: Resolution) -> Any:
    """Return the events in a dv ``EventStore``; by way of a file, since it takes no arrays."""
    import dv_processing as dv

    from neuroclip_drivers.aedat4.verifying import write_aedat4

    store = dv.EventStore()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.aedat4"
        pieces = (events[i : i + 50_000].copy() for i in range(0, len(events), 50_000))
        write_aedat4(path, pieces, resolution, verify=False)
        recording = dv.io.MonoCameraRecording(str(path))
        while (batch := recording.getNextEventBatch()) is not None:
            store.add(batch)
    if store.size() != len(events):
        raise RuntimeError(f"dv-processing read {store.size()} of {len(events)} events")
    return store


def _dv(events: Packet, resolution: Resolution) -> Iterator[FramePeer]:
    import dv_processing as dv

    store = store_of(events, resolution)
    size = tuple(resolution)
    visualizer = dv.visualization.EventVisualizer(size, (127, 127, 127), (0, 0, 0), (255, 255, 255))
    counts = count_events(events, resolution)
    ours = event_frame(events, resolution)
    both = (counts[0] > 0) & (counts[1] > 0)

    def same_picture(image: Any) -> bool:
        # where both polarities fell it shows the newer one, the method's strategy shows ON
        return bool((image[~both] == ours[~both][:, None]).all() and (image[both] != 127).all())

    yield FramePeer("dv EventVisualizer", "image", lambda: visualizer.generateImage(store), same_picture)
    accumulator = dv.Accumulator(size, dv.Accumulator.Decay.NONE, 1.0, False, 1.0, 1e6, 0.0, -1e6, False)

    def accumulate() -> Any:
        accumulator.clear()
        accumulator.accept(store)
        return accumulator.generateFrame()

    def same_sums(_: Any) -> bool:
        difference = counts[1].astype(np.float32) - counts[0]
        return bool((np.asarray(accumulator.getPotentialSurface()) == difference).all())

    yield FramePeer("dv Accumulator", "image", accumulate, same_sums)


def _equals(counts: Any) -> Callable[[Any], bool]:
    return lambda made: bool((np.asarray(made).reshape(counts.shape) == counts).all())


def _bincount(events: Packet, resolution: Resolution) -> Iterator[FramePeer]:
    width, height = resolution
    x, y, p = (np.ascontiguousarray(events[f]).astype(np.int64) for f in ("x", "y", "p"))

    def run() -> Any:
        return np.bincount((p * height + y) * width + x, minlength=2 * resolution.area)

    yield FramePeer("np.bincount", "counts", run, _equals(count_events(events, resolution)))


def _spikingjelly(events: Packet, resolution: Resolution) -> Iterator[FramePeer]:
    from spikingjelly.datasets.utils import integrate_events_segment_to_frame

    x, y, p = (np.ascontiguousarray(events[f]) for f in ("x", "y", "p"))

    def run() -> Any:
        return integrate_events_segment_to_frame(x, y, p, resolution.height, resolution.width)

    yield FramePeer("SpikingJelly", "counts", run, _equals(count_events(events, resolution)), 1_000_000)


def _tonic(events: Packet, resolution: Resolution) -> Iterator[FramePeer]:
    from tonic.transforms import ToFrame

    plain = np.empty(len(events), dtype=[("x", "i2"), ("y", "i2"), ("p", "i1"), ("t", "i8")])
    for field in ("x", "y", "p", "t"):
        plain[field] = events[field]
    transform = ToFrame(sensor_size=(*resolution, 2), event_count=len(events))
    yield FramePeer(
        "tonic ToFrame",
        "counts",
        lambda: transform(plain),
        _equals(count_events(events, resolution)),
        1_000_000,
    )


def _evlib(events: Packet, resolution: Resolution) -> Iterator[FramePeer]:
    import evlib
    import polars

    # its one time bin leaves out the very last event: here that is one more, for this purpose
    columns = {
        name: np.append(events[field].astype(kind), kind(events[field][-1] + (field == "t")))
        for name, field, kind in (
            ("x", "x", np.int16),
            ("y", "y", np.int16),
            ("t", "t", np.int64),
            ("polarity", "p", np.int8),
        )
    }
    frame = polars.DataFrame(columns)

    def run() -> Any:
        long = evlib.create_event_frame(frame, resolution.height, resolution.width, 1)
        return evlib.densify_event_frame(long, 1, 2, resolution.height, resolution.width)

    yield FramePeer("evlib", "counts", run, _equals(count_events(events, resolution)), 1_000_000)
