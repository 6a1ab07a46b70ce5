"""The panel: which index, what to look for, and the moments found as small pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QImage, QKeySequence, QPainter, QPixmap, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from neuroclip_gui.panels.search.filters import Filters
from neuroclip_gui.panels.search.found import Found
from neuroclip_gui.style.elided import ElidedLabel
from neuroclip_gui.style.panel import Panel

PICTURE = QSize(96, 72)
WHAT_FOR = "Encode a folder of recordings once; any word typed later finds its moments in milliseconds."


class SearchPanel(Panel):
    """Shows and asks; :class:`neuroclip_gui.panels.search.search_commands.Search` does.

    Attributes
    ----------
    asked : Signal(str)
        Words to look for.
    alike : Signal(object)
        A :class:`Found` that others are to look like.
    chosen : Signal(object)
        A :class:`Found` to be played.
    open_asked, index_asked, stop_asked : Signal()
    """

    asked = Signal(str)
    alike = Signal(object)
    chosen = Signal(object)
    open_asked, index_asked, stop_asked = Signal(), Signal(), Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Search")
        self.title, self.state = QLabel(), QLabel()
        self.open, self.index = QPushButton("Open an index…"), QPushButton("Index a folder…")
        self.entry, self.list, self.filters = QLineEdit(), QListWidget(), Filters()
        self.like = QPushButton("More like this")
        self.progress, self.doing = QWidget(), ElidedLabel(Qt.TextElideMode.ElideRight)
        self.bar, self.stop = QProgressBar(), QPushButton("Stop")
        self._found: list[Found] = []
        self._prepare()
        self._build()
        self._wire()
        self.show_index("", "")
        self.like.hide()
        self.show_progress("", None)

    # ---- putting together

    def _prepare(self) -> None:
        self.title.setProperty("role", "value")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setWordWrap(True)
        self.state.setProperty("role", "muted")
        self.state.setWordWrap(True)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.open.setToolTip("A folder that neuroclip-live index has made")
        self.index.setToolTip("Encode its recordings into the index, beside everything else that goes on")
        self.entry.setObjectName("prompt")
        self.entry.setPlaceholderText("What was seen? Press Enter")
        self.entry.setToolTip(
            "A word or a phrase. With commas, all of them at the same time; -hand: moments that look more "
            "like a hand score low."
        )
        self.entry.setClearButtonEnabled(True)
        for button in self.entry.findChildren(QToolButton):  # Qt leaves it without a name
            button.setAccessibleName("Clear")
        self.like.setToolTip("Moments that look like the one selected")
        self.list.setObjectName("moments")
        self.list.setIconSize(PICTURE)
        self.list.setUniformItemSizes(True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.doing.setProperty("role", "small")
        self.doing.setTextFormat(Qt.TextFormat.PlainText)
        self.doing.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.bar.setTextVisible(False)
        for widget, name in (
            (self.entry, "Search recordings"), (self.list, "Moments found"), (self.bar, "Indexing"),
            (self.state, "What was found"), (self.stop, "Stop indexing"), (self.open, "Open an index"),
            (self.index, "Index a folder"), (self.like, "More moments like this"),
        ):  # fmt: skip
            widget.setAccessibleName(name)

    def _build(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.open)
        buttons.addWidget(self.index)
        buttons.addStretch(1)
        row = QHBoxLayout(self.progress)
        row.setContentsMargins(0, 0, 0, 0)
        told = QVBoxLayout()
        told.addWidget(self.doing)
        told.addWidget(self.bar)
        row.addLayout(told, 1)
        row.addWidget(self.stop)
        below = QHBoxLayout()
        below.addWidget(self.state, 1)
        below.addWidget(self.like)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(7)
        column.addWidget(self.entry)
        column.addWidget(self.filters)
        column.addWidget(self.title)
        column.addLayout(buttons)
        column.addWidget(self.progress)
        column.addLayout(below)
        column.addWidget(self.list, 1)

    def _wire(self) -> None:
        for pressed in (self.entry.returnPressed, self.filters.asked):
            pressed.connect(lambda: self.asked.emit(self.entry.text()))
        self.open.clicked.connect(lambda: self.open_asked.emit())
        self.index.clicked.connect(lambda: self.index_asked.emit())
        self.stop.clicked.connect(lambda: self.stop_asked.emit())
        self.like.clicked.connect(self._on_like)
        self.list.itemClicked.connect(self._choose)
        self.list.currentRowChanged.connect(lambda row: self.like.setEnabled(row >= 0))
        for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            shortcut = QShortcut(QKeySequence(key), self.list)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(lambda: self._choose(self.list.currentItem()))

    def _on_like(self) -> None:
        row = self.list.currentRow()
        if 0 <= row < len(self._found):
            self.alike.emit(self._found[row])

    def _choose(self, item: QListWidgetItem | None) -> None:
        row = self.list.row(item) if item is not None else -1
        if 0 <= row < len(self._found):
            self.chosen.emit(self._found[row])

    # ---- shown

    def show_index(self, name: str, facts: str, tip: str = "") -> None:
        """Say which index is searched, and what is in it; an empty name says what one is for."""
        self.title.setText(f"{name}   {facts}".strip())
        self.title.setToolTip(tip)
        self.title.setVisible(bool(name))
        if not name:
            self.say(WHAT_FOR)
        elif self.state.text() == WHAT_FOR:
            self.say("")

    def say(self, text: str) -> None:
        """Say what is going on, or what was found."""
        self.state.setText(text)

    def show_progress(self, doing: str, share: float | None) -> None:
        """Show how far indexing is; nothing while ``doing`` is empty."""
        self.progress.setVisible(bool(doing))
        if doing != self.doing.text():
            self.doing.setText(doing)
            self.doing.setToolTip(doing)
        self.bar.setRange(0, 0 if share is None else 1000)  # nobody knows: it moves to and fro
        self.bar.setValue(round(1000 * (share or 0.0)))

    def show_found(self, found: Sequence[Found]) -> None:
        """List moments, their pictures still to come."""
        self._found = list(found)
        self.list.clear()
        blank = QPixmap(PICTURE)
        blank.fill(QColor(0, 0, 0, 0))
        for moment in self._found:
            item = QListWidgetItem(blank, f"{moment.name}\n{moment.when}\n{moment.score:.0%}")
            item.setToolTip(f"{moment.path}\nClick to play it from there")
            self.list.addItem(item)
        self.list.setCurrentRow(-1)
        self.like.setVisible(bool(found))
        self.like.setEnabled(False)
        self.list.scrollToTop()

    def show_picture(self, row: int, picture: npt.NDArray[np.uint8], ground: QColor) -> None:
        """Put the picture of a moment, (H, W, 3) uint8, on a ground of one color into its row."""
        item = self.list.item(row)
        if item is not None:
            item.setIcon(_icon(picture, ground))


def _icon(picture: npt.NDArray[np.uint8], ground: QColor) -> QIcon:
    """Return a picture in the middle of an icon of the one size that all have."""
    height, width = picture.shape[:2]
    data = np.ascontiguousarray(picture)
    image = QImage(data.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    fitted = QPixmap.fromImage(image).scaled(
        PICTURE, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    out = QPixmap(PICTURE)
    out.fill(ground)
    painter = QPainter(out)
    painter.drawPixmap((out.width() - fitted.width()) // 2, (out.height() - fitted.height()) // 2, fitted)
    painter.end()
    icon = QIcon(out)
    icon.addPixmap(out, QIcon.Mode.Selected)  # else Qt colors it when its row is selected
    return icon
