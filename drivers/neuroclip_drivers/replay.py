"""Recordings played back as if the camera were there, or as fast as they can be read.

Time in a replay is the recording's own. A packet is given when, at the chosen speed, its last event would
have happened; a reader that comes late finds the packets that are due and takes them at once, unchanged. When
a loop begins anew, or after a seek, time goes back, and the reader sees it (the ring opens a new epoch).
Rejected: stretching the timestamps so that they never go back: predictions could then not be found again in
the recording.

Where the replay stands, and what is played, are *places* along the file, which go on where the camera's clock
began anew (:mod:`neuroclip_drivers.aedat4.timeline`). What the recording holds beside the events is handed on
with the events of its place.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from neuroclip_drivers import replay_cutting as cutting
from neuroclip_drivers.files.event_file import FileOptions, RateHistogram
from neuroclip_drivers.files.open_file import open_event_file
from neuroclip_drivers.replay_part import check_speed, part_of
from neuroclip_drivers.replay_side import HandOn
from neuroclip_drivers.side_streams import SideStreams
from neuroclip_drivers.source import MAX_WAIT_S, GrayFrame, Jump, Lead, SourceState, SourceStatus
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution, copy_packet, empty_packet

_LONGEST_GAP_S = 60.0
"""A longer wait in the recording is skipped: rather a broken time than silence."""
_BEYOND = 64
"""So many events in a row beyond the end of the part that is played are its end; fewer are strays."""


@dataclass
class _Target:
    """Go on from ``to_us``; where it ``leads``, give what comes before that at once."""

    to_us: int
    leads: bool = False


SIMULATED = "simulated"
"""Name of the camera in recordings the simulator made."""


class ReplaySource:
    """A recording as an :class:`neuroclip_drivers.source.EventSource`.

    Parameters
    ----------
    path : path-like
        A recording in any format of :mod:`neuroclip_drivers.files`.
    speed : float or None
        0.1 to 100 times real time; ``None`` plays as fast as the file can be read.
    loop : bool
        Begin again at the end.
    start_s, end_s : float or None
        Part to play, in seconds from the first event.
    hold_at_end : bool
        At the end, pause instead of ending, so that the user can seek back.
    stream, sensor, time_unit : optional
        What the file does not say itself, as in :class:`neuroclip_drivers.files.event_file.FileOptions`.
    clock : callable
        Monotonic time in seconds; for tests.

    Raises
    ------
    UserError
        As for :func:`~neuroclip_drivers.files.open_file.open_event_file`, and for a speed, start or end
        that makes no sense.
    """

    live = False

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        speed: float | None = 1.0,
        loop: bool = False,
        start_s: float = 0.0,
        end_s: float | None = None,
        hold_at_end: bool = False,
        stream: str | None = None,
        sensor: Resolution | None = None,
        time_unit: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        check_speed(speed)
        self.options = FileOptions(stream, sensor, time_unit)
        self.recording = open_event_file(path, self.options)
        self.name = self.recording.path.name
        if self.recording.camera == SIMULATED:  # what is simulated is called so wherever it is shown
            self.name += " (simulated)"
        self.resolution: Resolution = self.recording.resolution
        self._clock = clock
        self._changed = threading.Condition()
        self._speed, self._loop, self.hold_at_end = speed, loop, hold_at_end
        self._paused = self._at_end = self._ended = self._closed = False
        self._target: _Target | None = None
        self._lead = Lead()
        self._gap_note = ""
        self._beside = HandOn(self.recording)
        try:
            self._part = part_of(self.recording, start_s, end_s)
        except UserError:
            self.recording.close()
            raise
        self._position_us = self._part.start_us
        self.jump = Jump(0, self.recording.time_at(self._part.start_us))
        self._anchor = (0.0, self._part.start_us)  # wall time, recording time

    # Commands, from any thread. Each takes effect at the next packet.

    def pause(self) -> None:
        """Hold the replay; packets are empty until it resumes."""
        with self._changed:
            self._paused = True
            self._changed.notify_all()

    def resume(self) -> None:
        """Go on; from the beginning when the end was reached."""
        with self._changed:
            if self._sought_us() >= self._part.end_us or (self._at_end and self._target is None):
                self._target = _Target(self._part.start_us)
            self._paused = False
            self._reanchor()
            self._changed.notify_all()

    @property
    def speed(self) -> float | None:
        """Times real time; None is as fast as can be."""
        return self._speed

    @property
    def loop(self) -> bool:
        """Whether it begins again at the end."""
        return self._loop

    def set_speed(self, speed: float | None) -> None:
        """Play ``speed`` times real time from here on; ``None`` is as fast as can be."""
        check_speed(speed)
        with self._changed:
            self._speed = speed
            self._reanchor()
            self._changed.notify_all()

    def set_loop(self, loop: bool) -> None:
        """Begin again at the end, or not."""
        with self._changed:
            self._loop = loop

    def set_range(self, start_s: float, end_s: float | None) -> None:
        """Play only this part, in seconds from the first event; raises UserError as the constructor does."""
        part = part_of(self.recording, start_s, end_s)
        with self._changed:
            self._part = part
            if not part.start_us <= self._position_us <= part.end_us:
                self._target = _Target(part.start_us, self._paused)
            self._changed.notify_all()

    def seek(self, seconds: float) -> None:
        """Go to a time, in seconds from the first event; clipped to the part that is played.

        While paused, what comes before it is given, as much as :meth:`set_lead` says: the picture follows the
        hand on the seek bar, and the place is recognized.
        """
        with self._changed:
            to_us = max(self.recording.first_us + round(seconds * 1e6), self._part.start_us)
            self._target = _Target(min(to_us, self._part.end_us), self._paused)
            self._changed.notify_all()

    def step(self, delta_us: int) -> None:
        """Move by a slice, forward or back, and stay paused; what comes before it is given."""
        with self._changed:
            self._paused = True
            to_us = max(self._sought_us() + delta_us, self._part.start_us)
            self._target = _Target(min(to_us, self._part.end_us), True)
            self._changed.notify_all()

    def set_lead(self, lead: Lead) -> None:
        """Say how much is given before a place that is sought while paused."""
        with self._changed:
            self._lead = lead

    def revisit(self) -> bool:
        """While paused, give what comes before the place once more; return False where it is not paused."""
        with self._changed:
            if self._paused:
                self._target = _Target(self._sought_us(), True)
                self._changed.notify_all()
            return self._paused

    def close(self) -> None:
        """End the replay and release the file; idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.recording.close()

    # What is seen from outside, from any thread.

    def status(self) -> SourceStatus:
        """Return where the replay stands; ``position_us`` moves with the clock also where nothing happens."""
        with self._changed:
            state = SourceState.STREAMING
            if self._ended or self._closed:
                state = SourceState.ENDED
            elif self._paused:
                state = SourceState.PAUSED
            losses = self.recording.losses
            if losses and self.recording.remedy:
                losses += f" ({self.recording.remedy})"
            end = "end of the recording" if self._at_end else ""
            message = "; ".join(filter(None, (self.recording.streams_note, losses, self._gap_note, end)))
            times_us = self._sought_us(), self._part.start_us, self._part.end_us
            return SourceStatus(state, message, *times_us, lost=bool(losses), at_end=self._at_end)

    def latest_frame(self) -> GrayFrame | None:
        """Return the intensity frame that belongs to where the replay stands, or None."""
        if self._closed or not self.recording.has_frames:
            return None
        return self.recording.frame_at(self._position_us)

    def side_streams(self) -> SideStreams:
        """Return what the recording holds beside the events, handed on as they are played."""
        return self._beside.side

    def time_place(self, t_us: int) -> int:
        """Return where a time of the events stands; of several places the last one that was played."""
        return self.recording.place_before(t_us, self.status().position_us or 0)

    def rate_histogram(self, bins: int = 400) -> RateHistogram:
        """Return events over time for a seek bar; may read the whole file, so use a thread of its own."""
        return self.recording.rate_histogram(bins)

    # The replay itself, in the thread that reads.

    def packets(self) -> Iterator[Packet]:
        """Yield packets of at most 65,536 events and, when paced, 10 ms of real time."""
        target = _Target(self._part.start_us)
        with self._changed:
            self._reanchor()
        while not self._closed:
            given = 0
            for packet in self._play(target):
                given += len(packet)
                yield packet
            with self._changed:
                following, self._target = self._target, None
                silent_loop = False
                if following is None and not self._closed:
                    if self._loop:
                        silent_loop = not given
                        following = _Target(self._part.start_us)
                    elif not self.hold_at_end:
                        self._ended = True
                        return
                    else:
                        self._paused = self._at_end = True
            if following is None:
                yield from self._wait_for_command()
                with self._changed:
                    following, self._target = self._target, None
                    following = following or _Target(self._part.start_us)
            elif silent_loop:
                yield self._nothing()  # it must not spin
            target = following

    def _play(self, target: _Target) -> Iterator[Packet]:
        """Play from a place to the end of the part, or until the next is asked for."""
        to_us = target.to_us
        with self._changed:
            self._at_end = self._at_end and to_us >= self._part.end_us
            self._position_us = to_us
            self._anchor = (self._clock(), to_us)
            time_us = self.recording.time_at(to_us)
            self.jump = Jump(self.jump.number + 1, time_us, target.leads, not target.leads)
            lead = self._lead
        recording = self.recording
        from_us = cutting.start_of(self.recording, lead, to_us, self._interrupted) if target.leads else to_us
        self._beside.begin(to_us)
        batches = recording.read_placed(None if from_us <= recording.first_us else from_us)
        for batch, places, after in cutting.with_places_after(
            batches, lambda: self._speed is not None or self._part.ends_early
        ):
            done, ordered = 0, None if self._speed is None else cutting.is_ordered(places)
            while done < len(batch):
                if self._interrupted():
                    return
                stop = cutting.cut(places, done, to_us, self._speed, ordered)
                packet = batch if stop - done == len(batch) else copy_packet(batch[done:stop])
                following = cutting.coming(places, stop, after)
                last = cutting.reached(int(places[stop - 1]), following)
                self._follow_back(places[done:stop], following)
                end_us = self._part.end_us
                out = cutting.beyond(places[done:stop], following, end_us) if self._part.ends_early else None
                if out is not None and out.any():
                    if len(batch) - done >= _BEYOND and (places[done : done + _BEYOND] > end_us).all():
                        yield from self._finish(end_us)
                        return
                    if out.all():
                        done = stop
                        continue
                    packet, last = packet[~out], min(int(places[done:stop][~out][-1]), end_us)
                done = stop
                if last >= to_us:
                    if not self.jump.given:
                        yield self._told_given()
                    yield from self._hold_until(last)
                    if self._interrupted():
                        return
                if self.jump.given:
                    yield from self._beside.until(last)
                yield packet
                with self._changed:
                    if self._target is None:
                        self._position_us = max(self._position_us, to_us, min(last, self._part.end_us))
        if not self.jump.given and not self._interrupted():
            yield self._told_given()
        yield from self._finish(self._part.end_us if self._part.ends_early else None)

    def _follow_back(self, places: npt.NDArray[np.int64], following: npt.NDArray[np.int64]) -> None:
        """Go on from an earlier place where time goes back for good, which the file did not tell before."""
        with self._changed:
            top = cutting.fallen_to(places, following, self._position_us)
            if top is not None:
                self._anchor, self._position_us = (self._clock(), top), top

    def _finish(self, end_us: int | None) -> Iterator[Packet]:
        """Play the silence up to the end of the part, and hand on what else belongs to it."""
        yield from self._hold_until(self._part.end_us)
        if not self._interrupted():
            before = self._beside.handed_on
            yield from self._beside.until(end_us)
            if self._beside.handed_on > before:
                yield empty_packet()  # so that it is taken

    def _told_given(self) -> Packet:
        with self._changed:
            self.jump = replace(self.jump, given=True)
        return empty_packet()

    def _hold_until(self, t_us: int) -> Iterator[Packet]:
        """Yield empty packets until the recording's time ``t_us`` has come, while not interrupted."""
        waited = False
        while not self._interrupted():
            with self._changed:
                if self._paused:
                    wait = MAX_WAIT_S
                elif self._speed is None:
                    return
                else:
                    wall, origin = self._anchor
                    due = wall + (t_us - origin) / 1e6 / self._speed
                    wait = due - self._clock()
                    if wait <= 0:
                        return
                    if (t_us - max(self._position_us, origin)) / 1e6 / self._speed > _LONGEST_GAP_S:
                        self._gap_note = (
                            f"skipped a gap of {(t_us - self._position_us) / 1e6:.0f} s in the recording"
                        )
                        self._anchor = (self._clock(), t_us)
                        return
                    now_us = origin + int((self._clock() - wall) * 1e6 * self._speed)
                    self._position_us = max(self._position_us, min(now_us, t_us, self._part.end_us))
                if not waited:
                    self._changed.wait(min(wait, MAX_WAIT_S))
            if waited:
                if self.jump.given:
                    yield from self._beside.until(self._position_us)
                yield empty_packet()
            waited = not waited

    def _wait_for_command(self) -> Iterator[Packet]:
        while not self._interrupted() and self._paused:
            yield self._nothing()

    def _nothing(self) -> Packet:
        with self._changed:
            if self._target is None and not self._closed:
                self._changed.wait(MAX_WAIT_S)
        return empty_packet()

    def _sought_us(self) -> int:
        return self._target.to_us if self._target is not None else self._position_us

    def _interrupted(self) -> bool:
        return self._closed or self._target is not None

    def _reanchor(self) -> None:
        self._anchor = (self._clock(), self._position_us)
