"""Where the panels are, at first and when the window comes back."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QDialog, QDockWidget, QLabel, QLayout, QVBoxLayout, QWidget

from neuroclip_gui.panel_spec import Presenter, Where
from neuroclip_gui.panels.declared import PANELS
from neuroclip_gui.style.dock_title import DockTitle, Grip

if TYPE_CHECKING:
    from neuroclip_gui.main_window import MainWindow
    from neuroclip_gui.settings import WindowSettings

VERSION = 6
"""Of the arrangement: another one makes Qt ignore what was saved."""
_TITLE_BAR = 30
_LEFT = Qt.DockWidgetArea.LeftDockWidgetArea
_RIGHT, _BOTTOM = Qt.DockWidgetArea.RightDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea
_AREAS = {Where.WORDS: _RIGHT, Where.PAST: _RIGHT, Where.LEFT: _LEFT, Where.BOTTOM: _BOTTOM}
_TABBED = (Where.WORDS, Where.PAST)
"""Where panels have tabs, and so need no title."""


def make_docks(window: MainWindow, panels: Mapping[str, Presenter]) -> dict[str, QDockWidget]:
    """Wrap the panels in docks."""
    docks = {}
    for spec in PANELS:
        dock = QDockWidget(spec.title, window)
        dock.setObjectName(spec.name)
        dock.setWidget(panels[spec.name].widget)
        dock.setAccessibleName(spec.title)
        bar = Grip if spec.where in _TABBED else DockTitle
        dock.setTitleBarWidget(bar(dock, window.theme))
        docks[spec.name] = dock
    window.setDockOptions(
        window.DockOption.AnimatedDocks
        | window.DockOption.AllowNestedDocks
        | window.DockOption.AllowTabbedDocks
    )
    window.setCorner(Qt.Corner.BottomRightCorner, _RIGHT)
    window.setTabPosition(_RIGHT, window.tabPosition(_RIGHT).North)
    return docks


def arrange(window: MainWindow) -> None:
    """Put every dock in its first place."""
    docks = window.docks
    for dock in docks.values():
        window.removeDockWidget(dock)
    first: list[QDockWidget] = []
    for where, area in _AREAS.items():
        there = [docks[spec.name] for spec in PANELS if spec.where is where]
        if there:
            window.addDockWidget(area, there[0])
            first.append(there[0])
        for one, next_one in pairwise(there):
            window.tabifyDockWidget(one, next_one)
    for spec in PANELS:
        docks[spec.name].setFloating(False)
        docks[spec.name].setVisible(spec.at_first)
    for dock in reversed(first):
        dock.raise_()
    share_out(window)


def bring_forward(window: MainWindow, name: str) -> None:
    """Bring a panel into view; that leaves the demo desk, on which there is none."""
    if window.property("desk"):
        window.actions_.by_name["desk"].setChecked(False)
    window.docks[name].show()
    window.docks[name].raise_()


def order_by_keys(window: MainWindow) -> None:
    """Have Tab go through panels as the eye does: Qt goes by when something was made."""
    picture = window.view.focusProxy() or window.view
    below = [*_stops(window.record_bar.layout()), *_stops(window.transport.layout())]
    for stops in (
        [picture, *window.waiting.card.buttons, *below],
        _stops(window.panels["teach"].widget.layout()),
    ):
        for one, next_one in pairwise(stops):
            QWidget.setTabOrder(one, next_one)


def _stops(layout: QLayout | None) -> list[QWidget]:
    """Return what the keyboard stops at in a layout, in its order."""
    stops: list[QWidget] = []
    for number in range(layout.count() if layout is not None else 0):
        item = layout.itemAt(number) if layout is not None else None
        if item is None:
            continue
        widget, inner = item.widget(), item.layout()
        if widget is not None and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            stops.append(widget)
        inner = widget.layout() if widget is not None else inner
        stops += _stops(inner)
    return stops


def share_out(window: MainWindow) -> None:
    """Give the panels their first sizes; Qt heeds it only once the window has its own."""
    docks, vertical = window.docks, Qt.Orientation.Vertical
    height = max(400, window.height())
    wide = max(320, window.width() * 29 // 100)
    window.resizeDocks([docks["prompts"]], [wide], Qt.Orientation.Horizontal)
    low = height * (28 if height < 760 else 33) // 100  # the words first
    window.resizeDocks([docks["prompts"], docks["timeline"]], [height - low, low], vertical)
    window.resizeDocks([docks["strip"]], [max(126, height * 17 // 100)], vertical)


def restore(window: MainWindow, settings: WindowSettings) -> None:
    """Come back as the window was left; anything that does not fit gives the first arrangement."""
    arrange(window)
    geometry = QByteArray.fromBase64(settings.geometry.encode("ascii", "ignore"))
    if geometry.isEmpty() or not window.restoreGeometry(geometry):
        window.resize(1280, 720)
        screen = window.screen()
        if screen is not None:  # a title bar is not known yet: fit_to_screen looks again
            free = screen.availableGeometry()
            window.resize(min(1440, free.width()), min(900, free.height() - _TITLE_BAR))
    docks = QByteArray.fromBase64(settings.docks.encode("ascii", "ignore"))
    window.setProperty("restored", not docks.isEmpty() and window.restoreState(docks, VERSION))


def show_space_time(window: MainWindow, on: bool) -> None:
    """Show the events in space and time beside the picture, or no more."""
    dock = window.docks["spacetime"]
    if on == dock.isVisible():
        return
    dock.setVisible(on)
    if on and not dock.isFloating():
        room = window.view.width() + dock.width()
        beside = window.transport.minimumSizeHint().width() if window.transport.active else 0
        window.resizeDocks([dock], [max(240, min(room // 2, room - beside))], Qt.Orientation.Horizontal)


def fit_to_screen(window: MainWindow) -> None:
    """Make the window, with its frame, no larger than the screen without its panels, and put it there."""
    screen = window.screen()
    if screen is None or window.isMaximized() or window.isFullScreen():
        return
    free, frame, inner = screen.availableGeometry(), window.frameGeometry(), window.geometry()
    border = frame.width() - inner.width(), frame.height() - inner.height()
    width = min(inner.width(), free.width() - border[0])
    height = min(inner.height(), free.height() - border[1])
    if (width, height) != (inner.width(), inner.height()):
        window.resize(width, height)
    left = min(max(frame.left(), free.left()), free.right() + 1 - width - border[0])
    top = min(max(frame.top(), free.top()), free.bottom() + 1 - height - border[1])
    if (left, top) != (frame.left(), frame.top()):
        window.move(left, top)


def show_desk(window: MainWindow, on: bool) -> None:
    """Hide everything but the picture and the answer, or bring it back."""
    if on == bool(window.property("desk")):
        return
    window.setProperty("desk", on)
    window.decision.set_large(on)
    window.view.set_bare(on)
    docks = window.docks
    if on:
        # by hand: restoreState would leave a second set of tabs behind the first
        before = [(n, d.width(), d.height(), _in_front(d)) for n, d in docks.items() if not d.isHidden()]
        window.setProperty("docks_before", before)
    for dock in docks.values():
        dock.setVisible(False)
    window.tool_bar.setVisible(not on)
    window.menuBar().setVisible(not on)
    window.status_line.setVisible(not on)
    window.transport.setVisible(not on and window.transport.active)
    if on:
        window.hint.appear()
        return
    window.hint.vanish()
    shown: list[tuple[str, int, int, bool]] = window.property("docks_before")
    for name, *_ in shown:
        docks[name].show()
    front = [(docks[name], width, height) for name, width, height, in_front in shown if in_front]
    for dock, *_ in front:
        dock.raise_()
    in_view = [dock for dock, *_ in front]
    window.resizeDocks(in_view, [width for _, width, _ in front], Qt.Orientation.Horizontal)
    window.resizeDocks(in_view, [height for *_, height in front], Qt.Orientation.Vertical)


def _in_front(dock: QDockWidget) -> bool:
    """Tell whether a dock is in view, and not behind another's tab."""
    return not dock.visibleRegion().isEmpty()


def about_dialog(window: MainWindow) -> QDialog:
    """Return the dialog that says what this is."""
    from neuroclip_live import __version__

    dialog = QDialog(window)
    dialog.setWindowTitle("About neuroclip-live")
    title = QLabel(f"neuroclip-live {__version__}")
    title.setProperty("role", "title")
    text = QLabel(
        "Point an event camera, type any words, and see live which of them it sees.\n\n"
        "The method is NeuroCLIP (arXiv 2306.12073): event frames, a CLIP encoder,\n"
        "and a spiking adapter between timesteps.  Apache-2.0."
    )
    column = QVBoxLayout(dialog)
    column.setContentsMargins(22, 18, 22, 20)
    column.addWidget(title)
    column.addWidget(text)
    return dialog
