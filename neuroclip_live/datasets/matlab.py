"""Numeric arrays of MATLAB's files, version 5 to 7: what ASL-DVS comes in.

SciPy's ``loadmat`` crashes the process on damaged ones (a segmentation fault after some thousand inputs of
``tests/fuzz``), so the little that is needed is read here, with every size checked. Source: MathWorks,
"MAT-File Format", chapter 1.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from neuroclip_live.datasets.limits import MAX_SAMPLE_BYTES, UnreadableSample

_HEADER_BYTES = 128
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""Types of data, by their numbers."""
_MATRIX, _COMPRESSED = 14, 15
_NUMERIC_CLASSES = range(6, 16)
_MOST_ELEMENTS = 1000


class _Element(NamedTuple):
    kind: int
    data: memoryview


def read_mat(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the numeric arrays of a file by their names, each (N,), column by column.

    Raises
    ------
    UnreadableSample
        When it is none of version 5, or what it says of itself is not so.
    OSError, zlib.error
    """
    data = memoryview(path.read_bytes())
    order = {b"IM": "<", b"MI": ">"}.get(bytes(data[126:128]))
    if order is None:
        raise UnreadableSample("no MATLAB file of version 5 to 7")
    arrays: dict[str, npt.NDArray[Any]] = {}
    room = MAX_SAMPLE_BYTES
    for element in _elements(data[_HEADER_BYTES:], order):
        if element.kind == _COMPRESSED:
            inflate = zlib.decompressobj()
            plain = inflate.decompress(element.data, room)
            room -= len(plain)
            if room <= 0:
                raise UnreadableSample("it unpacks to more than one sample can hold")
            element = next(_elements(memoryview(plain), order), _Element(0, data[:0]))
        if element.kind == _MATRIX and (found := _array(element.data, order)) is not None:
            arrays[found[0]] = found[1]
    return arrays


def _elements(data: memoryview, order: str) -> Iterator[_Element]:
    """Walk data elements; small ones have their data in their tag."""
    at = 0
    for _ in range(_MOST_ELEMENTS):
        if at == len(data):
            return
        if at + 8 > len(data):
            raise UnreadableSample("it was cut off")
        kind, size = struct.unpack_from(f"{order}II", data, at)
        begin = at + 8
        if kind >> 16:  # a small one
            kind, size, begin = kind & 0xFFFF, kind >> 16, at + 4
            at += 8
        else:
            at = begin + size + (0 if kind == _COMPRESSED else -size % 8)
        if begin + size > len(data) or (begin == at - 4 and size > 4):
            raise UnreadableSample("it was cut off")
        yield _Element(kind, data[begin : begin + size])
        at = min(at, len(data))  # the last one may lack what fills it up
    raise UnreadableSample("too many parts")


def _array(matrix: memoryview, order: str) -> tuple[str, npt.NDArray[Any]] | None:
    """Return name and numbers of an array; None for what is no array of numbers."""
    parts = list(_elements(matrix, order))
    if len(parts) < 4 or len(parts[0].data) < 4 or parts[3].kind not in _NUMBERS:
        return None
    flags, _, name, numbers = parts[:4]
    if struct.unpack_from(f"{order}I", flags.data)[0] & 0xFF not in _NUMERIC_CLASSES:
        return None
    dtype = np.dtype(f"{order}{_NUMBERS[numbers.kind]}")
    if len(numbers.data) % dtype.itemsize:
        raise UnreadableSample("an array that is not whole")
    return bytes(name.data).decode("ascii", "replace"), np.frombuffer(numbers.data, dtype=dtype)
