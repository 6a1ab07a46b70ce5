"""The front door for programs: recordings to predictions, packets or frames, in a line each.

``**options`` are the fields of :class:`neuroclip_live.config.Config`, which are named like the options of the
command line. Whatever cannot be used raises :class:`neuroclip_live.errors.UserError`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from neuroclip_live import session
from neuroclip_live.config import Config, config_of, number_of, text_of
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution
from neuroclip_live.prompting.prompt_set import PromptSet, split_prompts

if TYPE_CHECKING:
    from neuroclip_live.model.backbone import Backbone
    from neuroclip_live.recognition.pipeline import PipelineSettings
    from neuroclip_live.recognition.prediction import Prediction

Prompts = str | Sequence[str] | PromptSet
"""Labels: text as the command line takes it, or one label an item; a leading ``-`` makes one negative."""

_OPTIONS = "|".join(sorted((each.name.replace("_", "-") for each in fields(Config)), key=len, reverse=True))


@contextmanager
def named_for_programs() -> Iterator[None]:
    """Name options in errors as programs write them: ``prompt_file``, not ``--prompt-file``."""
    try:
        yield
    except UserError as error:
        text = re.sub(rf"--({_OPTIONS})(?![\w-])", lambda found: found[1].replace("-", "_"), str(error))
        raise UserError(text) from error


def config_for(path: str | Path | None, options: Mapping[str, Any]) -> Config:
    """Return the configuration that a program's arguments mean; a recording is read as fast as can be."""
    given = dict(options)
    if path is not None:
        given["replay"] = text_of("the recording", path)
    return config_of(**{"speed": "max", "headless": True, **given})


def named_model(model: str | Backbone) -> dict[str, str]:
    """Return the option that names a model; nothing for one that is loaded."""
    if callable(getattr(model, "encode_frames", None)):
        return {}
    return {"model": text_of("model", model)}


def prompts_for(config: Config, prompts: Prompts | None) -> PromptSet:
    """Return the prompts that a program gives, with the templates of its options."""
    if isinstance(prompts, str):
        config, prompts = replace(config, prompts=prompts), None
    if prompts is None:
        return session.prompts_of(config, session.source_spec(config))
    plain = session.prompts_of(replace(config, prompts="a"), session.source_spec(config))
    if not isinstance(prompts, PromptSet):
        if not isinstance(prompts, Iterable):
            raise UserError(f"prompts is {prompts!r}, where text or a list of text belongs")
        items = [each for label in prompts for each in split_prompts(text_of("a prompt", label))]
        prompts = PromptSet.of(items, plain.templates, plain.none_of_these)
    prompts.validate()
    return prompts


def load_model(name: str = "event-nano", **options: Any) -> Backbone:
    """Load a model, to be used for several calls.

    Parameters
    ----------
    name : str
        As ``--model`` takes it.
    **options
        ``weights``, ``device``, ``runtime``, ``representation``, ``fit``, ``focus``, ``normalization``,
        ``threads``.

    Returns
    -------
    Backbone
        ``encode_frames`` and ``encode_texts`` give features, ``info`` says what it is.

    Raises
    ------
    UserError
        When there is no such model, or it cannot be had or run.
    """
    with named_for_programs():
        return session.loader(config_of(model=name, **options))(lambda text, share: None)


class Events:
    """An open source of events; iterate it for packets. Make one with :func:`open`."""

    def __init__(self, config: Config) -> None:
        with named_for_programs():
            self.source = session.open_named(session.source_spec(config))

    @property
    def resolution(self) -> Resolution:
        """Size of the sensor in pixels, (width, height)."""
        return self.source.resolution

    @property
    def name(self) -> str:
        """The file's name, or the camera's."""
        return self.source.name

    def __iter__(self) -> Iterator[Packet]:
        with named_for_programs():
            for packet in self.source.packets():
                if len(packet):
                    yield packet

    def close(self) -> None:
        """Release the file or device; idempotent."""
        self.source.close()

    def __enter__(self) -> Events:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open(path: str | Path | None = None, **options: Any) -> Events:
    """Open a recording, or a camera, stream or simulator by an option; a context manager.

    Parameters
    ----------
    path : path-like, optional
        Of a recording; without it an option like ``camera=""`` or ``simulate=""``.
    **options
        ``start``, ``end``, ``stream``, ``speed``, ``loop`` and so on.

    Returns
    -------
    Events
        Gives arrays with fields ``t`` (microseconds), ``x``, ``y`` and ``p`` (0 OFF, 1 ON); none is empty.
    """
    return Events(config_for(path, options))


def recognize(
    path: str | Path | None,
    prompts: Prompts | None = None,
    *,
    model: str | Backbone = "event-nano",
    **options: Any,
) -> Iterator[Prediction]:
    """Recognize every slice of a recording, in order: the same predictions every time.

    Parameters
    ----------
    path : path-like or None
        A recording; None: the demo recording.
    prompts : str, sequence of str, or PromptSet, optional
    model : str or Backbone
        A name, or what :func:`load_model` gave.
    **options
        ``slice``, ``overlap``, ``timesteps``, ``adapter``, ``taught``, ``start``, ``end`` and so on.

    Yields
    ------
    Prediction
        With ``t_us``, ``label`` (None where nothing moves), ``probability``, ``scores`` and more.

    Raises
    ------
    UserError
        At once for options and prompts, at the first step for files.
    """
    with named_for_programs():
        named = named_model(model)
        config = config_for(path, {**options, **named})
        if session.speed_of(config.speed) is not None or config.loop:
            raise UserError("recognize reads a whole recording: follow it at a speed with Session")
        asked = prompts_for(config, prompts)
        settings = session.settings_of(config)
    return _recognized(config, asked, settings, None if isinstance(model, str) else model)


def _recognized(
    config: Config, prompts: PromptSet, settings: Any, model: Backbone | None
) -> Iterator[Prediction]:
    from neuroclip_live.recognition.replay_all import Totals, recognize_all

    with named_for_programs(), Events(config) as events:
        if events.source.live:
            raise UserError(f"{events.name} has no end: follow it with Session")
        loaded = model or session.loader(config)(lambda text, share: None)
        recognizer, _ = session.build_recognizer(loaded, prompts, settings, session.adapter_loader(config))
        yield from recognize_all(events.source, recognizer, settings.slice_by, Totals(), road=settings.road)


class Frame(NamedTuple):
    """A slice of events as an image."""

    t_us: int
    """End of the slice, in the stream's time."""
    image: npt.NDArray[np.uint8]
    """(H, W) uint8, or (H, W, 3) where the representation has colors."""
    events: Packet
    """The events in it."""


def frames(path: str | Path | None = None, **options: Any) -> Iterator[Frame]:
    """Turn a recording into the images that a model would be given.

    Parameters
    ----------
    path : path-like or None
        A recording; None: the demo recording.
    **options
        ``slice``, ``overlap``, ``representation``, ``threshold``, ``start``, ``end``, ``region`` and so on.
    """
    with named_for_programs():
        config = config_for(path, options)
        settings = session.settings_of(config)
    return _framed(config, settings)


def _framed(config: Config, settings: PipelineSettings) -> Iterator[Frame]:
    from neuroclip_live.recognition.replay_all import Totals, slices_of
    from neuroclip_live.stream.representations.registry import representation
    from neuroclip_live.stream.road import Road

    with named_for_programs(), Events(config) as events:
        if events.source.live:
            raise UserError(f"{events.name} has no end: open it and read its packets")
        represent = representation(config.representation or "event-frame")
        size = Road(events.resolution, settings.road).size
        for piece in slices_of(events.source, settings.slice_by, Totals(), road=settings.road):
            image = represent(piece.events, size, config.threshold or 0, piece.start_us, piece.end_us)
            yield Frame(piece.end_us, image, piece.events)


def teach(
    shows: Mapping[str, str | Path],
    out: str | Path,
    *,
    model: str | Backbone = "event-nano",
    seconds: float = 3.0,
    **options: Any,
) -> dict[str, int]:
    """Learn labels from the beginning of recordings, and save the lessons.

    Parameters
    ----------
    shows : mapping from label to recording
    out : path-like
        Given to :func:`recognize` or :class:`Session` as ``taught``.
    model : str or Backbone
    seconds : float
        So much of each recording is learned from.
    **options
        ``slice``, ``overlap``, ``timesteps`` and so on.

    Returns
    -------
    dict from label to number of windows
    """
    from neuroclip_live.recognition.lessons import Show, teach_from
    from neuroclip_live.recognition.recognizer import Recognizer

    with named_for_programs():
        named = named_model(model)
        config = config_for(None, {**options, **named})
        settings = session.settings_of(config)
        opened: list[Show] = []
        try:
            if not isinstance(shows, Mapping):
                raise UserError("what to teach is a mapping from label to recording: {'a mug': 'mug.aedat4'}")
            seconds = number_of("seconds", seconds)
            for label, path in shows.items():
                shown = replace(config, replay=text_of("the recording", path), end=seconds)
                opened.append(Show(text_of("a label", label), Events(shown).source))
            loaded = session.loader(config)(lambda text, share: None) if isinstance(model, str) else model
            recognizer = Recognizer(loaded, None, settings.recognizer)
            return teach_from(opened, recognizer, settings.slice_by, Path(text_of("out", out)))
        finally:
            for show in opened:
                show.source.close()
