"""Prophesee DAT: lines of text that begin with %, two bytes, and eight bytes an event."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.files.event_file import LARGEST_SIDE, FileOptions
from neuroclip_drivers.files.evt import read_percent_header
from neuroclip_drivers.files.records import RecordFile
from neuroclip_live.errors import UserError
from neuroclip_live.events import Resolution

_HEADER_BYTES = 1 << 16
_EVENT_TYPES = (0x00, 0x0C)
"""2D events and CD events, which lie alike."""


class DatFile(RecordFile):
    """A DAT file of change events, as OpenEB, the ATIS data sets and faery write them.

    Source: Prophesee's description of the DAT format (docs.prophesee.ai). Version 2: x in bits 0-13, y in
    14-27, polarity in bit 28; version 1: 9 bits, 8 bits and bit 17.

    Raises
    ------
    UserError
        When it holds records of another kind, or no event.
    """

    format = "Prophesee DAT"
    _dtype = np.dtype([("t", "<u4"), ("address", "<u4")])

    def __init__(self, path: str | os.PathLike[str], options: FileOptions) -> None:
        super().__init__(path, options)
        try:
            fields, position = read_percent_header(self._pread(_HEADER_BYTES, 0))
            kind = self._pread(2, position)
            if len(kind) < 2 or kind[0] not in _EVENT_TYPES or kind[1] != 8:
                raise UserError(
                    f"{self.path} holds records that are no events (kind {kind.hex(' ') or 'missing'}). "
                    "Give a DAT file of CD events."
                )
            self._begin = position + 2
            self._first_version = fields.get("version", "2").strip() == "1"
            self._open_records()
            sides = (fields.get("width", ""), fields.get("height", ""))
            told = all(s.isdigit() and len(s) < 9 and 0 < int(s) <= LARGEST_SIDE for s in sides)
            size = Resolution(int(sides[0]), int(sides[1])) if told else None
            self.resolution = options.sensor or size or self._guess_resolution()
        except BaseException:
            self.close()
            raise

    def _fields(self, records: npt.NDArray[Any]) -> tuple[Any, Any, Any, None]:
        address = records["address"].astype(np.int64)
        if self._first_version:
            return address & 0x1FF, (address >> 9) & 0xFF, (address >> 17) & 1, None
        return address & 0x3FFF, (address >> 14) & 0x3FFF, (address >> 28) & 1, None
