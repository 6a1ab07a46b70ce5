"""Which event stream of a recording is meant: stereo rigs and some recorders write several into one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neuroclip_drivers.aedat4.format import StreamInfo
from neuroclip_live.errors import UserError


def named(stream: StreamInfo) -> str:
    """Return a stream as a user knows it: its number, its name, and its camera."""
    name = f" {stream.name!r}" if stream.name else ""
    return f"{stream.number}{name}{f' of {stream.source}' if stream.source else ''}"


def choose(
    path: Path | str, streams: Sequence[StreamInfo], filled: Sequence[StreamInfo], wanted: str | None
) -> StreamInfo:
    """Return the stream that is wanted; without a wish the first that has events, else the first.

    Parameters
    ----------
    path : Path or str
        A file or an address; named in the error.
    streams : sequence of StreamInfo
        Those of events, at least one.
    filled : sequence of StreamInfo
        Those of them that hold events.
    wanted : str or None
        A number, a stream's name, or a camera's name.

    Raises
    ------
    UserError
        When no stream is called so, or several are.
    """
    if wanted is None:
        return filled[0] if filled else streams[0]
    wanted = wanted.strip()
    found = [s for s in streams if str(s.number) == wanted]
    found = found or [s for s in streams if wanted in (s.name, s.source)]
    if len(found) == 1:
        return found[0]
    listed = "; ".join(named(stream) for stream in streams)
    problem = f"several event streams called {wanted!r}" if found else f"no event stream {wanted!r}"
    raise UserError(f"{path} has {problem}. Choose one by its number with --stream: {listed}.")


def describe_choice(streams: Sequence[StreamInfo], filled: Sequence[StreamInfo], chosen: StreamInfo) -> str:
    """Return one line on which of several streams is read; empty where there was nothing to choose."""
    others = [stream for stream in filled if stream.number != chosen.number]
    silent = [stream for stream in streams if stream not in filled]
    if not others and (not silent or chosen == streams[0]):
        return ""
    line = f"plays event stream {named(chosen)}"
    if others:
        line += f", not {' and not '.join(named(stream) for stream in others)} (choose with --stream)"
    elif silent:
        line += "; the others hold no events"
    return line
