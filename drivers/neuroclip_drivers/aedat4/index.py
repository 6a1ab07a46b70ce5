"""The index at the end of a recording: where each packet lies, and what it says of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.flatbuffer import Tables, gather, vector_of_tables

INDEX = b"FTAB"
_ENTRY_BYTES = 24
"""Least room that an entry takes: two offsets, its packet's place, stream and size."""

INDEX_DTYPE = np.dtype(
    [
        ("offset", "<i8"),
        ("stream", "<i4"),
        ("size", "<i4"),
        ("count", "<i8"),
        ("start", "<i8"),
        ("end", "<i8"),
    ]
)
"""One packet of the index.

``offset`` of its body in the file and ``size`` of the body, in bytes; ``count`` of elements; time of the
first and the last element in microseconds. ``count`` is -1 where only the packet's place is known.
"""

_TABLE = np.dtype(
    {
        "names": ["vtable", "stream", "size", "offset", "count", "start", "end"],
        "formats": ["<i4", "<i4", "<i4", "<i8", "<i8", "<i8", "<i8"],
        "offsets": [0, 4, 8, 16, 24, 32, 40],
        "itemsize": 48,
    }
)
_SLOTS = (16, 4, 24, 32, 40)


def parse_index(data: bytes, most: int = 1 << 28) -> npt.NDArray[Any]:
    """Return the file's own index as an array of ``INDEX_DTYPE``, in the order in which it is stored.

    Parameters
    ----------
    data : bytes
    most : int
        Packets for which there is room in the file.

    Raises
    ------
    FormatError
        When it is not an index, points outside of itself, or names more packets than there can be.
    """
    # An hour of recording has 360,000 packets: all entries are read at once, not one by one.
    tables = Tables(data, INDEX, min(most, len(data) // _ENTRY_BYTES))
    rows = np.zeros(tables.count, dtype=INDEX_DTYPE)
    info = tables.places(1)
    rows["stream"], rows["size"] = gather(data, info, "<i4"), gather(data, info + 4, "<i4")
    for name, field in (("offset", 0), ("count", 2), ("start", 3), ("end", 4)):
        rows[name] = tables.column(field, "<i8")
    return rows


def index_payload(rows: npt.NDArray[Any]) -> bytes:
    """Return an index, (N,) array of ``INDEX_DTYPE``, as it is stored, before compression."""
    tables = np.zeros(len(rows), dtype=_TABLE)
    for field in INDEX_DTYPE.names or ():
        tables[field] = rows[field]
    return vector_of_tables(INDEX, tables, _SLOTS)
