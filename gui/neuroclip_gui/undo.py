"""One stack for all that is typed and taught: Ctrl+Z takes back what was done last, whichever it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QUndoCommand, QUndoStack

from neuroclip_gui.panel_spec import Context

if TYPE_CHECKING:
    from neuroclip_live.prompting.prompt_set import PromptSet

MOST = 200
"""Changes that can be taken back."""


class _Change(QUndoCommand):
    """Something that can be done and taken back, while ``stands``: lessons go with their model."""

    def __init__(
        self, text: str, do: Callable[[], None], back: Callable[[], None], stands: Callable[[], bool]
    ) -> None:
        super().__init__(text)
        self._do, self._back, self._stands = do, back, stands

    def redo(self) -> None:
        self._try(self._do)

    def undo(self) -> None:
        self._try(self._back)

    def _try(self, what: Callable[[], None]) -> None:
        if self._stands():
            what()
        else:
            self.setObsolete(True)  # the stack lets go of it


class Undo:
    """The changes of one window.

    Parameters
    ----------
    context : Context
    use_prompts : callable
        Scores against other words from now on.
    """

    def __init__(self, context: Context, use_prompts: Callable[[PromptSet], None]) -> None:
        self._context, self._use_prompts = context, use_prompts
        self.stack = QUndoStack(context.parent)
        self.stack.setUndoLimit(MOST)

    # ---- what the user does

    def change_words(self, before: PromptSet, after: PromptSet) -> None:
        """Score against another set from now on."""
        if before == after:
            self._use_prompts(after)
            return
        same = before.templates == after.templates

        def use(prompts: PromptSet) -> None:
            # the sentences of a model that came meanwhile stay: only a change of them is taken back
            now = self._context.words.now()
            self._use_prompts(
                replace(prompts, templates=now.templates)
                if same and prompts.templates != now.templates
                else prompts
            )

        self._push(described(before, after), lambda: use(after), lambda: use(before))

    def note_lessons(self, text: str, teacher: Any, before: Any) -> None:
        """Remember a change of what is taught that was made just now; ``before`` is its book until then."""
        after = teacher.book
        if after is before:
            return
        self._push(
            text,
            lambda: teacher.restore(after) if teacher.book is not after else None,
            lambda: teacher.restore(before),
            lambda: getattr(self._context.pipeline(), "teacher", None) is teacher,
        )

    def change_lists(self, text: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        """Keep other saved lists of words."""
        self._push(text, lambda: self._use_lists(after), lambda: self._use_lists(before))

    def start_empty(self) -> None:
        """Without words, lessons or a part of the picture: all of it can be taken back at once."""
        pipeline, words = self._context.pipeline(), self._context.words.now()
        teacher = getattr(pipeline, "teacher", None)
        region = pipeline.region if pipeline is not None else None
        self.stack.beginMacro("start empty")
        self.change_words(words, replace(words, prompts=()))
        if teacher is not None and teacher.status().labels:
            before = teacher.book
            teacher.clear()
            self.note_lessons("forget everything taught", teacher, before)
        if region is not None:
            use = self._context.doors.region
            self._push("whole sensor", lambda: use(None), lambda: use(region))
        self.stack.endMacro()
        self._context.say("Words, lessons and the part of the picture are put aside: Ctrl+Z brings them back")

    def undo(self) -> None:
        """Take the latest change back."""
        self._step(self.stack.canUndo, self.stack.undo, self.stack.undoText, "undo")

    def redo(self) -> None:
        """Do again what was taken back last."""
        self._step(self.stack.canRedo, self.stack.redo, self.stack.redoText, "do again")

    # ---- inside

    def _step(self, can: Callable[[], bool], do: Callable[[], None], text: Any, verb: str) -> None:
        while can():
            what, count = text(), self.stack.count()
            do()
            if self.stack.count() == count:  # else it was of a model that is no longer there
                self._context.say(f"{'Undone' if verb == 'undo' else 'Done again'}: {what}")
                return
        self._context.complain(f"There is nothing to {verb}")

    def _push(
        self,
        text: str,
        do: Callable[[], None],
        back: Callable[[], None],
        stands: Callable[[], bool] = lambda: True,
    ) -> None:
        self.stack.push(_Change(text, do, back, stands))

    def _use_lists(self, lists: dict[str, Any]) -> None:
        self._context.settings.prompt_sets = dict(lists)


def described(before: PromptSet, after: PromptSet) -> str:
    """Return what changed between two sets, in a few words."""
    old, new = {p.label: p for p in before.prompts}, {p.label: p for p in after.prompts}
    gone = [label for label in old if label not in new]
    come = [label for label in new if label not in old]
    if gone and come and len(before.prompts) == len(after.prompts) and len(gone) == len(come) == 1:
        return f"rename “{gone[0]}” to “{come[0]}”"
    if gone and come:
        return f"other words ({len(after.prompts)})"
    if come:
        return f"add {_named(come)}"
    if gone:
        return f"remove {'all words' if not new else _named(gone)}"
    changed = [label for label in new if new[label] != old[label]]
    if changed:
        negative = any(new[label].negative != old[label].negative for label in changed)
        return f"{'negative or not' if negative else 'on or off'}: {_named(changed)}"
    if before.templates != after.templates:
        return "sentences"
    return "none of these" if before.none_of_these != after.none_of_these else "order of words"


def _named(labels: list[str]) -> str:
    return f"“{labels[0]}”" if len(labels) == 1 else f"{len(labels)} words"
