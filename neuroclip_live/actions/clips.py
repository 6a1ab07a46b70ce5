"""Files of what was seen, with seconds from before: read from the ring, like every other reader does.

The recorder (:mod:`neuroclip_live.recording.recorder`) cannot do it: it gets what comes from now on. What is
read here went through filter and turn, as the picture did. A disk that is too slow falls behind in the ring
and loses its oldest events, counted and told; nobody waits for it.
"""

from __future__ import annotations

import re
from pathlib import Path
from time import monotonic
from typing import Any

from neuroclip_drivers.aedat4.verifying import verify_aedat4
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_live.actions.effect import Beside, Given, filled
from neuroclip_live.actions.triggers import Firing
from neuroclip_live.bounded import home_expanded
from neuroclip_live.errors import UserError
from neuroclip_live.recognition.pipeline import Pipeline
from neuroclip_live.stream.ring import EventRing

QUIET_S = 5.0
"""Where no event comes for so long, of the machine's time, a file ends: paused, over, or a silent camera."""
READ_EVENTS = 1 << 16
MOST_OF_A_NAME = 1000
_LOOK_S = 0.02


class Clip:
    """A file from ``before_s`` before the firing to ``after_s`` after it."""

    key = "clip"

    def __init__(self, value: Any, given: Given) -> None:
        if not isinstance(value, str) or "\0" in value or Path(value).suffix.lower() != ".aedat4":
            raise UserError('give a file that ends in .aedat4, as in "clips/{name}-{time}.aedat4"')
        self._pattern, self._given = value, given

    def plan(self, firing: Firing) -> str:
        """Return which file."""
        return f"save {self._path(firing)}"

    def trouble(self) -> str:
        """Say so where the folder is none."""
        folder = self._folder()
        above = next((place for place in (folder, *folder.parents) if place.exists()), None)
        return f"{above} is no folder" if above is not None and not above.is_dir() else ""

    def carry_out(self, firing: Firing, beside: Beside) -> str:
        """Write the file, and read it back."""
        pipeline = beside.pipeline()
        if pipeline is None:
            raise UserError("there is nothing to save: no stream is read")
        ring, resolution = pipeline.picture
        start = self._start(firing, ring)
        writer = self._writer(firing, pipeline, resolution)
        try:
            lost = self._copy(firing, beside, pipeline, ring, start, writer)
        finally:
            written = writer.close()
        verify_aedat4(written)
        losses = f"; {lost:,} events lost: the disk is too slow" if lost else ""
        return f"saved {writer.path}, {written.events:,} events{losses}"

    def _start(self, firing: Firing, ring: EventRing) -> int:
        last = ring.status().last_t_us
        back_us = (last - firing.t_us if last is not None else 0) + round(self._given.before_s * 1e6)
        return ring.position_back(max(0, back_us))

    def _until_us(self, firing: Firing) -> int:
        return firing.t_us + round(self._given.after_s * 1e6)

    def _copy(
        self,
        firing: Firing,
        beside: Beside,
        pipeline: Pipeline,
        ring: EventRing,
        at: int,
        writer: Aedat4Writer,
    ) -> int:
        """Copy until the end, another time, or nothing comes; return how many events were lost."""
        lost, epoch, quiet_since = 0, ring.read(at, 1).epoch, monotonic()
        last: int | None = None
        while True:
            if last is None and beside.stop.is_set():
                last = ring.newest()  # what had come when the run ended is still copied
            until_us = self._until_us(firing)
            chunk = ring.read(at, READ_EVENTS if last is None else min(READ_EVENTS, max(0, last - at)))
            if chunk.epoch != epoch:
                return lost
            lost, at = lost + chunk.lost, chunk.end
            events = chunk.events[chunk.events["t"] < until_us]
            if len(events):
                writer.write(events)
            if len(events) < len(chunk.events):
                return lost
            if len(events):
                quiet_since = monotonic()
            elif last is not None or monotonic() - quiet_since > QUIET_S or pipeline.picture[0] is not ring:
                return lost
            else:
                beside.stop.wait(_LOOK_S)

    def _writer(self, firing: Firing, pipeline: Pipeline, resolution: Any) -> Aedat4Writer:
        path = self._path(firing)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot make the folder {path.parent}: {error.strerror}") from None
        for number in range(1, MOST_OF_A_NAME):
            free = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
            if not free.exists() and not free.is_symlink():
                return Aedat4Writer(free, resolution, pipeline.source.name, replace=False)
        raise UserError(f"{path} and {MOST_OF_A_NAME - 2} more of its name are there already: move some away")

    def _folder(self) -> Path:
        return (self._given.folder / home_expanded(self._pattern)).parent

    def _path(self, firing: Firing) -> Path:
        """Return the file; what is filled in makes no folders, whatever a label is called."""
        whole = self._given.folder / home_expanded(self._pattern)
        return Path(*(_name(part, firing) if "{" in part else part for part in whole.parts))


def _name(part: str, firing: Firing) -> str:
    return re.sub(r"[^\w.+ -]", "_", filled(part, firing)).replace("..", "_")


class Record(Clip):
    """A file from ``before_s`` before the firing until ``after_s`` after it is over, or ``longest_s``."""

    key = "record"

    def plan(self, firing: Firing) -> str:
        """Return which file."""
        return f"record {self._path(firing)}"

    def _until_us(self, firing: Firing) -> int:
        longest = firing.t_us + round(self._given.longest_s * 1e6)
        ended = firing.course.ended_us
        return longest if ended is None else min(longest, ended + round(self._given.after_s * 1e6))
