"""Playing recordings: play and pause, step, speed, loop, and the seek bar."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QToolButton, QWidget

from neuroclip_gui.panels.playback.making_room import MakingRoom
from neuroclip_gui.panels.playback.seek_bar import SeekBar, clock
from neuroclip_gui.style.theme import Theme
from neuroclip_live.errors import UserError

if TYPE_CHECKING:
    from neuroclip_drivers.source import EventSource, SourceStatus
    from neuroclip_live.recognition.pipeline_protocol import PipelineProtocol

SPEEDS: tuple[float | None, ...] = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0, None)
_STEP_US = 50_000
_NAMED = 30
"""Names of a list that are told when its place is pointed at."""
_LATELY = 24
"""Predictions looked at to know how far apart slices are."""
_NOTHING = "There is no recording to play: open one, and this goes through it"


class Transport(QWidget):
    """Plays the source shown, where it is a recording; hidden for any other.

    Attributes
    ----------
    complained : Signal(str)
        A command the recording refused.
    """

    complained = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName("Playing the recording")
        self._source: Any = None
        self._first_us = 0
        self._duration_s = 0.0
        self._part = (0.0, 1.0)
        self.is_marked = False
        """Whether a part was marked here."""
        self.paused = False
        self.seek_bar = SeekBar(theme)
        self.speed = QComboBox()
        self.speed.setAccessibleName("Speed")
        self.speed.setToolTip("How fast the recording is played. “max”: as fast as it can be read.")
        self.speed.addItems(["max" if speed is None else f"{speed:g}×" for speed in SPEEDS])
        self.speed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._time = QLabel("0:00.0 / 0:00.0")
        self._time.setProperty("role", "muted")
        self._time.setContentsMargins(6, 0, 6, 0)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(2, 2, 2, 2)
        self._layout.setSpacing(4)
        self._layout.addWidget(self.seek_bar, 1)
        self._layout.addWidget(self._time)
        self._layout.addWidget(self.speed)
        self.place = QLabel()
        self.place.setAccessibleName("Place in the list of recordings")
        self.place.setContentsMargins(6, 0, 0, 0)
        self.place.hide()
        self._place = ""
        self._at_s = 0.0
        self._in_list: list[QToolButton] = []
        self._layout.insertWidget(1, self.place)
        self._room = MakingRoom(self._layout, self.seek_bar, self._texts, theme)
        self._layout.addWidget(self._room.more)
        self.seek_bar.sought.connect(self.seek_share)
        self.speed.activated.connect(lambda index: self.set_speed(SPEEDS[index]))
        self.hide()

    def add_buttons(self, actions: list[QAction], after: list[QAction], in_list: Collection[QAction]) -> None:
        """Put actions before the seek bar, and others at the end; some only while there is a list."""
        buttons = [(_button(action), action) for action in (*actions, *after)]
        for place, (button, action) in enumerate(buttons):
            at = place if place < len(actions) else self._layout.count() - 1  # before what holds the rest
            self._layout.insertWidget(at, button)
            if action in in_list:
                self._in_list.append(button)
        others = [pair for pair in buttons[: len(actions)] if pair[1] not in in_list]
        play = len(others) // 2  # it is in the middle, and stays
        self._room.give_up([pair for pair in buttons if pair[1] in in_list])
        self._room.give_up(buttons[len(actions) :])
        self._room.give_up(others[:play] + others[play + 1 :])
        self.show_place("", ())

    def show_place(self, place: str, names: Sequence[str]) -> None:
        """Show where it is among recordings of these names, and how to get to others; "" for no list."""
        self._place = place
        self.place.setToolTip("\n".join(f"{at}  {name}" for at, name in enumerate(names[:_NAMED], 1)))
        self.place.setVisible(bool(place))
        self._room.want([] if place else self._in_list)
        self._room.fit(self.width())

    def _texts(self, short: bool) -> dict[QLabel, str]:
        """Return the place and the time, in few words or in all."""
        place, at = self._place, clock(self._at_s)
        if short:
            return {self.place: place.replace(" of ", "/"), self._time: at}
        return {self.place: place, self._time: f"{at} / {clock(self._duration_s)}"}

    def minimumSizeHint(self) -> QSize:
        """Return what is needed when all that can be found elsewhere is given up for the seek bar."""
        return QSize(self._room.least(), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102
        super().resizeEvent(event)
        self._room.fit(self.width())

    @property
    def source(self) -> Any:
        """The recording that is played; None for anything else."""
        return self._source

    @property
    def active(self) -> bool:
        """Whether there is a recording to play."""
        return self._source is not None

    def set_source(self, source: EventSource) -> None:
        """Play another source; one that cannot be sought hides the bar."""
        seekable = not source.live and hasattr(source, "seek")
        self._source = source if seekable else None
        self.is_marked = False
        self.setVisible(seekable and not self.window().property("desk"))
        if not seekable:
            return
        status = source.status()
        begin_us, end_us = status.start_us or 0, status.end_us or 0
        whole = getattr(
            source, "recording", None
        )  # a part of it may be played: places are those of all of it
        self._first_us, last_us = (whole.first_us, whole.last_us) if whole is not None else (begin_us, end_us)
        self._duration_s = max(0.0, (last_us - self._first_us) / 1e6)
        self.seek_bar.set_recording(self._duration_s)
        self._time.setToolTip(f"Of {clock(self._duration_s)}")
        self._at_s = 0.0
        self._room.fit(self.width())
        share = 1e-6 / self._duration_s if self._duration_s else 0.0
        self._part = (begin_us - self._first_us) * share, 1 - (last_us - end_us) * share
        self.seek_bar.set_part(*self._part)
        speed = getattr(source, "speed", 1.0)
        nearest = min(range(len(SPEEDS)), key=lambda i: _distance(SPEEDS[i], speed))
        self.speed.setCurrentIndex(nearest)

    def show_status(self, status: SourceStatus) -> None:
        """Show where the recording stands."""
        self.paused = status.state.value == "paused"
        if self._source is None or status.position_us is None:
            return
        at_s = (status.position_us - self._first_us) / 1e6
        self._at_s = at_s
        length = len(self._time.text())
        self._room.say()
        if len(self._time.text()) != length:
            self._room.fit(self.width())
        self.seek_bar.set_position(min(max(at_s / self._duration_s, 0.0), 1.0) if self._duration_s else 0.0)

    @property
    def part_s(self) -> tuple[float, float]:
        """The part that is played, in seconds from the beginning."""
        return self._part[0] * self._duration_s, self._part[1] * self._duration_s

    def seconds_of(self, t_us: int) -> float:
        """Return where a time of the events stands, in seconds from the recording's beginning.

        Where the camera's clock began anew it may stand twice: then it is the place that was played last.
        """
        place_of = getattr(self._source, "time_place", None)
        return ((t_us if place_of is None else place_of(t_us)) - self._first_us) / 1e6

    # ---- commands

    def _has_recording(self) -> bool:
        """Tell whether there is a recording; where there is none, say so: nothing else would be seen."""
        if self._source is None:
            self.complained.emit(_NOTHING)
        return self._source is not None

    def toggle(self) -> None:
        """Play or pause."""
        if self._has_recording():
            self._source.resume() if self.paused else self._source.pause()
            self.paused = not self.paused

    def step(self, slices: int, hop_us: int = _STEP_US) -> None:
        """Go on, or back, by so many slices, each ``hop_us`` after the one before, and stay paused."""
        if self._has_recording() and hasattr(self._source, "step"):
            self._source.step(slices * hop_us)

    def skip(self, seconds: float) -> None:
        """Go on, or back, by some seconds."""
        if self._has_recording():
            status = self._source.status()
            self.seek_s(((status.position_us or self._first_us) - self._first_us) / 1e6 + seconds)

    def seek_share(self, share: float) -> None:
        """Go to a place, 0 to 1 of the recording."""
        self.seek_s(share * self._duration_s)

    def seek_s(self, seconds: float) -> None:
        """Go to a time in seconds from the beginning."""
        if self._has_recording():
            self._source.seek(min(max(seconds, 0.0), self._duration_s))

    def seek_us(self, t_us: int) -> None:
        """Go to a time of the events."""
        self.seek_s(self.seconds_of(t_us))

    def faster(self, by: int) -> None:
        """Choose the next speed up (+1) or down (-1)."""
        if not self._has_recording():
            return
        index = min(max(self.speed.currentIndex() + by, 0), len(SPEEDS) - 1)
        self.speed.setCurrentIndex(index)
        self.set_speed(SPEEDS[index])

    def set_speed(self, speed: float | None) -> None:
        """Play at a speed."""
        if self._source is not None:
            self._source.set_speed(speed)

    def set_loop(self, loop: bool) -> None:
        """Begin again at the end, or not."""
        if self._source is not None:
            self._source.set_loop(loop)

    def mark(self, which: str) -> None:
        """Play from here (``in``), up to here (``out``), or all of it again (``clear``)."""
        if not self._has_recording() or not hasattr(self._source, "set_range"):
            return
        status = self._source.status()
        at = ((status.position_us or self._first_us) - self._first_us) / 1e6 / max(self._duration_s, 1e-9)
        first, last = {"in": (at, self._part[1]), "out": (self._part[0], at)}.get(which, (0.0, 1.0))
        try:
            self._source.set_range(first * self._duration_s, None if last >= 1 else last * self._duration_s)
        except UserError as error:
            self.complained.emit(str(error))
        else:
            self._part, self.is_marked = (first, last), which != "clear"
            self.seek_bar.set_part(first, last)


def hop_of(pipeline: PipelineProtocol) -> int:
    """Return how far apart slices are, in µs: as they are cut by time, or else as they lately came."""
    by = pipeline.settings.slice_by
    longest = by.hop_us()
    if by.kind == "time" and longest:
        return longest
    newest = pipeline.prediction()
    lately = pipeline.predictions(after=newest.number - _LATELY) if newest is not None else []
    gaps = [
        b.t_us - a.t_us
        for a, b in pairwise(lately)
        if b.number == a.number + 1 and not b.skipped and b.t_us > a.t_us
    ]
    return min(max(int(median(gaps)), 1000), 1_000_000) if gaps else longest or _STEP_US


def plain(text: str) -> str:
    """Return an action's text without its keys and the mark of its mnemonic."""
    return text.partition("\t")[0].replace("&", "")


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setAccessibleName(plain(action.text()))
    return button


def _distance(one: float | None, other: float | None) -> float:
    return abs((one or 1e6) - (other or 1e6))
