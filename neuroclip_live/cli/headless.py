"""Runs without a window: a live table, JSON lines, or whatever outputs are asked for."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console

from neuroclip_live.cli.lessons import apply_lessons
from neuroclip_live.errors import UserError
from neuroclip_live.outputs.carrier import POLL_S, Carrier
from neuroclip_live.outputs.output import Output, Watching
from neuroclip_live.prompting.prompts import PromptEncoder, PromptSet
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings, PipelineState
from neuroclip_live.recognition.recognizer import Recognizer
from neuroclip_live.recognition.replay_all import Totals, recognise_all
from neuroclip_live.recognition.run_facts import Header
from neuroclip_live.stream.ordering import stray_note

if TYPE_CHECKING:
    from neuroclip_drivers.source import EventSource
    from neuroclip_live.recognition.pipeline import Load, LoadAdapter
    from neuroclip_live.recording.recorder import RecordingReport
    from neuroclip_live.stream.slicing import SliceBy


def run_every_window(
    source: EventSource,
    load: Load,
    prompts: PromptSet,
    settings: PipelineSettings,
    outputs: Sequence[Output],
    duration_s: float | None = None,
    load_adapter: LoadAdapter | None = None,
) -> None:
    """Process every window of a recording in order, as fast as the machine goes.

    Raises
    ------
    UserError
        When the model, the prompts or the source cannot be used, or an output cannot be written.
    """
    watching = [output for output in outputs if isinstance(output, Watching)]

    def progress(text: str, share: float | None) -> None:
        for output in watching:
            output.loading(text, share)

    summary = None
    try:
        with _interrupted() as stop:
            model = load(progress)
            prompts = settings.with_model_templates(prompts, model)
            recognizer = Recognizer(model, PromptEncoder(model).encode(prompts), settings.recognizer)
            recognizer.decider.settings = settings.decision
            if load_adapter is not None:
                recognizer.adapter = load_adapter(model)
            if settings.lessons is not None:
                prompts = apply_lessons(settings.lessons, recognizer, prompts)
            recognizer.warm_up()
            header = Header.of(source, model.info, prompts, settings)
            for output in outputs:
                output.open(header)
            totals, begin = Totals(), monotonic()
            deadline = begin + duration_s if duration_s is not None else float("inf")
            for prediction in recognise_all(
                source, recognizer, settings.slice_by, totals, lambda: stop.is_set() or monotonic() > deadline
            ):
                for output in outputs:
                    output.write(prediction)
                for output in watching:
                    output.status(f"{totals.windows} windows")
                if stop.is_set() or monotonic() > deadline:
                    break
            source.close()
            notice(source.status().message)
            notice(stray_note(totals.stray_events))
            if not totals.windows and not stop.is_set():
                notice(too_short(source, totals.events, settings.slice_by))
            summary = totals.summary(monotonic() - begin)
    finally:
        with ExitStack() as closing:
            for output in outputs:
                closing.callback(output.close, summary)


def run_live(pipeline: Pipeline, outputs: Sequence[Output], duration_s: float | None = None) -> None:
    """Follow a running pipeline until its source ends, ``duration_s`` is over or Ctrl-C.

    Raises
    ------
    UserError
        When the pipeline fails, or an output cannot be written.
    """
    carrier = Carrier(pipeline, outputs)
    with _interrupted() as stop:
        pipeline.start()
        try:
            _follow(pipeline, carrier, stop, duration_s)
        finally:
            carrier.give_up()
            if pipeline.recording() is not None:
                tell(pipeline.stop_recording())
            pipeline.stop()


def _follow(pipeline: Pipeline, carrier: Carrier, stop: threading.Event, duration_s: float | None) -> None:
    told = ""
    while not stop.is_set():
        status = carrier.look()
        if status.state is PipelineState.FAILED:
            raise UserError(status.message)
        recording = pipeline.recording()
        message = (recording.warning if recording is not None else None) or status.message
        if message not in ("", told) and carrier.started:
            told = message
            notice(told)
        if status.state is PipelineState.ENDED:
            break
        if duration_s is not None and carrier.running_s >= duration_s:
            break
        stop.wait(POLL_S)
    status = carrier.finish()
    notice(stray_note(status.stray_events))
    if status.state is PipelineState.ENDED and not status.windows:
        notice(too_short(pipeline.source, status.total_events, pipeline.settings.slice_by))


def notice(text: str) -> None:
    """Say something on the side of what is written."""
    if text:
        Console(stderr=True).print(text, style="yellow", highlight=False, soft_wrap=True)


def tell(report: RecordingReport) -> None:
    """Say what became of a recording."""
    style = "green" if report.whole else "bold red"
    Console(stderr=True).print(report.message, style=style, highlight=False, soft_wrap=True)


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
def _interrupted() -> Iterator[threading.Event]:
    """Turn Ctrl-C and a polite kill into an event, so that a run ends with its summary."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {
        number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
