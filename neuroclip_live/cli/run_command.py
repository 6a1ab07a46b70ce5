"""From a configuration to a run: in the window, or on the terminal."""

from __future__ import annotations

from contextlib import ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING

from neuroclip_live import session
from neuroclip_live.cli.acting import actions_of, rules_of
from neuroclip_live.cli.options import MOST_THREADS
from neuroclip_live.cli.output_options import about_outputs, outputs_of
from neuroclip_live.cli.serving import check_serving, serving, shared_events
from neuroclip_live.config import Config
from neuroclip_live.errors import UserError
from neuroclip_live.option_names import about, at_least, refuse_blank, refuse_no_file

if TYPE_CHECKING:
    from neuroclip_drivers.opening import SourceSpec
    from neuroclip_drivers.source import EventSource
    from neuroclip_live.actions.actions import Actions
    from neuroclip_live.outputs.carrier import CarrierThread
    from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings


def run(config: Config) -> int:
    """Run what the configuration says; return the exit status.

    Raises
    ------
    UserError
        When something in it cannot be used.
    """
    if config.list_cameras:
        from neuroclip_live.cli.reports import print_cameras

        return print_cameras()
    check_options(config)
    _check_road(config)
    if config.headless:
        config = config.with_saved()
    from neuroclip_live.cli.malloc_tuning import keep_memory

    keep_memory()
    spec = session.source_spec(config)
    session.playlist_of(config)
    session.prompts_of(config, spec)  # before anything is opened: what cannot be used is told at once
    settings = session.settings_of(config)
    return _run_headless(config, spec, settings) if config.headless else _run_window(config, spec)


def check_options(config: Config) -> None:
    """Raise UserError for what is wrong whatever is opened."""
    if config.duration is not None and not 0 < config.duration < float("inf"):
        raise UserError(f"--duration {config.duration:g}: give a positive number of seconds")
    if config.start is not None and not 0 <= config.start < float("inf"):
        raise UserError(f"--start {config.start:g}: give seconds from the first event, 0 or more")
    if config.end is not None and not (config.start or 0.0) < config.end < float("inf"):
        raise UserError(f"--end {config.end:g}: give seconds from the first event, after --start")
    at_least({"--threads": config.threads}, 1, MOST_THREADS)
    check_serving(config)
    files = {
        "--replay": config.replay,
        "--prompt-file": config.prompt_file,
        "--weights": config.weights,
        "--adapter": config.adapter,
        "--taught": config.taught,
        "--jsonl": config.jsonl,
        "--config": config.config,
        "--tls-ca": config.tls_ca,
        "--tls-cert": config.tls_cert,
        "--tls-key": config.tls_key,
    }
    refuse_blank(files, "a file")
    refuse_no_file("--record", config.record)
    refuse_blank({"--connect": config.connect}, "HOST:PORT")
    refuse_blank({"--tls-name": config.tls_name}, "the name in the server's certificate")
    refuse_blank({"--templates": config.templates}, 'a set\'s name, or a sentence like "a photo of a {}"')
    refuse_blank({"--model": config.model}, "a name that `neuroclip-live models` lists")


def _check_road(config: Config) -> None:
    """Raise UserError where a window is asked for what it has ways of its own for."""
    drawn = {"--region": config.region, "--noise-filter": config.noise_filter, "--turn": config.turn}
    for name in (name for name, value in drawn.items() if value is not None and not config.headless):
        raise UserError(f"{name} needs --headless; the window has it in its camera panel and its View menu")


def _run_headless(config: Config, spec: SourceSpec, settings: PipelineSettings) -> int:
    from neuroclip_live.cli.headless import interrupted, run_every_window, run_live, tell
    from neuroclip_live.outputs.registry import closed_if_unused, make_outputs, takes_terminal
    from neuroclip_live.recognition.recording_control import open_recorder
    from neuroclip_live.recognition.recording_labels import RecordingLabels
    from neuroclip_live.recording.recorded_source import RecordedSource
    from neuroclip_live.stream.road import Road

    wanted = outputs_of(config)
    with about("--output"):
        if not any(map(takes_terminal, wanted)):
            wanted.append("table")
    in_order = spec.speed is None and not spec.loop
    rules = rules_of(config)
    with interrupted() as stop, ExitStack() as leaving:  # before a recording is begun: it has to be ended
        source = session.open_named(spec)
        leaving.callback(source.close)
        with about_outputs(config):
            outputs = make_outputs(wanted, live=source.live or not in_order)
        unused = leaving.enter_context(closed_if_unused(outputs))
        with about("--region"):
            Road(source.resolution, settings.road)  # says what is wrong with it before a model is loaded
        if in_order and not source.live:
            for option, asked in (("--serve", config.serve), ("--serve-events", config.serve_events)):
                if asked is not None:
                    raise UserError(f"{option} follows a run as it happens: leave out --speed max")
            if rules is not None:
                raise UserError(
                    "--actions follow a run as it happens: leave out --speed max, or try them with "
                    "`neuroclip-live actions check`"
                )
            if config.record is not None:
                with about("--record"):
                    recorder = open_recorder(config.record, source)
                leaving.callback(lambda: tell(recorder.close()))
                source = RecordedSource(source, recorder)
                outputs.append(RecordingLabels(recorder))
            unused.clear()
            run_every_window(
                source,
                session.loader(config),
                session.prompts_of(config, spec),
                settings,
                outputs,
                config.duration,
                session.adapter_loader(config),
                stop,
            )
        else:
            pipeline = session.build_pipeline(config, source)
            outputs += actions_of(config, rules, lambda: pipeline)
            for shared in shared_events(config):
                shared.follow(pipeline)
                outputs.append(shared)
            with serving(config, lambda: pipeline):
                unused.clear()
                run_live(pipeline, outputs, config.duration, stop)
    return 0


def follow_recording(config: Config, actions: Actions) -> None:
    """Give actions every prediction of a recording, in order, as ``--speed max`` does.

    Raises
    ------
    UserError
        When something in the configuration cannot be used.
    """
    from neuroclip_live.cli.headless import run_every_window
    from neuroclip_live.stream.road import Road

    spec = session.source_spec(config)
    prompts, settings = session.prompts_of(config, spec), session.settings_of(config)
    with closing(session.open_named(spec)) as source:
        with about("--region"):
            Road(source.resolution, settings.road)
        actions.begin_us = source.status().start_us or 0
        run_every_window(
            source,
            session.loader(config),
            prompts,
            settings,
            [actions],
            load_adapter=session.adapter_loader(config),
        )


def _run_window(config: Config, spec: SourceSpec) -> int:
    from neuroclip_live.cli.doctor import check_display

    check_display()
    from neuroclip_gui.app import run_window
    from neuroclip_live.outputs.registry import closed_if_unused, make_outputs

    made: list[Pipeline] = []
    rules = rules_of(config)

    def pipeline(source: EventSource) -> Pipeline:  # behind the window, which is on the screen by then
        pipeline = session.build_pipeline(config, source)
        for each in shared:
            each.follow(pipeline)
        if outputs:
            from neuroclip_live.outputs.carrier import Carrier, CarrierThread

            carrier = Carrier(pipeline, outputs, pipeline.report, pipeline.report, framed=True)
            carriers.append(CarrierThread(carrier))
            unused.clear()
            carriers[0].start()
        made.append(pipeline)
        return pipeline

    source = session.open_or_await(spec)  # before the window: a wrong path is told on the terminal
    carriers: list[CarrierThread] = []
    with about_outputs(config):
        outputs = make_outputs(outputs_of(config), live=True)
    acting = actions_of(config, rules, lambda: made[-1] if made else None)
    outputs += acting
    shared = shared_events(config)
    outputs += shared
    with closed_if_unused(outputs) as unused, serving(config, lambda: made[-1] if made else None) as page:
        status: int = run_window(
            partial(pipeline, source),
            settings_path=config.config,
            duration_s=config.duration,
            config=config,
            served=(page, shared[0] if shared else None),
            acting=acting[0] if acting else None,
        )
    for carrier in carriers:
        carrier.stop()
    return status
