"""Recordings of any format into one aedat4, which every reader of events opens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from neuroclip_drivers.aedat4.verifying import verify_aedat4
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.files.event_file import EventFile, FileOptions
from neuroclip_drivers.files.open_file import open_event_file
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
    files: list[EventFile] = []
    try:
        for path in inputs:
            files.append(open_event_file(path, options))
        sizes = {file.resolution for file in files}
        if len(sizes) > 1:
            raise UserError(
                f"The recordings are of different sensors ({', '.join(map(str, sorted(sizes)))}). "
                "Convert them one by one, or give --sensor WxH."
            )
        packets = _packets(files, start_s, end_s, progress)
        events = _write_aedat4(out, packets, files[0].resolution, files[0].camera)
        if not events:
            out.unlink(missing_ok=True)
            raise UserError(
                f"There are no events in that part of {inputs[0]}. Choose another --start or --end."
            )
        notes = [file.losses for file in files] + [file.streams_note for file in files]
        if any(file.has_frames for file in files):
            notes.append("intensity frames are not taken along")
        return Converted(out, events, "; ".join(dict.fromkeys(note for note in notes if note)))
    finally:
        for file in files:
            file.close()


def _packets(
    files: Sequence[EventFile], start_s: float, end_s: float | None, progress: Callable[[float], None]
) -> Iterator[Packet]:
    for number, file in enumerate(files):
        begin = file.first_us + round(start_s * 1e6)
        end = file.last_us if end_s is None else min(file.last_us, file.first_us + round(end_s * 1e6))
        for packet in file.read(begin if start_s else None):
            if end_s is not None and int(packet["t"][-1]) > end:
                packet = packet[packet["t"] <= end]
                if not len(packet):
                    break
            yield packet
            share = (int(packet["t"][-1]) - begin) / max(1, end - begin)
            progress((number + min(1.0, max(0.0, share))) / len(files))
    progress(1.0)


def _write_aedat4(out: Path, packets: Iterator[Packet], size: Resolution, camera: str) -> int:
    with Aedat4Writer(out, size, camera or "converted", replace=False) as writer:
        for packet in packets:
            writer.write(packet)
        written = writer.close()
    verify_aedat4(written)
    return written.events
