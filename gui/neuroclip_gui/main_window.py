"""The window: puts the panels together and, at every tick, carries snapshots from the pipeline to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QByteArray, QSize, QTimer
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QShowEvent,
)
from PySide6.QtWidgets import QMainWindow, QToolBar, QVBoxLayout, QWidget

from neuroclip_drivers.source import EventSource
from neuroclip_gui import layout
from neuroclip_gui.actions import Actions
from neuroclip_gui.autosave import Keeping
from neuroclip_gui.dropping import Dropped
from neuroclip_gui.files import Pictures, PromptFiles
from neuroclip_gui.jobs import Jobs
from neuroclip_gui.model_choice import Recognition
from neuroclip_gui.panel_context import context_of
from neuroclip_gui.panel_spec import Presenter
from neuroclip_gui.panels.decision.decision_panel import DecisionPanel
from neuroclip_gui.panels.declared import PANELS
from neuroclip_gui.panels.export.export_commands import Export
from neuroclip_gui.panels.picture.event_view import EventView
from neuroclip_gui.panels.picture.live_view import LiveView
from neuroclip_gui.panels.picture.object_boxes import ObjectsShown
from neuroclip_gui.panels.picture.region_drawing import Region
from neuroclip_gui.panels.playback.playlist import Playlist
from neuroclip_gui.panels.playback.transport import Transport
from neuroclip_gui.panels.prompts.prompt_sets import PromptSets
from neuroclip_gui.panels.prompts.prompt_updates import PromptUpdates
from neuroclip_gui.panels.recording.record_bar import RecordBar
from neuroclip_gui.panels.recording.record_commands import Recording
from neuroclip_gui.panels.serving.serve_commands import Serving
from neuroclip_gui.panels.teach.teach_commands import Teaching
from neuroclip_gui.panels.waiting.waiting import Waiting
from neuroclip_gui.pulse import FASTEST_HZ, Pulse
from neuroclip_gui.settings import SettingsStore, WindowSettings
from neuroclip_gui.source_words import words_brought
from neuroclip_gui.sources import Sources
from neuroclip_gui.style.banner import Banner
from neuroclip_gui.style.drop_sheet import DropSheet
from neuroclip_gui.style.hint import Hint
from neuroclip_gui.style.status_line import StatusLine
from neuroclip_gui.style.theme import Theme
from neuroclip_gui.typing_anywhere import TypingAnywhere
from neuroclip_gui.undo import Undo
from neuroclip_gui.window_commands import WindowCommands
from neuroclip_gui.window_updater import Follower
from neuroclip_live.recognition.prediction import Decision

if TYPE_CHECKING:
    from neuroclip_drivers.files.event_file import RateHistogram
    from neuroclip_live.prompting.prompt_set import PromptSet
    from neuroclip_live.recognition.pipeline_protocol import PipelineProtocol


P = TypeVar("P", bound=Presenter)

_FRAME_MS = 400
"""By then a window manager has put its frame around the window."""


class MainWindow(QMainWindow):
    """Everything seen.

    Parameters
    ----------
    theme : Theme
    store : SettingsStore
    settings : WindowSettings

    Attributes
    ----------
    panels : dict of str to Presenter
        By the name that :data:`neuroclip_gui.panels.declared.PANELS` gives them.
    do : WindowCommands
        What it can be told to do.
    """

    def __init__(self, theme: Theme, store: SettingsStore, settings: WindowSettings) -> None:
        super().__init__()
        self.setWindowTitle("neuroclip-live")
        self.setAcceptDrops(True)
        self.theme, self.store, self.settings = theme, store, settings
        self.pipeline: PipelineProtocol | None = None
        self.jobs = Jobs()
        self.decided = Decision()
        self.view = EventView(theme)
        self.live = LiveView(self.view, theme, settings)
        self.banner = Banner(theme)
        self.decision = DecisionPanel(theme)
        self.do = WindowCommands(self)
        self.transport = Transport(theme)
        self.record_bar = RecordBar(theme)
        self.context = context_of(self)
        self.region = Region(self.context, self.view)
        self.recording = Recording(
            self.context, self.record_bar, lambda name, icon: self.actions_.draw(name, icon)
        )
        self.export = Export(self.context, self.transport)
        self.serving = Serving(self, lambda: self.pipeline, self.banner.say)
        self.status_line = StatusLine()
        self.sources, self.recognition = Sources(self), Recognition(self.context)
        self.playlist = Playlist(self.sources, self.transport, settings)
        self.pictures = Pictures(self.context, self.live, self.decision, self.transport)
        self.prompt_files = PromptFiles(self.context)
        self.waiting = Waiting(theme, self.sources.take)
        self._closed = False
        self.keeping = Keeping(self.context, store, self.recording.jobs)
        self.undo = Undo(self.context, self.use_prompts)
        self._build()
        screen = QGuiApplication.primaryScreen()
        self.pulse = Pulse(Follower(self).tick, screen.refreshRate() if screen is not None else FASTEST_HZ)
        self.pulse.start()

    # ---- putting together

    def _build(self) -> None:
        center = QWidget()
        column = QVBoxLayout(center)
        column.setContentsMargins(8, 0, 2, 0)
        column.setSpacing(4)
        for widget in (self.decision, self.view, self.record_bar, self.transport):
            column.addWidget(widget, 1 if widget is self.view else 0)
        self.setCentralWidget(center)
        self.waiting.card.lie_over(self.view)
        self.banner.lie_over(self.view)
        self.hint = Hint(self.view, "Esc or F10 leaves the demo desk")
        self.drop_sheet = DropSheet(self, self.theme)
        self.setStatusBar(self.status_line)
        self.actions_ = Actions(self)
        self.actions_.fill_menu_bar()
        self.tool_bar = QToolBar("Tools")
        self.tool_bar.setObjectName("tools")
        self.tool_bar.setMovable(False)
        self.tool_bar.setIconSize(QSize(18, 18))
        self.addToolBar(self.tool_bar)
        self.actions_.fill_tool_bar(self.tool_bar)
        self.panels = {spec.name: spec.make(self.context) for spec in PANELS}
        self.prompts = self.panel(PromptUpdates).panel
        self.prompts.model.chosen = self.settings.colors
        self.things = ObjectsShown(self.context, self.view, self.prompts, self.panel(Teaching))
        self.typing = TypingAnywhere(self, self.prompts.entry, self.do.focus_entry, self.banner.say)
        self.prompt_sets = PromptSets(self.context, self.prompts.lists)
        self.docks = layout.make_docks(self, self.panels)
        for dock in self.docks.values():
            self.actions_.menus["panels"].addAction(dock.toggleViewAction())
        self.docks["spacetime"].visibilityChanged.connect(self.actions_.by_name["space_time"].setChecked)
        by_name = self.actions_.by_name
        self.prompts.add_actions(self.actions_.in_list)
        self.waiting.card.offer([by_name[n] for n in ("simulator", "open", "network")])
        in_list = by_name["previous_recording"], by_name["next_recording"]
        steps = [by_name[n] for n in ("step_back", "play", "step_on")]
        self.transport.add_buttons([in_list[0], *steps, in_list[1]], [by_name["loop"]], in_list)
        layout.order_by_keys(self)
        self._connect()
        self.show_settings()
        self.actions_.restyle()
        self.theme.changed.connect(self.actions_.restyle)
        layout.restore(self, self.settings)

    def _connect(self) -> None:
        self.prompts.wanted.connect(self.want_prompts)
        self.prompts.complained.connect(self.complain)
        self.prompts.threshold_changed.connect(self.do.set_threshold)
        self.prompts.templates_asked.connect(self.do.ask_templates)
        self.transport.complained.connect(self.complain)
        self.playlist.complained.connect(self.complain)
        self.playlist.changed.connect(self._show_playlist)
        self._show_playlist()
        for dock in self.docks.values():  # a panel that floats is a window of its own
            dock.topLevelChanged.connect(lambda _, dock=dock: self.typing.watch(dock))
        self.sources.fill_recent(self.actions_.menus["recent"])
        demos = self.actions_.menus["demo"]
        demos.aboutToShow.connect(lambda: self.sources.fill_demos(demos))
        webcams = self.actions_.menus["webcam"]
        webcams.aboutToShow.connect(lambda: self.sources.fill_webcams(webcams))
        self.sources.fill_more(self.actions_.menus["more"])

    def show_settings(self) -> None:
        """Show which settings are in use."""
        actions, settings = self.actions_, self.settings
        actions.check("theme", settings.theme)
        actions.check("event_colors", settings.event_colors)
        actions.check("accumulate", self.live.accumulation)
        actions.check("smoothing", settings.smoothing_s)
        actions.by_name["loop"].setChecked(settings.loop)
        actions.by_name["frames"].setChecked(settings.show_frames)
        self.prompts.threshold.setValue(round(settings.threshold * 100))

    def attach(self, pipeline: PipelineProtocol) -> None:
        """Show a pipeline that was made, and start it."""
        self.pipeline = pipeline
        self.keeping.given = self.recognition.given
        self.keeping.begin(pipeline)
        self.prompts.show_prompts(pipeline.prompts)
        self.source_changed()
        self.sources.remember_source(pipeline.source)
        self.playlist.take_up(self.recognition.config)
        self.recognition.begin(pipeline)
        pipeline.start()
        self.live.load(self.jobs)

    def panel(self, kind: type[P]) -> P:
        """Return the presenter of one kind (KeyError where none is declared)."""
        for presenter in self.panels.values():
            if isinstance(presenter, kind):
                return presenter
        raise KeyError(kind.__name__)

    # ---- commands

    def complain(self, text: str) -> None:
        """Say why something was not done."""
        self.banner.say(text, "hint")

    def want_prompts(self, prompts: PromptSet) -> None:
        """Score against other prompts from now on: what the user asked for, and can take back."""
        self.undo.change_words(self.prompts.prompts, prompts)

    def use_prompts(self, prompts: PromptSet) -> None:
        """Score against other prompts from now on."""
        self.keeping.touched = True
        self.prompts.show_prompts(prompts)
        if self.pipeline is not None:
            self.pipeline.set_prompts(prompts)

    def source_changed(self) -> None:
        """Begin anew: the pipeline reads another source."""
        if self.pipeline is None:
            return
        source = self.pipeline.source
        self.show_title("")
        self._bring_words(source)
        for presenter in self.panels.values():
            presenter.source_changed(source)
        self.transport.set_source(source)
        self.sources.fill_streams(self.actions_.menus["event_stream"])
        self.live.clear()
        self.decided = Decision()
        loop = self.playlist.loop if self.playlist.in_charge else getattr(source, "loop", self.settings.loop)
        self.actions_.by_name["loop"].setChecked(bool(loop))
        histogram = getattr(source, "rate_histogram", None)
        if self.transport.active and histogram is not None:

            def done(result: RateHistogram) -> None:
                if self.pipeline is not None and self.pipeline.source is source:
                    self.transport.seek_bar.set_histogram(result.counts)

            self.jobs.do(lambda: histogram(400), done, lambda _: None)

    def _bring_words(self, source: EventSource) -> None:
        words = words_brought(source, self.prompts.prompts, self.recognition.given)
        if words is not None:
            touched = self.keeping.touched
            self.use_prompts(words)
            self.keeping.touched = touched  # nothing that the user typed

    def _show_playlist(self) -> None:
        self.playlist.fill(self.actions_.menus["playlist"])
        self.show_title("")

    def show_title(self, shows: str) -> None:
        """Say in the title what the source is, and what it shows where it knows it."""
        name = self.pipeline.source.name if self.pipeline is not None else ""
        title = f"{name}: {shows}" if shows else name
        title += f" ({self.playlist.place})" if self.playlist.place else ""
        title = f"{title} – neuroclip-live" if title else "neuroclip-live"
        if title != self.windowTitle():
            self.setWindowTitle(title)

    # ---- what Qt tells the window

    def showEvent(self, event: QShowEvent) -> None:  # noqa: D102
        super().showEvent(event)
        if not self.property("restored"):
            self.setProperty("restored", True)
            layout.share_out(self)
        if not self.property("fitted"):
            self.setProperty("fitted", True)
            layout.fit_to_screen(self)  # what the frame takes is known once the window has one
            QTimer.singleShot(_FRAME_MS, self, lambda: layout.fit_to_screen(self))
        if not self.property("seen"):
            self.setProperty("seen", True)
            self.prompts.entry.setFocus()
        self.typing.watch(self)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: D102
        promise = Dropped.of(event.mimeData()).promise()
        if promise:
            event.acceptProposedAction()
            self.drop_sheet.promise(promise)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: D102
        self.drop_sheet.promise("")

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: D102
        self.drop_sheet.promise("")
        dropped = Dropped.of(event.mimeData())
        if dropped.promise():
            event.acceptProposedAction()
            rest = dropped.open(self.sources)
            if rest:
                self.complain(rest)
        else:  # the program it came from has ended, or took it back
            self.complain("Nothing came with what was dropped: open it with Ctrl+O")

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: D102
        if not self._closed:
            self._closed = True
            self.pulse.stop()
            for presenter in self.panels.values():
                presenter.stop()
            self.export.close()
            layout.show_desk(self, False)
            self.settings.geometry = _as_text(self.saveGeometry())
            self.settings.docks = _as_text(self.saveState(layout.VERSION))
            self.keeping.close()
            self.undo.stack.clear()
        super().closeEvent(event)


def _as_text(state: QByteArray) -> str:
    """Return what Qt saved of a window, as settings files hold it."""
    return bytes(state.toBase64().data()).decode()
