"""An output of another package, in a thread of its own: what hangs or is slow there holds up nothing here.

The program's own outputs never wait, or wait for a file that was asked for. What others do in ``write``
nobody knows: it would keep a run from ending, and the other outputs from theirs.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from neuroclip_live.errors import UserError
from neuroclip_live.outputs.line_queue import Line, LineQueue
from neuroclip_live.outputs.output import Output, Telling, Watching
from neuroclip_live.outputs.passing_trouble import PassingTrouble
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header, Summary
from neuroclip_live.registry import fault_of

QUEUE = 64
"""Predictions kept for an output that is slow: about three seconds of them."""
CLOSE_S = 3.0
"""What waits at the end is given for so long at the most."""
_LOOK_S = 0.5


class Guarded:
    """An output of another package whose mistakes are told in a line, with their place in its files.

    Parameters
    ----------
    name : str
        What it is asked for by.
    output : Output
    """

    def __init__(self, name: str, output: Output) -> None:
        self.name, self._output = name, output
        self.watches = isinstance(output, Watching)

    def open(self, header: Header) -> None:
        """Hand on."""
        self._do(self._output.open, header)

    def write(self, prediction: Prediction) -> None:
        """Hand on."""
        self._do(self._output.write, prediction)

    def close(self, summary: Summary | None) -> None:
        """Hand on."""
        self._do(self._output.close, summary)

    def trouble(self) -> str:
        """Hand on, where it tells of trouble."""
        return str(self._do(self._output.trouble) or "") if isinstance(self._output, Telling) else ""

    def loading(self, text: str, share: float | None) -> None:
        """Hand on, where it shows how a run is coming along."""
        if isinstance(self._output, Watching):
            self._do(self._output.loading, text, share)

    def status(self, line: str) -> None:
        """Hand on, where it shows how a run is coming along."""
        if isinstance(self._output, Watching):
            self._do(self._output.status, line)

    def _do(self, do: Callable[..., Any], *given: object) -> Any:
        try:
            return do(*given)
        except (UserError, OSError):
            raise
        except (Exception, SystemExit) as error:  # it ends nothing but itself
            raise UserError(f"the output {self.name} failed: {fault_of(error)}") from error


class Apart:
    """Gives an output what it gets in a thread of its own; where it is too slow, the oldest predictions go.

    Parameters
    ----------
    output : Guarded

    Attributes
    ----------
    offered, lost : int
        Predictions so far, and those that it did not get.
    """

    def __init__(self, output: Guarded) -> None:
        self._output = output
        self._changed = threading.Condition()
        self._lines = LineQueue(QUEUE)
        self._shown: dict[str, tuple[Any, ...]] = {}
        self._summary: Summary | None = None
        self._end_by: float | None = None
        self._failure: Exception | None = None
        self.offered = self.lost = 0
        self._said = ""
        self._slow = PassingTrouble()
        self._thread = threading.Thread(target=self._run, name=f"output {output.name}"[:60], daemon=True)
        self._thread.start()

    def open(self, header: Header) -> None:
        """Take in a header; it is never lost."""
        self._offer(header)

    def write(self, prediction: Prediction) -> None:
        """Take in a prediction; returns at once. Raises what the output raised before."""
        self._offer(prediction)

    def loading(self, text: str, share: float | None) -> None:
        """Have it shown, unless something newer comes first."""
        self._show("loading", text, share)

    def status(self, line: str) -> None:
        """Have it shown, unless something newer comes first."""
        self._show("status", line)

    def trouble(self) -> str:
        """Return what is wrong with it; at the end how many predictions it did not get."""
        with self._changed:
            if self._end_by is None:
                return self._slow.text() or self._said
            name, told = self._output.name, []
            if self.lost:
                told.append(f"{name}: {self.lost:,} of {self.offered:,} predictions were lost")
            if self._thread.is_alive():
                told.append(f"{name} did not end: it is left behind")
            return "; ".join(told) or self._said

    def close(self, summary: Summary | None) -> None:
        """Give it what waits, for three seconds at the most, and end it; idempotent."""
        with self._changed:
            if self._end_by is not None:
                return
            self._summary, self._end_by = summary, monotonic() + CLOSE_S
            self._changed.notify_all()
        self._thread.join(CLOSE_S + 1.0)
        with self._changed:
            self.lost += self._lines.drop_all()
            failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _offer(self, line: Line) -> None:
        with self._changed:
            failure, self._failure = self._failure, None
            if failure is not None:
                raise failure
            if isinstance(line, Prediction):
                self.offered += 1
            lost = self._lines.add(line)
            self.lost += lost
            if lost:
                self._slow.note(f"{self._output.name} is too slow: predictions are lost")
            self._changed.notify_all()

    def _show(self, what: str, *given: Any) -> None:
        if self._output.watches:
            with self._changed:
                self._shown[what] = given
                self._changed.notify_all()

    def _run(self) -> None:
        try:
            while self._give():
                self._said = self._output.trouble()
        except Exception as error:  # noqa: BLE001 - it is raised where the next prediction is given
            self._failure = error
            with contextlib.suppress(UserError, OSError):
                self._output.close(None)
            return
        try:
            self._output.close(self._summary)
            self._said = self._output.trouble()
        except Exception as error:  # noqa: BLE001 - raised by whoever closes
            self._failure = error

    def _give(self) -> bool:
        """Give it what is next; return False when all is given, or the time for that is over."""
        with self._changed:
            self._changed.wait_for(self._is_due, _LOOK_S)
            if self._end_by is not None and monotonic() > self._end_by:
                self.lost += self._lines.drop_all()
            line = self._lines.take()
            shown, self._shown = self._shown, {}
            over = line is None and self._end_by is not None
        for what, given in shown.items():
            getattr(self._output, what)(*given)
        if isinstance(line, Header):
            self._output.open(line)
        elif line is not None:
            self._output.write(line)
        return not over

    def _is_due(self) -> bool:
        return bool(self._lines or self._shown) or self._end_by is not None
