"""Teaching by showing: which label, a button to hold, what was learned so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
)

from neuroclip_gui.style.fields import line_of
from neuroclip_gui.style.panel import Panel
from neuroclip_gui.style.theme import Theme

if TYPE_CHECKING:
    from neuroclip_live.learning.teaching_status import TeachingStatus

HOLD = "Hold while showing it  (F8)"


class TeachPanel(Panel):
    """What teaching needs at hand; the commands are in :mod:`neuroclip_gui.panels.teach.teach_commands`.

    Parameters
    ----------
    theme : Theme
    color : callable
        Gives a label's color.

    Attributes
    ----------
    named : Signal()
        The name was entered: T is to be a key again, not a letter.
    pressed, released : Signal()
        The button went down, or up.
    """

    named = Signal()
    pressed = Signal()
    released = Signal()

    def __init__(self, theme: Theme, color: Callable[[str], QColor]) -> None:
        super().__init__()
        self._theme, self._color = theme, color
        self._shown: tuple[object, ...] = ()
        self._labels: tuple[str, ...] = ()
        self.entry = QComboBox()
        self.hold = QPushButton(HOLD)
        self.state = QLabel()
        self.progress = QProgressBar()
        self.list = QTreeWidget()
        self._row = QHBoxLayout()
        self._low = QHBoxLayout()
        self._build()
        theme.changed.connect(self._restyle)

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(320, 220)

    def _build(self) -> None:
        self.entry.setEditable(True)
        self.entry.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.entry.setAccessibleName("What is shown")
        self.entry.setToolTip("The label to teach: one of your prompts, or any new name")
        line = line_of(self.entry)
        line.setAccessibleName("What is shown")
        line.setPlaceholderText("Name it")
        line.returnPressed.connect(self.named)
        self.entry.setCurrentText("")
        self.hold.setAccessibleName("Hold while showing it")
        self.hold.setMinimumHeight(34)
        self.hold.setToolTip(
            "Hold this button, or the key F8, while the camera sees the thing and it moves;\n"
            "with the picture in focus the key T too. "
            "A short press takes the last two seconds instead."
        )
        self.hold.pressed.connect(self.pressed)
        self.hold.released.connect(self.released)
        self.state.setProperty("role", "small")
        self.state.setWordWrap(True)
        self.progress.setRange(0, 100)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Training")
        self.list.setColumnCount(2)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setIndentation(0)
        self.list.setAccessibleName("Taught labels")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setMinimumHeight(44)
        self.list.setFrameShape(QTreeWidget.Shape.NoFrame)
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.list.itemActivated.connect(lambda item: self.entry.setCurrentText(item.text(0)))
        self.list.itemClicked.connect(lambda item: self.entry.setCurrentText(item.text(0)))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 6)
        layout.setSpacing(5)
        top = QHBoxLayout()
        top.addWidget(self.entry, 2)
        top.addWidget(self.hold, 3)
        layout.addLayout(top)
        layout.addLayout(self._row)
        layout.addWidget(self.progress)
        layout.addWidget(self.state)
        layout.addWidget(self.list, 1)
        layout.addLayout(self._low)
        self.show_status(None)

    def add_buttons(self, above: list[QAction], below: list[QAction]) -> None:
        """Put actions under the button to hold, and others under the list."""
        for row, actions in ((self._row, above), (self._low, below)):
            row.setSpacing(4)
            for action in actions:
                button = QPushButton(action.text().replace("&", ""))
                button.setToolTip(action.toolTip())
                button.clicked.connect(action.trigger)
                row.addWidget(button)

    # ---- what the window tells the panel

    def set_labels(self, labels: tuple[str, ...]) -> None:
        """Offer these labels; what was typed stays."""
        if labels == self._labels:
            return
        self._labels = labels
        typed = self.entry.currentText()
        self.entry.blockSignals(True)
        self.entry.clear()
        self.entry.addItems(labels)
        self.entry.setCurrentText(typed)
        self.entry.blockSignals(False)

    def show_status(self, status: TeachingStatus | None) -> None:
        """Show what is taught and how far training is; None while the model loads."""
        self.hold.setEnabled(status is not None)
        if status is None:
            self._tell("The model is still loading", None)
            return
        showing = status.collecting is not None
        self.hold.setText(f"“{status.collecting}”: {_windows(status.collected)}" if showing else HOLD)
        if showing:
            self._tell("Keep it moving; let go when it was seen from all sides.", None)
        elif status.training is not None:
            self._tell(
                f"Training, {status.training:.0%}. What was shown is recognized already.", status.training
            )
        elif status.message:
            self._tell(status.message, None, "bad")
        elif status.labels:
            extra = f", {_windows(status.counter_examples)} of what is not" if status.counter_examples else ""
            self._tell(f"{'Learned' if status.trained else 'Preparing'}{extra}", None)
        else:
            self._tell("Nothing taught yet: name a thing, show it, hold the button.", None)
        self._fill(status)

    def selected(self) -> str:
        """Return the taught label selected in the list; empty for none."""
        items = self.list.selectedItems()
        return items[0].text(0) if items else ""

    def _tell(self, text: str, share: float | None, role: str = "small") -> None:
        if self.state.text() != text:
            self.state.setText(text)
        if self.state.property("role") != role:
            self.state.setProperty("role", role)
            self.state.style().polish(self.state)
        self.progress.setValue(round(100 * (share or 0.0)))
        self.progress.setVisible(share is not None)

    def _fill(self, status: TeachingStatus) -> None:
        shown = tuple((label, count, self._color(label).name()) for label, count in status.labels)
        if shown == self._shown:
            return
        self._shown = shown
        selected = self.selected()
        self.list.clear()
        for label, count, color in shown:
            item = QTreeWidgetItem([label, _windows(count)])
            item.setIcon(0, _dot(QColor(color)))
            item.setForeground(1, self._theme.color("muted"))
            item.setToolTip(0, f"{label}: {_windows(count)} of it were shown")
            self.list.addTopLevelItem(item)
            item.setSelected(label == selected)

    def _restyle(self) -> None:
        self._shown = ()


def _windows(count: int) -> str:
    return f"{count} shot" + ("" if count == 1 else "s")


def _dot(color: QColor) -> QIcon:
    pixmap = QPixmap(20, 20)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawEllipse(4, 4, 12, 12)
    painter.end()
    return QIcon(pixmap)
