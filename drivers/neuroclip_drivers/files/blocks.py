"""A file that can be read from many places: what its formats share.

Every format is cut into *blocks*, stretches of a file that can be found without reading what is before them:
a megabyte of words, a message, some thousand rows. A format says how many blocks there are, when one begins,
and decodes from one onwards; seeking, cutting into packets, the histogram and the account of losses are here.
"""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.ends import STRAY_EVENTS, first_time, last_time
from neuroclip_drivers.aedat4.timeline import Timeline
from neuroclip_drivers.files.clocks import Found, find_clocks, look_through, read_placed
from neuroclip_drivers.files.event_file import (
    FileOptions,
    NothingBeside,
    RateHistogram,
    StreamChoice,
    bin_places,
    from_place,
    in_packets,
)
from neuroclip_drivers.portable_io import OpenFile, open_readable
from neuroclip_drivers.source import GrayFrame
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution, empty_packet

KNOWN_SENSORS = tuple(
    Resolution(*size)
    for size in (  # smallest first
        (34, 34),  # N-MNIST's part of an ATIS
        (128, 128),  # DVS128
        (240, 180),  # DAVIS240
        (304, 240),  # ATIS
        (320, 240),  # DVXplorer Mini, GenX320's other side
        (320, 320),  # GenX320
        (346, 260),  # DAVIS346
        (640, 480),  # DVXplorer, Gen3
        (1280, 720),  # Gen4, IMX636
        (1280, 800),
    )
)
_GUESS_EVENTS = 4_000_000


class BlockFile(ABC):
    """The part of an :class:`EventFile` that does not depend on the format.

    A format's constructor calls ``super().__init__``, reads what it must, sets ``resolution``, and at last
    calls :meth:`_settle`, which finds the first and the last event.

    Parameters
    ----------
    path : Path
    options : FileOptions
    """

    format = "events"
    _overlap = 0
    """Blocks to begin earlier when seeking, where a block alone lacks what the one before it tells."""
    _keeps_short = False
    """Whether a file that was decoded whole to open it is kept so until it is read: half a million events."""

    def __init__(self, path: str | os.PathLike[str], options: FileOptions) -> None:
        self.path = Path(path)
        self.options = options
        self.camera = ""
        self.resolution = options.sensor or Resolution(1, 1)
        self.streams_note = ""
        self.choices: tuple[StreamChoice, ...] = ()
        self.chosen = ""
        self.side = NothingBeside()
        self.first_us = self.last_us = 0
        self._lock = threading.Lock()
        self._closed = False
        self._starts: dict[int, int | None] = {}
        self._damage: dict[str, str] = {}
        self._bad_blocks: dict[int, int] = {}
        self._strays: dict[int, int] = {}
        self._timeline: Timeline | None = None  # where the clock begins anew
        self._looked_through: tuple[list[Packet], dict[int, int], dict[int, int]] | None = None

    # What a format provides.

    @abstractmethod
    def _block_count(self) -> int:
        """Return how many blocks there are."""

    @abstractmethod
    def _decode_from(self, block: int) -> Iterator[Packet]:
        """Yield the events from a block on to the end, in packets of any size; may yield empty ones."""

    def _find_start(self, block: int) -> int | None:
        """Return the time of the first event of a block; None when there is none in it or it is not known."""
        for packet in self._decode_from(block):
            if len(packet):
                return int(packet["t"][0])
        return None

    # What is the same for all.

    def _settle(self) -> None:
        """Find the first and the last event; raises UserError where there is none."""
        head, whole = look_through(self._decode_from(0))
        first = next((packet for packet in head if len(packet)), empty_packet())
        if not len(first):
            raise UserError(
                f"{self.path} is damaged: not one event can be read. Use another copy of it."
                if self._damage or self._bad_blocks
                else f"{self.path} holds no events. Nothing was recorded; choose another recording."
            )
        self.first_us = self.last_us = first_time(first["t"].astype(np.int64))
        lost = self._bad_blocks, self._strays  # which is told when it is played
        self._bad_blocks, self._strays = {}, {}
        count, back = self._block_count(), 1
        while True:
            begin = max(0, count - back - self._overlap)
            packets = head if whole and begin == 0 else self._decode_from(begin)
            last = [p["t"].astype(np.int64) for p in packets if len(p)]
            if sum(map(len, last)) > 2 * STRAY_EVENTS or begin == 0:  # a packet may hold a stray alone
                break
            back *= 2
        self.last_us = max(self.first_us, last_time(np.concatenate(last)) if last else self.first_us)
        self._find_clocks(last, (head, whole))
        if whole and self._keeps_short and self._timeline is None:
            self._looked_through = head, *lost

    def _find_clocks(
        self, last: list[npt.NDArray[np.int64]], looked: tuple[list[Packet], bool] | None = None
    ) -> None:
        """Find where the clock begins anew, and how long the file is then.

        ``last`` are the times of the last blocks, ``looked`` what was looked through, and if that is all.
        """
        bad, strays = dict(self._bad_blocks), dict(self._strays)
        head, whole = looked or look_through(self._decode_from(0))
        found = Found(head, whole, last, self.first_us, self.last_us)
        self._timeline = find_clocks(found, self._decode_from, self._block_count(), self._start_of)
        self._bad_blocks, self._strays = bad, strays
        if self._timeline is not None:
            self.first_us, self.last_us = self._timeline.first_us, self._timeline.last_us

    def _from_beginning(self) -> Iterable[Packet]:
        """Return all packets; to the first who asks those that were decoded to open a short file."""
        with self._lock:
            kept, self._looked_through = self._looked_through, None
        if kept is None:
            return self._decode_from(0)
        packets, bad, strays = kept
        for block, events in bad.items():
            self._note_bad(block, events)
        for block, words in strays.items():
            self._note_strays(block, words)
        return packets

    def _guess_resolution(self) -> Resolution:
        """Take the smallest known sensor that holds the first events, and say so.

        Four million of them at most: a file of gigabytes must start at once. Events beyond it are counted as
        outside the sensor, as anywhere.
        """
        width = height = seen = 0
        inside = np.zeros(len(KNOWN_SENSORS), dtype=np.int64)
        kept = self._looked_through
        for events in self._decode_from(0) if kept is None else kept[0]:
            if len(events):
                x, y = np.ascontiguousarray(events["x"]), np.ascontiguousarray(events["y"])
                width, height = max(width, int(x.max()) + 1), max(height, int(y.max()) + 1)
                inside += [((x < size.width) & (y < size.height)).sum() for size in KNOWN_SENSORS]
            seen += len(events)
            if seen >= _GUESS_EVENTS:
                break
        # Where damaged bytes lie far outside every sensor, most events must fit.
        for share in (1.0, 0.99):
            known = [size for size, held in zip(KNOWN_SENSORS, inside, strict=True) if held >= share * seen]
            if known:
                break
        size = known[0] if known else Resolution(max(1, width), max(1, height))
        self._say(f"the file does not tell the sensor's size: {size} by its events (else --sensor WxH)")
        return size

    def _say(self, line: str) -> None:
        self.streams_note = f"{self.streams_note}; {line}" if self.streams_note else line

    def _note_damage(self, kind: str, line: str) -> None:
        """Tell of damage that was found on opening, once for each kind."""
        with self._lock:
            self._damage[kind] = line

    def _note_bad(self, block: int, lost: int = 0) -> None:
        """Count a block of which something cannot be read, and how many events of it about."""
        with self._lock:
            self._bad_blocks[block] = max(lost, self._bad_blocks.get(block, 0))

    def _note_strays(self, block: int, count: int) -> None:
        """Tell how many of a block's words of time are passed over: far from all around them."""
        with self._lock:
            self._strays[block] = max(count, self._strays.get(block, 0))

    @property
    def duration_us(self) -> int:
        """Time from the first to the latest event."""
        return self.last_us - self.first_us

    @property
    def losses(self) -> str:
        """What is missing, with what turned out to be unreadable so far; empty when all is well."""
        with self._lock:
            parts = list(self._damage.values())
            bad, events = len(self._bad_blocks), sum(self._bad_blocks.values())
            strays = sum(self._strays.values())
        if bad:
            about = f" (about {events:,} events)" if events else ""
            parts.append(f"{bad} damaged {'part was' if bad == 1 else 'parts were'} left out{about}")
        if strays:
            was = "1 word of time was" if strays == 1 else f"{strays:,} words of time were"
            parts.append(f"{was} passed over, far from all around")
        return "; ".join(parts)

    @property
    def remedy(self) -> str:
        """What the user can do about the losses."""
        return ""

    @property
    def has_frames(self) -> bool:
        """Whether the file also holds intensity frames that can be shown."""
        return False

    def frame_at(self, place_us: int) -> GrayFrame | None:
        """Return the newest intensity frame that is not beyond a place, or None."""
        return None

    def time_at(self, place_us: int) -> int:
        """Return what the camera's clock showed at a place."""
        return place_us if self._timeline is None else self._timeline.time_at(place_us)

    def clock_start(self, place_us: int) -> int:
        """Return the place at which the clock began that runs at a place."""
        return self.first_us if self._timeline is None else self._timeline.clock_start(place_us)

    def place_before(self, t_us: int, place_us: int) -> int:
        """Return where a time stands; where several clocks showed it, the last such place up to another."""
        return t_us if self._timeline is None else self._timeline.place_before(t_us, place_us)

    def _start_of(self, block: int) -> int | None:
        if block not in self._starts:
            self._starts[block] = self._find_start(block)
        return self._starts[block]

    def _block_before(self, t_us: int) -> int:
        """Return the last block that begins at or before ``t_us``; the first one when there is none."""
        low, high = 0, self._block_count()
        while high - low > 1:
            middle = (low + high) // 2
            probe = middle
            while probe < high and (start := self._start_of(probe)) is None:
                probe += 1
            if probe == high or start is None or start > t_us:
                high = middle
            else:
                low = probe
        return low

    def read(self, from_us: int | None = None) -> Iterator[Packet]:
        """Yield the events in file order, from the beginning or from the first one at or after a place."""
        for packet, _ in self.read_placed(from_us):
            yield packet

    def read_placed(self, from_us: int | None = None) -> Iterator[tuple[Packet, int]]:
        """Yield packets as :meth:`read` does, each with what turns its times into places when added."""
        parts = (
            self._from_time(from_us)
            if self._timeline is None
            else read_placed(self._decode_from(0), self._timeline, from_us)
        )
        yield from in_packets(takewhile(lambda _: not self._closed, parts))

    def _from_time(self, from_us: int | None) -> Iterator[tuple[Packet, int]]:
        if from_us is None:
            packets = self._from_beginning()
        else:
            packets = self._decode_from(max(0, self._block_before(from_us - 1) - self._overlap))
        yield from from_place(((events, 0) for events in packets if len(events)), from_us)

    def rate_histogram(self, bins: int = 400) -> RateHistogram:
        """Count the events in ``bins`` equal spans of the recording; reads it through once."""
        end = max(self.last_us, self.first_us + 1)
        counts = np.zeros(bins, dtype=np.int64)
        for events, shift in self.read_placed():
            places = bin_places(events["t"], self.first_us - shift, end - shift, bins)
            counts += np.bincount(places, minlength=bins)
        return RateHistogram(self.first_us, end, counts)

    def close(self) -> None:
        """Release the file; idempotent. Readers end at their next step."""
        self._closed = True


class ByteBlockFile(BlockFile):
    """A :class:`BlockFile` whose blocks lie at byte positions of one file on disk."""

    _keeps_short = True

    def __init__(self, path: str | os.PathLike[str], options: FileOptions) -> None:
        super().__init__(path, options)
        self._file = OpenFile(open_readable(self.path))
        self._size = self._file.size
        self._pread = self._file.read

    def close(self) -> None:
        """Close the file; idempotent. Readers end at their next step."""
        super().close()
        self._file.close()
