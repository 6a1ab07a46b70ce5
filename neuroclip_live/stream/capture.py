"""The capture thread: one source, one ring, one thread that moves packets and does nothing else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from time import monotonic_ns
from typing import TYPE_CHECKING, NamedTuple

from neuroclip_live.errors import UserError
from neuroclip_live.stream.filters import NONE, Treater, Treatment
from neuroclip_live.stream.ring import EventRing

if TYPE_CHECKING:
    from neuroclip_drivers.source import EventSource, Jump
    from neuroclip_live.events import Packet, Resolution
    from neuroclip_live.recording.recorder import Recorder

log = logging.getLogger(__name__)

RING_EVENTS = 1 << 22
HOLD_MS = 100.0
"""A camera's events after a silence wait at most so long for others to tell whether their time is right."""


class Totals(NamedTuple):
    """Events since the beginning: entered the ring, lay outside the sensor, had a stray time."""

    entered: int
    outside: int
    strays: int


Listener = Callable[["Packet"], None]
"""Gets packets as they came, empty ones left out; must not change them, and returns at once."""
Tap = Callable[["EventSource"], Listener]
"""Asked for a listener whenever another source is opened."""

_REMEMBERED = 32
"""Places a recording was taken to while paused: of those before the newest, one only needs to know them."""


@dataclass(frozen=True)
class Moment:
    """A place to which a recording was taken while paused, to be recognized.

    Attributes
    ----------
    number : int
        Of the source's jump.
    t_us : int
    ring : EventRing
    epoch : int
        What happened before it is an epoch of its own in the ring.
    end : int or None
        Position in the ring after the last of these events; None while they are still coming.
    """

    number: int
    t_us: int
    ring: EventRing
    epoch: int
    end: int | None = None


class Capture:
    """Drains a source into a ring of its own until stopped; replaced whole when another source is opened.

    Attributes
    ----------
    picture : tuple of EventRing and Resolution
        The ring and the size of the picture in it, which belong together: the sensor's, or turned.
    news : threading.Event
        Set after every packet, for whoever waits for the next.
    over : threading.Event
        Set when no packet will come any more.
    failure : str
        Why it ended, in one line; empty when it ended as it should.
    cursor : int or None
        How far inference has read, written by inference. A recording waits for it: unlike a camera it loses
        nothing by that.
    treatment : Treatment
        What is done to events before they enter the ring; may be changed at any time.
    recorder : Recorder or None
        Gets every packet as it came; may be changed at any time. What is read once more, for the place where
        a recording is paused, is not part of what came.
    moments : tuple of Moment
        The places it was taken to while paused, the newest last.
    """

    def __init__(
        self,
        source: EventSource,
        capacity: int = RING_EVENTS,
        treatment: Treatment = NONE,
        taps: Iterable[Tap] = (),
    ) -> None:
        self.source = source
        self.treatment = self._how = treatment
        self.treater = Treater(source.resolution)
        self._capacity = capacity
        self._counting = threading.Lock()
        self._before = Totals(0, 0, 0)  # in rings of pictures of another size
        self.picture = self._picture(treatment.resolution(source.resolution))
        self.news = threading.Event()
        self.over = threading.Event()
        self.failure = ""
        self.cursor: int | None = None
        self.recorder: Recorder | None = None
        self._listeners: dict[Tap, Listener] = {}
        for tap in taps:
            self.tap(tap)
        self.moments: tuple[Moment, ...] = ()
        self._jump: Jump | None = None
        self._stop = threading.Event()
        self._starting = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    @property
    def ring(self) -> EventRing:
        """Where events are."""
        return self.picture[0]

    @property
    def resolution(self) -> Resolution:
        """Size of the picture in the ring."""
        return self.picture[1]

    def totals(self) -> Totals:
        """Return what is counted since the beginning."""
        with self._counting:
            ring, before = self.ring.status(), self._before
            return Totals(
                before.entered + ring.written, before.outside + ring.outside, before.strays + ring.strays
            )

    def _picture(self, resolution: Resolution) -> tuple[EventRing, Resolution]:
        sensor = self.source.resolution
        return EventRing(
            self._capacity, width=sensor.width, height=sensor.height, treat=self._treat
        ), resolution

    def start(self) -> None:
        """Begin; a second call, from whichever thread, does nothing."""
        with self._starting:
            if self._thread.ident is None and not self._stop.is_set():
                self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """Stop, close the source and wait for the thread; return whether it ended in time. Idempotent."""
        self._stop.set()
        try:
            self.source.close()
        except Exception:
            log.exception("%s could not be closed", self.source.name)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def tap(self, tap: Tap) -> None:
        """Give somebody every packet from now on, as the recorder gets it."""
        self._listeners = {**self._listeners, tap: tap(self.source)}

    def untap(self, tap: Tap) -> None:
        """Give somebody nothing any more; does nothing where it got nothing."""
        self._listeners = {each: to for each, to in self._listeners.items() if each != tap}

    def successor(self, source: EventSource) -> Capture:
        """Return what captures another source from now on, for the same listeners."""
        taps, self._listeners = tuple(self._listeners), {}
        return Capture(source, self._capacity, self.treatment, taps)

    def _run(self) -> None:
        try:
            for packet in self.source.packets():
                if self._stop.is_set():
                    break
                self._follow(getattr(self.source, "jump", None))
                self._record(packet)
                if len(packet):
                    self._enter(packet)
                    self.news.set()
                    self._wait_for_reader()
                self._settle(paused=not len(packet) and _is_paused(self.source))
        except UserError as error:
            self.failure = str(error)
        except Exception as error:
            log.exception("capture from %s failed", self.source.name)
            self.failure = f"{self.source.name}: {error}"
        finally:
            self.ring.flush()
            self.over.set()
            self.news.set()

    def _record(self, packet: Packet) -> None:
        """Give a packet to listeners, and also an empty one to the recorder: it takes what came beside, too.

        What is not live waits for the recorder's disk, losing nothing by it; nobody waits for listeners.
        """
        if self._leads():
            return
        if len(packet):
            for listener in self._listeners.values():
                listener(packet)
        recorder = self.recorder
        if recorder is None:
            return
        recorder.write(packet)
        while not (self.source.live or recorder.has_room() or self._stop.wait(0.001)):
            pass

    def _follow(self, jump: Jump | None) -> None:
        """Begin another time in the ring where the source was taken elsewhere."""
        before, self._jump = self._jump, jump
        if jump is None or jump == before:
            return
        if before is None or jump.number != before.number:
            if jump.leads:
                moment = Moment(jump.number, jump.to_us, self.ring, self.ring.begin_epoch())
                self.moments = (*self.moments, moment)[-_REMEMBERED:]
            elif self.ring.newest():
                self.ring.begin_epoch()
        if jump.leads and jump.given:
            self.ring.flush()
            self.moments = (*self.moments[:-1], replace(self.moments[-1], end=self.ring.newest()))
            self.news.set()

    def _leads(self) -> bool:
        return self._jump is not None and self._jump.leads and not self._jump.given

    def _enter(self, packet: Packet) -> None:
        """Put a packet into the ring; a picture turned to another size begins a new ring."""
        how, arrival_ns = self.treatment, monotonic_ns()
        resolution = how.resolution(self.source.resolution)
        if resolution != self.resolution:
            other = self._picture(resolution)
            self.ring.flush()
            totals = self.totals()
            with self._counting:
                self._before = totals
                self.cursor = None
                self.picture = other
            if self._leads():
                newest = replace(self.moments[-1], ring=other[0], epoch=other[0].begin_epoch())
                self.moments = (*self.moments[:-1], newest)
        self._how = how
        self.ring.write(packet, arrival_ns)

    def _treat(self, piece: Packet) -> Packet:
        return self.treater.treat(piece, self._how)

    def _settle(self, paused: bool) -> None:
        """Let in what the ring holds back where nothing comes that would decide about it."""
        if self.source.live:
            self.ring.settle_silence(monotonic_ns() - int(HOLD_MS * 1e6))
        elif paused:
            self.ring.flush()

    def _wait_for_reader(self) -> None:
        while not (self.source.live or self._stop.is_set()):
            cursor = self.cursor
            if cursor is None or self.ring.newest() - cursor <= self.ring.capacity // 2:
                return
            self._stop.wait(0.001)


def _is_paused(source: EventSource) -> bool:
    return not source.live and source.status().state.value == "paused"
