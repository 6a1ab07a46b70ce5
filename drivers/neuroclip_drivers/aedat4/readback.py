"""Reading back what is being written, while it is being written.

A recording of an hour takes minutes to read. So that closing it takes no time, whoever writes reads back in
small steps what is on the disk already; at the end only the last moments are left to compare.
"""

from __future__ import annotations

import struct
import zlib

from neuroclip_drivers.aedat4.decompression import Decompressor
from neuroclip_drivers.aedat4.flatbuffer import FormatError
from neuroclip_drivers.aedat4.format import locate_events
from neuroclip_drivers.aedat4.writer import Aedat4Writer, Written
from neuroclip_drivers.portable_io import OpenFile, open_readable
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE

_EVENTS_STREAM = 0


class ReadBack:
    """Compares a file with what its writer was given.

    Parameters
    ----------
    writer : Aedat4Writer
        Used from the same thread.

    Raises
    ------
    UserError
        When the file cannot be read at all.
    """

    def __init__(self, writer: Aedat4Writer) -> None:
        self._writer = writer
        self._undo = Decompressor(writer.compression)
        self._packets = self._events = self._checksum = self._side_checksum = self._damaged = 0
        try:
            self._file = OpenFile(open_readable(writer.path))
        except OSError as error:
            raise UserError(
                f"Cannot read {writer.path} back: {error.strerror}. Record to a file on a disk."
            ) from None

    def step(self, packets: int = 64) -> bool:
        """Check some more packets; return whether all that were written so far are checked."""
        places = self._writer.packet_places(self._packets)
        for position, stream, size, count, _, _ in places[:packets].tolist():
            try:
                self._check(position, stream, size, count)
            except (FormatError, OSError):
                self._damaged += 1
            self._packets += 1
        return len(places) <= packets

    def _check(self, position: int, stream: int, size: int, count: int) -> None:
        head = self._file.read_checked(8 + size, position - 8)
        if len(head) != 8 + size or struct.unpack_from("<ii", head) != (stream, size):
            raise FormatError("a packet is not where it was written")
        data = self._undo(head[8:])
        if stream != _EVENTS_STREAM:
            self._side_checksum = zlib.crc32(data, self._side_checksum)
            return
        start, found = locate_events(data)
        if found != count:
            raise FormatError("a packet holds another number of events")
        self._events += count
        events = memoryview(data)[start : start + count * EVENT_DTYPE.itemsize]
        self._checksum = zlib.crc32(events, self._checksum)

    def finish(self, written: Written) -> None:
        """Check the rest, and that the finished file opens as a recording.

        Raises
        ------
        UserError
            When the file is not what was written.
        """
        from neuroclip_drivers.aedat4.reader import Recording

        try:
            while not self.step():
                pass
        finally:
            self.close()
        found = (self._events, self._checksum, self._side_checksum, self._damaged)
        if found != (written.events, written.checksum, written.side_checksum, 0):
            raise UserError(
                f"{written.path} does not read back as it was written ({self._events:,} of "
                f"{written.events:,} events). The disk may be failing; record to another one."
            )
        if written.events:
            recording = Recording(written.path)
            damage = recording.damage
            recording.close()
            if damage:
                raise UserError(f"{written.path} does not read back as it was written: {damage}.")

    def close(self) -> None:
        """Release the file; idempotent."""
        self._file.close()
