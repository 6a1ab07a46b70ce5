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
import time
from collections.abc import Callable, Iterator

from neuroclip_drivers.files.event_file import FileOptions, RateHistogram
from neuroclip_drivers.files.open_file import open_event_file
from neuroclip_drivers.replay_part import check_speed, part_of
from neuroclip_drivers.replay_playhead import Playhead
from neuroclip_drivers.replay_reading import Reading
from neuroclip_drivers.replay_side import HandOn
from neuroclip_drivers.side_streams import SideStreams
from neuroclip_drivers.source import GrayFrame, Jump, Lead, SourceStatus
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution

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
        check_speed(speed)  # before the file is opened
        self.options = FileOptions(stream, sensor, time_unit)
        self.recording = open_event_file(path, self.options)
        self.name = self.recording.path.name
        if self.recording.camera == SIMULATED:  # what is simulated is called so wherever it is shown
            self.name += " (simulated)"
        self.resolution: Resolution = self.recording.resolution
        self._beside = HandOn(self.recording)
        try:
            part = part_of(self.recording, start_s, end_s)
            self._head = Playhead(
                self.recording, part, speed=speed, loop=loop, hold_at_end=hold_at_end, clock=clock
            )
        except UserError:
            self.recording.close()
            raise

    # Commands, from any thread. Each takes effect at the next packet.

    def pause(self) -> None:
        """Hold the replay; packets are empty until it resumes."""
        self._head.pause()

    def resume(self) -> None:
        """Go on; from the beginning when the end was reached."""
        self._head.resume()

    @property
    def speed(self) -> float | None:
        """Times real time; None is as fast as can be."""
        return self._head.speed

    @property
    def loop(self) -> bool:
        """Whether it begins again at the end."""
        return self._head.loop

    @property
    def hold_at_end(self) -> bool:
        """Whether it pauses at the end instead of ending."""
        return self._head.hold_at_end

    @hold_at_end.setter
    def hold_at_end(self, hold: bool) -> None:
        self._head.hold_at_end = hold

    def set_speed(self, speed: float | None) -> None:
        """Play ``speed`` times real time from here on; ``None`` is as fast as can be."""
        self._head.set_speed(speed)

    def set_loop(self, loop: bool) -> None:
        """Begin again at the end, or not."""
        self._head.set_loop(loop)

    def set_range(self, start_s: float, end_s: float | None) -> None:
        """Play only this part, in seconds from the first event; raises UserError as the constructor does."""
        self._head.set_part(part_of(self.recording, start_s, end_s))

    def seek(self, seconds: float) -> None:
        """Go to a time, in seconds from the first event; clipped to the part that is played.

        While paused, what comes before it is given, as much as :meth:`set_lead` says: the picture follows the
        hand on the seek bar, and the place is recognized.
        """
        self._head.seek(self.recording.first_us + round(seconds * 1e6))

    def step(self, delta_us: int) -> None:
        """Move by a slice, forward or back, and stay paused; what comes before it is given."""
        self._head.step(delta_us)

    def set_lead(self, lead: Lead) -> None:
        """Say how much is given before a place that is sought while paused."""
        self._head.set_lead(lead)

    def revisit(self) -> bool:
        """While paused, give what comes before the place once more; return False where it is not paused."""
        return self._head.revisit()

    def close(self) -> None:
        """End the replay and release the file; idempotent."""
        self._head.close()
        self.recording.close()

    # What is seen from outside, from any thread.

    @property
    def jump(self) -> Jump:
        """Where the replay was last taken to; in the thread that reads, of the packet yielded last."""
        return self._head.jump

    def status(self) -> SourceStatus:
        """Return where the replay stands; ``position_us`` moves with the clock also where nothing happens."""
        losses = self.recording.losses
        told = f"{losses} ({self.recording.remedy})" if losses and self.recording.remedy else losses
        return self._head.status([self.recording.streams_note, told], lost=bool(losses))

    def latest_frame(self) -> GrayFrame | None:
        """Return the intensity frame that belongs to where the replay stands, or None."""
        if self._head.closed or not self.recording.has_frames:
            return None
        return self.recording.frame_at(self._head.position_us)

    def side_streams(self) -> SideStreams:
        """Return what the recording holds beside the events, handed on as they are played."""
        return self._beside.side

    def time_place(self, t_us: int) -> int:
        """Return where a time of the events stands; of several places the last one that was played."""
        return self.recording.place_before(t_us, self.status().position_us or 0)

    def rate_histogram(self, bins: int = 400) -> RateHistogram:
        """Return events over time for a seek bar; may read the whole file, so use a thread of its own."""
        return self.recording.rate_histogram(bins)

    def packets(self) -> Iterator[Packet]:
        """Yield packets of at most 65,536 events and, when paced, 10 ms of real time."""
        return Reading(self.recording, self._head, self._beside).packets()
