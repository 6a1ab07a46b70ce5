"""From one event stream of a recording to another, while it is replayed."""

from __future__ import annotations

from neuroclip_drivers.replay import ReplaySource
from neuroclip_drivers.source import SourceState


def other_stream(source: ReplaySource, wanted: str) -> ReplaySource:
    """Open another event stream of the recording, at the same place of the same part, played or paused.

    Parameters
    ----------
    source : ReplaySource
        Left as it is.
    wanted : str
        One of ``source.recording.choices``, as its ``wanted`` says.

    Raises
    ------
    UserError
        When it has no events, or the file is gone.
    """
    status = source.status()
    other = ReplaySource(
        source.recording.path,
        speed=source.speed,
        loop=source.loop,
        hold_at_end=source.hold_at_end,
        stream=wanted,
        sensor=source.options.sensor,
        time_unit=source.options.time_unit,
    )
    at_us = status.position_us or 0
    first_us = other.recording.first_us
    if not first_us <= at_us <= other.recording.last_us:  # of another clock
        first_us = source.recording.first_us
    if status.state is SourceState.PAUSED:
        other.pause()
    _same_part(source, other, first_us)
    other.seek((at_us - first_us) / 1e6)
    return other


def _same_part(source: ReplaySource, other: ReplaySource, first_us: int) -> None:
    """Play the part that ``source`` plays; all, where the other stream has no events in it."""
    status, whole = source.status(), source.recording
    start_us, end_us = status.start_us or whole.first_us, status.end_us or whole.last_us
    if (start_us, end_us) == (whole.first_us, whole.last_us):
        return
    length_us = other.recording.last_us - other.recording.first_us
    start_us, end_us = max(0, start_us - first_us), end_us - first_us
    if start_us < min(end_us, length_us):
        other.set_range(start_us / 1e6, end_us / 1e6 if end_us < length_us else None)
