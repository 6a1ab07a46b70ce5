"""Pictures and word lists on disk."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QFileDialog

from neuroclip_gui.panels.picture.annotated import LEAST_WIDTH, Notes, annotated
from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompt_set import MAX_PROMPTS, PromptSet, read_prompt_text, split_prompts

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
        """Write the picture as a PNG named by the time: with the answer, the time, a scale and a legend."""
        image = self.picture()
        if image is None:
            self._window.complain("There is no picture yet")
            return
        path = self.folder / f"neuroclip-live {datetime.now():%Y-%m-%d %H.%M.%S.%f}"[:-4]
        path = path.with_name(path.name + ".png")

        def work() -> Path:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                reason = error.strerror or str(error)
                raise UserError(
                    f"Could not write {path}: {reason}. Copy the picture instead (Ctrl+Shift+C)"
                ) from error
            if not image.save(str(path)):
                raise UserError(f"Could not write {path}. Is the folder writable, and the disk not full?")
            return path

        banner = self._window.banner
        self._window.jobs.do(work, lambda p: banner.say(f"Saved {p}"), lambda m: banner.say(m, "error"))

    def picture(self) -> QImage | None:
        """Return what is shown, with everything needed to understand it; None before there is any."""
        window = self._window
        bare = window.view.snapshot(LEAST_WIDTH)
        if bare is None or window.view.frame is None:
            return None
        factor = bare.width() // window.view.frame.shape[1]
        return annotated(bare, notes_of(window), window.live.colors, factor)

    def copy(self) -> None:
        """Put the picture on the clipboard."""
        image = self.picture()
        if image is not None:
            QApplication.clipboard().setImage(image)
            self._window.banner.say("Copied the picture")


def notes_of(window: MainWindow) -> Notes:
    """Return what a picture of the window's is to say beside itself."""
    answer, probability = "", None
    if window.pipeline is not None:
        answer, probability = window.decision.words()[0], None
        if window.decided.kind == "label" and answer == window.decided.label:
            probability = window.decided.probability
    prediction = window.pipeline.prediction() if window.pipeline is not None else None
    time = ""
    if prediction is not None:
        since = window.transport.seconds_of(prediction.t_us) if window.transport.active else None
        time = f"{since:.2f} s" if since is not None else f"{datetime.now():%Y-%m-%d %H:%M:%S}"
    kind, amount = window.live.accumulation
    made = {"time": f"{amount} ms", "count": f"{amount:,} events", "fade": f"fading, {amount} ms"}[kind]
    name = window.windowTitle().removesuffix(" – neuroclip-live")
    color = window.prompts.color(window.decided.label).name()
    return Notes(answer, probability, time, made, name, color)


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
        before = self._window.prompts.prompts
        new, refused = replace(before, prompts=()), []
        try:
            found = {prompt.label.casefold(): prompt for prompt in split_prompts(read_prompt_text(path))}
            if len(found) > MAX_PROMPTS:
                raise UserError(
                    f"{path.name} has {len(found):,} words; at most {MAX_PROMPTS:,} can be scored"
                )
            for prompt in found.values():
                try:
                    new = new.add(prompt.label, negative=prompt.negative)
                except UserError as error:
                    refused.append(str(error))
            new.validate()
        except UserError as error:
            self._window.banner.say("; ".join([*refused[:1], str(error)]), "error")
            return
        self._window.want_prompts(new)
        if refused:  # one that cannot be does not cost the others
            self._window.complain(f"{_count(len(refused))} left out: {refused[0]}")

    def save(self, path: Path) -> None:
        """Write the words; negatives begin with "-"."""
        try:
            path.write_text(as_text(self._window.prompts.prompts), encoding="utf-8")
        except OSError as error:
            self._window.banner.say(f"Could not write {path}: {error.strerror or error}", "error")
        else:
            self._window.banner.say(f"Wrote {path}")


def _count(refused: int) -> str:
    return "1 word was" if refused == 1 else f"{refused:,} words were"


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
