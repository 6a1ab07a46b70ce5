"""Where the packets of a recording lie: by its index where that is true to the file, else as found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from neuroclip_drivers.aedat4.decompression import decompress
from neuroclip_drivers.aedat4.flatbuffer import FormatError
from neuroclip_drivers.aedat4.format import Header
from neuroclip_drivers.aedat4.index import parse_index
from neuroclip_drivers.aedat4.index_check import checked
from neuroclip_drivers.aedat4.losses import describe
from neuroclip_drivers.aedat4.salvage import walk
from neuroclip_drivers.portable_io import OpenFile

_LARGEST_INDEX = 1 << 28


@dataclass(frozen=True)
class PacketTable:
    """The packets of all streams.

    Attributes
    ----------
    rows : (N,) array of ``INDEX_DTYPE``
        In file order.
    indexed : bool
        Whether the file's own index is true to it; otherwise only places and sizes are known.
    cut : bool
        Whether the file ends in the middle of the last packet.
    damage : str
        What is missing from the file, in one line; empty when nothing is.
    sure : bool
        Whether the heads of all packets were looked at.
    """

    rows: npt.NDArray[Any]
    indexed: bool
    cut: bool
    damage: str
    sure: bool = True

    def ends_in(self, rows: npt.NDArray[Any]) -> bool:
        """Return whether the last of some packets is the one in which the file ends."""
        return self.cut and len(rows) > 0 and int(rows["offset"][-1]) == int(self.rows["offset"][-1])


def find_packets(file: OpenFile, header: Header, *, thorough: bool = False) -> PacketTable:
    """Find the packets of an open file; ``thorough`` where the time to look at all heads does not matter."""
    rows, sure = _own_index(file, header, thorough)
    if rows is not None:
        return PacketTable(rows, True, False, "", sure)
    found = walk(file.descriptor, header, file.size)
    damage = describe(found.lost_bytes, found.missing_bytes, file.size, found.cut)
    return PacketTable(found.packets, False, found.cut, damage)


def _own_index(file: OpenFile, header: Header, thorough: bool) -> tuple[npt.NDArray[Any] | None, bool]:
    """Return the index that the file carries, if it is true to the file, and whether that is sure."""
    position = header.index_position
    if not header.end <= position < file.size:
        return None, True
    try:
        # More than an index can need for the bytes before it is not believed.
        data = file.read(min(file.size - position, _LARGEST_INDEX), position)
        room = (position - header.end) // 9  # a head of 8 bytes, and a body
        rows = parse_index(decompress(data, header.compression), room)
    except FormatError:
        return None, True
    bodies = rows["offset"] - 8
    ends = rows["offset"] + rows["size"]
    if not len(rows):
        return (rows if position == header.end else None), True
    contiguous = bodies[0] == header.end and ends[-1] == position and bool((bodies[1:] == ends[:-1]).all())
    if not contiguous or not bool((rows["size"] > 0).all()):
        return None, True
    return checked(file.read, header, rows, thorough=thorough)
