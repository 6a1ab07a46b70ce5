"""Which part of a recording is played and how fast: what makes sense."""

from __future__ import annotations

from dataclasses import dataclass

from neuroclip_drivers.files.event_file import EventFile
from neuroclip_live.errors import UserError

MIN_SPEED, MAX_SPEED = 0.1, 100.0


@dataclass(frozen=True)
class Part:
    """A stretch of a recording, from place to place; ``ends_early`` where more comes after it."""

    start_us: int
    end_us: int
    ends_early: bool


def part_of(recording: EventFile, start_s: float, end_s: float | None) -> Part:
    """Return the part between two times in seconds from the first event; None is the end of the recording.

    Raises
    ------
    UserError
        For times that make no sense.
    """
    first, last = recording.first_us, recording.last_us
    seconds = (last - first) / 1e6
    where = recording.path
    if not 0 <= start_s < float("inf"):
        raise UserError(f"A start of {start_s:g} s makes no sense. Give seconds from the first event.")
    if start_s > seconds:
        raise UserError(
            f"{where} lasts {seconds:.2f} s; there is nothing at {start_s:g} s. Choose an earlier --start."
        )
    if end_s is not None and not start_s < end_s < float("inf"):
        raise UserError(f"An end of {end_s:g} s is not after the start at {start_s:g} s. Choose a later end.")
    end = last if end_s is None else min(last, first + round(end_s * 1e6))
    # an end at the last event is none, whatever stray times say
    return Part(first + round(start_s * 1e6), end, end_s is not None and end < last)


def check_speed(speed: float | None) -> None:
    """Raise UserError for a speed that makes no sense."""
    if speed is not None and not MIN_SPEED <= speed <= MAX_SPEED:
        raise UserError(f"A speed of {speed:g} makes no sense. Give {MIN_SPEED:g} to {MAX_SPEED:g}, or max.")
