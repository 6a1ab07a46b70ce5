"""What is left of a damaged recording, as a recording that every reader opens."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from neuroclip_drivers.aedat4.losses import left_out
from neuroclip_drivers.aedat4.packet_copy import Tally, copy, survey
from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_live.errors import UserError


@dataclass(frozen=True)
class Repaired:
    """What a repair did.

    Attributes
    ----------
    path : Path or None
        The new file; None when there was nothing to repair.
    events, frames : int
        What it holds, all streams together.
    seconds : float
        From the first to the last event.
    lost : str
        What could not be had, in one line; empty when nothing was lost.
    event_streams : int
        Streams with events in it.
    imu_samples, triggers : int
    """

    path: Path | None
    events: int
    frames: int
    seconds: float
    lost: str
    event_streams: int = 1
    imu_samples: int = 0
    triggers: int = 0

    def __str__(self) -> str:
        if self.path is None:
            return "the recording is whole: there is nothing to repair"
        others = [
            f"{count:,} {what}"
            for count, what in (
                (self.frames, "frames"),
                (self.imu_samples, "IMU samples"),
                (self.triggers, "triggers"),
            )
            if count
        ]
        events = f"{self.events:,} events"
        if self.event_streams > 1:
            events += f" in {self.event_streams} streams"
        *most, last = [events, *others]
        held = f"{', '.join(most)} and {last}" if most else last
        lost = self.lost or "nothing was lost"
        return f"{self.path}: {held} of {self.seconds:.2f} s, verified; {lost}"


def repair(path: str | os.PathLike[str], out: str | os.PathLike[str] | None = None) -> Repaired:
    """Write all that can be had of a recording, of every stream, into a new file, and compare.

    The recording itself is only read.

    Parameters
    ----------
    path : path-like
        The damaged recording.
    out : path-like, optional
        The new file, which must not exist; ``<stem>.repaired.aedat4`` beside the old one by default.

    Raises
    ------
    UserError
        When nothing can be had of it, or the new file cannot be written.
    """
    recording = Recording(path)
    try:
        if recording.is_indexed:  # some damage only reading tells
            found = survey(recording)
            if not (found.damaged or found.unnamed):
                return Repaired(None, 0, 0, 0.0, "")
        target = Path(out) if out is not None else _beside(recording.path)
        kept = copy(recording, target)
        for _ in recording.read():  # for about how many events were in damaged packets
            pass
        return Repaired(
            target,
            kept.elements["EVTS"],
            kept.elements["FRME"],
            recording.duration_us / 1e6,
            _lost(recording, kept),
            len(kept.event_streams),
            kept.elements["IMUS"],
            kept.elements["TRIG"],
        )
    finally:
        recording.close()


def _lost(recording: Recording, kept: Tally) -> str:
    """Say what is missing from the new file."""
    parts = [recording.damage] if recording.damage else []
    if kept.damaged:
        parts.append(left_out(kept.damaged, recording.skipped_events))
    if kept.unnamed:
        parts.append(f"{kept.unnamed} packets of streams that the header does not name were left out")
    lost = "; ".join(parts)
    for about_playing in ("; the rest is played", "; what came before is played"):
        lost = lost.replace(about_playing, "")
    return lost


def _beside(path: Path) -> Path:
    target = path.with_name(f"{path.stem}.repaired.aedat4")
    if target.exists():
        raise UserError(f"{target} exists already. Choose another name with --out FILE.")
    return target
