"""The list of prompts as it is used: keyboard first, calm while scores move."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListView

from neuroclip_gui.panels.prompts.prompt_delegate import PromptDelegate
from neuroclip_gui.panels.prompts.prompt_model import PromptModel
from neuroclip_gui.style.theme import Theme


class PromptList(QListView):
    """The view."""

    def __init__(self, model: PromptModel, theme: Theme) -> None:
        super().__init__()
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

    def selected(self) -> list[str]:
        """Return the labels selected, from the top."""
        rows = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return [self.model().label(row) for row in rows]

    def select(self, labels: list[str]) -> None:
        """Select rows by label."""
        model, selection = self.model(), self.selectionModel()
        selection.clear()
        for row in range(model.rowCount()):
            if model.label(row) in labels:
                flag = selection.SelectionFlag.Select
                selection.select(model.index(row), flag)
                selection.setCurrentIndex(model.index(row), selection.SelectionFlag.NoUpdate)
