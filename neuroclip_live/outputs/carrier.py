"""Carries what a pipeline predicts to its outputs: polled, so that a slow output never holds it up."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from time import monotonic

from neuroclip_drivers.awaited import AwaitedSource
from neuroclip_live.errors import UserError
from neuroclip_live.outputs.output import Output, Troubles, Watching
from neuroclip_live.recognition.pipeline import Pipeline, PipelineState, Status
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header, Summary

log = logging.getLogger(__name__)

POLL_S = 0.02
"""Predictions are carried at once; what else there is to tell, as the state, waits so long at most."""
FIRST_SLICE_S = 10.0
"""Where no slice comes for so long, as from a camera that sees nothing, a run's length counts from there."""

Failed = Callable[[str], None]


class Carrier:
    """Gives a pipeline's predictions to outputs, each once and in order; for one thread.

    Parameters
    ----------
    pipeline : Pipeline
    outputs : sequence of Output
    failed : callable, optional
        Told in a line what an output could not do, which is then left out; without it the error is raised.
    tell : callable, optional
        Told what outputs are in trouble with that go on, and "" when they no longer are.
    framed : bool
        Give predictions with their last frame. Not for those who keep them: a frame is a megabyte or so.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        outputs: Sequence[Output],
        failed: Failed | None = None,
        tell: Callable[[str], None] | None = None,
        *,
        framed: bool = False,
    ) -> None:
        self._pipeline, self._framed = pipeline, framed
        self._outputs = list(outputs)
        self._failed = failed
        self._troubles = Troubles(outputs, tell if tell is not None else log.warning)
        self._header: Header | None = None
        self._number = self._written = 0
        self._begin = monotonic()
        self._first: float | None = None
        self._news = threading.Event()
        pipeline.news.add(self.hurry)

    def wait(self) -> None:
        """Wait for the next prediction, :data:`POLL_S` at most; :meth:`hurry` ends it."""
        self._news.wait(POLL_S)
        self._news.clear()

    def hurry(self) -> None:
        """End :meth:`wait`, from any thread."""
        self._news.set()

    @property
    def started(self) -> bool:
        """Whether the model was loaded, so that predictions could come."""
        return self._header is not None

    @property
    def running_s(self) -> float:
        """Seconds since the model was loaded, or since the beginning where it is not."""
        return monotonic() - self._begin

    @property
    def slicing_s(self) -> float:
        """Seconds since the first slice; 0 before it."""
        return monotonic() - self._first if self._first is not None else 0.0

    def look(self) -> Status:
        """Carry what is new; return the pipeline's status, taken before that."""
        status = self._pipeline.status()  # first: with an end seen here, all predictions are in the log
        if status.state is PipelineState.LOADING:
            self._tell(lambda watching: watching.loading(status.message, status.progress))
        elif status.state is not PipelineState.FAILED:
            self._open()
        if self._header is not None:
            if self._first is None and (status.windows or self.running_s > FIRST_SLICE_S):
                self._first = monotonic()
            self._write(self._pipeline.predictions(after=self._number, framed=self._framed))
            self._tell(lambda watching: watching.status(status_line(status)))
        self._troubles.look()
        return status

    def finish(self) -> Status:
        """Carry what is left, and end the outputs with the counts; return those counts."""
        status, rest = self._settled()
        self._write(rest)
        unwritten = status.predictions - self._written
        self._close(Summary.of(status, unwritten=unwritten, wall_s=self.running_s))
        return status

    def give_up(self) -> None:
        """End the outputs without a summary: the run failed. Idempotent, also after :meth:`finish`."""
        self._close(None)

    def _open(self) -> None:
        pipeline = self._pipeline
        if isinstance(pipeline.source, AwaitedSource):
            return  # a header is of what there is
        header = pipeline.header()
        before = self._header
        if header == before:
            return
        if before is None:
            self._begin = monotonic()
        self._header = header
        self._each(lambda output: output.open(header))

    def _write(self, predictions: Sequence[Prediction]) -> None:
        for prediction in predictions:
            self._number, self._written = prediction.number, self._written + 1
            self._each(lambda output, given=prediction: output.write(given))  # type: ignore[misc]

    def _settled(self) -> tuple[Status, list[Prediction]]:
        """Return the counts, and the predictions not written yet that are among those counted."""
        while True:
            status = self._pipeline.status()
            rest = self._pipeline.predictions(after=self._number, framed=self._framed)
            if self._pipeline.status().predictions == status.predictions:  # else one came in between
                return status, rest

    def _close(self, summary: Summary | None) -> None:
        self._pipeline.news.remove(self.hurry)
        outputs, self._outputs = self._outputs, []
        with contextlib.ExitStack() as stack:  # all of them, whatever one raises
            if outputs:
                stack.callback(self._troubles.look)
            for output in reversed(outputs):
                stack.callback(self._do, lambda given: given.close(summary), output)

    def _tell(self, tell: Callable[[Watching], None]) -> None:
        for output in self._outputs:
            if isinstance(output, Watching):
                tell(output)

    def _each(self, do: Callable[[Output], None]) -> None:
        for output in list(self._outputs):
            self._do(do, output)

    def _do(self, do: Callable[[Output], None], output: Output) -> None:
        try:
            do(output)
        except Exception as error:
            if self._failed is None:
                raise
            if not isinstance(error, UserError | OSError):
                log.exception("an output failed")
            if output in self._outputs:
                self._outputs.remove(output)
                with contextlib.suppress(Exception):
                    output.close(None)
            self._failed(str(error) or type(error).__name__)


class CarrierThread:
    """A carrier in a thread of its own, for the window and for programs.

    Parameters
    ----------
    carrier : Carrier
    """

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outputs", daemon=True)

    def start(self) -> None:
        """Begin to carry."""
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """Carry what is left, end the outputs, and wait; return whether that ended in time. Idempotent."""
        self._stop.set()
        self._carrier.hurry()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._carrier.look()
            self._carrier.wait()
        if self._carrier.started:
            self._carrier.finish()
        self._carrier.give_up()


def status_line(status: Status) -> str:
    """Return rates and counts in a line."""
    total = status.latency.get("total")
    latency = f"{total.p50_ms:.0f}/{total.p99_ms:.0f} ms" if total else "-"
    strays = f" · stray times {status.stray_events}" if status.stray_events else ""
    outside = f" · outside the sensor {status.outside_events}" if status.outside_events else ""
    return (
        f"{status.event_rate_hz / 1e3:,.0f} kev/s · {status.prediction_rate_hz:.0f} predictions/s · "
        f"latency p50/p99 {latency} · dropped {status.dropped_events} · skipped {status.skipped_windows}"
        f"{outside}{strays} · {status.model} on {status.device} ({status.runtime})"
    )
