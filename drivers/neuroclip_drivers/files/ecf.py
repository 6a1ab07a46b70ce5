"""Prophesee's compression of events in HDF5 files, decoded.

Source: the codec that Prophesee publishes with OpenEB (hdf5_ecf). It is an HDF5 filter that no Python package
brings, so the bytes of a chunk are taken from the file as they are. A chunk holds the number of events,
their times as differences with counts, and rows, columns and polarities in one of three packings.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.compiled import njit

FILTER_ID = 0x8ECF
MOST_EVENTS = 65_535


def decode_ecf(chunk: bytes) -> npt.NDArray[np.int64]:
    """Return the events of a chunk as the memory of events, (N, 2) int64.

    Raises
    ------
    ValueError
        When the chunk is damaged.
    """
    if len(chunk) < 12:
        raise ValueError("a chunk that is too short")
    count = int.from_bytes(chunk[:4], "little")
    events = count >> 2
    if events > MOST_EVENTS:
        raise ValueError("a chunk of more events than there can be")
    out = np.zeros((events + 8, 2), dtype=np.int64)
    if events and not _decode(
        np.frombuffer(chunk + bytes(64), dtype=np.uint8), len(chunk), events, count & 3, out
    ):
        raise ValueError("a chunk that ends early")
    return out[:events]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _u16(data: Any, at: Any) -> Any:
    return np.int64(data[at]) | (np.int64(data[at + 1]) << 8)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _u32(data: Any, at: Any) -> Any:
    return _u16(data, at) | (_u16(data, at + 2) << 16)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _decode(data: Any, size: int, events: int, packing: int, out: Any) -> bool:
    """Decode ``size`` bytes of ``data``, which has 64 zeros more; return whether the chunk was whole."""
    t = _u32(data, 4) | (_u32(data, 8) << 32)
    at = 12
    i = 0
    while i < events:  # times: a step in the upper four bits, how many events in the lower
        if at >= size:
            return False
        value = np.int64(data[at])
        step, count = value >> 4, value & 15
        if step != 15:
            t += step
            if count == 15:
                count = _u16(data, at + 1)
                at += 2
                if at >= size:
                    return False
            if i + count > events:
                return False
            for _ in range(count):
                out[i, 0] = t
                i += 1
            at += 1
        else:
            jump = np.int64(0)
            shift = 0
            while step == 15:
                if at >= size or shift > 60:
                    return False
                jump |= count << shift
                shift += 4
                at += 1
                value = np.int64(data[at])
                step, count = value >> 4, value & 15
            t += jump
    if packing & 2:  # row, column and polarity in 24 bits
        for i in range(0, events, 4):
            if at + 12 > size:
                return False
            a, b, c = _u32(data, at), _u32(data, at + 4), _u32(data, at + 8)
            at += 12
            for j in range(4):
                if j == 0:
                    v = a >> 8
                elif j == 1:
                    v = (a & 0xFF) | ((b >> 16) << 8)
                elif j == 2:
                    v = (b & 0xFFFF) | ((c >> 24) << 16)
                else:
                    v = c & 0xFFFFFF
                out[i + j, 1] = ((v >> 1) & 0x7FF) | (((v >> 12) & 0x7FF) << 16) | ((v & 1) << 32)
        return True
    i = 0
    while i < events:  # rows, with how many events each
        if at + 2 > size:
            return False
        value = _u16(data, at)
        y, count = value >> 5, value & 31
        at += 2
        if count == 31:
            count = _u16(data, at)
            at += 2
            if at > size:
                return False
        if i + count > events:
            return False
        for _ in range(count):
            out[i, 1] = y << 16
            i += 1
    if packing & 1:  # column and polarity in 12 bits
        for i in range(0, events, 4):
            if at + 6 > size:
                return False
            a, b, c = _u16(data, at), _u16(data, at + 2), _u16(data, at + 4)
            at += 6
            for j in range(4):
                if j == 0:
                    v = a >> 4
                elif j == 1:
                    v = (a & 15) | ((b >> 8) << 4)
                elif j == 2:
                    v = (b & 0xFF) | ((c >> 12) << 8)
                else:
                    v = c & 0xFFF
                out[i + j, 1] |= (v >> 1) | ((v & 1) << 32)
        return True
    i = 0
    while i < events:  # a column, and which of the five to its right
        if at + 2 > size:
            return False
        value = _u16(data, at)
        at += 2
        x, mask = value >> 5, value & 31
        out[i, 1] |= x
        i += 1
        for j in range(5):
            if mask & (16 >> j):
                if i >= events + 8:
                    return False
                out[i, 1] |= (x + j + 1) & 0x7FF
                i += 1
    i = 0
    while i < events:  # polarities, with how many events each
        if at >= size:
            return False
        value = np.int64(data[at])
        p, count = value >> 7, value & 127
        at += 1
        if count == 127:
            count = _u16(data, at)
            at += 2
            if at > size:
                return False
        if i + count > events:
            return False
        for _ in range(count):
            out[i, 1] |= p << 32
            i += 1
    return True
