"""A live run for programs: start it, look at the newest prediction or be told of each, stop it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from neuroclip_live import session
from neuroclip_live.api import Events, Prompts, config_for, named_for_programs, prompts_for
from neuroclip_live.errors import UserError
from neuroclip_live.outputs.carrier import Carrier, CarrierThread
from neuroclip_live.recognition.pipeline import PipelineState, Status

if TYPE_CHECKING:
    from neuroclip_live.prompting.prompt_set import PromptSet
    from neuroclip_live.recognition.prediction import Prediction
    from neuroclip_live.recognition.run_facts import Header, Summary

log = logging.getLogger(__name__)

Listener = Callable[["Prediction"], None]


class _Listeners:
    """An output that tells listeners; one that raises is told nothing more."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()

    def add(self, listener: Listener) -> None:
        with self._lock:
            self._listeners += (listener,)

    def remove(self, listener: Listener) -> None:
        with self._lock:
            self._listeners = tuple(each for each in self._listeners if each is not listener)

    def open(self, header: Header) -> None:
        """Do nothing: listeners need no header."""

    def write(self, prediction: Prediction) -> None:
        for listener in self._listeners:
            try:
                listener(prediction)
            except Exception:
                log.exception("a subscriber failed and is told nothing more")
                self.remove(listener)

    def close(self, summary: Summary | None) -> None:
        """Do nothing: there is nothing to close."""


class Session:
    """Recognition of a camera, a stream, the simulator, or a recording at its own speed.

    Use it in a ``with`` statement, or call :meth:`start` and :meth:`stop`. It starts once.

    Parameters
    ----------
    prompts : str, sequence of str, or PromptSet, optional
    path : path-like, optional
        A recording; without it an option like ``camera=""``, ``connect="HOST:PORT"`` or ``simulate=""``.
    **options
        Fields of :class:`neuroclip_live.config.Config`.

    Raises
    ------
    UserError
        When the options, the prompts or the source cannot be used.
    """

    def __init__(
        self, prompts: Prompts | None = None, path: str | Path | None = None, **options: Any
    ) -> None:
        with named_for_programs():
            config = config_for(path, {"speed": "1", **options})
            asked = prompts_for(config, prompts)
            session.settings_of(config)
            source = Events(config).source
            try:
                self.pipeline = session.build_pipeline(config, source, asked)
            except UserError:
                source.close()
                raise
        self._listeners = _Listeners()
        self._carrier = CarrierThread(Carrier(self.pipeline, [self._listeners], self.pipeline.report))
        self._started = False

    def start(self) -> Session:
        """Load the model and begin, in threads of their own; return at once."""
        if not self._started:
            self._started = True
            self.pipeline.start()
            self._carrier.start()
        return self

    def stop(self) -> bool:
        """Tell subscribers what is left, end the threads, close the source.

        Return whether that was in time. Idempotent.
        """
        if not self._started:
            self.pipeline.source.close()
            return True
        ended = self._carrier.stop()
        return self.pipeline.stop() and ended

    def latest(self) -> Prediction | None:
        """Return the newest prediction; None before the first.

        Raises
        ------
        UserError
            When the run failed, say because the model could not be loaded.
        """
        self._check()
        return self.pipeline.prediction()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have every prediction given to ``listener``, in order, in a thread of the session.

        A slow listener is late, and misses those that leave the log of the last 1,024. Return a function that
        ends the subscription.
        """
        self._listeners.add(listener)
        return lambda: self._listeners.remove(listener)

    def set_prompts(self, prompts: Prompts) -> None:
        """Look for other things from the next slice on; templates stay."""
        with named_for_programs():
            before: PromptSet = self.pipeline.prompts
            asked = prompts_for(config_for(None, {}), prompts)
            self.pipeline.set_prompts(
                asked.with_templates(before.templates).with_none_of_these(before.none_of_these)
            )

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until a recording has ended; return whether it has.

        Raises
        ------
        UserError
            When the run failed.
        """
        waiting = threading.Event()
        left = float("inf") if timeout_s is None else timeout_s
        while self._check().state not in (PipelineState.ENDED, PipelineState.STOPPED):
            if left <= 0:
                return False
            waiting.wait(min(0.02, left))
            left -= 0.02
        return True

    def _check(self) -> Status:
        status = self.pipeline.status()
        if status.state is PipelineState.FAILED:
            with named_for_programs():
                raise UserError(status.message)
        return status

    def __enter__(self) -> Session:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
