"""Errors name the option that was wrong: what goes wrong far below knows nothing of the command line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from neuroclip_live.errors import UserError


@contextmanager
def about(option: str) -> Iterator[None]:
    """Put ``option`` before the errors raised inside, where they do not begin with one themselves."""
    try:
        yield
    except UserError as error:
        if re.match(r"--?[a-z]", str(error)):
            raise
        raise UserError(f"{option}: {error}") from error


def refuse_blank(options: Mapping[str, str | None], what: str) -> None:
    """Raise UserError for an option (by its name) that is given, but empty: ``""`` is no file and no word."""
    for name, value in options.items():
        if value is not None and not value.strip():
            raise UserError(f"{name} is empty: give {what}")


def refuse_no_file(option: str, path: str | None) -> None:
    """Raise UserError where no file can be written: an empty name, a folder, or below something else."""
    refuse_blank({option: path}, "a file")
    if path is None:
        return
    place = Path(path).expanduser()
    try:
        folder_itself = place.is_dir()
        above = next((folder for folder in place.parents if folder.exists()), None)
    except OSError as error:  # a name too long, a folder that may not be looked into
        raise UserError(f"{option} {_short(path)}: {error.strerror}; give another place") from error
    if folder_itself:
        raise UserError(f"{option} {path} is a folder: give a file in it")
    if above is not None and not above.is_dir():
        raise UserError(f"{option} {path}: {above} is no folder; give another place")


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:40]}…"


def at_least(options: Mapping[str, float | None], least: float, most: float = math.inf) -> None:
    """Raise UserError for a number (by its option's name) outside ``least`` to ``most``, or no number."""
    for name, value in options.items():
        if value is None or least <= value <= most < math.inf or (least <= value < math.inf == most):
            continue
        upper = f" to {most:g}" if most < math.inf else " or more"
        told = f"{value:g}" if isinstance(value, float) else _short(str(value))
        raise UserError(f"{name} {told}: give {least:g}{upper}")
