"""Recordings of any format into one: an aedat4, which every reader of events opens, or a CSV, which everything does."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neuroclip_drivers.aedat4.writer import Aedat4Writer, verify_aedat4
from neuroclip_drivers.files.event_file import EventFile, FileOptions
from neuroclip_drivers.files.open_file import open_event_file
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution

SUFFIXES = (".aedat4", ".csv")


@dataclass(frozen=True)
class Converted:
    """What was written: the file, its events, and one line on what the inputs did not have; empty when nothing."""

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
        ``.aedat4`` or ``.csv``; must not exist.
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
    if out.suffix.lower() not in SUFFIXES:
        raise UserError(
            f"Cannot write {out}: its format is told by its name. End it in {' or '.join(SUFFIXES)}."
        )
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
        write = _write_aedat4 if out.suffix.lower() == ".aedat4" else _write_csv
        events = write(out, packets, files[0].resolution, files[0].camera)
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


def _write_csv(out: Path, packets: Iterator[Packet], size: Resolution, camera: str) -> int:
    """Write lines of t, x, y and p; the first names them, with the sensor's size as faery does."""
    events = wanted = 0
    try:
        with out.open("xb") as stream:
            stream.write(f"t,x@{size.width},y@{size.height},p\n".encode())
            for packet in packets:
                lines = "".join(f"{t},{x},{y},{p}\n" for t, x, y, p in packet.tolist())
                stream.write(lines.encode())
                events += len(packet)
                wanted = _digest(packet, wanted)
    except OSError as error:
        raise UserError(f"Writing {out} failed: {error.strerror}. Write to another place.") from None
    if not events:
        return 0
    found = count = 0
    again = open_event_file(out, FileOptions(time_unit="us"))
    try:
        for packet in again.read():
            count += len(packet)
            found = _digest(packet, found)
    finally:
        again.close()
    if (count, found) != (events, wanted):
        raise UserError(
            f"{out} does not read back as it was written ({count:,} of {events:,} events). "
            "The disk may be failing; write to another one."
        )
    return events


def _digest(packet: Packet, before: int) -> int:
    """Return a checksum that does not depend on how events are cut into packets."""
    columns = np.stack([packet[name].astype(np.int64) for name in ("t", "x", "y", "p")], axis=1)
    return zlib.crc32(columns.tobytes(), before)
