"""Recording what comes in, without ever holding up what comes in.

The capture thread hands packets over and goes on; a thread of the recorder's own compresses, writes, brings
them onto the disk twice a second, and reads them back. What a slow disk leaves no room for in the queue is
dropped, counted and told. Beside the events goes a file of labels: what was predicted, what was asked for,
what the user noted, one JSON object a line.

What a source sends beside events (:mod:`neuroclip_drivers.side_streams`) goes into streams of its own, as it
came. In and out are counted for each stream, and the report tells both.

Killed or powered off, a recording loses what came after the last flush, half a second and what is in the
queue; see :mod:`neuroclip_drivers.aedat4.writer`. Rejected: recording from the ring, whose overwriting
is another kind of loss and whose events outside the sensor are gone.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import IO, Any

from neuroclip_drivers.aedat4.format import StreamInfo
from neuroclip_drivers.aedat4.readback import ReadBack
from neuroclip_drivers.aedat4.writer import Aedat4Writer, Written
from neuroclip_drivers.side_streams import KINDS, SidePacket, SideStreams
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution
from neuroclip_live.recording.disk import WatchedFile, make_file
from neuroclip_live.recording.report import RecordingReport, RecordingStatus, StreamCount, dropped

log = logging.getLogger(__name__)

FLUSH_S = 0.5
"""What is older than this is on the disk."""
QUEUE_EVENTS = 1 << 23
"""Events that may wait for the disk: 128 MiB, taken only while they wait."""
QUEUE_NOTES = 1 << 14
_LOOK_S = 1.0
_BATCH = 256
_Item = Packet | SidePacket | bytes
_TROUBLE = (UserError, OSError, ValueError, RuntimeError, MemoryError)
"""What a disk, a compressor or a damaged file may throw."""


class Recorder:
    """Writes packets to an aedat4 file in a thread of its own.

    Parameters
    ----------
    path : path-like
        The file to make.
    resolution : Resolution
    device_name : str
        Told to whoever opens the file.
    sidecar : bool
        Also write ``<stem>.labels.jsonl`` beside it.
    side : SideStreams, optional
        What the source sends beside events: collected from now on, and taken by :meth:`write`.
    replace : bool
        Overwrite files that are there; otherwise they are an error.
    queue_events : int
        Most events that wait for the disk.
    writer : callable
        Makes the writer; for tests.

    Raises
    ------
    UserError
        When the files cannot be made there.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        resolution: Resolution,
        device_name: str,
        *,
        sidecar: bool = True,
        side: SideStreams | None = None,
        replace: bool = False,
        queue_events: int = QUEUE_EVENTS,
        writer: Any = Aedat4Writer,
    ) -> None:
        self.path = Path(path)
        self.sidecar = self.path.with_name(self.path.stem + ".labels.jsonl") if sidecar else None
        self._side = side if side is not None else SideStreams()
        streams = [
            dataclasses.replace(stream, number=number, source=stream.source or device_name)
            for number, stream in enumerate(self._side.streams, 1)
        ]
        self._what = [KINDS.get(stream.type_id, f"packets of {stream.name!r}") for stream in streams]
        self._notes: IO[bytes] | None = None
        if self.sidecar is not None:
            self._notes = make_file(self.sidecar, replace)
        try:
            events = StreamInfo(0, "EVTS", "events", device_name, Resolution(*resolution))
            self._writer: Aedat4Writer = writer(
                self.path, resolution, device_name, streams=[events, *streams], replace=replace
            )
            self._check = ReadBack(self._writer)
        except UserError:
            if self._notes is not None and self.sidecar is not None:
                self._notes.close()
                self.sidecar.unlink(missing_ok=True)
            raise
        self._disk = WatchedFile(self.path)
        self._queue_events = queue_events
        self._wake = threading.Condition()
        self._queue: deque[_Item] = deque()
        self._queued = self._queued_notes = 0
        self._came = self._refused = self._lost_notes = 0
        self._side_came: Counter[int] = Counter()  # by place among the streams beside the events
        self._side_refused: Counter[int] = Counter()
        self._closing = False
        self._failure = ""
        self._begin = monotonic()
        self._seconds: float | None = None
        self._written: Written | None = None
        self._report: RecordingReport | None = None
        self._ending = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()
        self._side.want(True)

    # ---- from the thread that captures; none of these waits

    def write(self, packet: Packet) -> None:
        """Take a packet, which must not change afterwards, and what came beside it; it may be empty."""
        beside, lost = self._side.take()
        with self._wake:
            if self._closing:  # it comes after the end
                return
            self._side_came.update(lost)
            self._side_refused.update(lost)
            for item in beside:
                self._side_came[item.stream] += item.count
                if not self._queue_up(item):
                    self._side_refused[item.stream] += item.count
            self._came += len(packet)
            if len(packet) and not self._queue_up(packet):
                self._refused += len(packet)
            self._wake.notify()

    def _queue_up(self, item: Packet | SidePacket) -> bool:
        """Queue something for the disk, unless there is no room."""
        weight = _weight(item)
        if self._failure or (self._queued and self._queued + weight > self._queue_events):
            return False
        self._queue.append(item)
        self._queued += weight
        return True

    def note(self, record: dict[str, Any]) -> None:
        """Take an object for the file of labels; any thread."""
        if self._notes is None:
            return
        line = json.dumps(record, ensure_ascii=False, default=str).encode() + b"\n"
        with self._wake:
            if self._closing or self._failure or self._queued_notes >= QUEUE_NOTES:
                self._lost_notes += 1
                return
            self._queue.append(line)
            self._queued_notes += 1
            self._wake.notify()

    def has_room(self) -> bool:
        """Tell whether a source that can wait had better wait."""
        return self._queued <= self._queue_events // 2

    # ---- from any thread

    def status(self) -> RecordingStatus:
        """Return a snapshot."""
        with self._wake:
            lost = dropped(self._refused, self._what, self._side_refused)
            return RecordingStatus(
                path=self.path,
                events=self._came - self._refused,
                seconds=self._elapsed(),
                bytes=self._writer.size,
                free_bytes=self._disk.free_bytes,
                warning=self._failure or lost or self._disk.warning or None,
                dropped_events=self._refused,
                ended=bool(self._failure),
                streams=self._counts(self._side_came - self._side_refused),
            )

    def _counts(self, written: Mapping[int, int]) -> tuple[StreamCount, ...]:
        """Return what came and what is written of the streams beside the events."""
        return tuple(
            StreamCount(what, self._side_came[place], written.get(place, 0))
            for place, what in enumerate(self._what)
        )

    def close(self, timeout_s: float = 30.0) -> RecordingReport:
        """Finish the file, compare it with what came in, and report; idempotent.

        A disk that does not answer within ``timeout_s`` is told in the report, not waited for.
        """
        with self._ending:
            if self._report is None:
                with self._wake:
                    self._seconds = self._elapsed()
                    self._closing = True
                    self._wake.notify()
                self._side.want(False)
                self._thread.join(timeout_s)
                self._report = self._reported(late=self._thread.is_alive())
            return self._report

    @property
    def done(self) -> bool:
        """Whether nothing is being written any more."""
        return not self._thread.is_alive()

    def _elapsed(self) -> float:
        return self._seconds if self._seconds is not None else monotonic() - self._begin

    def _reported(self, late: bool) -> RecordingReport:
        done = self._written
        events, size, side = (
            (done.events, done.bytes, done.side)
            if done is not None
            else (self._writer.events, self._writer.size, self._writer.side)
        )
        failure = self._failure
        if late:
            failure = f"The disk of {self.path} does not answer; whether the file is whole is not known."
        return RecordingReport.of(
            self.path,
            self.sidecar,
            self._elapsed(),
            events=events,
            dropped=self._came - events,
            size=size,
            streams=self._counts({number - 1: count for number, count in side.items()}),
            lost_notes=self._lost_notes,
            failure=failure,
        )

    # ---- the recorder's own thread

    def _run(self) -> None:
        looked = flushed = monotonic()
        dirty = False
        while True:
            items, closing = self._take()
            if not self._failure:
                try:
                    for item in items:
                        self._put(item)
                    dirty = dirty or bool(items)
                    now = monotonic()
                    if dirty and now - flushed >= FLUSH_S:
                        self._flush()
                        dirty, flushed = False, monotonic()
                    if now - looked >= _LOOK_S:
                        looked = now
                        self._disk.look(self._writer.size, self._elapsed())
                    if len(items) < _BATCH and not self._queue:  # writing goes first
                        self._check.step()
                except _TROUBLE as error:
                    self._fail(error)
            if closing and not items:
                break
        self._finish()

    def _take(self) -> tuple[list[_Item], bool]:
        with self._wake:
            if not self._queue and not self._closing:
                self._wake.wait(FLUSH_S / 2)
            items = [self._queue.popleft() for _ in range(min(_BATCH, len(self._queue)))]
            for item in items:
                if isinstance(item, bytes):
                    self._queued_notes -= 1
                else:
                    self._queued -= _weight(item)
            return items, self._closing

    def _put(self, item: _Item) -> None:
        if isinstance(item, bytes):
            assert self._notes is not None
            self._notes.write(item)
        elif isinstance(item, SidePacket):
            self._writer.write_payload(item.stream + 1, item.payload, item.count, item.start_us, item.end_us)
        else:
            self._writer.write(item)

    def _flush(self) -> None:
        self._writer.flush()
        if self._notes is not None:
            self._notes.flush()
            os.fsync(self._notes.fileno())

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, UserError):
            log.error("recording failed", exc_info=error)
        reason = error.strerror if isinstance(error, OSError) else str(error)
        with self._wake:
            self._failure = f"The recording ended: {reason}"
            for item in self._queue:
                if isinstance(item, SidePacket):
                    self._side_refused[item.stream] += item.count
                elif not isinstance(item, bytes):
                    self._refused += len(item)
            self._queue.clear()
            self._queued = self._queued_notes = 0

    def _finish(self) -> None:
        for step in self._closing_steps():
            try:
                step()
            except _TROUBLE as error:
                if not self._failure:
                    self._fail(error)

    def _closing_steps(self) -> Iterator[Any]:
        yield self._close_writer
        if self._notes is not None:
            yield self._notes.flush
            yield self._notes.close
        yield self._compare

    def _close_writer(self) -> None:
        try:
            self._written = self._writer.close()
        except UserError:
            self._written = self._writer.close()
            raise

    def _compare(self) -> None:
        if self._written is None:
            self._check.close()
            return
        self._check.finish(self._written)
        if self._disk.gone:
            raise UserError(f"{self.path} was moved or deleted while it was recorded.")


def _weight(item: Packet | SidePacket) -> int:
    """Return how many events take as much memory."""
    return len(item.payload) // EVENT_DTYPE.itemsize if isinstance(item, SidePacket) else len(item)
