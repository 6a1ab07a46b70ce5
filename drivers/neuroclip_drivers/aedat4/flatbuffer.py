"""Flatbuffers, as far as the aedat4 container has them: read from untrusted bytes, and written.

Why not the package ``flatbuffers``: it reads without looking whether an offset lies inside of the data, and
table by table; an index of an hour has 360,000 tables, which are read and written at once here.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


class FormatError(Exception):
    """The bytes are not what the container says they are."""


class Table:
    """A flatbuffer table, read with every offset checked.

    Raises :class:`FormatError` rather than reading outside of ``data``.
    """

    __slots__ = ("data", "position", "vtable", "vtable_size")

    def __init__(self, data: bytes, position: int) -> None:
        self.data, self.position = data, position
        try:
            self.vtable = position - struct.unpack_from("<i", data, position)[0]
            if position < 0 or self.vtable < 0:
                raise FormatError("a table lies outside of its packet")
            self.vtable_size = int(struct.unpack_from("<H", data, self.vtable)[0])
        except struct.error as error:
            raise FormatError("a table lies outside of its packet") from error

    @classmethod
    def root(cls, data: bytes, *, prefixed: bool, identifier: bytes | None) -> Table:
        """Return the root table; ``identifier`` is the four bytes that must follow the root offset."""
        base = 4 if prefixed else 0
        if len(data) < base + 8:
            raise FormatError("a packet is too short")
        if identifier is not None and data[base + 4 : base + 8] != identifier:
            raise FormatError(f"a packet is of type {data[base + 4 : base + 8]!r}, not {identifier!r}")
        return cls(data, base + int(struct.unpack_from("<I", data, base)[0]))

    def place(self, field: int) -> int:
        """Return the position of a field, or 0 where it is left out."""
        slot = 4 + 2 * field
        if slot + 2 > self.vtable_size:
            return 0
        try:
            offset = int(struct.unpack_from("<H", self.data, self.vtable + slot)[0])
        except struct.error as error:
            raise FormatError("a table lies outside of its packet") from error
        return self.position + offset if offset else 0

    def number(self, field: int, form: str, default: int) -> int:
        """Return an integer field; ``form`` is its letter in :mod:`struct`."""
        place = self.place(field)
        if not place:
            return default
        try:
            return int(struct.unpack_from("<" + form, self.data, place)[0])
        except struct.error as error:
            raise FormatError("a field lies outside of its packet") from error

    def vector(self, field: int, item_size: int) -> tuple[int, int]:
        """Return (position, count) of a vector field, whole inside the data; (0, 0) where it is left out."""
        place = self.place(field)
        if not place:
            return 0, 0
        try:
            start = place + int(struct.unpack_from("<I", self.data, place)[0])
            count = int(struct.unpack_from("<I", self.data, start)[0])
        except struct.error as error:
            raise FormatError("a vector lies outside of its packet") from error
        if start + 4 + count * item_size > len(self.data):
            raise FormatError("a vector is longer than its packet")
        return start + 4, count


class Tables:
    """A vector of tables, the only field of a root table, read all at once.

    Parameters
    ----------
    data : bytes
    identifier : bytes
        The four bytes that must follow the root offset.
    most : int
        More tables than that are not believed.

    Raises
    ------
    FormatError
        When it is something else, or points outside of itself.
    """

    def __init__(self, data: bytes, identifier: bytes, most: int) -> None:
        position, count = Table.root(data, prefixed=True, identifier=identifier).vector(0, 4)
        if count > most:
            raise FormatError("it names more tables than there can be")
        self._data, self.count = data, count
        places = position + 4 * np.arange(count, dtype=np.int64)
        self._tables = places + gather(data, places, "<u4")
        self._vtables = self._tables - gather(data, self._tables, "<i4")
        self._sizes = gather(data, self._vtables, "<u2")

    def places(self, field: int) -> npt.NDArray[np.int64]:
        """Return where a field lies in every table, (N,); -1 where it is left out."""
        offsets = np.zeros(self.count, dtype=np.int64)
        there = self._sizes >= 6 + 2 * field
        offsets[there] = gather(self._data, self._vtables[there] + 4 + 2 * field, "<u2")
        return np.where(offsets > 0, self._tables + offsets, -1)

    def column(self, field: int, form: str) -> npt.NDArray[Any]:
        """Return a field of every table, (N,) of the NumPy type ``form``; 0 where it is left out."""
        places = self.places(field)
        values = np.zeros(self.count, dtype=form)
        values[places >= 0] = gather(self._data, places[places >= 0], form)
        return values


def gather(data: bytes, positions: npt.NDArray[np.int64], form: str) -> npt.NDArray[Any]:
    """Read numbers of the NumPy type ``form`` at many positions; integers come as int64.

    Raises
    ------
    FormatError
        When one lies outside of ``data``.
    """
    dtype = np.dtype(form)
    if len(positions) and not (0 <= positions.min() and positions.max() + dtype.itemsize <= len(data)):
        raise FormatError("an entry lies outside of its packet")
    size = dtype.itemsize
    odd = int(positions[0]) % size if len(positions) else 0
    if (positions % size == odd).all():  # as writers align them; eight times as fast as byte by byte
        values = np.frombuffer(data, dtype, (len(data) - odd) // size, odd)[positions // size]
    else:
        octets = np.frombuffer(data, dtype=np.uint8)[positions[:, None] + np.arange(size)]
        values = np.ascontiguousarray(octets).view(dtype).reshape(-1)
    return values if dtype.kind == "f" else values.astype(np.int64)


def vector_of_tables(identifier: bytes, rows: npt.NDArray[Any], slots: Sequence[int]) -> bytes:
    """Return a size-prefixed flatbuffer whose root table has one field, a vector of tables.

    Parameters
    ----------
    identifier : bytes
        Four of them.
    rows : (N,) structured array
        The tables as they lie in memory, a multiple of eight bytes each; their field ``vtable``, int32 at
        offset 0, is filled in.
    slots : sequence of int
        Offset in a row of every field of the table, in the schema's order.
    """
    count, width = len(rows), rows.dtype.itemsize
    vectors_at = 28
    vtable_at = vectors_at + 4 + 4 * count
    vtable = struct.pack(f"<{2 + len(slots)}H", 4 + 2 * len(slots), width, *slots)
    tables_at = (vtable_at + len(vtable) + 7) // 8 * 8
    places = tables_at + width * np.arange(count, dtype=np.int64)
    rows["vtable"] = places - vtable_at
    pointers = (places - (vectors_at + 4 + 4 * np.arange(count))).astype("<u4")
    data = struct.pack("<I4s2x3H", 16, identifier, 6, 8, 4) + struct.pack("<iI", 6, 4)
    data += struct.pack("<I", count) + pointers.tobytes() + vtable
    data += b"\0" * (tables_at - 4 - len(data)) + rows.tobytes()
    return struct.pack("<I", len(data)) + data
