"""Recognition settings from a file: the same JSON the window keeps, for runs without a window.

    neuroclip-live --config my.json --headless --replay rec.aedat4 --jsonl -

What is typed on the command line wins over the file; keys this program does not know are left alone, as
the window keeps its own in there.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from neuroclip_live.bounded import home_expanded, read_json
from neuroclip_live.cli.options import RunOptions
from neuroclip_live.errors import UserError

SAVED: dict[str, type] = {
    "model": str,
    "device": str,
    "slice": str,
    "overlap": int,
    "timesteps": int,
    "motion": str,
}
"""What a file may say of a run, under the names of the options."""


def read_saved(path: str | Path) -> dict[str, Any]:
    """Return what a file says of a run.

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
    for name, kind in SAVED.items():
        if name in data and type(data[name]) is not kind:
            kind_name = "a number" if kind is int else "text"
            raise UserError(f"--config {path}: {name} is {data[name]!r}, where {kind_name} belongs")
    return {name: data[name] for name in SAVED if name in data}


def with_saved(options: RunOptions) -> RunOptions:
    """Return the options with ``--config``'s values where the command line gave none."""
    if options.config is None:
        return options
    saved = read_saved(options.config)
    return replace(options, **{name: value for name, value in saved.items() if name not in kept(options)})


def kept(options: RunOptions) -> frozenset[str]:
    """Return the names of settings that the command line decides: those typed, and what they entail."""
    given = set(options.given)
    if options.weights is not None:
        given.add("model")
    if options.adapter is not None or options.taught is not None:
        given |= {"model", "timesteps"}  # made for them
    return frozenset(given)
