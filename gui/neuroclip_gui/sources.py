"""Opening recordings, cameras and streams from the window; all of it away from the window's thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QFileDialog, QInputDialog, QLineEdit, QMenu

from neuroclip_drivers import opening
from neuroclip_drivers.files.registry import known_suffixes
from neuroclip_drivers.film.webcams import list_webcams
from neuroclip_drivers.opening import SOURCES, SourceEntry, SourceSpec
from neuroclip_drivers.replay import ReplaySource
from neuroclip_drivers.replay_streams import other_stream
from neuroclip_gui.style.elided import in_menu

if TYPE_CHECKING:
    from neuroclip_drivers.source import EventSource
    from neuroclip_gui.main_window import MainWindow


class Sources:
    """Commands that change the source.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._address = "127.0.0.1:7777"

    # ---- asked by the user

    def ask_file(self) -> None:
        """Choose a recording, or several."""
        recent = self._window.settings.recent
        folder = str(Path(recent[0]).parent) if recent else ""
        kinds = " ".join(f"*{suffix}" for suffix in known_suffixes())
        paths, _ = QFileDialog.getOpenFileNames(
            self._window, "Open recordings", folder, f"Event recordings ({kinds});;All files (*)"
        )
        self.open_files(paths)

    def ask_address(self) -> None:
        """Ask for the address of a stream."""
        text, ok = QInputDialog.getText(
            self._window,
            "Connect to a stream",
            "Address of a dv-processing NetworkWriter: HOST:PORT, or the path of a UNIX socket",
            QLineEdit.EchoMode.Normal,
            self._address,
        )
        if ok and text.strip():
            self._address = text.strip()
            self.open_stream(self._address)

    def open_file(self, path: str) -> None:
        """Play a recording."""
        self._open("replay", path, done=lambda: self.remember(path))

    def open_files(self, paths: Sequence[str]) -> None:
        """Play a recording, or several, one after the other."""
        if len(paths) > 1:
            self._window.playlist.play([SourceSpec("replay", path, hold_at_end=True) for path in paths])
        elif paths:
            self.open_file(paths[0])

    def play_at(self, path: str, seconds: float) -> None:
        """Play a recording from a second on; one that is open is not opened anew."""
        window = self._window
        source = self._replay()
        if source is None or not window.transport.active or not _same(source.recording.path, path):
            self._open("replay", path, done=lambda: self.remember(path), at_s=seconds)
            return
        first_s, last_s = window.transport.part_s
        if not first_s <= seconds <= last_s:
            window.transport.mark("clear")
        window.transport.seek_s(seconds)
        source.resume()

    def open_demo(self, name: str) -> None:
        """Play a recording that ships with the project."""
        self._open("demo", name)

    def open_camera(self, serial: str | None = None) -> None:
        """Open a camera; the first found by default."""
        self._open("camera", serial)

    def open_simulator(self) -> None:
        """Open the camera that is not there."""
        self._open("simulator", None)

    def open_pictures(self, paths: Sequence[str]) -> None:
        """Hold the simulated camera before pictures, one after the other, or before a film."""
        self._open("simulator", paths[0], more=tuple(paths[1:]))

    def open_stream(self, address: str) -> None:
        """Read a network stream."""
        self._open("network", address)

    def take(self, source: EventSource) -> None:
        """Read a source that was waited for and is there now."""
        window = self._window
        pipeline, record = window.pipeline, window.recognition.config.record
        if pipeline is None:
            return

        def make() -> EventSource:
            if record is not None:  # what the command line asked for from the start
                pipeline.record_next(record)
            return source

        self._begin(make, lambda: window.keeping.bring_region(pipeline), window.complain)

    # ---- menus

    def fill_recent(self, menu: QMenu) -> None:
        """List recordings opened before."""
        menu.clear()
        for path in self._window.settings.recent:
            action = menu.addAction(in_menu(Path(path).name))
            action.setToolTip(path)
            action.triggered.connect(lambda _=False, p=path: self.open_file(p))
        menu.setEnabled(bool(self._window.settings.recent))

    def fill_demos(self, menu: QMenu) -> None:
        """List the recordings that ship with the project."""
        menu.clear()
        for name in demo_names():
            action = menu.addAction(name.replace("_", " "))
            action.triggered.connect(lambda _=False, n=name: self.open_demo(n))
        menu.setEnabled(not menu.isEmpty())

    def fill_webcams(self, menu: QMenu) -> None:
        """List the webcams; where there is none, say so."""
        menu.clear()
        webcams = list_webcams()
        for webcam in webcams:
            action = menu.addAction(str(webcam))
            action.setToolTip("Its pictures become simulated events")
            action.triggered.connect(lambda _=False, n=webcam.number: self._open("webcam", str(n)))
        if not webcams:
            menu.addAction("No webcam is plugged in").setEnabled(False)

    def fill_more(self, menu: QMenu) -> None:
        """List the sources that other packages bring; without any there is no such menu."""
        menu.clear()
        for entry in SOURCES.added():
            action = menu.addAction(entry.name)
            action.setToolTip(entry.help)
            action.triggered.connect(lambda _=False, e=entry: self._open_more(e))
        menu.menuAction().setVisible(not menu.isEmpty())

    def _open_more(self, entry: SourceEntry) -> None:
        """Open a source of another package, asking what it takes an argument for."""
        target = None
        if entry.argument:
            optional = entry.argument.startswith("[")
            text, ok = QInputDialog.getText(self._window, entry.name, f"{entry.help}: {entry.argument}")
            if not ok or not (text.strip() or optional):
                return
            target = text.strip() or None
        self._open(entry.name, target)

    def fill_streams(self, menu: QMenu) -> None:
        """List the event streams of the recording; there is something to choose where it has several."""
        menu.clear()
        source = self._replay()
        choices = source.recording.choices if source is not None else ()
        menu.setEnabled(len(choices) > 1)
        group = QActionGroup(menu)
        if source is None or len(choices) < 2:
            return
        for choice in choices:
            action = menu.addAction(choice.title if choice.filled else f"{choice.title} (no events)")
            action.setCheckable(True)
            action.setEnabled(choice.filled)
            action.setChecked(choice.wanted == source.recording.chosen)
            group.addAction(action)
            action.triggered.connect(lambda _=False, wanted=choice.wanted: self._change_stream(menu, wanted))

    def _change_stream(self, menu: QMenu, wanted: str) -> None:
        """Play another event stream of the recording, from the same place on."""
        source = self._replay()
        if source is None or wanted == source.recording.chosen:
            return

        def refused(message: str) -> None:
            self.fill_streams(menu)  # the mark goes back to what is played
            self.refuse(message)

        self._begin(lambda: other_stream(source, wanted), None, refused)

    # ---- the work

    def _replay(self) -> ReplaySource | None:
        """Return the recording that is played; None for anything else."""
        pipeline = self._window.pipeline
        source = pipeline.source if pipeline is not None else None
        return source if isinstance(source, ReplaySource) else None

    def _open(
        self,
        kind: str,
        target: str | None,
        done: Callable[[], None] | None = None,
        more: tuple[str, ...] = (),
        at_s: float = 0.0,
    ) -> None:
        loop = self._window.settings.loop
        spec = SourceSpec(kind=kind, target=target, loop=loop, hold_at_end=True, more=more)

        def opened() -> None:
            self._window.playlist.drop()
            if done is not None:
                done()

        self.open_spec(spec, opened, self.refuse, at_s)

    def refuse(self, message: str) -> None:
        """Say why something cannot be opened."""
        self._window.banner.say(message, "error")

    def open_spec(
        self,
        spec: SourceSpec,
        done: Callable[[], None],
        refused: Callable[[str], None],
        at_s: float = 0.0,
    ) -> bool:
        """Read a source away from the window's thread, then ``done``, or why not; False while starting.

        ``at_s``: from this second on, where it can be sought.
        """

        def make() -> EventSource:
            source = opening.open_source(spec)
            if at_s and isinstance(source, ReplaySource):
                source.seek(at_s)  # before it is read: its beginning is not shown
            return source

        return self._begin(make, done, refused)

    def _begin(
        self, make: Callable[[], EventSource], done: Callable[[], None] | None, refused: Callable[[str], None]
    ) -> bool:
        """Read the source that ``make`` opens, away from the window's thread."""
        window = self._window
        pipeline = window.pipeline
        if pipeline is None:
            window.complain("Still starting: try again in a moment")
            return False

        def work() -> EventSource:
            source = make()
            pipeline.open(source)
            return source

        def opened(source: EventSource) -> None:
            window.source_changed()
            if done is not None:
                done()

        window.jobs.do(work, opened, refused)
        return True

    def remember_source(self, source: EventSource) -> None:
        """Let a recording of the command line stand among the recent ones; the demos have a menu."""
        path = getattr(getattr(source, "recording", None), "path", None)
        if path is not None and Path(path).resolve() not in _demos():
            self.remember(str(path))

    def remember(self, path: str) -> None:
        """Let a recording stand in front of the recent ones."""
        self._window.settings.remember(str(Path(path).resolve()))
        self.fill_recent(self._window.actions_.menus["recent"])


def _same(path: Path, other: str) -> bool:
    try:
        return path.samefile(other)
    except OSError:  # one of them is gone
        return False


def demo_names() -> list[str]:
    """Return the names of the bundled recordings."""
    return [path.stem for path in _demos()]


def _demos() -> list[Path]:
    from neuroclip_live.errors import UserError

    try:
        from neuroclip_drivers.demo import demo_recording

        return sorted(Path(demo_recording()).resolve().parent.glob("*.aedat4"))
    except UserError:
        return []
