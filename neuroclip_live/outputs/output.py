"""What every output has in common: it gets a header, then predictions, and a summary at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header, Summary


class Output(Protocol):
    """Somewhere predictions go. All calls come from one thread, which is not the one that recognizes.

    What it raises as :class:`neuroclip_live.errors.UserError` ends a run without a window, and is a message
    in one with a window, where the other outputs go on.
    """

    def open(self, header: Header) -> None:
        """Take in what holds for the predictions that follow.

        Called before the first prediction, and again whenever the source, the model or the prompts change.
        """
        ...

    def write(self, prediction: Prediction) -> None:
        """Take in a prediction; in order, none twice. Of its frames the last one may be all there is."""
        ...

    def close(self, summary: Summary | None) -> None:
        """End; None where the run failed. Called once, also where it was never opened."""
        ...


@runtime_checkable
class Watching(Protocol):
    """An output that also shows how a run is coming along: the live table."""

    def loading(self, text: str, share: float | None) -> None:
        """Show what loading the model is at; ``share`` is 0 to 1 where it is known."""
        ...

    def status(self, line: str) -> None:
        """Show rates and counts, in a line."""
        ...


@runtime_checkable
class Waiting(Protocol):
    """An output that waits for its reader: it asks meanwhile whether the run is over, and then gives up."""

    over: Callable[[], bool]
    """Set by who runs it."""


@runtime_checkable
class Telling(Protocol):
    """An output that can be in trouble and go on: a broker that is away, a reader that is too slow."""

    def trouble(self) -> str:
        """Return what is wrong now, in a line, or "". After :meth:`Output.close`: what was lost in all."""
        ...


class Troubles:
    """Tells what outputs are in trouble with, each time it changes.

    Parameters
    ----------
    outputs : iterable of Output
    tell : callable
        Gets a line; an empty one when nothing is wrong any more.
    """

    def __init__(self, outputs: Iterable[Output], tell: Callable[[str], None]) -> None:
        self._outputs = [output for output in outputs if isinstance(output, Telling)]
        self._tell, self._told = tell, ""

    def look(self) -> None:
        """Ask all of them, and tell what is new."""
        if not self._outputs:
            return
        now = "; ".join(text for text in (output.trouble() for output in self._outputs) if text)
        if now != self._told:
            self._told = now
            self._tell(now)
