"""From options to a run: opens the source, reads the prompts, hands both to the window or the terminal."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from neuroclip_live.cli.naming import about, at_least, refuse_blank, refuse_no_file
from neuroclip_live.cli.options import MOST_THREADS, RunOptions
from neuroclip_live.cli.output_options import about_outputs, outputs_of
from neuroclip_live.cli.road_options import check_road, put_on, road_of
from neuroclip_live.cli.saved_options import kept, with_saved
from neuroclip_live.cli.serving import check_serving
from neuroclip_live.errors import UserError

if TYPE_CHECKING:
    from neuroclip_drivers.opening import SourceSpec
    from neuroclip_drivers.source import EventSource
    from neuroclip_live.learning.adapter import Adapter
    from neuroclip_live.model.backbone import Backbone
    from neuroclip_live.outputs.carrier import CarrierThread
    from neuroclip_live.prompting.prompts import PromptSet
    from neuroclip_live.recognition.pipeline import Load, LoadAdapter, Pipeline, PipelineSettings, Progress

DEFAULT_PROMPTS = (
    "a person, a hand, a mug, a phone, scissors, a computer mouse, a box, a bottle, a car, a dog"
)
SLOWEST, FASTEST = 0.1, 100.0


def run(options: RunOptions) -> int:
    """Run what the options say; return the exit status.

    Raises
    ------
    UserError
        When something in the options cannot be used.
    """
    if options.list_cameras:
        from neuroclip_live.cli.reports import print_cameras

        return print_cameras()
    _check(options)
    if options.objects and not options.headless:
        raise UserError("--objects needs --headless; the window does not show several things yet")
    check_road(options)
    if options.headless:
        options = with_saved(options)
    from neuroclip_live.cli.malloc_tuning import keep_memory

    keep_memory()
    spec = source_spec(options)
    prompts = prompts_of(options, spec)
    settings = settings_of(options)
    return (
        _run_headless(options, spec, prompts, settings)
        if options.headless
        else _run_window(options, spec, prompts, settings)
    )


def _check(options: RunOptions) -> None:
    """Raise UserError for what is wrong whatever is opened."""
    if options.duration is not None and not 0 < options.duration < float("inf"):
        raise UserError(f"--duration {options.duration:g}: give a positive number of seconds")
    if options.start is not None and not 0 <= options.start < float("inf"):
        raise UserError(f"--start {options.start:g}: give seconds from the first event, 0 or more")
    if options.end is not None and not (options.start or 0.0) < options.end < float("inf"):
        raise UserError(f"--end {options.end:g}: give seconds from the first event, after --start")
    at_least({"--threads": options.threads}, 1, MOST_THREADS)
    check_serving(options)
    files = {
        "--replay": options.replay,
        "--prompt-file": options.prompt_file,
        "--weights": options.weights,
        "--adapter": options.adapter,
        "--taught": options.taught,
        "--jsonl": options.jsonl,
        "--config": options.config,
        "--tls-ca": options.tls_ca,
        "--tls-cert": options.tls_cert,
        "--tls-key": options.tls_key,
    }
    refuse_blank(files, "a file")
    refuse_no_file("--record", options.record)
    refuse_blank({"--connect": options.connect}, "HOST:PORT")
    refuse_blank({"--tls-name": options.tls_name}, "the name in the server's certificate")
    refuse_blank({"--templates": options.templates}, 'a set\'s name, or a sentence like "a photo of a {}"')
    refuse_blank({"--model": options.model}, "a name that `neuroclip-live models` lists")


def _opened(spec: SourceSpec) -> EventSource:
    """Open the source, naming its option where that fails."""
    from neuroclip_drivers.opening import SOURCES, open_source

    with about(SOURCES.find(spec.kind).option):
        return open_source(spec)


def source_spec(options: RunOptions) -> SourceSpec:
    """Return which source is meant; the demo recording when none is named."""
    from neuroclip_drivers.demo import DEMO
    from neuroclip_drivers.opening import SOURCES, SourceSpec

    named: dict[str, str | None] = {
        "replay": options.replay,
        "camera": options.camera,
        "network": options.connect,
        "simulator": options.simulate,
    }
    chosen = [kind for kind, target in named.items() if target is not None]
    if len(chosen) + (options.source is not None) > 1:
        raise UserError("choose one of --replay, --camera, --connect, --simulate and --source")
    if options.source is not None:
        kind, _, argument = options.source.partition(":")
        chosen, named = [kind], {kind: argument}
    kind = chosen[0] if chosen else "demo"
    is_recording = "recording" in SOURCES.find(kind).capabilities and kind != "demo"
    target = named[kind] or None if chosen else DEMO
    loop = options.loop if options.loop is not None else not options.headless
    certificates = (options.tls_ca, options.tls_cert, options.tls_key, options.tls_name)
    tls = None
    if any(value is not None for value in certificates):
        from neuroclip_drivers.network.tls import Tls

        if kind != "network":
            raise UserError("the --tls options are for a stream: name it with --connect HOST:PORT")
        tls = Tls(*certificates)
    if options.stream is not None and not is_recording:
        raise UserError("--stream is for a recording: name it with --replay FILE")
    if (options.sensor or options.time_unit) and not is_recording:
        raise UserError("--sensor and --time-unit are for a recording: name it with --replay FILE")
    from neuroclip_drivers.files.event_file import parse_sensor

    with about("--sensor"):
        sensor = parse_sensor(options.sensor) if options.sensor is not None else None
    return SourceSpec(
        kind=kind,
        target=target,
        speed=speed_of(options.speed),
        loop=loop,
        start_s=options.start or 0.0,
        end_s=options.end,
        hold_at_end=not options.headless,
        stream=options.stream,
        sensor=sensor,
        time_unit=options.time_unit,
        tls=tls,
    )


def speed_of(text: str) -> float | None:
    """Read ``--speed``: a factor, or None for ``max``."""
    if text.strip().lower() == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        raise UserError(f"--speed {text!r} is no number: give 0.1 to 100, or max") from None
    if not SLOWEST <= speed <= FASTEST:
        raise UserError(f"--speed {text}: give 0.1 to 100, or max")
    return speed


def prompts_of(options: RunOptions, spec: SourceSpec) -> PromptSet:
    """Return the labels asked for, or sensible ones for what is shown."""
    from neuroclip_live.prompting.prompts import parse_prompts, read_prompts
    from neuroclip_live.prompting.templates import TEMPLATE_SETS, resolve_templates

    templates = TEMPLATE_SETS["none"]
    if options.templates is not None:
        with about("--templates"):
            templates = resolve_templates(options.templates)
    none_of_these = bool(options.none_of_these)
    if options.prompts is not None and options.prompt_file is not None:
        raise UserError("choose one of --prompts and --prompt-file")
    with about("--prompts" if options.prompt_file is None else "--prompt-file"):
        if options.prompt_file is not None:
            prompts = read_prompts(options.prompt_file, templates, none_of_these)
        elif options.prompts is not None:
            prompts = parse_prompts(options.prompts, templates, none_of_these)
        elif spec.kind == "demo":
            from neuroclip_drivers.demo import DEMO_PROMPTS

            prompts = parse_prompts(DEMO_PROMPTS, templates, none_of_these)
        elif spec.kind == "simulator" and not spec.target:
            from neuroclip_drivers.simulator.show import SHOW_PROMPTS

            prompts = parse_prompts(SHOW_PROMPTS, templates, none_of_these)
        else:
            prompts = parse_prompts(DEFAULT_PROMPTS, templates, none_of_these)
        prompts.validate()
    return prompts


def settings_of(options: RunOptions) -> PipelineSettings:
    """Return how to cut and recognise."""
    from neuroclip_live.objects.found import ObjectsSettings
    from neuroclip_live.recognition.pipeline import PipelineSettings
    from neuroclip_live.recognition.recognizer import RecognizerSettings
    from neuroclip_live.stream.motion_setting import parse_motion
    from neuroclip_live.stream.slicing import parse_slice

    in_order = options.headless and speed_of(options.speed) is None  # nothing is in a hurry there
    objects = ObjectsSettings(options.objects, options.most_objects, options.smallest_object)

    with about("--slice"):
        slice_by = parse_slice(options.slice, options.overlap)
    return PipelineSettings(
        road=road_of(options),
        slice_by=slice_by,
        recognizer=RecognizerSettings(
            timesteps=options.timesteps,
            motion=parse_motion(options.motion),
            threshold=options.threshold,
            reference_logits=options.reference_logits,
            objects=replace(objects, budget_ms=float("inf")) if in_order else objects,
        ),
        wait_for_model=options.headless,
        model_templates=options.templates is None,
        lessons=Path(options.taught) if options.taught is not None else None,
    )


def loader(options: RunOptions) -> Load:
    """Return what loads the model when inference is ready for it."""

    def load(progress: Progress) -> Backbone:
        from neuroclip_live.model.backbone import load_backbone
        from neuroclip_live.model.devices import resolve_device

        with about("--device"):
            resolve_device(options.device)
        with about("--model" if options.weights is None else "--weights"):
            return load_backbone(
                options.model,
                weights=options.weights,
                device=options.device,
                runtime=options.runtime,
                representation=options.representation,
                fit=options.fit,
                focus=options.focus,
                normalisation=options.normalisation,
                threads=options.threads,
                progress=progress,
            )

    return load


def adapter_loader(options: RunOptions) -> LoadAdapter | None:
    """Return what loads the adapter once the model is known; None where none was asked for."""
    if options.adapter is None:
        return None
    from neuroclip_live.learning.adapter import load_adapter

    path = Path(options.adapter)

    def load(model: Backbone) -> Adapter:
        with about("--adapter"):
            return load_adapter(
                path, model=model.info.features, embed_dim=model.info.embed_dim, timesteps=options.timesteps
            )

    return load


def _run_headless(
    options: RunOptions, spec: SourceSpec, prompts: PromptSet, settings: PipelineSettings
) -> int:
    from neuroclip_live.cli.headless import interrupted, run_every_window, run_live, tell
    from neuroclip_live.cli.serving import serving
    from neuroclip_live.outputs.registry import closed_if_unused, make_outputs, takes_terminal
    from neuroclip_live.recognition.pipeline import Pipeline
    from neuroclip_live.recognition.recording_commands import open_recorder
    from neuroclip_live.recognition.recording_labels import RecordingLabels
    from neuroclip_live.recording.recorded_source import RecordedSource
    from neuroclip_live.stream.road import Road

    wanted = outputs_of(options)
    with about("--output"):
        if not any(map(takes_terminal, wanted)):
            wanted.append("table")
    load, load_adapter = loader(options), adapter_loader(options)
    in_order = spec.speed is None and not spec.loop
    with interrupted() as stop, ExitStack() as closing:  # before a recording is begun: it has to be ended
        source = _opened(spec)
        closing.callback(source.close)
        with about_outputs(options):
            outputs = make_outputs(wanted)
        unused = closing.enter_context(closed_if_unused(outputs))
        with about("--region"):
            Road(source.resolution, settings.road)  # says what is wrong with it before a model is loaded
        if in_order and not source.live:
            if options.serve is not None:
                raise UserError("--serve follows a run as it happens: leave out --speed max")
            if options.record is not None:
                with about("--record"):
                    recorder = open_recorder(options.record, source)
                closing.callback(lambda: tell(recorder.close()))
                source = RecordedSource(source, recorder)
                outputs.append(RecordingLabels(recorder))
            unused.clear()
            run_every_window(source, load, prompts, settings, outputs, options.duration, load_adapter, stop)
        else:
            pipeline = Pipeline(source, load, prompts, settings, load_adapter)
            put_on(pipeline, settings.road)
            if options.record is not None:
                with about("--record"):
                    pipeline.start_recording(options.record)
            with serving(options, lambda: pipeline):
                unused.clear()
                run_live(pipeline, outputs, options.duration, stop)
    return 0


def _run_window(options: RunOptions, spec: SourceSpec, prompts: PromptSet, settings: PipelineSettings) -> int:
    from neuroclip_live.cli.doctor import check_display

    check_display()
    from neuroclip_gui.app import run_window
    from neuroclip_live.cli.serving import serving
    from neuroclip_live.outputs.registry import closed_if_unused, make_outputs

    made: list[Pipeline] = []

    def pipeline(source: EventSource) -> Pipeline:
        from neuroclip_live.recognition.pipeline import (
            Pipeline,  # behind the window, which is on the screen by then
        )

        pipeline = Pipeline(source, loader(options), prompts, settings, adapter_loader(options))
        if options.record is not None:
            with about("--record"):
                pipeline.start_recording(options.record)
        if outputs:
            from neuroclip_live.outputs.carrier import Carrier, CarrierThread

            carriers.append(CarrierThread(Carrier(pipeline, outputs, pipeline.report)))
            unused.clear()
            carriers[0].start()
        made.append(pipeline)
        return pipeline

    source = _opened(spec)  # before the window: a wrong path is told on the terminal it was typed on
    carriers: list[CarrierThread] = []
    with about_outputs(options):
        outputs = make_outputs(outputs_of(options))
    with closed_if_unused(outputs) as unused, serving(options, lambda: made[-1] if made else None):
        status: int = run_window(
            partial(pipeline, source),
            settings_path=options.config,
            duration_s=options.duration,
            given=kept(options),
        )
    for carrier in carriers:
        carrier.stop()
    return status
