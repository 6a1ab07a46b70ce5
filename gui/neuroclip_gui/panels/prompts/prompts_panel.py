"""Prompts and what they score: type a word, press Enter, watch its bar.

The panel never changes a set: it asks for another one through :attr:`PromptsPanel.wanted` and shows
whatever set the pipeline holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QColor
from PySide6.QtWidgets import (
    QApplication,
    QColorDialog,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
)

from neuroclip_gui.files import as_text
from neuroclip_gui.panels.prompts.none_row import NoneRow
from neuroclip_gui.panels.prompts.prompt_entry import PromptEntry
from neuroclip_gui.panels.prompts.prompt_list import PromptList
from neuroclip_gui.panels.prompts.prompt_model import PromptModel
from neuroclip_gui.panels.prompts.templates_dialog import describe_templates
from neuroclip_gui.style.elided import ElidedButton, ElidedLabel
from neuroclip_gui.style.panel import Panel
from neuroclip_gui.style.theme import Theme
from neuroclip_live.errors import UserError
from neuroclip_live.model.purposes import purpose_of
from neuroclip_live.prompting.prompt_set import MAX_PROMPTS, PromptSet, split_prompts
from neuroclip_live.recognition.prediction import Decision


class PromptsPanel(Panel):
    """List, entry and the settings of deciding.

    Attributes
    ----------
    wanted : Signal(object)
        A :class:`PromptSet` the user asks for.
    complained : Signal(str)
        Why something asked for cannot be.
    threshold_changed : Signal(float)
    templates_asked : Signal()
    """

    wanted = Signal(object)
    complained = Signal(str)
    threshold_changed = Signal(float)
    templates_asked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.prompts = PromptSet()
        self._model = ""
        self.model = PromptModel(theme)
        self.list = PromptList(self.model, theme)
        self.entry = PromptEntry()
        self.threshold = QSlider(Qt.Orientation.Horizontal)
        self.none = NoneRow(theme)
        self.templates = ElidedButton("the label alone")
        self._threshold_text = QLabel()
        self._purpose = ElidedLabel(Qt.TextElideMode.ElideRight)
        self.lists = QToolButton()
        self._empty = QLabel("No words yet. Type one above:\n“a mug”, “scissors”, “my cat”.")
        self._build()
        self._connect()

    def _build(self) -> None:
        self._empty.setProperty("role", "muted")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setMinimumHeight(90)
        self._empty.hide()
        self._purpose.setProperty("role", "small")
        self._purpose.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._purpose.setText(" ")  # its room is there before the model is: nothing jumps when it comes
        self.lists.setText("Lists  ▾")
        self.lists.setToolTip("Lists of words saved by name")
        self.lists.setAccessibleName("Saved lists")
        self.lists.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.threshold.setRange(0, 95)
        self.threshold.setAccessibleName("Least probability")
        self.threshold.setToolTip(
            "Below this probability the window says “Not sure”. It changes what is shown, not what is "
            "recognized."
        )
        self._threshold_text.setMinimumWidth(34)
        self.none.setToolTip(
            "Lets the scene match nothing you typed: “none of these” competes with your words.\n"
            "Only for models that were calibrated for it."
        )
        self.templates.setToolTip("The sentences a word is put into before it is compared with what is seen.")
        self.templates.setAccessibleName("Sentences")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(4)
        layout.addWidget(self.entry)
        layout.addWidget(self.list, 1)
        layout.addWidget(self._empty, 1)
        layout.addWidget(self.none)
        for text, widget, after in (
            ("Sure from", self.threshold, self._threshold_text),
            ("Sentence", self.templates, self.lists),
        ):
            row = QHBoxLayout()
            name = QLabel(text)
            name.setProperty("role", "muted")
            name.setMinimumWidth(66)
            name.setBuddy(widget)
            row.addWidget(name)
            row.addWidget(widget, 1)
            row.addWidget(after)
            layout.addLayout(row)
        layout.addWidget(self._purpose)

    def _connect(self) -> None:
        self.entry.returnPressed.connect(self.add_typed)
        self.model.renamed.connect(self.rename)
        self.model.toggled.connect(self._on_toggled)
        self.none.clicked.connect(lambda on: self._ask(lambda p: p.with_none_of_these(on)))
        self.threshold.valueChanged.connect(self._on_threshold)
        self.templates.clicked.connect(self.templates_asked)

    def add_actions(self, actions: list[QAction]) -> None:
        """Offer actions on the list's right click and, with the list focused, their keys."""
        for action in actions:
            self.list.addAction(action)

    # ---- what the window tells the panel

    def show_prompts(self, prompts: PromptSet) -> None:
        """Show the set in use."""
        if prompts is self.prompts:
            return
        same_rows = len(prompts.labels) == len(self.prompts.labels)
        named_anew = dict(zip(self.prompts.labels, prompts.labels, strict=True)) if same_rows else {}
        selected = [
            label if label in prompts.labels else named_anew.get(label, label)
            for label in self.list.selected()
        ]
        self.prompts = prompts
        self.model.set_prompts(prompts)
        if self.list.selected() != selected:
            self.list.select(selected)
        self.list.setVisible(bool(prompts.prompts))
        self._empty.setVisible(not prompts.prompts)
        self.none.setChecked(prompts.none_of_these)
        negatives = any(prompt.negative and prompt.enabled for prompt in prompts.prompts)
        both = negatives and prompts.none_of_these  # a negative takes part though "none of these" is off
        self.none.setText("None of these, or a negative" if both else "None of these")
        self.templates.setText(describe_templates(prompts.templates))

    def show_scores(self, decision: Decision, step_s: float) -> None:
        """Move the bars."""
        best = decision.label if decision.kind == "label" else ""
        self.model.set_scores(decision.scores, best, step_s)
        self.list.show_best(best)
        scored = bool(decision.scores) and self.prompts.none_of_these
        share = max(0.0, 1.0 - sum(decision.scores.values())) if scored else None
        self.none.show_share(share, decision.kind == "none")

    def show_model(self, name: str, can_none: bool) -> None:
        """Offer what the model can do."""
        if name != self._model:
            self._model = name
            purpose = purpose_of(name)
            text = f"Good for {purpose.good_for}." if name else " "
            self._purpose.setText(text)
            self._purpose.setToolTip(f"{name}. {text}\nWeak at {purpose.weak_at}." if name else "")
        self.none.setEnabled(can_none)
        if not can_none and name:
            self.none.setToolTip(
                f"{name} was not calibrated for it. Add a negative instead, such as “-hand”."
            )

    def color(self, label: str) -> QColor:
        """Return the color of a label."""
        return self.model.color(label)

    # ---- what the user does

    def add_typed(self) -> None:
        """Add what was typed; what cannot be added stays to be mended."""
        self.entry.setText(self.add(self.entry.text()))
        self.entry.selectAll()

    def add(self, text: str) -> str:
        """Add labels separated by commas or line ends; return what could not be added, as it was typed."""
        prompts, there, refused, reasons = self.prompts, [], [], []
        new = {prompt.label.casefold(): prompt for prompt in split_prompts(text)}.values()
        if len(new) > MAX_PROMPTS:
            self.complained.emit(f"{len(new):,} words are too many; at most {MAX_PROMPTS:,} can be scored")
            return text
        for prompt in new:
            try:
                prompts = prompts.add(prompt.label, negative=prompt.negative)
            except UserError as error:
                if prompt.label.casefold() in (label.casefold() for label in prompts.labels):
                    there.append(prompt.label)
                else:
                    refused.append(prompt)
                    reasons.append(str(error))
        told = [f"Already in the list: {', '.join(there)}"] if there else []
        if told or reasons:
            self.complained.emit("; ".join([*dict.fromkeys(reasons), *told]))
        if prompts is not self.prompts:
            self._want(prompts)
            self.list.scrollToBottom()
        elif there and not refused:
            return text
        return ", ".join(as_text(PromptSet((prompt,))).strip() for prompt in refused)

    def _selected(self) -> list[str]:
        """Return the labels that are selected; where there are none, say so: nothing else would be seen."""
        labels = self.list.selected()
        if not labels:
            self.complained.emit("No word is selected: click one in the list first")
        return labels

    def remove_selected(self) -> None:
        """Remove the selected prompts and select the one that follows."""
        labels = self._selected()
        if not labels:
            return
        row = self.prompts.labels.index(labels[0])
        prompts = self.prompts
        for label in labels:
            prompts = prompts.remove(label)
        self._want(prompts)
        if prompts.prompts:
            self.list.select([prompts.labels[min(row, len(prompts.prompts) - 1)]])

    def remove_all(self) -> None:
        """Empty the list."""
        if self.prompts.prompts:
            self._want(replace(self.prompts, prompts=()))
        else:
            self.complained.emit("There are no words to remove")

    def rename_selected(self) -> None:
        """Edit the label of the first prompt selected."""
        labels = self._selected()
        if labels:
            self.list.edit(self.model.index(self.prompts.labels.index(labels[0])))

    def rename(self, old: str, new: str) -> None:
        """Give a prompt another label; it keeps place and color."""
        self.model.keep_color(old, new.strip())
        self._ask(lambda prompts: prompts.rename(old, new))

    def choose_color(self) -> None:
        """Choose the color of the first prompt selected."""
        labels = self._selected()
        if not labels:
            return
        dialog = QColorDialog(self.color(labels[0]), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        dialog.setWindowTitle(f"Color of “{labels[0]}”")
        dialog.colorSelected.connect(lambda color: self.model.set_color(labels[0], color.name()))
        dialog.open()

    def clear_colors(self) -> None:
        """Give the selected prompts the theme's colors again."""
        for label in self._selected():
            self.model.set_color(label, "")

    def paste(self) -> None:
        """Add the words on the clipboard: one a line, or separated by commas."""
        text = QApplication.clipboard().text()
        if not text.strip():
            self.complained.emit("There are no words on the clipboard")
        refused = self.add(text)
        if refused:
            self.entry.setText(refused)

    def toggle_negative(self) -> None:
        """Make the selected prompts negative, or positive again."""
        self._flip("negative")

    def toggle_enabled(self) -> None:
        """Leave the selected prompts out, or take them in again."""
        self._flip("enabled")

    def move_selected(self, by: int) -> None:
        """Move the selected prompts up (-1) or down (+1)."""
        labels, rows = self._selected(), list(self.prompts.prompts)
        places = [self.prompts.labels.index(label) for label in labels]
        if not places or min(places) + by < 0 or max(places) + by >= len(rows):
            return
        for place in sorted(places, reverse=by > 0):
            rows[place], rows[place + by] = rows[place + by], rows[place]
        self._want(replace(self.prompts, prompts=tuple(rows)))
        self.list.select(labels)

    def _flip(self, flag: str) -> None:
        labels = self._selected()
        if not labels:
            return
        first = next(p for p in self.prompts.prompts if p.label == labels[0])
        value = not getattr(first, flag)
        prompts = self.prompts
        for label in labels:
            prompts = prompts.replace(label, **{flag: value})
        self._want(prompts)

    def _on_toggled(self, label: str, enabled: bool) -> None:
        self._ask(lambda prompts: prompts.replace(label, enabled=enabled))

    def _on_threshold(self, percent: int) -> None:
        self._threshold_text.setText(f"{percent} %" if percent else "off")
        self.threshold_changed.emit(percent / 100)

    def _ask(self, change: Callable[[PromptSet], PromptSet]) -> None:
        try:
            self._want(change(self.prompts))
        except UserError as error:
            self.complained.emit(str(error))

    def _want(self, prompts: PromptSet) -> None:
        self.wanted.emit(prompts)
