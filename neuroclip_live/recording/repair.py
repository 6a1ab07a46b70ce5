"""What is left of a damaged recording, as a recording that every reader opens."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from pathlib import Path

from drivers.recording import Recording
from drivers.source import GrayFrame
from drivers.writing import Aedat4Writer, verify_aedat4
from neuroclip_live.errors import UserError


@dataclass(frozen=True)
class Repaired:
    """What a repair did.

    Attributes
    ----------
    path : Path or None
        The new file; None when there was nothing to repair.
    events, frames : int
        What it holds.
    seconds : float
        From the first to the last event.
    lost : str
        What could not be had, in one line; empty when nothing was lost.
    """

    path: Path | None
    events: int
    frames: int
    seconds: float
    lost: str

    def __str__(self) -> str:
        if self.path is None:
            return "the recording is whole: there is nothing to repair"
        frames = f" and {self.frames:,} frames" if self.frames else ""
        lost = self.lost or "nothing was lost"
        return f"{self.path}: {self.events:,} events{frames} of {self.seconds:.2f} s, verified; {lost}"


def repair(path: str | os.PathLike[str], out: str | os.PathLike[str] | None = None) -> Repaired:
    """Write every event and frame that can be had of a recording into a new file, and compare.

    The recording itself is only read. Inertial samples and triggers are not taken over.

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
    if _is_whole(path):
        return Repaired(None, 0, 0, 0.0, "")
    recording = Recording(path)
    try:
        target = Path(out) if out is not None else _beside(recording.path)
        writer = Aedat4Writer(
            target, recording.resolution, recording.camera, frames=recording.has_frames, replace=False
        )
        try:
            _copy(recording, writer)
            written = writer.close()
            verify_aedat4(written)
        except BaseException:
            target.unlink(missing_ok=True)  # half a repair looks like a whole one
            raise
        lost = recording.losses
        for about_playing in ("; the rest is played", "; what came before is played"):
            lost = lost.replace(about_playing, "")
        return Repaired(target, written.events, written.frames, recording.duration_us / 1e6, lost)
    finally:
        recording.close()


def _beside(path: Path) -> Path:
    target = path.with_name(f"{path.stem}.repaired.aedat4")
    if target.exists():
        raise UserError(f"{target} exists already. Choose another name with --out FILE.")
    return target


def _is_whole(path: str | os.PathLike[str]) -> bool:
    """Read a recording through: some damage only reading tells."""
    recording = Recording(path)
    try:
        if not recording.is_indexed:
            return False
        for _ in itertools.chain(recording.read(), recording.frames()):
            pass
        return not recording.losses
    finally:
        recording.close()


def _copy(recording: Recording, writer: Aedat4Writer) -> None:
    frames = recording.frames()
    frame: GrayFrame | None = next(frames, None)
    for packet in recording.read():
        while frame is not None and frame.t_us <= int(packet["t"][-1]):
            writer.write_frame(frame)
            frame = next(frames, None)
        writer.write(packet)
    while frame is not None:
        writer.write_frame(frame)
        frame = next(frames, None)
