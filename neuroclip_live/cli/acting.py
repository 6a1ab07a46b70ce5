"""``--actions``: what is done beside a run when a label is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from neuroclip_live.config import Config
from neuroclip_live.errors import UserError
from neuroclip_live.option_names import refuse_blank, refuse_no_file

if TYPE_CHECKING:
    from neuroclip_live.actions.actions import Actions
    from neuroclip_live.actions.rules import Rules
    from neuroclip_live.recognition.pipeline import Pipeline


def rules_of(config: Config) -> Rules | None:
    """Return the actions asked for, read and checked; None where there are none.

    Raises
    ------
    UserError
        When the file, or an option beside it, cannot be used.
    """
    refuse_blank({"--actions": config.actions}, "a file")
    refuse_no_file("--actions-log", config.actions_log)
    if config.actions is None:
        for option, given in (
            ("--actions-log", config.actions_log is not None),
            ("--actions-dry-run", config.actions_dry_run),
        ):
            if given:
                raise UserError(f"{option} is for actions: name their file with --actions FILE.toml")
        return None
    from neuroclip_live.actions.rule_file import read_rules

    rules = read_rules(config.actions)
    if rules.objects and not config.objects:
        raise UserError(f"--actions {config.actions} judges objects: add --objects")
    return rules


def actions_of(config: Config, rules: Rules | None, pipeline: Callable[[], Pipeline | None]) -> list[Actions]:
    """Return what carries the actions of a run out, as an output of it; nothing where there are none.

    Raises
    ------
    UserError
        When the log cannot be written.
    """
    if rules is None:
        return []
    from neuroclip_live.actions.actions import Actions

    return [
        Actions(
            rules,
            lambda line: click.echo(line, err=True),
            pipeline,
            dry_run=config.actions_dry_run,
            log=config.actions_log,
        )
    ]
