"""Files of plain records, eight bytes an event, whose 32-bit time begins anew after 71 minutes."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.file_check import turned_message
from neuroclip_drivers.files.alignment import cut_note, lost_returns
from neuroclip_drivers.files.blocks import ByteBlockFile
from neuroclip_drivers.files.event_file import FileOptions
from neuroclip_drivers.files.wrapped_time import Sample, WrappedTime
from neuroclip_live.compiled import njit
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet

_RECORD_BYTES = 8
_BLOCK_RECORDS = 1 << 16
_SAMPLE_RECORDS = 1 << 9
_SPAN_US = 1 << 32
_FEW, _FAR_US = 16, 10_000_000
"""A time of a sample is wrong that is so far from the next, where one of the next few is not."""


class RecordFile(ByteBlockFile):
    """The part of DAT and AEDAT 2 that is the same.

    A format's constructor sets ``_begin`` and then calls :meth:`_open_records`.
    """

    _begin = 0
    _dtype: np.dtype[Any]
    """Of a record, with a field ``t`` of 32 bits."""

    def __init__(self, path: str | os.PathLike[str], options: FileOptions) -> None:
        super().__init__(path, options)

    def _open_records(self) -> None:
        if lost_returns(self._pread, self._begin, self._size, _RECORD_BYTES):
            raise UserError(turned_message(self.path))
        if missing := cut_note(self._pread, self._begin, self._size, _RECORD_BYTES):
            self._note_damage("hole", missing)
        rest = (self._size - self._begin) % _RECORD_BYTES
        if rest:
            self._note_damage("cut", "the recording ends in the middle of an event: it was cut off")
        self._count = max(0, self._size - self._begin) // _RECORD_BYTES
        self._clock = WrappedTime(self._block_count(), _SPAN_US, self._sample)
        self._settle()

    @abstractmethod
    def _fields(self, records: npt.NDArray[Any]) -> tuple[Any, Any, Any, npt.NDArray[np.bool_] | None]:
        """Return x, y, polarity, and which records are events at all, None for all."""

    def _block_count(self) -> int:
        return -(-self._count // _BLOCK_RECORDS)

    def _records(self, first: int, count: int) -> npt.NDArray[Any]:
        count = min(count, self._count - first)
        data = self._pread(count * _RECORD_BYTES, self._begin + first * _RECORD_BYTES)
        return np.frombuffer(data[: len(data) // _RECORD_BYTES * _RECORD_BYTES], dtype=self._dtype)

    def _sample(self, block: int, whole: bool) -> Sample | None:
        records = self._records(block * _BLOCK_RECORDS, _BLOCK_RECORDS if whole else _SAMPLE_RECORDS)
        if not len(records):
            return None
        times = records["t"].astype(np.int64)
        steps = np.diff(times)
        # a wrong time, or one that steps back over a new beginning, falls and rises
        begun = int((steps < -(_SPAN_US // 2)).sum() - (steps > _SPAN_US // 2).sum())
        first, last = _first_good(times), _first_good(times[::-1])
        return Sample(first, last, max(0, begun), len(records) / _BLOCK_RECORDS, 1)

    def _find_start(self, block: int) -> int | None:
        return self._clock.start_of(block)

    def _decode_from(self, block: int) -> Iterator[Packet]:
        begun = self._clock.start_of(block) if self._count else None
        latest = begun if begun is not None else 0
        for number in range(block, self._block_count()):
            records = self._records(
                number * _BLOCK_RECORDS, _BLOCK_RECORDS + 1
            )  # one more: is the last right?
            if self._closed:
                return
            if len(records) < min(_BLOCK_RECORDS, self._count - number * _BLOCK_RECORDS):
                self._note_bad(number)  # the disk, or cut meanwhile
            if not len(records):
                return
            times, latest = _unwrapped(records["t"].astype(np.int64), _BLOCK_RECORDS, latest)
            records = records[:_BLOCK_RECORDS]
            x, y, polarity, keep = self._fields(records)
            packet = np.empty(len(records), dtype=EVENT_DTYPE)
            pairs = packet.view(np.int64).reshape(-1, 2)  # which NumPy copies at once
            pairs[:, 0] = times
            pairs[:, 1] = x | (y << 16) | (polarity << 32)
            yield packet if keep is None else pairs[keep].view(EVENT_DTYPE).reshape(-1)


def _first_good(times: npt.NDArray[np.int64]) -> int:
    """Return the first time that the next one goes on from; the very first where none of the next few is."""
    if len(times) > _FEW:
        times = times[:_FEW]
        steps = np.abs((np.diff(times) + _SPAN_US // 2) % _SPAN_US - _SPAN_US // 2)
        good = np.flatnonzero(steps < _FAR_US)
        return int(times[good[0]] if len(good) else times[0])
    return int(times[0])


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _unwrapped(times: Any, stop: int, latest: int) -> tuple[Any, int]:
    """Return the first ``stop`` 32-bit times as they go on from ``latest``, and the latest that is right.

    A fall by half the range is a new beginning. One time that is a quarter of it away, and after which time
    goes on nearer to where it was, is wrong and moves no other.
    """
    out = np.empty(min(stop, times.shape[0]), dtype=np.int64)
    half = _SPAN_US >> 1
    for i in range(out.shape[0]):
        step = (np.int64(times[i]) - latest + half) % _SPAN_US - half
        time = latest + step
        out[i] = time if time >= 0 else time + _SPAN_US  # there is nothing before zero
        if abs(step) > half >> 1 and i + 1 < times.shape[0]:
            following = (np.int64(times[i + 1]) - latest + half) % _SPAN_US - half
            if abs(following) < abs(step) >> 1:
                continue
        latest = out[i]
    return out, latest
