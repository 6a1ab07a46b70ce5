"""Every packet of a recording, of every stream and type, carried over into a new file as it is.

Nothing is read and written anew that need not be: a body that decompresses and parses is copied byte for
byte, so that types this program knows nothing of come over too. Only a packet of events that is damaged, or
in which the file ends, is written again with the events that can be had of it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from neuroclip_drivers.aedat4.decompression import Decompressor
from neuroclip_drivers.aedat4.flatbuffer import FormatError
from neuroclip_drivers.aedat4.format import StreamInfo
from neuroclip_drivers.aedat4.payloads import UnknownFrameFormat, extent, parse_frame
from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_drivers.aedat4.salvage import rescue_events
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_live.errors import UserError


@dataclass
class Tally:
    """What was found: elements by type ("EVTS", "FRME", …), and what could not be had."""

    elements: Counter[str] = field(default_factory=Counter)
    event_streams: set[int] = field(default_factory=set)
    damaged: int = 0
    unnamed: int = 0
    """Packets of streams that the header does not name."""


def survey(recording: Recording, writer: Aedat4Writer | None = None) -> Tally:
    """Go through all packets; with a writer, copy what can be had.

    Parameters
    ----------
    recording : Recording
    writer : Aedat4Writer, optional
        Made with the recording's streams and compression.
    """
    tally, undo = Tally(), Decompressor(recording.compression)
    for stream, body, cut in recording.bodies():
        if stream is None:
            tally.unnamed += 1
            continue
        try:
            data = undo(body)
            count, start, end = extent(data, stream.type_id)
            if stream.type_id == "FRME":
                _check_frame(data)
        except FormatError:
            tally.damaged += not cut  # a cut is told by the recording itself
            _rescue(recording, stream, body, cut, writer, tally)
            continue
        _count(tally, stream, count)
        if writer is not None:
            writer.write_body(stream.number, body, count, start, end)
    return tally


def _check_frame(data: bytes) -> None:
    """Raise FormatError for a frame that is damaged; one in pixels that are not known is whole."""
    try:
        parse_frame(data)
    except UnknownFrameFormat:
        pass
    except ValueError as error:
        raise FormatError("a frame cannot be read") from error


def _rescue(
    recording: Recording,
    stream: StreamInfo,
    body: bytes,
    cut: bool,
    writer: Aedat4Writer | None,
    tally: Tally,
) -> None:
    if stream.type_id != "EVTS":
        return
    resolution = None if cut else stream.resolution or recording.resolution
    events = rescue_events(body, recording.compression, resolution)
    if not len(events):
        return
    _count(tally, stream, len(events))
    if writer is not None:
        writer.write_events(stream.number, events)


def _count(tally: Tally, stream: StreamInfo, count: int) -> None:
    tally.elements[stream.type_id] += count
    if stream.type_id == "EVTS" and count:
        tally.event_streams.add(stream.number)


def copy(recording: Recording, target: Path) -> Tally:
    """Write all that can be had of a recording into a new file, and read it back.

    Raises
    ------
    UserError
        When the file exists, cannot be written, or does not read back as it was written.
    """
    writer = Aedat4Writer(
        target,
        recording.resolution,
        compression=recording.compression,
        replace=False,
        streams=recording.streams,
    )
    try:
        tally = survey(recording, writer)
        writer.close()
        _verify(target, tally)
    except BaseException:
        writer.close()
        target.unlink(missing_ok=True)  # half a repair looks like a whole one
        raise
    return tally


def _verify(target: Path, tally: Tally) -> None:
    copied = Recording(target)
    try:
        found = survey(copied)
        whole = copied.is_indexed and not copied.damage and not found.damaged
    finally:
        copied.close()
    if not whole or found.elements != tally.elements:
        raise UserError(
            f"{target} does not read back as it was written. The disk may be failing; write to another one."
        )
