"""``--output`` and its short form ``--jsonl``."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from neuroclip_live.config import Config
from neuroclip_live.option_names import about


def outputs_of(config: Config) -> list[str]:
    """Return what predictions go to, as the outputs' registry takes it."""
    jsonl = [] if config.jsonl is None else [f"jsonl:{config.jsonl}"]
    return [*jsonl, *config.output]


def about_outputs(config: Config) -> AbstractContextManager[None]:
    """Name --output in errors, unless they can be of --jsonl, whose own say so."""
    return about("--output") if config.jsonl is None else nullcontext()
