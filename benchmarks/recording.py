"""A recording → all event frames, as fast as it goes, against dv-processing's own loop and bare reading."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.events import VGA, moving_edge
from benchmarks.machine import ROOT
from benchmarks.replayer import CONTENDERS
from benchmarks.timing import Options, Row, Samples, compared
from neuroclip_drivers.aedat4.verifying import write_aedat4

DENSE = 10_000_000
LOOP_GOAL, BARE_GOAL = 1.5, 0.8


class Contender:
    """A replayer in a process of its own; a context manager that ends it."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.replayer", name, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )

    def ask(self, word: str) -> dict[str, Any]:
        """Send a word and return the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.name} ended with status {self._process.wait()}")
        result: dict[str, Any] = json.loads(answer)
        return result

    def __enter__(self) -> Contender:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


def run(options: Options) -> Iterator[Row]:
    """Measure a dense recording made here, and the bundled one."""
    count = 100_000 if options.quick else DENSE
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dense.aedat4"
        events = moving_edge(count, VGA)
        pieces = (events[i : i + 50_000].copy() for i in range(0, count, 50_000))  # packets of 10 ms
        write_aedat4(path, pieces, VGA, verify=False)
        yield from _one("dense, 5 Mev/s", path, options)
    if not options.quick:
        yield from _one("bundled tour, 28 kev/s", ROOT / "recordings" / "tour.aedat4", options)


def _one(case: str, path: Path, options: Options) -> Iterator[Row]:
    with ExitStack() as stack:
        contenders = [stack.enter_context(Contender(name, path)) for name in CONTENDERS]
        seen = {contender.name: contender.ask("check") for contender in contenders}
        _require_equal(seen)
        samples: Samples = {contender.name: [] for contender in contenders}
        for turn in range(-1, options.repeats):
            shift = turn % len(contenders)
            for contender in contenders[shift:] + contenders[:shift]:
                seconds = contender.ask("go")["seconds"]
                if turn >= 0:  # the first round warms everybody up
                    samples[contender.name].append(seconds)
    work = seen["ours"]["events"] / 1e6

    def row(subject: str, peer: str, goal: float | None, note: str) -> Row:
        return compared("recording", case, samples, subject, peer, goal=goal, note=note, work=work, unit="ev")

    dense = case.startswith("dense")
    yield row("ours", "dv loop", LOOP_GOAL if dense else None, "all frames, both")
    yield row("ours", "ours bare", BARE_GOAL if dense else None, "all frames against our reading alone")
    yield row("ours", "dv bare", None, "all frames against dv's reading alone")
    yield row("ours bare", "dv bare", None, "reading alone, both")


def _require_equal(seen: dict[str, dict[str, Any]]) -> None:
    ours, theirs = seen["ours"], seen["dv loop"]
    # dv's slicer keeps the last, unfinished slice to itself
    common = len(theirs["slices"])
    if len(ours["slices"]) - common not in (0, 1) or ours["slices"][:common] != theirs["slices"]:
        raise RuntimeError("our slices and dv-processing's hold other events")
    compared_pictures = min(len(ours["pictures"]), len(theirs["pictures"]))
    if ours["pictures"][:compared_pictures] != theirs["pictures"][:compared_pictures]:
        raise RuntimeError("our frames and dv-processing's show other pixels")
    if ours["events"] != seen["ours bare"]["events"] or ours["events"] != seen["dv bare"]["events"]:
        raise RuntimeError("not everybody read all events")
