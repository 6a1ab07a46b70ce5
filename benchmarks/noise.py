"""The noise filter against dv-processing's background activity filter, on one thread.

Both keep an event when one of its eight neighbors fired lately. They are not quite the same (at the border
of the sensor dv-processing keeps some more), so the shares they keep are told instead of compared.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import numpy as np

from benchmarks.events import VGA, moving_edge
from benchmarks.frame_peers import store_of
from benchmarks.timing import Options, Row, absent, alternate, compared, load
from neuroclip_live.events import EVENT_DTYPE, Packet
from neuroclip_live.stream.filters import Treater, Treatment

SUPPORT_US = 2_000
GOAL_MEV = 20.0
NOISE_HZ = 5_000_000


def run(options: Options) -> Iterator[Row]:
    """Filter a moving edge and pure noise."""
    count = 20_000 if options.quick else 1_000_000
    how = Treatment(support_us=SUPPORT_US)
    for name, events in (("edge", moving_edge(count, VGA)), ("noise", pure_noise(count))):

        def ours(events: Packet = events) -> Packet:
            return Treater(VGA).treat(events, how)

        runs = {"ours": ours}
        try:
            import dv_processing as dv
        except ImportError as error:
            yield absent("noise", "dv-processing", str(error))
        else:
            store = store_of(events, VGA)

            def theirs(store: object = store) -> object:
                peer = dv.noise.BackgroundActivityNoiseFilter(VGA, timedelta(microseconds=SUPPORT_US))
                peer.accept(store)
                return peer.generateEvents()

            runs["dv BackgroundActivity"] = theirs
        samples = alternate(runs, options.repeats)
        case, million = f"{name}, {count:,} events {VGA.width}x{VGA.height}", count / 1e6
        if len(runs) > 1:
            kept = f"kept {len(ours()) / count:.1%} and {len(theirs()) / count:.1%}"  # type: ignore[arg-type]
            yield compared(
                "noise", case, samples, "ours", "dv BackgroundActivity", goal=1.0, work=million, unit="ev",
                note=kept,
            )  # fmt: skip
        rate = million / statistics.median(core_seconds(ours) for _ in range(options.repeats))
        yield Row(
            "noise", case, "ours", "goal", rate, GOAL_MEV, "Mev/s", rate / GOAL_MEV, goal=1.0,
            repeats=options.repeats, note="seconds of one core, others' share left out", load=load(),
        )  # fmt: skip


def core_seconds(work: Callable[[], object]) -> float:
    """Return how long one core works at it."""
    begin = time.thread_time()
    work()
    return time.thread_time() - begin


def pure_noise(count: int) -> Packet:
    """Return events anywhere, at 5 million a second."""
    rng = np.random.default_rng(0)
    events = np.zeros(count, dtype=EVENT_DTYPE)
    events["t"] = np.arange(count, dtype=np.int64) * 1_000_000 // NOISE_HZ
    events["x"], events["y"] = rng.integers(0, VGA.width, count), rng.integers(0, VGA.height, count)
    events["p"] = rng.integers(0, 2, count)
    return events
