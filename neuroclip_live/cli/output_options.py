"""``--output`` and its short form ``--jsonl``."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from neuroclip_live.cli.naming import about
from neuroclip_live.cli.options import RunOptions


def outputs_of(options: RunOptions) -> list[str]:
    """Return what predictions go to, as the outputs' registry takes it."""
    jsonl = [] if options.jsonl is None else [f"jsonl:{options.jsonl}"]
    return [*jsonl, *options.output]


def about_outputs(options: RunOptions) -> AbstractContextManager[None]:
    """Name --output in errors, unless they can be of --jsonl, whose own say so."""
    return about("--output") if options.jsonl is None else nullcontext()
