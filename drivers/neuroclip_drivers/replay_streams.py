"""From one event stream of a recording to another, while it is replayed."""

from __future__ import annotations

from neuroclip_drivers.replay import ReplaySource
from neuroclip_drivers.source import SourceState


def other_stream(source: ReplaySource, wanted: str) -> ReplaySource:
    """Open another event stream of the recording, at the same place, played or paused as ``source`` is.

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
    other.seek((at_us - first_us) / 1e6)
    return other
