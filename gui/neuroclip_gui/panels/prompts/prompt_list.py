"""The list of prompts as it is used: keyboard first, calm while scores move."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QListView

from neuroclip_gui.panels.prompts.pinned_row import PinnedRow
from neuroclip_gui.panels.prompts.prompt_delegate import PromptDelegate
from neuroclip_gui.panels.prompts.prompt_model import PromptModel
from neuroclip_gui.style.theme import Theme


class PromptList(QListView):
    """The view."""

    def __init__(self, model: PromptModel, theme: Theme) -> None:
        super().__init__()
        self._best, self._prompts = "", model
        self.setModel(model)
        self.setItemDelegate(PromptDelegate(theme, self))
        self.setAccessibleName("Prompts")
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QListView.EditTrigger.DoubleClicked | QListView.EditTrigger.EditKeyPressed)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.pinned = PinnedRow(self, theme)
        self.verticalScrollBar().valueChanged.connect(lambda _: self.show_best(self._best))

    @property
    def is_editing(self) -> bool:
        """Whether a word is being renamed."""
        return self.state() == QListView.State.EditingState

    def show_best(self, label: str) -> None:
        """Keep the row of the best word in view, wherever the list is scrolled to; "" for none."""
        self._best = label
        self.pinned.pin(self._prompts.row_of(label))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102
        super().resizeEvent(event)
        self.show_best(self._best)

    def selected(self) -> list[str]:
        """Return the labels selected, from the top."""
        rows = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return [self._prompts.label(row) for row in rows]

    def select(self, labels: list[str]) -> None:
        """Select rows by label."""
        model, selection = self._prompts, self.selectionModel()
        selection.clear()
        for row in range(model.rowCount()):
            if model.label(row) in labels:
                flag = selection.SelectionFlag.Select
                selection.select(model.index(row), flag)
                selection.setCurrentIndex(model.index(row), selection.SelectionFlag.NoUpdate)
