"""The command line's options: they fill a :class:`neuroclip_live.config.Config`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from neuroclip_live.cli.choices import Named

MOST_THREADS = 1024
"""Threads of the encoder at the most."""


_RENAMED = {"normalisation": "normalization"}
"""Names that options had: they go on working, and are not in the help."""

MODEL_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--model",
        default="event-nano",
        show_default=True,
        metavar="NAME",
        help="event-nano, ARCH/TAG of open_clip, or with --weights ARCH alone.",
    ),
    click.option("--weights", metavar="FILE", help="A local checkpoint for --model ARCH."),
    click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, mps."),
    click.option(
        "--runtime",
        type=Named("neuroclip_live.model.runtimes.registry:RUNTIMES", ("auto",)),
        default="auto",
        show_default=True,
        help="What runs the image encoder.",
    ),
    click.option(
        "--representation",
        type=Named("neuroclip_live.stream.representations.registry:REPRESENTATIONS"),
        help="What slices of events are turned into; the model's own if left out.",
    ),
    click.option("--fit", type=click.Choice(["letterbox", "squash"]), help="How a sensor becomes a square."),
    click.option("--focus/--no-focus", default=None, help="Crop frames to their activity, or do not."),
    click.option(
        "--normalization",
        type=click.Choice(["model", "reference"]),
        default="model",
        show_default=True,
        help="The model's own mean and deviation, or the paper code's x/255 - 0.5.",
    ),
    click.option("--threads", type=int, metavar="N", help="Threads of the encoder."),
)
"""Options that choose and prepare a model; the same for running, evaluating and training."""

LOOKING_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    # what to look for
    click.option(
        "-p", "--prompts", metavar="TEXT", help='Labels: "a mug, a phone"; a leading - makes one negative.'
    ),
    click.option("--prompt-file", metavar="FILE", help="Labels from a text file, one a line."),
    click.option(
        "--templates", metavar="NAME|TEXT", help='Sentences for labels: a set\'s name, or "a photo of a {}".'
    ),
    click.option("--none-of-these/--no-none-of-these", default=None, help='Let "none of these" win.'),
    # with what
    *MODEL_OPTIONS,
    click.option("--adapter", metavar="FILE", help="A trained adapter (.safetensors)."),
    click.option("--taught", metavar="FILE", help="Labels taught earlier, by `neuroclip-live teach`."),
    click.option(
        "--slice",
        default="auto",
        show_default=True,
        help="Length of a timestep: auto, 100ms, or 5000 events.",
    ),
    click.option(
        "--overlap",
        type=int,
        default=2,
        show_default=True,
        help="A new timestep this many times per slice.",
    ),
    click.option("--timesteps", type=int, default=10, show_default=True, help="T: timesteps averaged."),
    click.option(
        "--motion",
        default="auto",
        show_default=True,
        metavar="auto|HZ",
        help="What is motion: that events gather anywhere, or so many per pixel and second.",
    ),
    click.option("--threshold", type=int, help="A pixel needs more events than this to show."),
    click.option(
        "--smoothing", type=float, default=0.3, show_default=True, metavar="S", help="Calm the answer over S."
    ),
    click.option(
        "--sure", type=float, default=0.3, show_default=True, help="A less probable answer is not sure."
    ),
    click.option("--reference-logits", is_flag=True, help="The paper code's √T logits, for comparison."),
    # what is done to events first
    click.option(
        "--noise-filter",
        type=float,
        metavar="MS",
        help="Leave out events without a neighbor's in the last MS milliseconds (headless).",
    ),
    click.option("--turn", type=click.Choice(["90", "180", "270"]), help="Turn clockwise (headless)."),
    click.option(
        "--region", metavar="L,T,R,B", help="Recognize only this part of the picture, in pixels (headless)."
    ),
    click.option(
        "--objects/--no-objects",
        default=False,
        show_default=True,
        help="A box, a word and a track for everything that moves.",
    ),
    click.option("--most-objects", type=int, default=16, show_default=True, help="Things at the most."),
    click.option("--smallest-object", type=int, metavar="PX", help="Shorter side of the smallest thing."),
)
"""Options that say what is looked for, with what, and what is done to events first."""

_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    # where events come from
    click.option(
        "--replay",
        metavar="FILE...",
        multiple=True,
        help="Replay a recording: AEDAT, Prophesee RAW, ROS bag, HDF5, NumPy, text; or several in turn.",
    ),
    click.option(
        "--camera",
        is_flag=False,
        flag_value="",
        metavar="[SERIAL]",
        help="Open a connected camera: the first found, or the one with this serial number.",
    ),
    click.option(
        "--connect", metavar="HOST:PORT", help="Read a dv-processing network stream, or a UNIX socket's path."
    ),
    click.option("--tls-ca", metavar="PEM", help="Connect with TLS: who may vouch for the server."),
    click.option("--tls-cert", metavar="PEM", help="Connect with TLS: the certificate to show the server."),
    click.option("--tls-key", metavar="PEM", help="Its private key, where it is in another file."),
    click.option("--tls-name", metavar="NAME", help="The name in the server's certificate, if not HOST."),
    click.option(
        "--simulate",
        is_flag=False,
        flag_value="",
        metavar="[FILE|FOLDER]",
        help="Simulate a camera before a picture, pictures or a film; without one, before a dozen things.",
    ),
    click.option(
        "--webcam",
        is_flag=False,
        flag_value="",
        metavar="[N]",
        help="Turn a webcam's pictures into simulated events: the first, or number N.",
    ),
    click.option(
        "--source",
        type=Named("neuroclip_drivers.opening:SOURCES", with_argument=True),
        metavar="NAME[:ARG]",
        help="Any source by its name, also one of a plug-in; `neuroclip-live doctor` lists them.",
    ),
    click.option("--list-cameras", is_flag=True, help="List connected cameras and exit."),
    click.option(
        "--speed",
        default="1",
        show_default=True,
        help="Replay speed, 0.1 to 100, or max; headless at max processes every window.",
    ),
    click.option(
        "--loop/--no-loop", default=None, help="Replay again and again (the window does, headless does not)."
    ),
    click.option("--start", type=float, metavar="S", help="Replay from this second on."),
    click.option("--end", type=float, metavar="S", help="Replay up to this second."),
    click.option(
        "--stream",
        metavar="NAME|ID",
        help="Take this event stream, where a recording or a server has several (stereo).",
    ),
    click.option("--sensor", metavar="WxH", help="The sensor's size, where a recording does not tell it."),
    click.option(
        "--time-unit",
        type=click.Choice(["s", "ms", "us", "ns"]),
        help="The unit of time, where a recording does not tell it.",
    ),
    *LOOKING_OPTIONS,
    # how to show it
    click.option("--headless", is_flag=True, help="No window: a live table."),
    click.option("--jsonl", metavar="FILE|-", help="Write predictions as JSON lines: --output jsonl:FILE."),
    click.option(
        "--output",
        multiple=True,
        metavar="NAME[:ARG]",
        help="Where predictions go, as often as you like: jsonl:FILE, table, mqtt://HOST/TOPIC, "
        "udp:HOST:PORT, osc:HOST:PORT, foxglove, mcap:FILE, or one of a plug-in.",
    ),
    click.option(
        "--serve",
        metavar="[HOST:]PORT",
        help="Serve a page for browsers and an interface for programs; without HOST to this machine only.",
    ),
    click.option(
        "--serve-token",
        metavar="TOKEN",
        help="What clients must show; off this machine one is made where none is given.",
    ),
    click.option("--serve-cert", metavar="PEM", help="Serve with TLS: the certificate."),
    click.option("--serve-key", metavar="PEM", help="Its private key, where it is in another file."),
    click.option(
        "--serve-events",
        metavar="[HOST:]PORT",
        help="Give what comes in to --connect, dv-processing and DV; off this machine only with --serve-ca.",
    ),
    click.option("--serve-ca", metavar="PEM", help="Give events with TLS: who may vouch for readers."),
    click.option(
        "--actions",
        metavar="FILE.toml",
        help="What is to happen when a label is seen; try it first with `neuroclip-live actions check`.",
    ),
    click.option("--actions-log", metavar="FILE", help="Add what fired, and why, to this file (JSON lines)."),
    click.option("--actions-dry-run", is_flag=True, help="Say what would be done, and do nothing."),
    click.option(
        "--record", metavar="FILE", help="Record what comes in (.aedat4), and predictions beside it."
    ),
    click.option("--duration", type=float, metavar="S", help="End after this many seconds."),
    click.option(
        "--config",
        metavar="FILE",
        help="The window's settings file, for --headless model, device, slice, overlap, timesteps, motion.",
    ),
)


def with_playlist(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a command's values with the first recording as what is replayed, and the others after it."""
    first, *others = values["replay"] or (None,)
    return {**values, "replay": first, "playlist": tuple(others)}


def several_files(args: Sequence[str], commands: Collection[str]) -> list[str]:
    """Let all that follows ``--replay`` up to the next option be its files: a shell gives them for ``*``.

    Names of ``commands`` are none, unless there is such a file.
    """
    spread: list[str] = []
    files = 0
    for each in args:
        if each.startswith("-") or (each in commands and not Path(each).exists()):
            files = 0
        elif files:
            files += 1
        if files > 2:
            spread.append("--replay")
        spread.append(each)
        if each == "--replay":
            files = 1
        elif each.startswith("--replay="):
            files = 2
    return spread


def given_of(context: click.Context, values: Mapping[str, Any]) -> frozenset[str]:
    """Return which of a command's values were typed, rather than left at what they are by themselves."""
    typed = click.core.ParameterSource.COMMANDLINE
    return frozenset(name for name in values if context.get_parameter_source(name) is typed)


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add every option of :class:`~neuroclip_live.config.Config` to a click command."""
    return _with(_OPTIONS, command)


def looking_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add :data:`LOOKING_OPTIONS` to a click command."""
    return _with(LOOKING_OPTIONS, command)


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add :data:`MODEL_OPTIONS` to a click command."""
    return _with(MODEL_OPTIONS, command)


def _with(options: Sequence[Callable[[Any], Any]], command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command


def current_name(name: str) -> str:
    """Return an option's name of today for one that it had before; for click's ``token_normalize_func``."""
    return _RENAMED.get(name, name)
