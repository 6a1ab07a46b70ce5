"""What is to be said of the words typed: no word at all, or none that names a thing.

Asked once per word, away from the window's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neuroclip_gui.jobs import Jobs
    from neuroclip_live.recognition.pipeline_protocol import PipelineProtocol


@dataclass(frozen=True)
class WordNote:
    """What is to be said of a word.

    Attributes
    ----------
    mark : str
        Shown after the word in a ring: "?" for what is no word, "i" for a hint; "" shows nothing.
    text : str
        In a sentence.
    """

    mark: str
    text: str


class Strangeness:
    """Remembers what a model said of words.

    Parameters
    ----------
    jobs : Jobs
    tell : callable
        Given those of which there is something to say, whenever that changed.
    """

    def __init__(self, jobs: Jobs, tell: Callable[[dict[str, WordNote]], None]) -> None:
        self._jobs, self._tell = jobs, tell
        self._model = ""
        self._known: dict[str, WordNote | None] = {}
        self._labels: tuple[str, ...] = ()
        self._asked = False

    def look(self, pipeline: PipelineProtocol, model: str, labels: tuple[str, ...]) -> None:
        """Ask about words not asked about yet."""
        if model != self._model:
            self._model, self._known, self._labels = model, {}, ()
        if self._asked or labels == self._labels:
            return
        self._labels = labels
        new = [label for label in labels if label not in self._known]
        if not new:
            self._report()
            return
        self._asked = True
        self._jobs.do(lambda: {at: _ask(pipeline, model, at) for at in new}, self._on_told, self._on_failed)

    def _on_told(self, found: dict[str, WordNote | None]) -> None:
        self._asked = False
        self._known.update(found)
        self._report()
        self._labels = ()  # labels may have changed meanwhile: look again

    def _on_failed(self, _: str) -> None:
        self._asked = False

    def _report(self) -> None:
        self._tell({label: note for label in self._labels if (note := self._known.get(label)) is not None})


def _ask(pipeline: PipelineProtocol, model: str, label: str) -> WordNote | None:
    """Return what is to be said of a word; None for one that is well known."""
    known = pipeline.familiarity(label)
    if known is None:
        return None
    nearest = ", ".join(known.nearest[:3])
    if known.kind == "unknown":
        words = " and ".join(f"“{word}”" for word in known.words)
        is_none = "is no English word" if len(known.words) == 1 else "are no English words"
        return WordNote(
            "?", f"{words} {is_none} that is known here: check the spelling. Its score means little."
        )
    if known.kind == "describes":
        return WordNote(
            "i", f"“{label}” describes a thing and names none. Name what has it, such as “a red car”."
        )
    if known.far:
        return WordNote("", f"{model} was taught nothing near “{label}”. The nearest words: {nearest}.")
    return None
