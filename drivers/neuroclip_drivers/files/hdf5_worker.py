"""The process that reads an HDF5 file, and gives its events block by block, converted."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

from neuroclip_drivers.files.columns import guess_unit, to_microseconds, to_packet
from neuroclip_drivers.files.hdf5_places import describe, find_spans
from neuroclip_drivers.files.hdf5_tables import PROBE_ROWS, Table, find_tables
from neuroclip_drivers.files.isolated import limit_memory, send
from neuroclip_drivers.files.shared_slots import SLOT_BYTES, SharedSlots
from neuroclip_live.events import EVENT_DTYPE, Packet

BLOCK_ROWS = SLOT_BYTES // EVENT_DTYPE.itemsize
_MOST_MEMORY = 4 << 30
_PIECE_ROWS = 4096
_CACHE_BYTES = 1 << 26
"""HDF5's cache of chunks for each column: data sets have chunks of megabytes, and its default is one."""


def _open(request: dict[str, Any], path: str) -> tuple[dict[str, Any], list[Table]]:
    try:
        import hdf5plugin  # noqa: F401 - makes h5py read Blosc, Zstd and others
    except ImportError:
        pass
    import h5py

    file = h5py.File(path, "r", rdcc_nbytes=_CACHE_BYTES, locking=False)
    tables, lacking = find_tables(file)
    described = []
    for table in tables:
        times = table.columns(0, min(PROBE_ROWS, table.rows))["t"] if not lacking else np.empty(0)
        unit = request.get("time_unit") or table.unit or guess_unit(times)
        told = bool(request.get("time_unit") or table.unit or unit == "us")
        table.unit = unit
        described.append(
            {
                "name": table.name,
                "rows": table.rows,
                "size": table.size,
                "unit": unit,
                "unit_told": told,
                "offset_us": table.offset_us,
                "stored": describe(table.stored) if table.stored and not lacking else None,
            }
        )
    return {"tables": described, "lacking": lacking}, tables


class Blocks:
    """Gives blocks of rows, and reads the one that follows while whoever asked looks at the last.

    They lie in the slots of shared memory, in turn, where there are any.
    """

    def __init__(self) -> None:
        self._slots = SharedSlots.inherited()
        self._turn = 0
        self._ahead: tuple[Table, int] | None = None
        self._read: tuple[dict[str, Any], bytes | memoryview] = ({}, b"")

    def give(self, table: Table, row: int) -> None:
        """Send the block that begins with a row."""
        if self._ahead != (table, row):
            self._read = self._rows(table, row)
        send(*self._read)
        self._ahead = None
        if row + BLOCK_ROWS < table.rows:
            self._read = self._rows(table, row + BLOCK_ROWS)
            self._ahead = table, row + BLOCK_ROWS

    def _rows(self, table: Table, first: int) -> tuple[dict[str, Any], bytes | memoryview]:
        """Return the events of a block; where some of it cannot be read, what is left of it in pieces."""
        count = min(BLOCK_ROWS, table.rows - first)
        self._turn = 1 - self._turn
        try:
            if self._slots is None:
                packet, lost = _piece(table, first, count)
            else:
                packet, lost = _piece(table, first, count, self._slots.slot(self._turn).view(EVENT_DTYPE))
                if not lost:
                    return {"lost": 0, "at": self._turn * SLOT_BYTES, "bytes": packet.nbytes}, b""
            return {"lost": lost}, packet.view(np.uint8).data
        except Exception:  # noqa: BLE001 - whatever the library throws at bad bytes; the pieces tell what is lost
            parts, lost = [], 0
            for begin in range(first, first + count, _PIECE_ROWS):
                rows = min(_PIECE_ROWS, first + count - begin)
                try:
                    packet, strange = _piece(table, begin, rows)
                    parts.append(packet.tobytes())
                    lost += strange
                except Exception:  # noqa: BLE001 - as above
                    lost += rows
            return {"lost": lost}, b"".join(parts)


def _piece(table: Table, first: int, count: int, out: Packet | None = None) -> tuple[Packet, int]:
    columns = table.columns(first, count)
    if any(len(column) != count for column in columns.values()):
        raise ValueError("columns of different lengths")
    return to_packet(columns, table.unit or "us", table.offset_us, out)


def main(path: str) -> None:
    """Answer requests until the pipe closes."""
    limit_memory(_MOST_MEMORY)
    tables: list[Table] = []
    blocks = Blocks()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            if request["ask"] == "open":
                answer, tables = _open(request, path)
                send(answer)
                continue
            table = tables[request["table"]]
            if request["ask"] == "time":
                time = to_microseconds(table.time(request["row"]), table.unit or "us", table.offset_us)
                send({"t_us": int(time[0])})
                continue
            if request["ask"] == "where":
                count = min(request["rows"], table.rows - request["row"])
                send({"spans": find_spans(table.stored or {}, request["row"], count)})
                continue
            blocks.give(table, request["row"])
        except Exception as error:  # noqa: BLE001 - whatever a library throws at bad bytes is told to the other side
            send({"error": " ".join(str(error).split())[:200] or type(error).__name__})


if __name__ == "__main__":
    main(sys.argv[1])
