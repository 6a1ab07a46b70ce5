"""Several recordings, one after the other: which is played, which comes next, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from neuroclip_drivers.opening import SourceSpec
from neuroclip_drivers.source import SourceStatus
from neuroclip_gui.panels.playback.transport import Transport
from neuroclip_gui.settings import WindowSettings
from neuroclip_gui.sources import Sources
from neuroclip_gui.style.elided import in_menu
from neuroclip_live.config import Config
from neuroclip_live.session import playlist_of


class Playlist(QObject):
    """The recordings of one window; fewer than two are no list, and everything here does nothing.

    Words, lessons and the part of the picture stay from one to the next, and so does the speed. The loop is
    that of the whole list, or of the part that is marked in one of them.

    Parameters
    ----------
    sources : Sources
        Opens them.
    transport : Transport
        Plays them.
    settings : WindowSettings
        Says whether what is opened loops.

    Attributes
    ----------
    changed : Signal()
        Other recordings follow each other, or another of them is played.
    complained : Signal(str)
        Why there is no next one.
    specs : tuple of SourceSpec
    at : int
        Which of them is played.
    loop : bool
        Begin again with the first after the last.
    """

    changed = Signal()
    complained = Signal(str)

    def __init__(self, sources: Sources, transport: Transport, settings: WindowSettings) -> None:
        super().__init__()
        self._sources, self._transport, self._settings = sources, transport, settings
        self.specs: tuple[SourceSpec, ...] = ()
        self.at = 0
        self.loop = True
        self._opening = False

    @property
    def active(self) -> bool:
        """Whether there are several."""
        return len(self.specs) > 1

    @property
    def in_charge(self) -> bool:
        """Whether the loop is the list's, and not that of the recording played."""
        return self.active or self._opening

    @property
    def goes_on(self) -> bool:
        """Whether another follows the one that is played."""
        return self.active and (self.loop or self.at + 1 < len(self.specs))

    @property
    def place(self) -> str:
        """Where it stands: "2 of 3"; empty without a list."""
        return f"{self.at + 1} of {len(self.specs)}" if self.active else ""

    # ---- what is played

    def take_up(self, config: Config) -> None:
        """Go on after the recording that was opened for the command line, where it named several."""
        specs = playlist_of(config)
        if specs:
            self.loop = self._transport.source.loop
            self._stand(specs, 0)

    def play(self, specs: Sequence[SourceSpec]) -> None:
        """Play these, from the first on."""
        self.loop = self._settings.loop
        self._open(tuple(specs), 0, 1)

    def drop(self) -> None:
        """Something else was opened."""
        if self.specs:
            self._stand((), 0)

    def go(self, by: int) -> None:
        """Play the next (1) or the one before (-1); beyond the ends only where the list loops."""
        at = self.at + by
        if not self.active:
            self.complained.emit("There is no other recording: open several, and they follow each other")
        elif self.loop or 0 <= at < len(self.specs):
            self.go_to(at % len(self.specs))
        else:
            self.complained.emit(f"This is the {'last' if by > 0 else 'first'} of {len(self.specs)}")

    def go_to(self, at: int) -> None:
        """Play one of them."""
        if self.active and not self._opening:
            self._open(self.specs, at, 1 if at >= self.at else -1, self._transport.source.speed)

    def set_loop(self, loop: bool) -> None:
        """Begin again with the first after the last, or not."""
        self.loop = loop

    def look(self, status: SourceStatus) -> None:
        """Go on where one has ended; ten times a second."""
        source = self._transport.source
        if not self.active or self._opening or source is None:
            return
        loops = self.loop and self._transport.is_marked
        if source.loop != loops:
            source.set_loop(loops)
        if status.at_end and self.goes_on:
            self.go(1)

    def fill(self, menu: QMenu) -> None:
        """List what follows each other."""
        menu.clear()
        group = QActionGroup(menu)
        for at, spec in enumerate(self.specs):
            action = menu.addAction(f"{at + 1}  {in_menu(Path(_path(spec)).name)}")
            action.setToolTip(_path(spec))
            action.setCheckable(True)
            action.setChecked(at == self.at)
            group.addAction(action)
            action.triggered.connect(lambda _=False, at=at: self.go_to(at))
        menu.setEnabled(self.active)

    # ---- the work

    def _open(self, specs: tuple[SourceSpec, ...], at: int, step: int, speed: float | None = 1.0) -> None:
        """Open one; what cannot be opened is left out and said, and the one beyond it is taken."""
        spec, current = specs[at], self.specs[self.at] if self.active else None

        def opened() -> None:
            self._opening = False
            self._sources.remember(_path(spec))
            self._stand(specs, at)

        def refused(message: str) -> None:
            self._sources.refuse(f"{message} It is left out of the list.")
            rest = specs[:at] + specs[at + 1 :]
            following = (at if step > 0 else at - 1) % max(1, len(rest))
            if rest and rest[following] is not current:
                self._open(rest, following, step, speed)
                return
            self._opening = False
            if rest:  # what is played is all that is left; else it is none of these, and goes on
                self._stand(rest, following)

        # its own loop would keep it from ending
        self._opening = self._sources.open_spec(replace(spec, loop=False, speed=speed), opened, refused)

    def _stand(self, specs: tuple[SourceSpec, ...], at: int) -> None:
        """Play one of these, and show which."""
        self.specs, self.at = specs, at
        if len(specs) == 1:  # the others could not be opened: it is a recording as any other
            source = self._transport.source
            source.set_loop(self.loop)
            if self.loop and source.status().at_end:
                source.resume()
        self._transport.show_place(self.place, [Path(_path(spec)).name for spec in specs])
        self.changed.emit()


def _path(spec: SourceSpec) -> str:
    return spec.target or ""
