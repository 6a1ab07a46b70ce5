"""From a configuration to what a run is made of: source, prompts, model, adapter, pipeline; one way for all.

Imports wait until they are needed: torch, OpenVINO and Numba are slow to come.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from neuroclip_drivers.awaited import AwaitedSource
from neuroclip_drivers.simulator.show_words import SHOW_PROMPTS
from neuroclip_live.config import DEFAULT, Config
from neuroclip_live.errors import SourceAway, UserError
from neuroclip_live.extras import need
from neuroclip_live.option_names import about
from neuroclip_live.stream.representations.registry import representation as find_representation

if TYPE_CHECKING:
    from neuroclip_drivers.opening import SourceSpec
    from neuroclip_drivers.source import EventSource
    from neuroclip_live.learning.adapter import Adapter
    from neuroclip_live.model.backbone import Backbone
    from neuroclip_live.prompting.prompts import PromptSet
    from neuroclip_live.recognition.pipeline import Load, LoadAdapter, Pipeline, PipelineSettings, Progress
    from neuroclip_live.recognition.recognizer import Recognizer
    from neuroclip_live.stream.road import RoadSettings

DEFAULT_PROMPTS = (
    "a person, a hand, a mug, a phone, scissors, a computer mouse, a box, a bottle, a car, a dog"
)
SLOWEST, FASTEST = 0.1, 100.0


def source_spec(config: Config) -> SourceSpec:
    """Return which source is meant; the demo recording when none is named."""
    from neuroclip_drivers.demo import DEMO
    from neuroclip_drivers.opening import SOURCES, SourceSpec

    named: dict[str, str | None] = {
        "replay": config.replay,
        "camera": config.camera,
        "network": config.connect,
        "simulator": config.simulate,
        "webcam": config.webcam,
    }
    chosen = [kind for kind, target in named.items() if target is not None]
    if len(chosen) + (config.source is not None) > 1:
        raise UserError("choose one of --replay, --camera, --connect, --simulate, --webcam and --source")
    if config.playlist and config.headless:
        raise UserError(
            "--replay of several recordings is for the window: without it, name one, or join them by "
            "`neuroclip-live convert`"
        )
    if config.source is not None:
        kind, _, argument = config.source.partition(":")
        chosen, named = [kind], {kind: argument}
    kind = chosen[0] if chosen else "demo"
    is_recording = "recording" in SOURCES.find(kind).capabilities and kind != "demo"
    target = named[kind] or None if chosen else DEMO
    loop = config.loop if config.loop is not None else not config.headless
    certificates = (config.tls_ca, config.tls_cert, config.tls_key, config.tls_name)
    tls = None
    if any(value is not None for value in certificates):
        from neuroclip_drivers.network.tls import Tls

        if kind != "network":
            raise UserError("the --tls options are for a stream: name it with --connect HOST:PORT")
        tls = Tls(*certificates)
    if config.stream is not None and not (is_recording or kind == "network"):
        raise UserError("--stream is for a recording or a server: name it with --replay or --connect")
    if (config.sensor or config.time_unit) and not is_recording:
        raise UserError("--sensor and --time-unit are for a recording: name it with --replay FILE")
    from neuroclip_drivers.files.event_file import parse_sensor

    with about("--sensor"):
        sensor = parse_sensor(config.sensor) if config.sensor is not None else None
    return SourceSpec(
        kind=kind,
        target=target,
        speed=speed_of(config.speed),
        loop=loop,
        start_s=config.start or 0.0,
        end_s=config.end,
        hold_at_end=not config.headless,
        stream=config.stream,
        sensor=sensor,
        time_unit=config.time_unit,
        tls=tls,
    )


def playlist_of(config: Config) -> tuple[SourceSpec, ...]:
    """Return what a window plays one after the other, the first included; empty where it is one recording.

    Raises
    ------
    UserError
        Where there is no such file.
    """
    if not config.playlist:
        return ()
    missing = next((path for path in config.playlist if not Path(path).expanduser().exists()), None)
    if missing is not None:
        raise UserError(f"--replay: No such file: {missing}. Check the path.")
    first = source_spec(config)
    return first, *(replace(first, target=path) for path in config.playlist)


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


def prompts_of(config: Config, spec: SourceSpec) -> PromptSet:
    """Return the labels asked for, or sensible ones for what is shown."""
    from neuroclip_live.prompting.prompts import parse_prompts, read_prompts
    from neuroclip_live.prompting.templates import TEMPLATE_SETS, resolve_templates

    templates = TEMPLATE_SETS["none"]
    if config.templates is not None:
        with about("--templates"):
            templates = resolve_templates(config.templates)
    none_of_these = bool(config.none_of_these)
    if config.prompts is not None and config.prompt_file is not None:
        raise UserError("choose one of --prompts and --prompt-file")
    with about("--prompts" if config.prompt_file is None else "--prompt-file"):
        if config.prompt_file is not None:
            prompts = read_prompts(config.prompt_file, templates, none_of_these)
        elif config.prompts is not None:
            prompts = parse_prompts(config.prompts, templates, none_of_these)
        elif spec.kind == "demo":
            from neuroclip_drivers.demo import DEMO_PROMPTS

            prompts = parse_prompts(DEMO_PROMPTS, templates, none_of_these)
        elif spec.kind == "simulator" and not spec.target:
            prompts = parse_prompts(SHOW_PROMPTS, templates, none_of_these)
        else:
            prompts = parse_prompts(DEFAULT_PROMPTS, templates, none_of_these)
        prompts.validate()
    return prompts


def settings_of(config: Config) -> PipelineSettings:
    """Return how to cut and recognize."""
    from neuroclip_live.objects.found import ObjectsSettings
    from neuroclip_live.recognition.decision import DecisionSettings
    from neuroclip_live.recognition.pipeline import PipelineSettings
    from neuroclip_live.recognition.recognizer import RecognizerSettings
    from neuroclip_live.stream.motion_setting import parse_motion
    from neuroclip_live.stream.slicing import parse_slice

    in_order = config.headless and speed_of(config.speed) is None  # nothing is in a hurry there
    objects = ObjectsSettings(config.objects, config.most_objects, config.smallest_object)

    with about("--slice"):
        slice_by = parse_slice(config.slice, config.overlap)
    with about("--smoothing"):
        DecisionSettings(config.smoothing)
    with about("--sure"):
        decision = DecisionSettings(config.smoothing, config.sure)
    return PipelineSettings(
        road=road_of(config),
        slice_by=slice_by,
        recognizer=RecognizerSettings(
            timesteps=config.timesteps,
            motion=parse_motion(config.motion),
            threshold=config.threshold,
            reference_logits=config.reference_logits,
            objects=replace(objects, budget_ms=float("inf")) if in_order else objects,
        ),
        decision=decision,
        wait_for_model=config.headless,
        model_templates=config.templates is None,
        lessons=Path(config.taught) if config.taught is not None else None,
    )


def road_of(config: Config) -> RoadSettings:
    """Return what is done to events before they are recognized."""
    from neuroclip_live.stream.filters import Treatment
    from neuroclip_live.stream.road import TURNS, RoadSettings, parse_region, parse_support

    with about("--noise-filter"):
        support_us = parse_support(config.noise_filter)
    treatment = Treatment(support_us, quarter_turns=TURNS[config.turn] if config.turn is not None else 0)
    with about("--region"):
        region = parse_region(config.region) if config.region is not None else None
    return RoadSettings(treatment, region)


def loader(config: Config, *, named: bool = True) -> Load:
    """Return what loads the model when inference is ready for it.

    Errors name the option that was typed; not (``named``) where the model was chosen in a window.
    """

    def load(progress: Progress) -> Backbone:
        from neuroclip_live.model.backbone import load_backbone
        from neuroclip_live.model.devices import resolve_device

        if named:
            with about(_asked_by("device", config)):
                resolve_device(config.device)
            if config.representation is not None:
                with about("--representation"):
                    find_representation(config.representation)
        option = _asked_by("model", config) if config.weights is None else "--weights"
        with about(option) if named else nullcontext():
            return load_backbone(
                config.model,
                weights=config.weights,
                device=config.device,
                runtime=config.runtime,
                representation=config.representation,
                fit=config.fit,
                focus=config.focus,
                normalization=config.normalization,
                threads=config.threads,
                progress=progress,
            )

    return load


def _asked_by(name: str, config: Config) -> str:
    """Return the option that decided a setting: its own, or the file with the settings of another time."""
    chosen = getattr(config, name) != getattr(DEFAULT, name) and name not in config.given
    saved = chosen and config.headless and config.config is not None
    return f"--config {config.config}: {name}" if saved else f"--{name}"


def adapter_loader(config: Config) -> LoadAdapter | None:
    """Return what loads the adapter once the model is known; None where none was asked for."""
    if config.adapter is None:
        return None
    need("--adapter", "torch", "spikingjelly")
    from neuroclip_live.learning.adapter import load_adapter

    path = Path(config.adapter)

    def load(model: Backbone) -> Adapter:
        with about("--adapter"):
            return load_adapter(
                path, model=model.info.features, embed_dim=model.info.embed_dim, timesteps=config.timesteps
            )

    return load


def open_named(spec: SourceSpec) -> EventSource:
    """Open a source, naming its option where that fails.

    Raises
    ------
    UserError
        When there is no such file or device, or it cannot be used.
    """
    from neuroclip_drivers.opening import SOURCES, open_source

    with about(SOURCES.find(spec.kind).option):
        return open_source(spec)


def open_or_await(spec: SourceSpec) -> EventSource:
    """Open a source, or return one that waits for it, where it may come.

    Raises
    ------
    UserError
        When it cannot be used, and waiting would not help.
    """
    from neuroclip_drivers.opening import SOURCES, open_source

    with about(SOURCES.find(spec.kind).option):
        try:
            return open_source(spec)
        except SourceAway as away:
            return AwaitedSource(away, lambda: open_source(spec))


def build_recognizer(
    model: Backbone,
    prompts: PromptSet,
    settings: PipelineSettings,
    load_adapter: LoadAdapter | None = None,
) -> tuple[Recognizer, PromptSet]:
    """Return what recognizes slice by slice, without threads, and the prompts that compete in the end.

    Raises
    ------
    UserError
        When the adapter or the lessons do not fit the model.
    """
    from neuroclip_live.prompting.prompts import PromptEncoder
    from neuroclip_live.recognition.lessons import apply_lessons
    from neuroclip_live.recognition.recognizer import Recognizer

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


def build_pipeline(config: Config, source: EventSource, prompts: PromptSet | None = None) -> Pipeline:
    """Return a pipeline around a source, not started; it records from the start where that was asked for.

    Parameters
    ----------
    config : Config
    source : EventSource
    prompts : PromptSet, optional
        Instead of those of the configuration.

    Raises
    ------
    UserError
        When something in the configuration cannot be used.
    """
    from neuroclip_live.recognition.pipeline import Pipeline

    if prompts is None:
        prompts = prompts_of(config, source_spec(config))
    settings = settings_of(config)
    pipeline = Pipeline(source, loader(config), prompts, settings, adapter_loader(config))
    pipeline.treat(settings.road.treatment)
    with about("--region"):
        pipeline.set_region(settings.road.region)
    if config.record is not None and not isinstance(source, AwaitedSource):  # there is nothing to record yet
        with about("--record"):
            pipeline.start_recording(config.record)
    return pipeline
