"""What happens when something is seen: the actions of a file, how each stands, and what fired."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
)

from neuroclip_gui.style.elided import ElidedLabel
from neuroclip_gui.style.panel import Panel
from neuroclip_gui.style.theme import Theme
from neuroclip_live.actions.rule_state import RuleState

NOTHING = "No actions yet"
_TO_DO = "Open a file that says what is to happen when something is seen."
_LOG = "What fires is told here, and why."
_COLUMNS = ("Action", "Now", "State", "Fired")
_MOST_LINES = 200


class ActingPanel(Panel):
    """Shows actions; the commands are in :mod:`neuroclip_gui.panels.acting.acting_commands`.

    Parameters
    ----------
    theme : Theme

    Attributes
    ----------
    opened, closed : Signal()
        A file is to be chosen, or the one there put away.
    dry_run_wanted : Signal(bool)
    """

    opened = Signal()
    closed = Signal()
    dry_run_wanted = Signal(bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._shown: list[RuleState] = []
        self.name, self.dry_run = ElidedLabel(Qt.TextElideMode.ElideRight), QCheckBox("Dry run")
        self.open, self.close_file = QPushButton("Open…"), QPushButton("Close")
        self.list, self.log = QTreeWidget(), QPlainTextEdit()
        self._build()
        theme.changed.connect(self._restyle)

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(320, 220)

    def _build(self) -> None:
        self.name.setProperty("role", "small")
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.open.setToolTip("Open a file of actions (TOML); nothing is done before Dry run is taken away")
        self.close_file.setToolTip("Do nothing any more when something is seen")
        self.dry_run.setToolTip("Say what would be done, and do nothing")
        self.open.setAccessibleName("Open a file of actions")
        self.close_file.setAccessibleName("Close the file of actions")
        self.dry_run.setAccessibleName("Dry run of actions")
        self.open.clicked.connect(self.opened)
        self.close_file.clicked.connect(self.closed)
        self.dry_run.clicked.connect(self.dry_run_wanted)
        self.list.setColumnCount(len(_COLUMNS))
        self.list.setHeaderLabels(_COLUMNS)
        self.list.setRootIsDecorated(False)
        self.list.setIndentation(0)
        self.list.setAccessibleName("Actions")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setFrameShape(QTreeWidget.Shape.NoFrame)
        self.list.setMinimumHeight(44)
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in range(1, len(_COLUMNS)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(_MOST_LINES)
        self.log.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.log.setAccessibleName("What fired")
        self.log.setTabChangesFocus(True)
        self.log.setMinimumHeight(32)
        top = QHBoxLayout()
        top.addWidget(self.name, 1)
        for widget in (self.dry_run, self.open, self.close_file):
            top.addWidget(widget)
        parts = QSplitter(Qt.Orientation.Vertical)
        parts.setChildrenCollapsible(False)
        for part, share in ((self.list, 3), (self.log, 2)):
            parts.addWidget(part)
            parts.setStretchFactor(parts.count() - 1, share)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 6)
        layout.setSpacing(5)
        layout.addLayout(top)
        layout.addWidget(parts, 1)
        self.show_file(None, dry_run=False)

    # ---- what the window tells the panel

    def show_file(self, name: str | None, *, dry_run: bool, where: str = "") -> None:
        """Show which file is open; None for none."""
        self.name.setText(name if name is not None else NOTHING)
        self.name.setToolTip(where or self.name.text())
        self.log.setPlaceholderText(_LOG if name is not None else _TO_DO)
        self.dry_run.setChecked(dry_run)
        for widget in (self.dry_run, self.close_file):
            widget.setEnabled(name is not None)
        self.close_file.setVisible(name is not None)
        self.dry_run.setVisible(name is not None)
        if name is None:
            self.show_states([])

    def begin_log(self) -> None:
        """Forget what fired: another file."""
        self.log.clear()

    def show_states(self, states: Sequence[RuleState]) -> None:
        """Show how each action stands."""
        if list(states) == self._shown:
            return
        same = [state.name for state in states] == [state.name for state in self._shown]
        self._shown = list(states)
        if not same:
            self.list.clear()
            self.list.addTopLevelItems([QTreeWidgetItem() for _ in states])
        for row, state in enumerate(states):
            item = self.list.topLevelItem(row)
            if item is not None:
                self._show(item, state)

    def _show(self, item: QTreeWidgetItem, state: RuleState) -> None:
        told = {
            "missing": "nobody asks for it",
            "ready": "ready",
            "seen": f"seen for {state.held_s:.1f} s",
            "fired": "fired, not over",
        }[state.standing]
        texts = state.name, f"{state.share:.0%}", told, str(state.count)
        role = {"missing": "warn", "seen": "text", "fired": "accent"}.get(state.standing, "muted")
        tip = "\n".join(text for text in (self._about(state), state.why) if text)
        for column, text in enumerate(texts):
            if item.text(column) != text:
                item.setText(column, text)
            if item.toolTip(column) != tip:
                item.setToolTip(column, tip)
        for column in range(1, len(texts)):
            item.setForeground(column, self._theme.color(role if column == 2 else "muted"))
            if column != 2:
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def _about(self, state: RuleState) -> str:
        missing = f"“{state.label}” is no prompt and not taught\n" if state.standing == "missing" else ""
        left = f"; {state.suppressed} left out as too soon" if state.suppressed else ""
        return f"{missing}{state.rule}: {', '.join(state.effects)}{left}"

    def add_lines(self, lines: Sequence[str]) -> None:
        """Tell what fired, was done or failed."""
        for line in lines:
            self.log.appendPlainText(line)

    def _restyle(self) -> None:
        self._shown, states = [], self._shown
        self.list.clear()
        self.show_states(states)
