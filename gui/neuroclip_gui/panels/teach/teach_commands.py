"""The commands of teaching: a key or button held is a lesson, a short press the last two seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from neuroclip_gui.panel_spec import Context, Due, Presenter, Snapshot
from neuroclip_gui.panels.teach.held_key import HeldKey
from neuroclip_gui.panels.teach.teach_panel import TeachPanel
from neuroclip_live.errors import UserError
from neuroclip_live.objects.found import FoundObject

TAP_S = 0.35
"""A press shorter than this is a tap."""
LAST_S = 2.0
_LOOK_S = 0.1
_FILTER = "Lessons (*.safetensors);;All files (*)"


class Teaching(Presenter):
    """Between the panel and what learns.

    Parameters
    ----------
    context : Context

    Attributes
    ----------
    badge : str
        What to say over the picture while a thing is being shown; else empty.
    """

    def __init__(self, context: Context) -> None:
        self.panel = panel = TeachPanel(context.theme, context.words.color)
        super().__init__(panel)
        self._context, self._words = context, context.words
        self._showing = ""
        self._prepared: Any = None
        self._due = Due(_LOOK_S)
        self._held = HeldKey(Qt.Key.Key_F8, Qt.Key.Key_T)
        self._held.let_go.connect(self.release)
        panel.add_buttons(
            [context.action(name) for name in ("teach_last", "teach_not")],
            [context.action(name) for name in ("undo", "teach_forget", "teach_save", "teach_load")],
        )
        panel.named.connect(context.action("picture").trigger)
        panel.pressed.connect(self.press)
        panel.released.connect(self.release)

    # ---- hold

    def toggle(self) -> None:
        """Begin to show a thing, or end it: what a key does that is pressed, and a menu."""
        if self._held.only_repeats():
            return
        self.release() if self._showing else self.press()

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
        self._showing = label
        self._held.begin()
        self.look()

    def release(self) -> None:
        """Learn what was collected; after a mere tap, the last two seconds."""
        label, self._showing = self._showing, ""
        self.badge = ""
        if not label:
            return
        seconds = self._held.end()
        teacher = self._teacher()
        if teacher is None:
            return
        if seconds < TAP_S:
            teacher.cancel()
            self._learn(label, is_it=True)
            return
        before = teacher.book
        self._try(lambda: self._note(label, True, teacher.end(), seconds))
        self._words.note_lessons(f"lesson “{label}”", teacher, before)
        self.look()

    def stop(self) -> None:
        """Put aside what is being shown: the window closes."""
        if self._showing:
            self._showing = ""
            self._held.end()
            teacher = self._teacher()
            if teacher is not None:
                teacher.cancel()

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
        teacher, decision = self._teacher(), self._context.decided()
        if teacher is None:
            return
        label = decision.label if decision.kind in ("label", "unsure") else ""
        if not label:
            self._context.complain("There is no decision to correct")
            return
        if label not in dict(teacher.status().labels):
            self._note(label, False, 0, LAST_S)
            self._context.complain(f"“{label}” was only typed: teach what this is, or add “-…” as a negative")
            return
        self._learn(label, is_it=False)

    def learn_thing(self, found: FoundObject, label: str, *, is_it: bool = True) -> None:
        """Learn that one thing among several is, or is not, a label, from its own newest looks."""
        teacher = self._teacher()
        if teacher is None:
            return
        if not found.windows:
            self._context.complain(
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
            self._context.say(f"#{found.id} {'is' if is_it else 'is not'} “{label}” ({_shots(taken)})")

        before = teacher.book
        self._try(learn)
        self._words.note_lessons(f"lesson “{label}”" if is_it else f"not “{label}”", teacher, before)
        self.look()

    def _learn(self, label: str, *, is_it: bool) -> None:
        pipeline, teacher = self._context.pipeline(), self._teacher()
        if pipeline is None or teacher is None:
            return

        def learn() -> None:
            taken = pipeline.teach(label, LAST_S) if is_it else teacher.counter_example(label, LAST_S)
            self._note(label, is_it, taken, LAST_S)
            verb = "is" if is_it else "is not"
            self._context.say(f"The last {LAST_S:g} s: this {verb} “{label}” ({_shots(taken)})")

        before = teacher.book
        self._try(learn)
        self._words.note_lessons(f"lesson “{label}”" if is_it else f"not “{label}”", teacher, before)
        self.look()

    def _note(self, label: str, is_it: bool, shots: int, seconds: float) -> None:
        """Put it into the recording's labels, where one is being made."""
        pipeline = self._context.pipeline()
        prediction = pipeline.prediction() if pipeline is not None else None
        if pipeline is None or not hasattr(pipeline, "note"):
            return
        decision = self._context.decided()
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
        label = self.panel.selected() or self.panel.entry.currentText().strip()
        if not label:
            self._context.complain("Select a taught label to forget it")
            return
        before = teacher.book
        self._try(lambda: teacher.forget(label))
        self._words.note_lessons(f"forget “{label}”", teacher, before)
        self.look()

    def ask_save(self) -> None:
        """Choose where to write the lessons."""
        if self._teacher() is not None:
            path, _ = QFileDialog.getSaveFileName(
                self._context.parent, "Save lessons", "lessons.safetensors", _FILTER
            )
            if path:
                self.save(Path(path))

    def ask_load(self) -> None:
        """Choose lessons to load."""
        if self._teacher() is not None:
            path, _ = QFileDialog.getOpenFileName(self._context.parent, "Load lessons", "", _FILTER)
            if path:
                self.load(Path(path))

    def save(self, path: Path) -> None:
        """Write the lessons."""
        teacher, say = self._teacher(), self._context.say
        if teacher is not None:
            if not path.suffix:
                path = path.with_suffix(".safetensors")
            self._context.jobs.do(
                lambda: teacher.save(path),
                lambda _: say(f"Saved {path}"),
                lambda message: say(message, "error"),
            )

    def load(self, path: Path) -> None:
        """Replace the lessons by saved ones; their labels become prompts."""
        teacher, say = self._teacher(), self._context.say
        if teacher is None:
            return

        before = teacher.book

        def loaded(labels: tuple[str, ...]) -> None:
            self._words.note_lessons("load lessons", teacher, before)
            for label in labels:
                self._as_prompt(label)
            say(f"Loaded {path.name}: {', '.join(labels)}")

        self._context.jobs.do(lambda: teacher.load(path), loaded, lambda message: say(message, "error"))

    # ---- each look

    def update(self, snapshot: Snapshot) -> None:
        """Show how teaching stands; ten times a second."""
        if self._due(snapshot.now_s):
            self.look()

    def look(self) -> None:
        """Show how teaching stands."""
        teacher = getattr(self._context.pipeline(), "teacher", None)
        status = teacher.status() if teacher is not None else None
        if teacher is not None and self.panel.in_view:
            self._prepare(teacher)
        self.panel.set_labels(tuple(p.label for p in self._words.now().prompts if not p.negative))
        self.panel.show_status(status)
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
        teacher = getattr(self._context.pipeline(), "teacher", None)
        if teacher is None:
            self._context.complain("The model is still loading: teach when there are predictions")
        return teacher

    def _label(self) -> str:
        """Return the label to teach: typed in the panel, or else selected in the list."""
        entry = self.panel.entry
        label = entry.currentText().strip() or next(iter(self._words.selected()), "")
        if not label:
            self._context.show("teach")
            entry.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self._context.complain("Name what you show first: type a label in the Teach panel")
        else:
            entry.setCurrentText(label)
        return label

    def _as_prompt(self, label: str) -> str:
        """Make sure the label competes; return it as it is written in the list, or "" when it cannot."""
        prompts = self._words.now()
        there = next((p for p in prompts.prompts if p.label.casefold() == label.casefold()), None)
        try:
            if there is None:
                prompts = prompts.add(label)
                label = prompts.labels[-1]
            else:
                label = there.label
                prompts = prompts.replace(label, negative=False, enabled=True)
        except UserError as error:
            self._context.complain(str(error))
            return ""
        if there is None or there.negative or not there.enabled:
            self._words.want(prompts)
        return label

    def _try(self, do: Any) -> None:
        try:
            do()
        except UserError as error:
            self._context.complain(str(error))


def _shots(count: int) -> str:
    return f"{count} shot{'' if count == 1 else 's'}"
