"""HDF5 files, read by a process of their own: damaged ones crash the library that reads them.

Rows that are stored as they are, without compression, it only says the place of; they are read here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from neuroclip_drivers.files.blocks import BlockFile
from neuroclip_drivers.files.columns import to_packet
from neuroclip_drivers.files.event_file import FileOptions, StreamChoice
from neuroclip_drivers.files.hdf5_places import Span, StoredRows
from neuroclip_drivers.files.isolated import IsolatedReader, ReaderDied
from neuroclip_drivers.files.shared_slots import SLOT_BYTES
from neuroclip_drivers.portable_io import OpenFile, open_readable
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, empty_packet

BLOCK_ROWS = SLOT_BYTES // EVENT_DTYPE.itemsize
_SPAN_BLOCKS = 32
"""How many blocks are asked for at once, where they lie."""
_WORKER = "neuroclip_drivers.files.hdf5_worker"


class Hdf5File(BlockFile):
    """A table of events in an HDF5 file; see :mod:`neuroclip_drivers.files.hdf5_tables` for which are known.

    Raises
    ------
    UserError
        When it is damaged, needs a filter that is not installed, or holds no table of events.
    """

    format = "HDF5"

    def __init__(self, path: str | os.PathLike[str], options: FileOptions) -> None:
        super().__init__(path, options)
        self._file = OpenFile(open_readable(self.path))
        self._stored: StoredRows | None = None
        self._reader = IsolatedReader(
            _WORKER, str(self.path.absolute()), {"ask": "open", "time_unit": options.time_unit}
        )
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        try:
            answer, _ = self._reader.ask({"ask": "open", "time_unit": self.options.time_unit})
        except ReaderDied:
            answer = {"error": "the library that reads it crashed or hung"}
        if "error" in answer:
            raise UserError(f"{self.path} is damaged: {answer['error']}. Use another copy of it.")
        tables: list[dict[str, Any]] = answer["tables"]
        if answer["lacking"]:
            raise UserError(
                f"{self.path} cannot be read: {answer['lacking']}. "
                'Install the filter with: pip install "neuroclip-live[hdf5]"'
            )
        if not tables:
            raise UserError(
                f"{self.path} holds no table of events: none with columns for time, position and polarity. "
                "Choose a recording with events."
            )
        self._number = self._choose([table["name"] for table in tables])
        self.choices = tuple(StreamChoice(str(n), table["name"]) for n, table in enumerate(tables))
        self.chosen = str(self._number)
        table = tables[self._number]
        self._rows = int(table["rows"])
        self._unit, self._offset_us = str(table["unit"]), int(table["offset_us"])
        if table["stored"]:
            self._stored = StoredRows(self._file, table["stored"])
        if not table["unit_told"]:
            self._say(f"time is taken to be in {table['unit']} (else --time-unit)")
        self._settle()
        size = Resolution(*table["size"]) if table["size"] else None
        self.resolution = self.options.sensor or size or self._guess_resolution()

    def _choose(self, names: list[str]) -> int:
        wanted = self.options.stream
        if wanted is None:
            if len(names) > 1:
                listed = ", ".join(names[1:])
                self._say(f"plays {names[0]}, not {listed} (choose with --stream)")
            return 0
        wanted = wanted.strip().strip("/")
        found = [n for n, name in enumerate(names) if wanted in (name, str(n))]
        found = found or [n for n, name in enumerate(names) if wanted in name.split("/")]
        if len(found) == 1:
            return found[0]
        raise UserError(
            f"{self.path} has no event stream {wanted!r}. Choose with --stream: {'; '.join(names)}."
        )

    def _block_count(self) -> int:
        return -(-self._rows // BLOCK_ROWS)

    def _find_start(self, block: int) -> int | None:
        try:
            answer, _ = self._reader.ask({"ask": "time", "table": self._number, "row": block * BLOCK_ROWS})
        except ReaderDied:
            return None
        return answer.get("t_us")

    def _decode_from(self, block: int) -> Iterator[Packet]:
        spans: list[list[Span]] | None = None
        asked = block
        while block < self._block_count() and not self._closed:
            if self._stored is not None and (block == asked or block == asked + _SPAN_BLOCKS):
                asked, spans = block, self._find_spans(block)
            if spans is None or self._stored is None:
                events = self._ask_rows(block)
            else:
                events = self._read_stored(self._stored, spans, block, (block - asked) * BLOCK_ROWS)
            if events is not None:
                yield events
            block += 1

    def _find_spans(self, block: int) -> list[list[Span]] | None:
        """Return where the rows of some blocks lie in the file; None where the library has to be asked."""
        about = {"table": self._number, "row": block * BLOCK_ROWS, "rows": _SPAN_BLOCKS * BLOCK_ROWS}
        try:
            answer, _ = self._reader.ask({"ask": "where", **about})
        except ReaderDied:
            return None
        return answer.get("spans")

    def _read_stored(
        self, stored: StoredRows, spans: list[list[Span]], block: int, first: int
    ) -> Packet | None:
        count = min(BLOCK_ROWS, self._rows - block * BLOCK_ROWS)
        columns = stored.read(spans, first, count)
        if columns is None:
            if not self._closed:
                self._note_bad(block, count)
            return None
        events, lost = to_packet(columns, self._unit, self._offset_us)
        if lost:
            self._note_bad(block, lost)
        return events

    def _ask_rows(self, block: int) -> Packet | None:
        row = block * BLOCK_ROWS
        try:
            answer, events = self._reader.ask({"ask": "rows", "table": self._number, "row": row})
        except ReaderDied:
            if self._closed:
                return None
            answer, events = {"error": "died"}, empty_packet()
        if "error" in answer:
            self._note_bad(block, min(BLOCK_ROWS, self._rows - row))
            return None
        if answer["lost"]:
            self._note_bad(block, int(answer["lost"]))
        return events

    def close(self) -> None:
        """End the process that reads; idempotent."""
        super().close()
        self._reader.close()
        self._file.close()
