"""Whether an index is true to the packets that it names; where they disagree, the packet itself decides.

Each packet tells its stream and its length before its body. An index that names other ones would silently
pass over what lies between, or play the events of another camera.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.decompression import decompress
from neuroclip_drivers.aedat4.flatbuffer import FormatError
from neuroclip_drivers.aedat4.format import Header
from neuroclip_drivers.aedat4.own_length import own_length

_LOOKED_AT = 1 << 14
"""So many packets' heads are read on opening (some 30 ms); of more, these first, and all where one is off.
The others are looked at when the packets are read (:mod:`neuroclip_drivers.aedat4.between`); only of events
though, so those of other streams are all looked at here."""
_BLOCK_BYTES, _NEAR_BYTES = 1 << 20, 1 << 14
"""Heads no further apart than the second are read with all that lies between them, by blocks of the first:
that costs no more than a call for each, and a disk reads ahead so far anyway."""
_HEAD = np.dtype([("stream", "<i4"), ("size", "<i4")])

Read = Callable[[int, int], bytes]
"""Reads (count, position) of the file; fewer bytes at its end."""


def checked(
    read: Read, header: Header, rows: npt.NDArray[Any], *, thorough: bool = False
) -> tuple[npt.NDArray[Any] | None, bool]:
    """Hold an index against the packets.

    Parameters
    ----------
    read : callable
    header : Header
    rows : (N,) array of ``INDEX_DTYPE``
        One behind the other in the file; not changed.
    thorough : bool
        Read all heads, however many there are.

    Returns
    -------
    rows : (N,) array of ``INDEX_DTYPE`` or None
        With the streams that their packets tell; None where a length is wrong.
    sure : bool
        Whether all heads were looked at.
    """
    types = {stream.number: stream.type_id.encode() for stream in header.streams}
    if len(rows) > _LOOKED_AT and not thorough and np.isin(rows["stream"], list(types)).all():
        events = [stream.number for stream in header.streams if stream.type_id == "EVTS"]
        some = np.linspace(0, len(rows) - 1, _LOOKED_AT).astype(np.int64)
        some = np.union1d(some, np.flatnonzero(~np.isin(rows["stream"], events)))
        if not len(_off(read, rows, some)[0]):
            return rows, False
    off, heads = _off(read, rows, np.arange(len(rows)))
    if not len(off):
        return rows, True
    rows = rows.copy()
    for number, (stream, size) in zip(off.tolist(), heads.tolist(), strict=True):
        offset, told = int(rows["offset"][number]), int(rows["size"][number])
        if size != told:  # one of the two is damaged, or lies
            if own_length(lambda at, count: read(count, at), offset, header.compression) != told:
                return None, True
        if stream in types and _kind(read(told, offset), header) == types[stream]:
            rows["stream"][number] = stream
    return rows, True


def _off(
    read: Read, rows: npt.NDArray[Any], numbers: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
    """Return which packets of some have another head than the index says, and these heads."""
    heads = _heads(read, rows["offset"][numbers] - 8)
    off = (heads["stream"] != rows["stream"][numbers]) | (heads["size"] != rows["size"][numbers])
    return numbers[off], heads[off]


def _heads(read: Read, places: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Return the heads at rising places; what the file is too short for is -1."""
    found: list[bytes] = []
    begin = 0
    while begin < len(places):
        base = int(places[begin])
        stop = int(np.searchsorted(places, base + _BLOCK_BYTES, "right"))
        span = int(places[stop - 1]) + 8 - base
        if span > _NEAR_BYTES * (stop - begin):
            found.extend(read(8, at).ljust(8, b"\xff") for at in places[begin:stop].tolist())
        else:
            block = np.frombuffer(read(span, base).ljust(span, b"\xff"), dtype=np.uint8)
            found.append(block[(places[begin:stop] - base)[:, None] + np.arange(8)].tobytes())
        begin = stop
    return np.frombuffer(b"".join(found), dtype=_HEAD)


def _kind(body: bytes, header: Header) -> bytes:
    try:
        return decompress(body, header.compression)[8:12]
    except FormatError:
        return b""
