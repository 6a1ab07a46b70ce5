"""Runs without a window: a live table, JSON lines, or both."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
from rich.live import Live
from rich.text import Text

from neuroclip_live import interrupts
from neuroclip_live.cli.console import console
from neuroclip_live.cli.lessons import apply_lessons
from neuroclip_live.cli.live_table import LiveTable
from neuroclip_live.cli.naming import about
from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompts import PromptEncoder, PromptSet
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings, PipelineState, Status
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.recognizer import Recognizer
from neuroclip_live.recognition.replay_all import Totals, recognise_all
from neuroclip_live.recording import jsonl
from neuroclip_live.stream.ordering import stray_note

if TYPE_CHECKING:
    from neuroclip_drivers.source import EventSource
    from neuroclip_live.model.backbone import BackboneInfo
    from neuroclip_live.recognition.pipeline import Load, LoadAdapter
    from neuroclip_live.recording.recorder import RecordingReport
    from neuroclip_live.stream.slicing import SliceBy

POLL_S = 0.005
FIRST_SLICE_S = 10.0
"""Where no slice comes for so long, as from a camera that sees nothing, ``--duration`` counts from there."""

T = TypeVar("T")


@dataclass
class Output:
    """Where a run's predictions go.

    Attributes
    ----------
    json : JsonlWriter or None
    table : bool
        Show a live table on standard output.
    note : callable, optional
        Gets every object too.
    """

    json: jsonl.JsonlWriter | None
    table: bool
    note: Callable[[dict[str, Any]], None] | None = None

    def write(self, line: dict[str, Any]) -> None:
        """Write one object, where JSON lines are wanted, and where a recording has them beside it."""
        if self.json is not None:
            self.json.write(line)
        if self.note is not None:
            self.note(line)

    def tell(self, report: RecordingReport) -> None:
        """Say what became of a recording."""
        style = "green" if report.whole else "bold red"
        console(stderr=True).print(report.message, style=style, highlight=False, soft_wrap=True)


def run_every_window(
    source: EventSource,
    load: Load,
    prompts: PromptSet,
    settings: PipelineSettings,
    output: Output,
    duration_s: float | None = None,
    load_adapter: LoadAdapter | None = None,
    stop: Stop | None = None,
) -> None:
    """Process every window of a recording in order, as fast as the machine goes.

    ``duration_s`` counts from the first slice.

    Raises
    ------
    UserError
        When the model, the prompts or the source cannot be used.
    click.exceptions.Exit
        When it was told to stop before it had begun.
    """
    with interrupted(stop) as stop, _shown(output) as show:

        def prepare() -> tuple[Recognizer, PromptSet]:
            model = load(show.progress)
            asked = settings.with_model_templates(prompts, model)
            recognizer = Recognizer(model, PromptEncoder(model).encode(asked), settings.recognizer)
            recognizer.decider.settings = settings.decision
            if load_adapter is not None:
                recognizer.adapter = load_adapter(model)
            if settings.lessons is not None:
                with about("--taught"):
                    asked = apply_lessons(settings.lessons, recognizer, asked)
            recognizer.warm_up()
            return recognizer, asked

        recognizer, prompts = _beside(prepare, stop)
        output.write(_header(source, recognizer.backbone.info, prompts, settings))
        totals, begin = Totals(), monotonic()
        deadline: float | None = None

        def is_over() -> bool:
            return stop.is_set() or (deadline is not None and monotonic() > deadline)

        for prediction in recognise_all(source, recognizer, settings.slice_by, totals, is_over):
            if deadline is None and duration_s is not None:
                deadline = monotonic() + duration_s
            output.write(prediction.to_dict())
            show.prediction(prediction, f"{totals.windows} windows")
            if is_over():
                break
        source.close()
        show.notice(source.status().message)
        show.notice(stray_note(totals.stray_events))
        if not totals.windows and not stop.is_set():
            show.notice(too_short(source, totals.events, settings.slice_by))
        output.write(
            jsonl.summary(
                events=totals.events,
                windows=totals.windows,
                predictions=totals.predictions,
                skipped_windows=0,  # every window is processed here
                dropped_events=totals.dropped_events,
                outside_events=totals.outside_events,
                stray_events=totals.stray_events,
                total=totals.latency.percentiles().get("total"),
                wall_s=monotonic() - begin,
            )
        )


def run_live(
    pipeline: Pipeline, output: Output, duration_s: float | None = None, stop: Stop | None = None
) -> None:
    """Follow a running pipeline until its source ends, ``duration_s`` is over or Ctrl-C.

    ``duration_s`` counts from the first slice.

    Raises
    ------
    UserError
        When the pipeline fails.
    click.exceptions.Exit
        When it was told to stop before it had begun.
    """
    with interrupted(stop) as stop, _shown(output) as show:
        pipeline.start()
        try:
            _follow(pipeline, output, show, stop, duration_s)
        finally:
            if pipeline.recording() is not None:
                output.tell(pipeline.stop_recording())
            pipeline.stop(0.5 if pipeline.status().state is PipelineState.LOADING else 3.0)


def _follow(pipeline: Pipeline, output: Output, show: _Show, stop: Stop, duration_s: float | None) -> None:
    number, written, told = 0, 0, ""
    started: float | None = None
    counted_from: float | None = None
    while not stop.is_set():
        status = pipeline.status()  # before the predictions: an end seen here has all of them in the log
        if status.state is PipelineState.FAILED:
            raise UserError(status.message)
        if status.state is PipelineState.LOADING:
            show.progress(status.message, status.progress)
        elif started is None:
            started = monotonic()
            assert pipeline.backbone is not None
            output.write(
                _header(pipeline.source, pipeline.backbone.info, pipeline.prompts, pipeline.settings)
            )
        recording = pipeline.recording()
        message = (recording.warning if recording is not None else None) or status.message
        if message not in ("", told) and started is not None:
            told = message
            show.notice(told)
        for prediction in pipeline.predictions(after=number):
            number, written = prediction.number, written + 1
            output.write(prediction.to_dict())
        latest = pipeline.prediction()
        if latest is not None:
            show.prediction(latest, _status_line(pipeline))
        if status.state is PipelineState.ENDED:
            break
        if counted_from is None and started is not None:
            if status.windows or monotonic() - started > FIRST_SLICE_S:
                counted_from = monotonic()
        if duration_s is not None and counted_from is not None and monotonic() - counted_from >= duration_s:
            break
        stop.wait(POLL_S)
    if started is None:
        stop.leave()
    status, rest = _settled(pipeline, number)
    if status.state is PipelineState.ENDED and not status.windows:
        show.notice(too_short(pipeline.source, status.total_events, pipeline.settings.slice_by))
    show.notice(stray_note(status.stray_events))
    for prediction in rest:
        output.write(prediction.to_dict())
    output.write(
        jsonl.summary(
            events=status.total_events,
            windows=status.windows,
            predictions=status.predictions,
            skipped_windows=status.skipped_windows,
            dropped_events=status.dropped_events,
            outside_events=status.outside_events,
            stray_events=status.stray_events,
            unwritten_predictions=status.predictions - written - len(rest),
            total=status.latency.get("total"),
            wall_s=monotonic() - (started or monotonic()),
        )
    )


def _settled(pipeline: Pipeline, number: int) -> tuple[Status, list[Prediction]]:
    """Return the counts, and the predictions after ``number`` that are among those counted."""
    while True:
        status, rest = pipeline.status(), pipeline.predictions(after=number)
        if pipeline.status().predictions == status.predictions:  # else one came in between
            return status, rest


def _header(
    source: EventSource, model: BackboneInfo, prompts: PromptSet, settings: PipelineSettings
) -> dict[str, Any]:
    return jsonl.header(source, model, prompts, settings.slice_by, settings.recognizer.timesteps)


def _status_line(pipeline: Pipeline) -> str:
    status = pipeline.status()
    total = status.latency.get("total")
    latency = f"{total.p50_ms:.0f}/{total.p99_ms:.0f} ms" if total else "-"
    strays = f" · stray times {status.stray_events}" if status.stray_events else ""
    outside = f" · outside the sensor {status.outside_events}" if status.outside_events else ""
    return (
        f"{status.event_rate_hz / 1e3:,.0f} kev/s · {status.prediction_rate_hz:.0f} predictions/s · "
        f"latency p50/p99 {latency} · dropped {status.dropped_events} · skipped {status.skipped_windows}"
        f"{outside}{strays} · {status.model} on {status.device} ({status.runtime})"
    )


class _Show:
    """The live table, or nothing."""

    def __init__(self, live: Live | None) -> None:
        self._live = live
        self._errors = console(stderr=True)

    def progress(self, text: str, share: float | None) -> None:
        if self._live is not None and text:
            self._live.update(Text(text if share is None else f"{text} {share:.0%}", style="dim"))

    def notice(self, text: str) -> None:
        if text:
            self._errors.print(text, style="yellow", highlight=False, soft_wrap=True)

    def prediction(self, prediction: Prediction, foot: str) -> None:
        if self._live is not None:
            self._live.update(LiveTable(prediction, foot))


def too_short(source: EventSource, events: int, by: SliceBy) -> str:
    """Say why a recording gave no prediction: it ends before its first slice does.

    Parameters
    ----------
    source : EventSource
    events : int
        That it gave.
    by : SliceBy
        How it was cut.
    """
    status, seconds = source.status(), 0.0
    if status.start_us is not None and status.end_us is not None:
        seconds = (status.end_us - status.start_us) / 1e6
    shorter = f"--slice {max(1, events // 4)}" if events >= 4 else "another recording"
    return (
        f"{source.name} is too short for one slice: {events:,} events in {seconds:.3f} s, "
        f"and a slice is {by.overlap} hops; try {shorter}, or --overlap 1"
    )


@contextmanager
def _shown(output: Output) -> Iterator[_Show]:
    if not output.table:
        yield _Show(None)
        return
    out = console()
    with Live(Text("loading", style="dim"), console=out, refresh_per_second=12) as live:
        yield _Show(live)
    if not out.is_terminal:
        out.line()  # a pipe gets whole lines


class Stop(threading.Event):
    """Set by Ctrl-C and by a polite kill, so that a run ends with its summary."""

    number: int = signal.SIGINT
    """Which signal it was."""

    def hear(self, number: int, _frame: object) -> None:
        """Stop because of a signal."""
        interrupts.note(number)
        self.number = number
        self.set()

    def leave(self) -> NoReturn:
        """End a run that had not begun, with the status that shells give to a signal."""
        raise click.exceptions.Exit(128 + self.number)


@contextmanager
def interrupted(stop: Stop | None = None) -> Iterator[Stop]:
    """Let signals set ``stop``, or a new one, inside."""
    stop = stop or Stop()
    with interrupts.handled(stop.hear, signal.SIGINT, signal.SIGTERM):
        yield stop


def _beside(make: Callable[[], T], stop: Stop) -> T:
    """Return what ``make`` does, called in a thread of its own.

    A library deep in its own code, compiling a model say, would keep this thread from hearing of Ctrl-C.
    """
    made: list[T] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            made.append(make())
        except BaseException as error:  # noqa: BLE001  it is raised again below
            failed.append(error)

    thread = threading.Thread(target=work, name="model-load", daemon=True)
    thread.start()
    while thread.is_alive() and not stop.is_set():
        thread.join(POLL_S)
    if failed:
        raise failed[0]
    return made[0] if made else stop.leave()
