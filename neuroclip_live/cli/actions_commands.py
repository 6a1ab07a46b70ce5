"""``actions check``: what a file of actions would have fired in a recording."""

from __future__ import annotations

from typing import Any

import click

from neuroclip_live.actions.actions import Actions
from neuroclip_live.cli.acting import rules_of
from neuroclip_live.cli.options import given_of, looking_options
from neuroclip_live.cli.run_command import check_options, follow_recording
from neuroclip_live.config import Config


@click.group()
def actions() -> None:
    """Try a file of actions before it acts."""


@actions.command()
@click.argument("file", metavar="FILE.toml")
@click.argument("recording")
@click.option("--start", type=float, metavar="S", help="From this second on.")
@click.option("--end", type=float, metavar="S", help="Up to this second.")
@click.option("--stream", metavar="NAME|ID", help="This event stream, where a recording has several.")
@click.option("--sensor", metavar="WxH", help="The sensor's size, where a recording does not tell it.")
@click.option("--time-unit", type=click.Choice(["s", "ms", "us", "ns"]), help="Where it does not tell it.")
@looking_options
@click.pass_context
def check(context: click.Context, /, file: str, recording: str, **values: Any) -> None:
    """Say what the actions of FILE.toml would have fired in RECORDING, and when; nothing is done.

    Give the options of the run that is meant: other words, or another model, give other probabilities.
    """
    config = Config(
        replay=recording,
        headless=True,
        speed="max",
        actions=file,
        actions_dry_run=True,
        given=given_of(context, values),
        **values,
    )
    check_options(config)
    rules = rules_of(config)
    assert rules is not None  # a file was given
    acted = Actions(rules, click.echo, dry_run=True)
    follow_recording(config, acted)
    click.echo(_table(acted))


def _table(acted: Actions) -> str:
    """Return for each action how near it came: what ``enter`` is chosen by."""
    lines = []
    for trigger in acted.triggers:
        rule, share = trigger.rule, trigger.above / max(1, trigger.judged)
        lines.append(
            f"{rule.name!r}: highest {trigger.highest:.2f}, {share:.0%} of {trigger.judged} predictions at "
            f"{rule.enter:g} or more, left out as too soon {trigger.suppressed}"
        )
    return "\n".join([*lines, f"{acted.fired} would have fired"])
