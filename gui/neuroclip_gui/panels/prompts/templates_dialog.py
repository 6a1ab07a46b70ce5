"""Choosing the sentences words are put into, with what will really be compared in view."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from neuroclip_live.errors import UserError
from neuroclip_live.prompting.templates import TEMPLATE_SETS, check_templates, fill

_TITLES = {
    "none": "The label alone",
    "n-mnist": "NeuroCLIP, handwritten digits",
    "cifar10-dvs": "NeuroCLIP, CIFAR10-DVS",
    "es-imagenet": "NeuroCLIP, ES-ImageNet",
    "eventclip": "EventCLIP",
    "events": "What event frames look like (ensemble)",
    "photo": "Photographs (ensemble)",
}


class TemplatesDialog(QDialog):
    """Edit templates, one a line.

    Parameters
    ----------
    templates : tuple of str
        Those in use.
    label : str
        The word shown in the preview.
    own : tuple of str
        Those the model does best with.
    """

    def __init__(
        self, templates: tuple[str, ...], label: str, own: tuple[str, ...], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Sentences")
        self.resize(560, 440)
        self.templates = templates
        self._label = label or "a mug"
        self._choice = QComboBox()
        self._choice.setAccessibleName("Sets of sentences")
        self._sets = {"The model's own": own, **{_TITLES.get(n, n): t for n, t in TEMPLATE_SETS.items()}}
        self._choice.addItems(["Yours", *self._sets])
        known = next((name for name, those in self._sets.items() if those == templates), "Yours")
        self._choice.setCurrentText(known)
        self._text = QPlainTextEdit("\n".join(templates))
        self._text.setAccessibleName("Sentences, one a line")
        self._text.setToolTip("One sentence a line; {} stands for the word.")
        self._preview = QLabel()
        self._preview.setWordWrap(True)
        self._buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        layout = QVBoxLayout(self)
        layout.setSpacing(8)
        title = QLabel("Words are put into sentences before they are compared with what is seen")
        title.setProperty("role", "title")
        title.setWordWrap(True)
        hint = QLabel("With several sentences, their mean is compared. {} is the word's place.")
        hint.setProperty("role", "muted")
        for widget in (title, hint, self._choice, self._text, self._preview, self._buttons):
            layout.addWidget(widget)
        self._choice.activated.connect(self._on_choice)
        self._text.textChanged.connect(self._on_text)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self._on_text()

    def _on_choice(self, index: int) -> None:
        if index > 0:
            self._text.setPlainText("\n".join(self._sets[self._choice.itemText(index)]))

    def _on_text(self) -> None:
        lines = tuple(line.strip() for line in self._text.toPlainText().splitlines() if line.strip())
        try:
            self.templates = check_templates(lines)
        except UserError as error:
            self._preview.setText(str(error))
        else:
            shown = [f"“{fill(template, self._label)}”" for template in lines[:6]]
            more = f"\n… and {len(lines) - 6} more" if len(lines) > 6 else ""
            self._preview.setText("\n".join(shown) + more)
        fine = lines == self.templates
        self._preview.setProperty("role", "muted" if fine else "bad")
        self._preview.style().polish(self._preview)
        self._buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(fine)


def describe_templates(templates: tuple[str, ...]) -> str:
    """Return what a button says of templates."""
    if templates == TEMPLATE_SETS["none"]:
        return "the label alone"
    if len(templates) == 1:
        return templates[0].replace("{}", "…")
    named = next((name for name, known in TEMPLATE_SETS.items() if known == templates), "")
    return f"{len(templates)} sentences" + (f" ({named})" if named else "")
