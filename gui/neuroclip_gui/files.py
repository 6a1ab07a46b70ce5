"""Pictures and word lists on disk."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QApplication, QFileDialog

from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompt_set import PromptSet, read_prompts

if TYPE_CHECKING:
    from neuroclip_gui.main_window import MainWindow

_FILTER = "Text (*.txt);;All files (*)"


class Snapshots:
    """Saves and copies the picture shown."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        where = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
        self.folder = Path(where or Path.home())

    def save(self) -> None:
        """Write the picture as a PNG named by the time."""
        image = self._window.view.snapshot()
        if image is None:
            self._window.complain("There is no picture yet")
            return
        path = self.folder / f"neuroclip-live {datetime.now():%Y-%m-%d %H.%M.%S.%f}"[:-4]
        path = path.with_name(path.name + ".png")

        def work() -> Path:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not image.save(str(path)):
                raise UserError(f"Could not write {path}. Is the folder writable, and the disk not full?")
            return path

        banner = self._window.banner
        self._window.jobs.do(work, lambda p: banner.say(f"Saved {p}"), lambda m: banner.say(m, "error"))

    def copy(self) -> None:
        """Put the picture on the clipboard."""
        image = self._window.view.snapshot()
        if image is not None:
            QApplication.clipboard().setImage(image)
            self._window.banner.say("Copied the picture")


class PromptFiles:
    """Reads and writes lists of words, one a line."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def ask_import(self) -> None:
        """Choose a list to add."""
        path, _ = QFileDialog.getOpenFileName(self._window, "Import words", "", _FILTER)
        if path:
            self.load(Path(path))

    def ask_export(self) -> None:
        """Choose where to write the list."""
        path, _ = QFileDialog.getSaveFileName(self._window, "Export words", "words.txt", _FILTER)
        if path:
            self.save(Path(path))

    def load(self, path: Path) -> None:
        """Replace the words by those of a file."""
        prompts = self._window.prompts.prompts
        try:
            new = read_prompts(path, prompts.templates, prompts.none_of_these)
            new.validate()
        except UserError as error:
            self._window.banner.say(str(error), "error")
        else:
            self._window.want_prompts(new)

    def save(self, path: Path) -> None:
        """Write the words; negatives begin with "-"."""
        try:
            path.write_text(as_text(self._window.prompts.prompts), encoding="utf-8")
        except OSError as error:
            self._window.banner.say(f"Could not write {path}: {error.strerror or error}", "error")
        else:
            self._window.banner.say(f"Wrote {path}")


def as_text(prompts: PromptSet) -> str:
    """Return a set as :func:`neuroclip_live.prompting.prompt_set.read_prompts` reads it."""
    lines = []
    for prompt in prompts.prompts:
        quoted = (
            f'"{prompt.label}"'
            if any(c in prompt.label for c in ",;") or prompt.label[0] in "-#"
            else prompt.label
        )
        lines.append(("-" if prompt.negative else "") + quoted)
    return "\n".join(lines) + "\n"
