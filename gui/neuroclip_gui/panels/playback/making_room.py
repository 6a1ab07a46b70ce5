"""What a narrow row of controls gives up so that the seek bar keeps its room, and where it is found then."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from neuroclip_gui.style import icons
from neuroclip_gui.style.theme import Theme

SEEK_ROOM = 200
"""The bar is not made narrower than this while there is something to give up for it."""
LEAST_SEEK_ROOM = 120
"""In a narrower one nobody hits a place."""


class MakingRoom:
    """Hides parts of a row, the least needed first, and offers their actions behind a button.

    Parameters
    ----------
    row : QHBoxLayout
        Holds the seek bar, which takes what the others leave.
    bar : QWidget
        The seek bar.
    texts : callable
        Given whether they are to be short, returns what labels of the row say; length is the first to go.
    theme : Theme

    Attributes
    ----------
    short : bool
        Whether texts are short now.
    """

    def __init__(
        self,
        row: QHBoxLayout,
        bar: QWidget,
        texts: Callable[[bool], Mapping[QLabel, str]],
        theme: Theme,
    ) -> None:
        self._row, self._bar, self._texts, self._theme = row, bar, texts, theme
        self.short = False
        self._steps: list[list[tuple[QWidget, QAction]]] = []
        self._unwanted: frozenset[QWidget] = frozenset()
        self.more = QToolButton()
        self.more.setObjectName("quiet")
        self.more.setToolTip("More")
        self.more.setAccessibleName("More controls of the recording")
        self.more.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self.more)
        self.more.setMenu(self._menu)
        self.more.hide()
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self.more.setIcon(icons.pixmap("overflow", self._theme.color("text")))

    def give_up(self, together: Sequence[tuple[QWidget, QAction]]) -> None:
        """Add what goes at once; what is added first goes first."""
        self._steps.append(list(together))

    def want(self, unwanted: Collection[QWidget]) -> None:
        """Say what has no place at all now, whatever room there is."""
        self._unwanted = frozenset(unwanted)

    def fit(self, width: int) -> None:
        """Show what has room beside the bar in a row of this width."""
        gone: set[QWidget] = set()
        self.short = self._others(gone, False) + SEEK_ROOM > width
        for together in self._steps:
            if self._others(gone, self.short) + SEEK_ROOM <= width:
                break
            gone.update(widget for widget, _ in together if widget not in self._unwanted)
        self._menu.clear()
        for widget, action in (pair for step in self._steps for pair in step):
            widget.setVisible(widget not in gone and widget not in self._unwanted)
            if widget in gone:
                self._menu.addAction(action)
        self.more.setVisible(bool(gone))
        self.say()

    def say(self) -> None:
        """Write the texts anew."""
        for label, text in self._texts(self.short).items():
            label.setText(text)

    def least(self) -> int:
        """Return the width under which even the bar has no room, when all is given up."""
        gone = {widget for together in self._steps for widget, _ in together} - self._unwanted
        return self._others(gone, True) + LEAST_SEEK_ROOM

    def _others(self, gone: Collection[QWidget], short: bool) -> int:
        """Return what all but the bar takes, margins and gaps too, once some are gone."""
        taken, count = 0, 1
        texts = self._texts(short)
        stepped = {widget for together in self._steps for widget, _ in together}
        for place in range(self._row.count()):
            item = self._row.itemAt(place)
            widget = item.widget() if item is not None else None
            if widget is None or widget is self._bar or widget in gone or widget in self._unwanted:
                continue
            if widget is self.more:
                shown = bool(gone)
            else:
                shown = widget in stepped or not widget.isHidden()
            if shown:
                taken += _width(widget, texts)
                count += 1
        margins = self._row.contentsMargins()
        return taken + margins.left() + margins.right() + (count - 1) * self._row.spacing()


def _width(widget: QWidget, texts: Mapping[QLabel, str]) -> int:
    width = max(widget.sizeHint().width(), widget.minimumWidth())
    if isinstance(widget, QLabel) and widget in texts:
        measure = widget.fontMetrics().horizontalAdvance
        width += measure(texts[widget]) - measure(widget.text())
    return width
