"""Pictures and word lists on disk."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QFileDialog

from neuroclip_gui.panel_spec import Context
from neuroclip_gui.panels.picture.annotated import LEAST_WIDTH, Notes, annotated
from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompt_set import MAX_PROMPTS, PromptSet, read_prompt_text, split_prompts

if TYPE_CHECKING:
    from neuroclip_gui.panels.decision.decision_panel import DecisionPanel
    from neuroclip_gui.panels.picture.live_view import LiveView
    from neuroclip_gui.panels.playback.transport import Transport

_FILTER = "Text (*.txt);;All files (*)"


class Pictures:
    """Saves and copies the picture shown.

    Parameters
    ----------
    context : Context
    live : LiveView
        What shows it.
    decision : DecisionPanel
        What says what it is.
    transport : Transport
        What says when it is.
    """

    def __init__(
        self, context: Context, live: LiveView, decision: DecisionPanel, transport: Transport
    ) -> None:
        self._context, self._live, self._decision, self._transport = context, live, decision, transport
        where = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
        self.folder = Path(where or Path.home())

    def save(self) -> None:
        """Write the picture as a PNG named by the time: with the answer, the time, a scale and a legend."""
        image = self.picture()
        if image is None:
            self._context.complain("There is no picture yet")
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

        say = self._context.say
        self._context.jobs.do(work, lambda p: say(f"Saved {p}"), lambda m: say(m, "error"))

    def picture(self) -> QImage | None:
        """Return what is shown, with everything needed to understand it; None before there is any."""
        view = self._live.view
        bare = view.snapshot(LEAST_WIDTH)
        if bare is None or view.frame is None:
            return None
        return annotated(bare, self.notes(), self._live.colors, bare.width() // view.frame.shape[1])

    def copy(self) -> None:
        """Put the picture on the clipboard."""
        image = self.picture()
        if image is not None:
            QApplication.clipboard().setImage(image)
            self._context.say("Copied the picture")

    def notes(self) -> Notes:
        """Return what a picture is to say beside itself."""
        pipeline, decided = self._context.pipeline(), self._context.decided()
        answer, probability, time = "", None, ""
        if pipeline is not None:
            answer = self._decision.words()[0]
            if decided.kind == "label" and answer == decided.label:
                probability = decided.probability
            prediction = pipeline.prediction()
            if prediction is not None:
                transport = self._transport
                since = transport.seconds_of(prediction.t_us) if transport.active else None
                time = f"{since:.2f} s" if since is not None else f"{datetime.now():%Y-%m-%d %H:%M:%S}"
        kind, amount = self._live.accumulation
        made = {"time": f"{amount} ms", "count": f"{amount:,} events", "fade": f"fading, {amount} ms"}[kind]
        name = self._context.parent.windowTitle().removesuffix(" – neuroclip-live")
        color = self._context.words.color(decided.label).name()
        return Notes(answer, probability, time, made, name, color)


class PromptFiles:
    """Reads and writes lists of words, one a line."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def ask_import(self) -> None:
        """Choose a list to add."""
        path, _ = QFileDialog.getOpenFileName(self._context.parent, "Import words", "", _FILTER)
        if path:
            self.load(Path(path))

    def ask_export(self) -> None:
        """Choose where to write the list."""
        path, _ = QFileDialog.getSaveFileName(self._context.parent, "Export words", "words.txt", _FILTER)
        if path:
            self.save(Path(path))

    def load(self, path: Path) -> None:
        """Replace the words by those of a file."""
        before = self._context.words.now()
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
            self._context.say("; ".join([*refused[:1], str(error)]), "error")
            return
        self._context.words.want(new)
        if refused:  # one that cannot be does not cost the others
            self._context.complain(f"{_count(len(refused))} left out: {refused[0]}")

    def save(self, path: Path) -> None:
        """Write the words; negatives begin with "-"."""
        try:
            path.write_text(as_text(self._context.words.now()), encoding="utf-8")
        except OSError as error:
            self._context.say(f"Could not write {path}: {error.strerror or error}", "error")
        else:
            self._context.say(f"Wrote {path}")


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
