"""AEDAT 2, jAER's format of twenty years: lines of text that begin with #, and eight bytes an event."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.files.event_file import FileOptions
from neuroclip_drivers.files.jaer_addresses import DAVIS, DVS128, decode
from neuroclip_drivers.files.records import RecordFile
from neuroclip_live.errors import UserError
from neuroclip_live.events import Resolution

_HEADER_BYTES = 1 << 18  # jAER may write its settings into the header


class Aedat2File(RecordFile):
    """A recording of a DVS128 or a DAVIS; its frames and IMU samples are left out.

    Raises
    ------
    UserError
        When the camera is none of these, or it holds no event.
    """

    format = "AEDAT 2"
    _dtype = np.dtype([("address", ">u4"), ("t", ">u4")])

    def __init__(self, path: str | os.PathLike[str], options: FileOptions) -> None:
        super().__init__(path, options)
        try:
            lines, self._begin = read_hash_header(self._pread(_HEADER_BYTES, 0))
            self._davis, size = self._find_chip(lines)
            self.resolution = size
            self._open_records()
        except BaseException:
            self.close()
            raise

    def _find_chip(self, lines: list[str]) -> tuple[bool, Resolution]:
        chip = next((m[1] for line in lines if (m := re.match(r"#\s*AEChip:\s*(\S+)", line))), "")
        name = chip.rpartition(".")[2]
        self.camera = name
        sensor = self.options.sensor
        davis = re.match(r"davis\D*(\d+)", name, re.IGNORECASE)
        if davis and davis[1][:3] in DAVIS:
            return True, DAVIS[davis[1][:3]]
        if "dvs128" in name.lower() or name.lower() in ("dvs", "tmpdiff128", "edvs"):
            return False, DVS128
        if name:
            raise UserError(
                f"{self.path} was recorded by {name}, whose addresses are not known here. "
                "Open it in jAER and save it as AEDAT 4."
            )
        if sensor is not None and sensor != DVS128:
            if tuple(sensor) not in DAVIS.values():
                raise UserError(
                    f"{self.path} does not tell its camera, and no camera of AEDAT 2 is {sensor}. "
                    "Give --sensor 128x128, 240x180 or 346x260."
                )
            return True, sensor
        probe = np.frombuffer(self._pread(8 << 12, self._begin)[: (8 << 12)], dtype=np.uint8)
        probe = probe[: len(probe) // 8 * 8].reshape(-1, 8)
        if sensor is None and len(probe) and (probe[:, :2] != 0).any():  # more than the 16 bits of a DVS128
            raise UserError(
                f"{self.path} does not tell its camera. Give its size: --sensor 240x180 or 346x260 (DAVIS)."
            )
        if sensor is None:
            self._say("the file does not tell its camera: taken for a DVS128 (else --sensor WxH)")
        return False, DVS128

    def _fields(self, records: npt.NDArray[Any]) -> tuple[Any, Any, Any, npt.NDArray[np.bool_] | None]:
        return decode(records["address"], self.resolution, davis=self._davis)


def read_hash_header(data: bytes) -> tuple[list[str], int]:
    """Return the lines of a header of lines that begin with ``#``, and where it ends."""
    lines: list[str] = []
    position = 0
    while data[position : position + 1] == b"#":
        end = data.find(b"\n", position)
        if end < 0:
            break
        line = data[position:end].decode("latin-1").strip()
        lines.append(line)
        position = end + 1
        if line == "#!END-HEADER" or line == "#End Of ASCII Header":
            break
    return lines, position
