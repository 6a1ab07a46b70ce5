"""What faults cost: events and seconds lost, seconds until all is well again; the figures of docs/faults.md.

    python -m benchmarks.faults [--rounds N]

Each round injects the fault anew. Told are the median and the worst of the rounds.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import click
import numpy as np
import numpy.typing as npt

from benchmarks.stand_ins import LiveStandIn, PacedSource, SlowBackbone
from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_live.events import Packet, Resolution
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline

SENSOR = Resolution(346, 260)
RATE_HZ = 1e6
FRESH_MS = 200.0

CHILD = """
import sys
from benchmarks.stand_ins import PacedSource
from neuroclip_live.events import Resolution
from neuroclip_live.recording.recorder import Recorder
source = PacedSource(float(sys.argv[2]), Resolution(346, 260))
recorder = Recorder(sys.argv[1], source.resolution, "measured")
given = 0
for packet in source.packets():
    recorder.write(packet)
    given += len(packet)
    print(given, flush=True)
"""


def killed(rounds: int) -> Iterator[tuple[float, float]]:
    """Kill -9 while recording: (events, seconds) that came in and are not in the file."""
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "killed.aedat4"
            child = subprocess.Popen(
                [sys.executable, "-c", CHILD, str(path), str(RATE_HZ)], stdout=subprocess.PIPE, text=True
            )
            assert child.stdout is not None
            stop_at = (1.5 + random.Random(number).random()) * RATE_HZ
            given = 0
            for line in child.stdout:
                given = int(line)
                if given >= stop_at:
                    child.send_signal(signal.SIGKILL)
                    break
            for line in child.stdout:  # what came in before the signal did
                given = int(line)
            child.wait()
            lost = given - sum(len(packet) for packet in Recording(path).read())
            yield lost, lost / RATE_HZ


class Bursting(LiveStandIn):
    """A camera at a tenth of a million events a second, and at a hundred times that while told to."""

    name, resolution = "bursting", SENSOR

    def __init__(self) -> None:
        super().__init__()
        self.burst = threading.Event()

    def packets(self) -> Iterator[Packet]:
        """Yield 10 ms at a time."""
        quiet, loud = PacedSource(RATE_HZ / 10, SENSOR), PacedSource(RATE_HZ * 10, SENSOR)
        begin, number = time.monotonic(), 0
        while not self._closed.wait(max(0.0, begin + number * 0.01 - time.monotonic())):
            source = loud if self.burst.is_set() else quiet
            packet = source.cut(number)
            number += 1
            yield packet


class Hanging(SlowBackbone):
    """Takes five milliseconds for a frame, and longer while told to."""

    def __init__(self) -> None:
        super().__init__(0.005)
        self.go_on = threading.Event()
        self.go_on.set()

    def encode_frames(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Wait, then encode."""
        self.go_on.wait()
        return super().encode_frames(frames)


def fresh(pipeline: Pipeline) -> bool:
    """Tell whether the newest label is about what came in just now."""
    latest = pipeline.prediction()
    return latest is not None and (
        latest.arrival_ns is not None and time.monotonic_ns() - latest.arrival_ns < FRESH_MS * 1e6
    )


def until(condition: Callable[[], bool], limit_s: float = 60.0) -> float:
    """Wait for a condition; return the seconds it took."""
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > limit_s:
            raise TimeoutError("it did not recover")
        time.sleep(0.002)
    return time.monotonic() - begin


def disturbed(rounds: int, seconds: float, hang: bool) -> Iterator[tuple[float, float, float]]:
    """Hang, or burst a hundredfold, for so long: (dropped events, skipped slices, seconds until fresh)."""
    source, model = Bursting(), Hanging()
    pipeline = Pipeline(source, lambda progress: model, parse_prompts("a mug, a phone"))  # type: ignore[arg-type,return-value]
    pipeline.start()
    try:
        for _ in range(rounds):
            until(lambda: fresh(pipeline))
            time.sleep(1.0)
            before = pipeline.status()
            if hang:
                model.go_on.clear()
            else:
                source.burst.set()
            time.sleep(seconds)
            model.go_on.set()
            source.burst.clear()
            recovered = until(lambda: fresh(pipeline))
            after = pipeline.status()
            yield (
                after.dropped_events - before.dropped_events,
                after.skipped_windows - before.skipped_windows,
                recovered,
            )
    finally:
        model.go_on.set()
        pipeline.stop()


def _told(what: str, names: tuple[str, ...], rounds: Iterator[tuple[float, ...]]) -> None:
    for name, values in zip(names, zip(*rounds, strict=True), strict=True):
        click.echo(f"{what}: {name}: median {median(values):,.3g}, worst {max(values):,.3g}")


@click.command()
@click.option("--rounds", default=10, show_default=True)
def measure(rounds: int) -> None:
    """Inject, measure, tell."""
    _told("kill -9 at 1 Mev/s", ("events lost", "seconds lost"), killed(rounds))
    names = ("events dropped", "slices skipped", "seconds until fresh")
    _told("recognition hangs 5 s at 0.1 Mev/s", names, disturbed(rounds, 5.0, hang=True))
    _told("a burst of 10 Mev/s for 2 s", names, disturbed(rounds, 2.0, hang=False))


if __name__ == "__main__":
    measure()
