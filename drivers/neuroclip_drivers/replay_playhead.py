"""Where a replay stands and how it goes on: what is commanded from any thread, and when a place is due.

Times here are places along the file, in microseconds, which go on where the camera's clock began anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from neuroclip_drivers import replay_cutting as cutting
from neuroclip_drivers.files.event_file import EventFile
from neuroclip_drivers.replay_part import Part, check_speed
from neuroclip_drivers.source import MAX_WAIT_S, Jump, Lead, SourceState, SourceStatus

_LONGEST_GAP_S = 60.0
"""A longer wait in the recording is skipped: rather a broken time than silence."""


@dataclass(frozen=True)
class Target:
    """Go on from ``to_us``; where it ``leads``, give what comes before that at once.

    ``again`` where nobody asked for it, but a loop begins anew.
    """

    to_us: int
    leads: bool = False
    again: bool = False


class Playhead:
    """The state of one replay, shared by the thread that reads it and all that command it.

    Parameters
    ----------
    recording : EventFile
        Asked what the camera's clock showed at a place.
    part : Part
        What is played of it.
    speed : float or None
        Times real time; None is as fast as can be.
    loop : bool
        Begin again at the end.
    hold_at_end : bool
        At the end, pause instead of ending.
    clock : callable
        Monotonic time in seconds.

    Attributes
    ----------
    jump : Jump
        Where the replay was last taken to.
    position_us : int
        The place it has come to.

    Raises
    ------
    UserError
        For a speed that makes no sense.
    """

    def __init__(
        self,
        recording: EventFile,
        part: Part,
        *,
        speed: float | None,
        loop: bool,
        hold_at_end: bool,
        clock: Callable[[], float],
    ) -> None:
        check_speed(speed)
        self._recording, self._clock = recording, clock
        self._changed = threading.Condition()
        self.part, self.speed, self.loop, self.hold_at_end = part, speed, loop, hold_at_end
        self.paused = self.ended = self.closed = False
        self._at_end = False
        self._target: Target | None = None
        self._lead = Lead()
        self._gap_note = ""
        self.position_us = part.start_us
        self.jump = Jump(0, recording.time_at(part.start_us))
        self._anchor = (0.0, part.start_us)  # wall time, place

    # Commands, from any thread. Each takes effect at the next packet.

    def pause(self) -> None:
        """Hold the replay."""
        with self._changed:
            self.paused = True
            self._changed.notify_all()

    def resume(self) -> None:
        """Go on; from the beginning when the end was reached."""
        with self._changed:
            if self._heading_us >= self.part.end_us or (self._at_end and self._target is None):
                self._target = Target(self.part.start_us)
            self.paused = False
            self._anchor_here()
            self._changed.notify_all()

    def set_speed(self, speed: float | None) -> None:
        """Play so many times real time from here on."""
        check_speed(speed)
        with self._changed:
            self.speed = speed
            self._anchor_here()
            self._changed.notify_all()

    def set_loop(self, loop: bool) -> None:
        """Begin again at the end, or not."""
        with self._changed:
            self.loop = loop

    def set_part(self, part: Part) -> None:
        """Play only this part."""
        with self._changed:
            self.part = part
            if not part.start_us <= self.position_us <= part.end_us:
                self._target = Target(part.start_us, self.paused)
            self._changed.notify_all()

    def seek(self, to_us: int) -> None:
        """Go to a place, clipped to the part; while paused, what comes before it is given."""
        with self._changed:
            self._target = Target(self._inside(to_us), self.paused)
            self._changed.notify_all()

    def step(self, delta_us: int) -> None:
        """Move forward or back, and stay paused; what comes before it is given."""
        with self._changed:
            self.paused = True
            self._target = Target(self._inside(self._heading_us + delta_us), True)
            self._changed.notify_all()

    def set_lead(self, lead: Lead) -> None:
        """Say how much is given before a place that is sought while paused."""
        with self._changed:
            self._lead = lead

    def revisit(self) -> bool:
        """While paused, give what comes before the place once more; return False where it is not paused."""
        with self._changed:
            if self.paused:
                self._target = Target(self._heading_us, True)
                self._changed.notify_all()
            return self.paused

    def close(self) -> None:
        """End the replay."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def status(self, notes: Sequence[str], *, lost: bool) -> SourceStatus:
        """Return where the replay stands; ``notes`` of the recording come before its own."""
        with self._changed:
            state = SourceState.STREAMING
            if self.ended or self.closed:
                state = SourceState.ENDED
            elif self.paused:
                state = SourceState.PAUSED
            end = "end of the recording" if self._at_end else ""
            message = "; ".join(note for note in (*notes, self._gap_note, end) if note)
            first_us, last_us = self.part.start_us, self.part.end_us
            return SourceStatus(
                state, message, self._heading_us, first_us, last_us, lost=lost, at_end=self._at_end
            )

    # What the thread that reads asks and tells.

    @property
    def interrupted(self) -> bool:
        """Whether another place was asked for, or the end of it all."""
        return self.closed or self._target is not None

    def begin(self) -> Target:
        """Start the clock, and return where the part begins."""
        with self._changed:
            self._anchor_here()
            return Target(self.part.start_us)

    def go_to(self, target: Target) -> Lead:
        """Stand at a place; return how much is given before it where it leads."""
        with self._changed:
            to_us = target.to_us
            self._at_end = self._at_end and to_us >= self.part.end_us
            self.position_us = to_us
            self._anchor = (self._clock(), to_us)
            time_us = self._recording.time_at(to_us)
            self.jump = Jump(self.jump.number + 1, time_us, target.leads, not target.leads)
            return self._lead

    def all_given(self) -> None:
        """Note that all of what leads to the place was given."""
        with self._changed:
            self.jump = replace(self.jump, given=True)

    def came_to(self, place_us: int, from_us: int) -> None:
        """Note how far what was given comes, of what is played from a place on."""
        with self._changed:
            if self._target is None:
                self.position_us = max(self.position_us, from_us, min(place_us, self.part.end_us))

    def follow_back(self, places: npt.NDArray[np.int64], following: npt.NDArray[np.int64]) -> None:
        """Go on from an earlier place where time goes back for good, which the file did not tell before."""
        with self._changed:
            top = cutting.fallen_to(places, following, self.position_us)
            if top is not None:
                self._anchor, self.position_us = (self._clock(), top), top

    def is_due(self, t_us: int, *, wait: bool) -> bool:
        """Tell whether a place's time has come; else ``wait`` for it, for a command, or ``MAX_WAIT_S``."""
        with self._changed:
            if self.paused:
                left_s = MAX_WAIT_S
            elif self.speed is None:
                return True
            else:
                wall, origin = self._anchor
                left_s = wall + (t_us - origin) / 1e6 / self.speed - self._clock()
                if left_s <= 0:
                    return True
                if (t_us - max(self.position_us, origin)) / 1e6 / self.speed > _LONGEST_GAP_S:
                    gap_s = (t_us - self.position_us) / 1e6
                    self._gap_note = f"skipped a gap of {gap_s:.0f} s in the recording"
                    self._anchor = (self._clock(), t_us)
                    return True
                now_us = origin + int((self._clock() - wall) * 1e6 * self.speed)
                self.position_us = max(self.position_us, min(now_us, t_us, self.part.end_us))
            if wait:
                self._changed.wait(min(left_s, MAX_WAIT_S))
            return False

    def next_target(self) -> Target | None:
        """Return where to go on when a part was played: as asked, or from its beginning in a loop.

        None where it ``ended``, or is held until a command comes.
        """
        with self._changed:
            following, self._target = self._target, None
            if following is None and not self.closed:
                if self.loop:
                    following = Target(self.part.start_us, again=True)
                elif self.hold_at_end:
                    self.paused = self._at_end = True
                else:
                    self.ended = True
            return following

    def take_target(self) -> Target:
        """Return the place that was asked for, else where the part begins."""
        with self._changed:
            following, self._target = self._target, None
            return following or Target(self.part.start_us)

    def wait_for_command(self) -> None:
        """Wait until another place is asked for, or ``MAX_WAIT_S``."""
        with self._changed:
            if not self.interrupted:
                self._changed.wait(MAX_WAIT_S)

    @property
    def _heading_us(self) -> int:
        """The place that was asked for, else the one it has come to."""
        return self._target.to_us if self._target is not None else self.position_us

    def _inside(self, place_us: int) -> int:
        return min(max(place_us, self.part.start_us), self.part.end_us)

    def _anchor_here(self) -> None:
        self._anchor = (self._clock(), self.position_us)
