"""What can be asked for, declared once: by the command line, a settings file, the window and programs.

Everything here is as it was typed: nothing is opened or loaded, and importing this costs nothing.
:mod:`neuroclip_live.session` makes sources, prompts, models and pipelines of it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from neuroclip_live.bounded import home_expanded, read_json
from neuroclip_live.errors import UserError


@dataclass(frozen=True)
class Config:
    """One run. The fields are named like the options of the command line, whose help says what each does.

    ``given`` holds the names of those that were typed: saved settings fill in only the others. ``playlist``
    are the recordings that a window plays after ``replay``, where ``--replay`` names several.
    """

    replay: str | None = None
    playlist: tuple[str, ...] = ()
    camera: str | None = None
    connect: str | None = None
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    tls_name: str | None = None
    simulate: str | None = None
    webcam: str | None = None
    source: str | None = None
    list_cameras: bool = False
    speed: str = "1"
    loop: bool | None = None
    start: float | None = None
    end: float | None = None
    stream: str | None = None
    sensor: str | None = None
    time_unit: str | None = None
    prompts: str | None = None
    prompt_file: str | None = None
    templates: str | None = None
    none_of_these: bool | None = None
    model: str = "event-nano"
    weights: str | None = None
    adapter: str | None = None
    taught: str | None = None
    device: str = "auto"
    runtime: str = "auto"
    slice: str = "auto"
    overlap: int = 2
    timesteps: int = 10
    motion: str = "auto"
    threshold: int | None = None
    representation: str | None = None
    fit: Literal["letterbox", "squash"] | None = None
    focus: bool | None = None
    normalization: Literal["model", "reference"] = "model"
    threads: int | None = None
    reference_logits: bool = False
    region: str | None = None
    noise_filter: float | None = None
    turn: str | None = None
    smoothing: float = 0.3
    sure: float = 0.3
    objects: bool = False
    most_objects: int = 16
    smallest_object: int | None = None
    headless: bool = False
    jsonl: str | None = None
    serve: str | None = None
    serve_token: str | None = None
    serve_cert: str | None = None
    serve_key: str | None = None
    serve_events: str | None = None
    serve_ca: str | None = None
    output: tuple[str, ...] = ()
    actions: str | None = None
    actions_log: str | None = None
    actions_dry_run: bool = False
    record: str | None = None
    duration: float | None = None
    config: str | None = None
    given: frozenset[str] = frozenset()

    @property
    def decided(self) -> frozenset[str]:
        """Names of the settings that hold for this run whatever was saved: those typed and their like."""
        given = set(self.given)
        if self.weights is not None:
            given.add("model")
        if self.adapter is not None or self.taught is not None:
            given |= {"model", "timesteps"}  # made for them
        return frozenset(given)

    def with_model(self, model: str, device: str) -> Config:
        """Return what loads another model, or the same elsewhere, and keeps how models are run.

        A checkpoint stays with its own model, and a runtime for the CPU is for nothing else.
        """
        on_cpu = device in ("auto", "cpu")
        return replace(
            self,
            model=model,
            device=device,
            weights=self.weights if model == self.model else None,
            runtime=self.runtime if on_cpu else "auto",
        )

    def with_saved(self) -> Config:
        """Return the configuration with the values of its settings file where nothing was typed.

        Raises
        ------
        UserError
            As :func:`read_saved`.
        """
        if self.config is None:
            return self
        saved = read_saved(self.config)
        return replace(self, **{name: value for name, value in saved.items() if name not in self.decided})


DEFAULT = Config()
MODEL_NAMES = (
    "model",
    "weights",
    "device",
    "runtime",
    "representation",
    "fit",
    "focus",
    "normalization",
    "threads",
)
"""The fields by which a model is chosen and run."""


def _is_slice(text: str) -> bool:
    from neuroclip_live.stream.slicing import parse_slice

    try:
        parse_slice(text)
    except UserError:
        return False
    return True


def _is_motion(text: str) -> bool:
    from neuroclip_live.stream.motion_setting import parse_motion

    try:
        parse_motion(text)
    except UserError:
        return False
    return True


SAVED: dict[str, Callable[[Any], bool]] = {
    "model": lambda v: 0 < len(v) <= 300,
    "device": lambda v: 0 < len(v) <= 20,
    "slice": _is_slice,
    "overlap": lambda v: 1 <= v <= 16,
    "timesteps": lambda v: 1 <= v <= 64,
    "motion": _is_motion,
    "objects": lambda v: True,
}
"""What the window keeps of a configuration, and a settings file may say: whether a value makes sense."""


def saved_kind(name: str) -> type:
    """Return the type of a saved setting: that of its default."""
    return type(getattr(DEFAULT, name))


def read_saved(path: str | Path) -> dict[str, Any]:
    """Return what a settings file says of a run; keys that are not in :data:`SAVED` are the window's own.

    Raises
    ------
    UserError
        When the file is not there, is no JSON object, or a value is of the wrong kind: a run without a window
        has nobody to ask, and must not quietly do something else.
    """
    try:
        data = read_json(home_expanded(path))
    except OSError as error:
        raise UserError(f"cannot read --config {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise UserError(f"--config {path} is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise UserError(f'--config {path} holds no settings: write {{"model": "event-nano"}} or the like')
    for name in SAVED:
        if name in data and type(data[name]) is not saved_kind(name):
            kind = {int: "a number", bool: "true or false"}.get(saved_kind(name), "text")
            raise UserError(f"--config {path}: {name} is {data[name]!r}, where {kind} belongs")
    return {name: data[name] for name in SAVED if name in data}


def text_of(name: str, value: Any) -> str:
    """Return text, or a path as text; anything else is one line that names the setting.

    Raises
    ------
    UserError
        Where the value is neither.
    """
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str):
        raise UserError(f"{name} is {_shown(value)}, where text belongs")
    return value


def number_of(name: str, value: Any) -> float:
    """Return a finite number; a truth value is none, and NaN would compare as false with every limit.

    Raises
    ------
    UserError
        Where the value is no such number.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise UserError(f"{name} is {_shown(value)}, where a finite number belongs")
    return float(value)


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())  # an array is shown on several lines
    return text if len(text) <= 60 else f"{text[:57]}..."


def _typed(name: str, value: Any, hint: Any) -> Any:
    """Return a program's value as the command line would have made it."""
    kinds = get_args(hint) or (hint,)
    if value is None and type(None) in kinds:
        return None
    if name in ("output", "playlist"):
        if not isinstance(value, (list, tuple)):
            raise UserError(f"{name} is {_shown(value)}, where a list of text belongs")
        return tuple(text_of(name, each) for each in value)
    if bool in kinds:
        if not isinstance(value, bool):
            raise UserError(f"{name} is {_shown(value)}, where True or False belongs")
        return value
    if float in kinds:
        return number_of(name, value)
    if int in kinds:
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise UserError(f"{name} is {_shown(value)}, where a whole number belongs")
        return int(value)
    text = text_of(name, value)
    choices = [each for kind in kinds for each in get_args(kind)] or [k for k in kinds if isinstance(k, str)]
    if choices and text not in choices:
        raise UserError(f"{name} is {text!r}; it is one of {', '.join(choices)}")
    return text


def config_of(**values: Any) -> Config:
    """Return a configuration in which the values given count as typed; for programs.

    Raises
    ------
    UserError
        For a name that is no setting, and a value of the wrong type: nothing checks a program's as the
        command line checks what is typed.
    """
    known = {each.name for each in fields(Config)} - {"given"}
    hints = get_type_hints(Config)
    for name in values:
        if name not in known:
            raise UserError(f"there is no setting called {name!r}; there is {', '.join(sorted(known))}")
    typed = {name: _typed(name, value, hints[name]) for name, value in values.items()}
    return Config(**typed, given=frozenset(values))
