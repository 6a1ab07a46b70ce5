"""The process that reads an HDF5 file: finds the tables of events in it, and gives their rows.

Layouts that are known: OpenEB (``CD/events``, also with ECF), DSEC (``events/t`` …, ``t_offset``), MVSEC
(``events`` of N x 4 in a group for each camera), v2e, e2calib, M3ED, EventCV, and whatever else has four
columns that can be told apart. Links to other files are not followed.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.files.columns import by_name, by_values, guess_unit, to_microseconds, to_packet
from neuroclip_drivers.files.event_file import LARGEST_SIDE
from neuroclip_drivers.files.isolated import limit_memory, send

BLOCK_ROWS = 1 << 16
_MOST_MEMORY = 4 << 30
_MOST_OBJECTS = 20_000
_PROBE_ROWS = 2000
_PIECE_ROWS = 4096
_CACHE_BYTES = 1 << 26
"""HDF5's cache of chunks for each column: data sets have chunks of megabytes, and its default is one."""


@dataclass
class Table:
    """A place in a file that holds events.

    ``columns(first, count)`` gives columns t, x, y and p, ``time(row)`` one time.
    """

    name: str
    rows: int
    columns: Callable[[int, int], dict[str, npt.NDArray[Any]]]
    time: Callable[[int], npt.NDArray[Any]]
    unit: str | None
    size: tuple[int, int] | None = None
    offset_us: int = 0


def find_tables(file: Any) -> tuple[list[Table], str]:
    """Return the tables of events in an open file, and what is missing to read one more, as one line."""
    import h5py

    datasets: dict[str, Any] = {}
    lacking = ""

    def visit(name: str, node: Any) -> bool | None:
        if isinstance(node, h5py.Dataset) and not node.is_virtual and not node.external:
            datasets[name] = node
        return True if len(datasets) > _MOST_OBJECTS else None

    file.visititems(visit)
    tables: list[Table] = []
    groups: dict[str, dict[str, Any]] = {}
    for name, data in datasets.items():
        groups.setdefault(name.rpartition("/")[0], {})[name.rpartition("/")[2]] = data
        try:
            lacking = lacking or _lacking_filter(data)
            found = _compound(name, data) or _four_columns(name, data)
        except (OSError, ValueError, TypeError, RuntimeError, KeyError):
            continue
        if found is not None:
            tables.append(found)
    for name, members in groups.items():
        names = [n for n, data in members.items() if data.ndim == 1 and data.dtype.kind in "iufb"]
        columns, unit = by_name(names)
        if columns is not None:
            tables.append(_group(name, [members[names[i]] for i in columns], unit))
    for table in tables:
        table.size = _size_near(file, table.name)
        table.offset_us, table.unit = _time_near(file, table.name, table.offset_us), table.unit
    return [table for table in tables if table.rows > 0], lacking


def _filters(data: Any) -> list[tuple[int, str]]:
    plist = data.id.get_create_plist()
    return [
        (f[0], f[3].decode("ascii", "replace")) for f in map(plist.get_filter, range(plist.get_nfilters()))
    ]


def _lacking_filter(data: Any) -> str:
    import h5py

    from neuroclip_drivers.files.ecf import FILTER_ID

    for number, name in _filters(data):
        if number != FILTER_ID and not h5py.h5z.filter_avail(number):
            return f"it is compressed with {name.split()[0] if name.strip() else f'filter {number}'}"
    return ""


def _compound(name: str, data: Any) -> Table | None:
    if data.ndim != 1 or not data.dtype.names:
        return None
    columns, unit = by_name(data.dtype.names)
    if columns is None or any(data.dtype[i].kind not in "iufb" for i in columns):
        return None
    names = {key: data.dtype.names[i] for key, i in zip("txyp", columns, strict=True)}
    from neuroclip_drivers.files.ecf import FILTER_ID

    if any(number == FILTER_ID for number, _ in _filters(data)):
        chunks = _EcfChunks(data)
        return Table(name, len(data), chunks.columns, chunks.time, unit)

    def read(first: int, count: int) -> dict[str, npt.NDArray[Any]]:
        rows = data[first : first + count]
        return {key: rows[field] for key, field in names.items()}

    return Table(name, len(data), read, lambda row: data[row : row + 1][names["t"]], unit)


class _EcfChunks:
    """Rows of a data set that is compressed with ECF, of which one chunk is kept."""

    def __init__(self, data: Any) -> None:
        self._data, self._rows = data, int(data.chunks[0])
        self._kept: tuple[int, npt.NDArray[np.int64]] = (-1, np.empty((0, 2), dtype=np.int64))

    def _chunk(self, number: int) -> npt.NDArray[np.int64]:
        from neuroclip_drivers.files.ecf import decode_ecf

        if self._kept[0] != number:
            mask, raw = self._data.id.read_direct_chunk((number * self._rows,))
            if mask & 1:
                raise ValueError("a chunk that is not compressed as the others")
            self._kept = (number, decode_ecf(raw))
        return self._kept[1]

    def columns(self, first: int, count: int) -> dict[str, npt.NDArray[Any]]:
        parts = []
        end = min(first + count, len(self._data))
        while first < end:
            number, inside = divmod(first, self._rows)
            part = self._chunk(number)[inside : inside + end - first]
            if not len(part):
                raise ValueError("a chunk of fewer events than it should have")
            parts.append(part)
            first += len(part)
        pairs = np.concatenate(parts)
        rest = pairs[:, 1]
        return {"t": pairs[:, 0], "x": rest & 0xFFFF, "y": (rest >> 16) & 0xFFFF, "p": rest >> 32}

    def time(self, row: int) -> npt.NDArray[Any]:
        return self.columns(row, 1)["t"]


def _four_columns(name: str, data: Any) -> Table | None:
    if data.ndim != 2 or data.shape[1] != 4 or data.dtype.kind not in "iuf" or not len(data):
        return None
    found = by_values(data[:_PROBE_ROWS].astype(np.float64))
    if found is None:
        return None

    def read(first: int, count: int) -> dict[str, npt.NDArray[Any]]:
        rows = data[first : first + count]
        return {key: rows[:, place] for key, place in zip("txyp", found, strict=True)}

    return Table(name, len(data), read, lambda row: data[row : row + 1, found.t], None)


def _group(name: str, columns: list[Any], unit: str | None) -> Table:
    def read(first: int, count: int) -> dict[str, npt.NDArray[Any]]:
        return {key: data[first : first + count] for key, data in zip("txyp", columns, strict=True)}

    rows = min(len(data) for data in columns)
    return Table(name or "/", rows, read, lambda row: columns[0][row : row + 1], unit)


def _size_near(file: Any, name: str) -> tuple[int, int] | None:
    """Return the sensor's size as attributes of the table, or of the groups it is in, tell it."""
    place = name
    while True:
        try:
            attributes = dict(file[place or "/"].attrs)
        except (KeyError, OSError, RuntimeError, ValueError):
            attributes = {}
        shape = re.fullmatch(r"(\d{1,5})x(\d{1,5})", _text(attributes.get("geometry", "")))
        sides: Any = (int(shape[1]), int(shape[2])) if shape else None
        if sides is None and {"width", "height"} <= attributes.keys():
            sides = (attributes["width"], attributes["height"])
        if sides is None and np.shape(attributes.get("sensor_resolution", ())) == (2,):
            sides = tuple(attributes["sensor_resolution"])[::-1]  # rows first
        try:
            if sides is not None and all(0 < int(side) <= LARGEST_SIDE for side in sides):
                return int(sides[0]), int(sides[1])
        except (TypeError, ValueError):
            pass
        if not place or place == "/":
            return None
        place = place.rpartition("/")[0]


def _time_near(file: Any, name: str, offset_us: int) -> int:
    """Return DSEC's offset of all times, in microseconds; 0 where there is none."""
    for place in (f"{name.rpartition('/')[0]}/t_offset", "t_offset"):
        node = file.get(place.lstrip("/"), getlink=False) if place.lstrip("/") in file else None
        if node is not None and getattr(node, "shape", None) == () and node.dtype.kind in "iu":
            return int(node[()])
    return offset_us


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


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
        times = table.columns(0, min(_PROBE_ROWS, table.rows))["t"] if not lacking else np.empty(0)
        unit = request.get("time_unit") or table.unit or guess_unit(times)
        told = bool(request.get("time_unit") or table.unit or unit == "us")
        table.unit = unit
        described.append(
            {"name": table.name, "rows": table.rows, "size": table.size, "unit": unit, "unit_told": told}
        )
    return {"tables": described, "lacking": lacking}, tables


def main(path: str) -> None:
    """Answer requests until the pipe closes; what is asked next is read ahead."""
    limit_memory(_MOST_MEMORY)
    tables: list[Table] = []
    ahead: tuple[tuple[int, int], dict[str, Any], bytes] | None = None
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
            key = (request["table"], request["row"])
            if ahead is None or ahead[0] != key:
                ahead = (key, *_rows(table, request["row"]))
            _, answer, body = ahead
            send(answer, body)
            ahead = None
            following = request["row"] + BLOCK_ROWS
            if following < table.rows:
                ahead = ((request["table"], following), *_rows(table, following))
        except Exception as error:  # noqa: BLE001 - whatever a library throws at bad bytes is told to the other side
            send({"error": " ".join(str(error).split())[:200] or type(error).__name__})


def _rows(table: Table, first: int) -> tuple[dict[str, Any], bytes]:
    """Return the events of a block; where some of it cannot be read, what is left of it piece by piece."""
    count = min(BLOCK_ROWS, table.rows - first)
    try:
        packet, lost = _piece(table, first, count)
        return {"lost": lost}, packet.tobytes()
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


def _piece(table: Table, first: int, count: int) -> tuple[npt.NDArray[Any], int]:
    columns = table.columns(first, count)
    if any(len(column) != count for column in columns.values()):
        raise ValueError("columns of different lengths")
    return to_packet(columns, table.unit or "us", table.offset_us)


if __name__ == "__main__":
    main(sys.argv[1])
