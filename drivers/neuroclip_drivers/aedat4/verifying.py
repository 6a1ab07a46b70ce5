"""Files written whole, and files read back to be compared with what went into them."""

from __future__ import annotations

import os
from collections.abc import Iterable

from neuroclip_drivers.aedat4.packing import checksum
from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_drivers.aedat4.writer import Aedat4Writer, Written
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution


def write_aedat4(
    path: str | os.PathLike[str],
    packets: Iterable[Packet],
    resolution: Resolution,
    name: str = "neuroclip-live",
    *,
    verify: bool = True,
) -> Written:
    """Write packets to a file, read it back, and compare.

    Raises
    ------
    UserError
        When it cannot be written, or does not read back as it was given.
    """
    with Aedat4Writer(path, resolution, name) as writer:
        for packet in packets:
            writer.write(packet)
        written = writer.close()
    if verify:
        verify_aedat4(written)
    return written


def verify_aedat4(written: Written) -> None:
    """Read a finished file and compare it with what was written; raises UserError when they differ."""
    if not written.events:
        return
    recording = Recording(written.path)
    try:
        count, found = 0, 0
        for packet in recording.read():
            count += len(packet)
            found = checksum(packet, found)
    finally:
        recording.close()
    if (count, found) != (written.events, written.checksum):
        raise UserError(
            f"{written.path} does not read back as it was written ({count:,} of {written.events:,} events). "
            "The disk may be failing; record to another one."
        )
