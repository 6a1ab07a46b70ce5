"""The commands of teaching: a key or button held is a lesson, a short press the last two seconds."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFileDialog

from neuroclip_live.errors import UserError
from neuroclip_live.objects.found import FoundObject

if TYPE_CHECKING:
    from neuroclip_gui.main_window import MainWindow

TAP_S = 0.35
"""A press shorter than this is a tap."""
LAST_S = 2.0
_REPEAT_MS = 90
"""A key that is held repeats, which on X11 is ups and downs: an up counts when no down follows so soon."""
_KEYS = (Qt.Key.Key_F8, Qt.Key.Key_T)
_FILTER = "Lessons (*.safetensors);;All files (*)"


class Teaching(QObject):
    """Between the window and what learns.

    Parameters
    ----------
    window : MainWindow

    Attributes
    ----------
    badge : str
        What to say over the picture while a thing is being shown; else empty.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._showing = ""
        self._since_s = 0.0
        self._prepared: Any = None
        self.badge = ""
        self._up = QTimer(self)
        self._up.setSingleShot(True)
        self._up.setInterval(_REPEAT_MS)
        self._up.timeout.connect(self.release)
        self._up_s = 0.0

    # ---- hold

    def toggle(self) -> None:
        """Begin to show a thing, or end it: what a key does that is pressed, and a menu."""
        if self._up.isActive():
            self._up.stop()  # the key only repeats
            self._up_s = 0.0
        elif self._showing:
            self.release()
        else:
            self.press()

    def press(self) -> None:
        """Collect what is seen from now on as the label in the panel, until :meth:`release`."""
        teacher, label = self._teacher(), self._label()
        if self._showing or teacher is None or not label:
            return
        label = self._as_prompt(label)
        if not label:
            return
        teacher.begin(label)
        self._prepare(teacher)
        self._showing, self._since_s, self._up_s = label, time.monotonic(), 0.0
        self._watch(True)
        self.look()

    def release(self) -> None:
        """Learn what was collected; after a mere tap, the last two seconds."""
        label, self._showing = self._showing, ""
        self.badge = ""
        if not label:
            return
        self._watch(False)
        seconds = (self._up_s or time.monotonic()) - self._since_s
        self._up.stop()
        teacher = self._teacher()
        if teacher is None:
            return
        if seconds < TAP_S:
            teacher.cancel()
            self._learn(label, is_it=True)
            return
        before = teacher.book
        self._try(lambda: self._note(label, True, teacher.end(), seconds))
        self._window.undo.note_lessons(f"lesson “{label}”", teacher, before)
        self.look()

    def _watch(self, on: bool) -> None:
        """Look at all of the program's events, or no more: a key may be let go anywhere."""
        app = QApplication.instance()
        if app is not None:
            app.installEventFilter(self) if on else app.removeEventFilter(self)

    def stop(self) -> None:
        """Put aside what is being shown: the window closes."""
        self._up.stop()
        if self._showing:
            self._showing = ""
            self._watch(False)
            teacher = self._teacher()
            if teacher is not None:
                teacher.cancel()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: D102
        if self._showing:
            kind = event.type()
            if isinstance(event, QKeyEvent) and kind == QEvent.Type.KeyRelease:
                if event.key() in _KEYS and not event.isAutoRepeat():
                    self._up_s = time.monotonic()
                    self._up.start()
            elif kind == QEvent.Type.ApplicationDeactivate:
                self.release()
        return False

    # ---- the last two seconds

    def last(self) -> None:
        """Learn that the last seconds showed the label in the panel."""
        label = self._label()
        if label and self._teacher() is not None:
            label = self._as_prompt(label)
            if label:
                self._learn(label, is_it=True)

    def deny(self) -> None:
        """Learn that the last seconds did not show what is decided."""
        teacher, decision = self._teacher(), self._window.decided
        if teacher is None:
            return
        label = decision.label if decision.kind in ("label", "unsure") else ""
        if not label:
            self._window.complain("There is no decision to correct")
            return
        if label not in dict(teacher.status().labels):
            self._note(label, False, 0, LAST_S)
            self._window.complain(f"“{label}” was only typed: teach what this is, or add “-…” as a negative")
            return
        self._learn(label, is_it=False)

    def learn_thing(self, found: FoundObject, label: str, *, is_it: bool = True) -> None:
        """Learn that one thing among several is, or is not, a label, from its own newest looks."""
        teacher = self._teacher()
        if teacher is None:
            return
        if not found.windows:
            self._window.complain(
                f"#{found.id} was seen too briefly to learn from: let it move a little longer"
            )
            return
        if is_it:
            label = self._as_prompt(label)
        if not label:
            return

        def learn() -> None:
            taken = teacher.learn_from(label, found.windows, is_it)
            self._note(label, is_it, taken, LAST_S)
            self._window.banner.say(f"#{found.id} {'is' if is_it else 'is not'} “{label}” ({_shots(taken)})")

        before = teacher.book
        self._try(learn)
        self._window.undo.note_lessons(f"lesson “{label}”" if is_it else f"not “{label}”", teacher, before)
        self.look()

    def _learn(self, label: str, *, is_it: bool) -> None:
        pipeline, teacher = self._window.pipeline, self._teacher()
        if pipeline is None or teacher is None:
            return

        def learn() -> None:
            taken = pipeline.teach(label, LAST_S) if is_it else teacher.counter_example(label, LAST_S)
            self._note(label, is_it, taken, LAST_S)
            verb = "is" if is_it else "is not"
            self._window.banner.say(f"The last {LAST_S:g} s: this {verb} “{label}” ({_shots(taken)})")

        before = teacher.book
        self._try(learn)
        self._window.undo.note_lessons(f"lesson “{label}”" if is_it else f"not “{label}”", teacher, before)
        self.look()

    def _note(self, label: str, is_it: bool, shots: int, seconds: float) -> None:
        """Put it into the recording's labels, where one is being made."""
        pipeline = self._window.pipeline
        prediction = pipeline.prediction() if pipeline is not None else None
        if pipeline is None or not hasattr(pipeline, "note"):
            return
        decision = self._window.decided
        pipeline.note(
            {
                "type": "taught" if is_it else "correction",
                "t_us": prediction.t_us if prediction is not None else None,
                "label": label,
                "is_it": is_it,
                "shots": shots,
                "last_s": round(seconds, 3),
                "decided": decision.label if decision.kind == "label" else None,
            }
        )

    # ---- what is taught

    def forget(self) -> None:
        """Forget the label selected among the taught ones, or else the one in the panel."""
        teacher = self._teacher()
        if teacher is None:
            return
        label = self._window.teach.selected() or self._window.teach.entry.currentText().strip()
        if not label:
            self._window.complain("Select a taught label to forget it")
            return
        before = teacher.book
        self._try(lambda: teacher.forget(label))
        self._window.undo.note_lessons(f"forget “{label}”", teacher, before)
        self.look()

    def ask_save(self) -> None:
        """Choose where to write the lessons."""
        if self._teacher() is not None:
            path, _ = QFileDialog.getSaveFileName(
                self._window, "Save lessons", "lessons.safetensors", _FILTER
            )
            if path:
                self.save(Path(path))

    def ask_load(self) -> None:
        """Choose lessons to load."""
        if self._teacher() is not None:
            path, _ = QFileDialog.getOpenFileName(self._window, "Load lessons", "", _FILTER)
            if path:
                self.load(Path(path))

    def save(self, path: Path) -> None:
        """Write the lessons."""
        teacher, banner = self._teacher(), self._window.banner
        if teacher is not None:
            if not path.suffix:
                path = path.with_suffix(".safetensors")
            self._window.jobs.do(
                lambda: teacher.save(path),
                lambda _: banner.say(f"Saved {path}"),
                lambda message: banner.say(message, "error"),
            )

    def load(self, path: Path) -> None:
        """Replace the lessons by saved ones; their labels become prompts."""
        teacher, banner = self._teacher(), self._window.banner
        if teacher is None:
            return

        before = teacher.book

        def loaded(labels: tuple[str, ...]) -> None:
            self._window.undo.note_lessons("load lessons", teacher, before)
            for label in labels:
                self._as_prompt(label)
            banner.say(f"Loaded {path.name}: {', '.join(labels)}")

        self._window.jobs.do(lambda: teacher.load(path), loaded, lambda message: banner.say(message, "error"))

    # ---- each look

    def look(self) -> None:
        """Show how teaching stands; ten times a second."""
        window = self._window
        teacher = getattr(window.pipeline, "teacher", None)
        status = teacher.status() if teacher is not None else None
        if teacher is not None and window.teach.in_view:
            self._prepare(teacher)
        window.teach.set_labels(tuple(p.label for p in window.prompts.prompts.prompts if not p.negative))
        window.teach.show_status(status)
        self.badge = ""
        if status is not None and status.collecting is not None:
            self.badge = f"Showing “{status.collecting}”: {_shots(status.collected)}"

    # ---- inside

    def _prepare(self, teacher: Any) -> None:
        """Have training imported once it is likely to be used: it is seconds of work and half a gigabyte."""
        if teacher is not self._prepared:
            self._prepared = teacher
            teacher.prepare()

    def _teacher(self) -> Any:
        teacher = getattr(self._window.pipeline, "teacher", None)
        if teacher is None:
            self._window.complain("The model is still loading: teach when there are predictions")
        return teacher

    def _label(self) -> str:
        """Return the label to teach: typed in the panel, or else selected in the list."""
        window = self._window
        label = window.teach.entry.currentText().strip() or next(iter(window.prompts.list.selected()), "")
        if not label:
            window.docks["teach"].show()
            window.docks["teach"].raise_()
            window.teach.entry.setFocus(Qt.FocusReason.ShortcutFocusReason)
            window.complain("Name what you show first: type a label in the Teach panel")
        else:
            window.teach.entry.setCurrentText(label)
        return label

    def _as_prompt(self, label: str) -> str:
        """Make sure the label competes; return it as it is written in the list, or "" when it cannot."""
        window = self._window
        prompts = window.prompts.prompts
        there = next((p for p in prompts.prompts if p.label.casefold() == label.casefold()), None)
        try:
            if there is None:
                prompts = prompts.add(label)
                label = prompts.labels[-1]
            else:
                label = there.label
                prompts = prompts.replace(label, negative=False, enabled=True)
        except UserError as error:
            window.complain(str(error))
            return ""
        if there is None or there.negative or not there.enabled:
            window.want_prompts(prompts)
        return label

    def _try(self, do: Any) -> None:
        try:
            do()
        except UserError as error:
            self._window.complain(str(error))


def _shots(count: int) -> str:
    return f"{count} shot{'' if count == 1 else 's'}"
