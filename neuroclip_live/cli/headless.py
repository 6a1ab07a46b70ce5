"""Runs without a window: a live table, JSON lines, or whatever outputs are asked for."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import NoReturn, TypeVar

import click

from neuroclip_drivers.source import EventSource
from neuroclip_live import interrupts
from neuroclip_live.console import console
from neuroclip_live.errors import UserError
from neuroclip_live.outputs.carrier import POLL_S, Carrier
from neuroclip_live.outputs.output import Output, Troubles, Waiting, Watching
from neuroclip_live.prompting.prompts import PromptSet
from neuroclip_live.recognition.inference_loop import TRYING_AGAIN
from neuroclip_live.recognition.pipeline import Load, LoadAdapter, Pipeline, PipelineSettings, PipelineState
from neuroclip_live.recognition.recognizer import Recognizer
from neuroclip_live.recognition.replay_all import Totals, recognize_all
from neuroclip_live.recognition.run_facts import Header
from neuroclip_live.recording.report import RecordingReport
from neuroclip_live.session import build_recognizer
from neuroclip_live.stream.ordering import stray_note
from neuroclip_live.stream.slicing import SliceBy

T = TypeVar("T")


def run_every_window(
    source: EventSource,
    load: Load,
    prompts: PromptSet,
    settings: PipelineSettings,
    outputs: Sequence[Output],
    duration_s: float | None = None,
    load_adapter: LoadAdapter | None = None,
    stop: Stop | None = None,
) -> None:
    """Process every window of a recording in order, as fast as the machine goes.

    ``duration_s`` counts from the first slice.

    Raises
    ------
    UserError
        When the model, the prompts or the source cannot be used, or an output cannot be written.
    click.exceptions.Exit
        When it was told to stop before it had begun.
    """
    watching = [output for output in outputs if isinstance(output, Watching)]
    troubles = Troubles(outputs, notice)

    def progress(text: str, share: float | None) -> None:
        for output in watching:
            output.loading(text, share)

    def prepare() -> tuple[Recognizer, PromptSet]:
        return build_recognizer(load(progress), prompts, settings, load_adapter)

    summary = None
    try:
        with interrupted(stop) as stop:
            recognizer, asked = _beside(prepare, stop)
            header = Header(source.name, source.resolution, recognizer.backbone.info, asked, settings)
            for output in outputs:
                output.open(header)
            totals, begin = Totals(), monotonic()
            deadline: float | None = None

            def is_over() -> bool:
                return stop.is_set() or (deadline is not None and monotonic() > deadline)

            _let_give_up(outputs, is_over)
            for prediction in recognize_all(
                source, recognizer, settings.slice_by, totals, is_over, settings.road
            ):
                if deadline is None and duration_s is not None:
                    deadline = monotonic() + duration_s
                for output in outputs:
                    output.write(prediction)
                for output in watching:
                    output.status(f"{totals.windows} windows")
                troubles.look()
                if is_over():
                    break
            source.close()
            notice(source.status().message)
            notice(stray_note(totals.stray_events))
            if not totals.windows and not stop.is_set():
                notice(too_short(source, totals.events, settings.slice_by))
            summary = totals.summary(monotonic() - begin)
    finally:
        with ExitStack() as closing:
            closing.callback(troubles.look)
            for output in outputs:
                closing.callback(output.close, summary)


def run_live(
    pipeline: Pipeline,
    outputs: Sequence[Output],
    duration_s: float | None = None,
    stop: Stop | None = None,
) -> None:
    """Follow a running pipeline until its source ends, ``duration_s`` is over or Ctrl-C.

    ``duration_s`` counts from the first slice.

    Raises
    ------
    UserError
        When the pipeline or its source fails, or an output cannot be written.
    click.exceptions.Exit
        When it was told to stop before it had begun.
    """
    carrier = Carrier(pipeline, outputs, tell=notice, framed=True)
    with interrupted(stop) as halt:

        def is_over() -> bool:
            return halt.is_set() or (duration_s is not None and carrier.slicing_s >= duration_s)

        _let_give_up(outputs, is_over)
        pipeline.start()
        try:
            _follow(pipeline, carrier, halt, is_over)
        finally:
            carrier.give_up()
            if pipeline.recording() is not None:
                tell(pipeline.stop_recording())
            pipeline.stop(0.5 if pipeline.status().state is PipelineState.LOADING else 3.0)


def _let_give_up(outputs: Sequence[Output], is_over: Callable[[], bool]) -> None:
    """Tell outputs that wait for a reader when the run is over."""
    for output in outputs:
        if isinstance(output, Waiting):
            output.over = is_over


def _follow(pipeline: Pipeline, carrier: Carrier, stop: Stop, is_over: Callable[[], bool]) -> None:
    told = ""
    while not stop.is_set():
        status = carrier.look()
        if status.state is PipelineState.FAILED:
            raise UserError(status.message)
        recording = pipeline.recording()
        message = (recording.warning if recording is not None else None) or status.message
        if message not in ("", told, status.failure) and carrier.started:
            told = message
            notice(told)
        if status.state is PipelineState.ENDED:
            break
        if is_over():
            break
        carrier.wait()
    if not carrier.started:
        stop.leave()
    status = carrier.finish()
    notice(stray_note(status.stray_events))
    if status.failure:
        raise UserError(status.failure)
    if told.startswith(TRYING_AGAIN) and not status.predictions:
        raise UserError(f"not one slice could be recognized: {told.removeprefix(TRYING_AGAIN)}")
    if status.state is PipelineState.ENDED and not status.windows:
        notice(too_short(pipeline.source, status.total_events, pipeline.settings.slice_by))


def notice(text: str) -> None:
    """Say something on the side of what is written."""
    if text:
        console(stderr=True).print(text, style="yellow", highlight=False, soft_wrap=True)


def tell(report: RecordingReport) -> None:
    """Say what became of a recording."""
    style = "green" if report.whole else "bold red"
    console(stderr=True).print(report.message, style=style, highlight=False, soft_wrap=True)


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
