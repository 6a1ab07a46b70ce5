"""Recordings that are columns of numbers, whatever holds them: NumPy and HDF5 have this in common.

A *table* gives rows of named columns from a place onwards. What is in them, which unit their time has, where
the blocks begin and how they become events is the same for all.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import numpy.typing as npt

from neuroclip_drivers.files.blocks import BlockFile
from neuroclip_drivers.files.columns import guess_unit, to_microseconds, to_packet
from neuroclip_drivers.files.event_file import FileOptions
from neuroclip_live.events import Packet

BLOCK_ROWS = 1 << 16

Rows = Mapping[str, npt.NDArray[Any]]
"""Columns ``t``, ``x``, ``y`` and ``p`` of equal length."""


class TableFile(BlockFile):
    """The part of a recording in columns that does not depend on what holds them.

    A format's constructor finds its columns, and then calls :meth:`_open_table`.
    """

    _rows = 0
    _offset_us = 0
    """Added to all times."""

    def __init__(self, path: str | os.PathLike[str], options: FileOptions) -> None:
        super().__init__(path, options)
        self._unit = options.time_unit or ""

    @abstractmethod
    def _read_rows(self, first: int) -> Iterator[Rows | None]:
        """Yield blocks of ``BLOCK_ROWS`` rows from row ``first`` on; None for one that cannot be read."""

    @abstractmethod
    def _time_at(self, row: int) -> npt.NDArray[Any] | None:
        """Return the time of one row as an array of one, in the file's unit; None where it cannot be read."""

    def _open_table(self, unit: str | None = None) -> None:
        """Settle the unit of time, which the file may tell, and find the first and the last event."""
        if not self._unit and unit:
            self._unit = unit
        elif not self._unit:
            first = next((rows for rows in self._read_rows(0) if rows is not None), None)
            self._unit = "us" if first is None else guess_unit(first["t"])
            if self._unit != "us":
                self._say(f"time is taken to be in {self._unit} (else --time-unit)")
        self._settle()

    def _block_count(self) -> int:
        return -(-self._rows // BLOCK_ROWS)

    def _find_start(self, block: int) -> int | None:
        time = self._time_at(block * BLOCK_ROWS)
        return None if time is None else int(to_microseconds(time, self._unit, self._offset_us)[0])

    def _decode_from(self, block: int) -> Iterator[Packet]:
        for rows in self._read_rows(block * BLOCK_ROWS):
            if self._closed:
                return
            if rows is None:
                self._note_bad(block, min(BLOCK_ROWS, self._rows - block * BLOCK_ROWS))
            else:
                packet, strange = to_packet(rows, self._unit, self._offset_us)
                if strange:
                    self._note_bad(block, strange)
                yield packet
            block += 1
