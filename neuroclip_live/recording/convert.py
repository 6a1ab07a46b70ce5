"""Recordings of any format into one aedat4, which every reader of events opens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from neuroclip_drivers.aedat4.verifying import verify_aedat4
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.files.event_file import EventFile, FileOptions
from neuroclip_drivers.replay import ReplaySource
from neuroclip_drivers.side_streams import KINDS
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution

SUFFIX = ".aedat4"


@dataclass(frozen=True)
class Converted:
    """What was written: the file, its events, and a line on what the inputs lack; empty for nothing."""

    path: Path
    events: int
    notes: str


def convert(
    inputs: Sequence[Path],
    out: Path,
    options: FileOptions | None = None,
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Converted:
    """Write the events of recordings, one after the other, into a new file, and check it.

    Parameters
    ----------
    inputs : sequence of Path
        All of one sensor size.
    out : Path
        ``.aedat4``; must not exist.
    options : FileOptions, optional
    start_s, end_s : float
        Part of each input, in seconds from its first event.
    progress : callable
        Told what share is done, 0 to 1.

    Raises
    ------
    UserError
        When an input cannot be read, the sizes differ, there is nothing in the part, or the output cannot be
        written or does not read back as it was written.
    """
    if out.suffix.lower() != SUFFIX:
        raise UserError(f"Cannot write {out}: only aedat4 is written. End its name in {SUFFIX}.")
    if out.exists():
        raise UserError(f"{out} exists already. Choose another name.")
    if not 0 <= start_s < float("inf") or (end_s is not None and not start_s < end_s < float("inf")):
        raise UserError(
            f"A part from {start_s:g} s to {end_s} s makes no sense. Give a start before its end."
        )
    options = options or FileOptions()
    sources: list[ReplaySource] = []
    try:
        for path in inputs:
            sources.append(
                ReplaySource(
                    path,
                    speed=None,
                    start_s=start_s,
                    end_s=end_s,
                    stream=options.stream,
                    sensor=options.sensor,
                    time_unit=options.time_unit,
                )
            )
        files = [source.recording for source in sources]
        sizes = {file.resolution for file in files}
        if len(sizes) > 1:
            raise UserError(
                f"The recordings are of different sensors ({', '.join(map(str, sorted(sizes)))}). "
                "Convert them one by one, or give --sensor WxH."
            )
        events = _write_aedat4(out, _packets(sources, progress), files[0].resolution, files[0].camera)
        if not events:
            out.unlink(missing_ok=True)
            raise UserError(
                f"There are no events in that part of {inputs[0]}. Choose another --start or --end."
            )
        notes = [file.losses for file in files] + [file.streams_note for file in files]
        notes += [_left_behind(files), _clocks_begun_anew(sources)]
        return Converted(out, events, "; ".join(dict.fromkeys(note for note in notes if note)))
    finally:
        for source in sources:
            source.close()


def _packets(sources: Sequence[ReplaySource], progress: Callable[[float], None]) -> Iterator[Packet]:
    for number, source in enumerate(sources):
        for packet in source.packets():
            if len(packet):
                yield packet
            at = source.status()
            begin, end = at.start_us or 0, at.end_us or 0
            share = ((at.position_us or 0) - begin) / max(1, end - begin)
            progress((number + min(1.0, max(0.0, share))) / len(sources))
    progress(1.0)


def _left_behind(files: Sequence[EventFile]) -> str:
    """Say what the files hold beside the events, which is not taken along; empty where there is nothing."""
    streams = [stream for file in files for stream in file.side.streams]
    names = dict.fromkeys(KINDS.get(stream.type_id, f"packets of {stream.name!r}") for stream in streams)
    if not names and any(file.has_frames for file in files):
        names["frames"] = None
    return f"not taken along: {', '.join(names)}" if names else ""


def _clocks_begun_anew(sources: Sequence[ReplaySource]) -> str:
    """Say where an input begins before the one ahead of it ends; empty where none does."""
    spans = []
    for source in sources:
        at = source.status()
        begin, end = at.start_us or 0, at.end_us or 0
        spans.append((source.name, source.recording.time_at(begin), source.recording.time_at(end)))
    early = [(before[0], later[0]) for before, later in pairwise(spans) if later[1] < before[2]]
    if not early:
        return ""
    more = f" (and so do {len(early) - 1} more)" if len(early) > 1 else ""
    return (
        f"{early[0][1]} begins at an earlier time than {early[0][0]} ends{more}: "
        "there the clock begins anew, as of a camera that came back"
    )


def _write_aedat4(out: Path, packets: Iterator[Packet], size: Resolution, camera: str) -> int:
    with Aedat4Writer(out, size, camera or "converted", replace=False) as writer:
        for packet in packets:
            writer.write(packet)
        written = writer.close()
    verify_aedat4(written)
    return written.events
