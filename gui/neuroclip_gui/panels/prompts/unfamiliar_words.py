"""Which of the words typed the model hardly knows. Asked once per word, away from the window's thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neuroclip_gui.jobs import Jobs
    from neuroclip_live.recognition.pipeline import Pipeline

_HARDLY_KNOWN = 0.25


class Strangeness:
    """Remembers what a model said of words.

    Parameters
    ----------
    jobs : Jobs
    tell : callable
        Given the strange ones with a sentence each, whenever that changed.
    """

    def __init__(self, jobs: Jobs, tell: Callable[[dict[str, str]], None]) -> None:
        self._jobs, self._tell = jobs, tell
        self._model = ""
        self._known: dict[str, str] = {}
        self._labels: tuple[str, ...] = ()
        self._asked = False

    def look(self, pipeline: Pipeline, model: str, labels: tuple[str, ...]) -> None:
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

    def _on_told(self, found: dict[str, str]) -> None:
        self._asked = False
        self._known.update(found)
        self._report()
        self._labels = ()  # labels may have changed meanwhile: look again

    def _on_failed(self, _: str) -> None:
        self._asked = False

    def _report(self) -> None:
        self._tell({label: self._known[label] for label in self._labels if self._known.get(label)})


def _ask(pipeline: Pipeline, model: str, label: str) -> str:
    """Return a sentence on a word the model hardly knows; empty for one it knows."""
    known = pipeline.familiarity(label)
    if known is None or known.score >= _HARDLY_KNOWN:
        return ""
    nearest = ", ".join(known.nearest[:3])
    return f"{model} hardly knows “{label}”. The nearest words it was taught: {nearest}."
