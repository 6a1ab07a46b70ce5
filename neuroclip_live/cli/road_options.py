"""``--noise-filter``, ``--turn`` and ``--region``: what is done to events before they are recognised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuroclip_live.cli.naming import about
from neuroclip_live.cli.options import RunOptions
from neuroclip_live.errors import UserError

if TYPE_CHECKING:
    from neuroclip_live.recognition.pipeline import Pipeline
    from neuroclip_live.stream.road import RoadSettings


def check_road(options: RunOptions) -> None:
    """Raise UserError where a window is asked for what it has ways of its own for."""
    drawn = {"--region": options.region, "--noise-filter": options.noise_filter, "--turn": options.turn}
    for name in (name for name, value in drawn.items() if value is not None and not options.headless):
        raise UserError(f"{name} needs --headless; the window has it in its camera panel and its View menu")


def road_of(options: RunOptions) -> RoadSettings:
    """Return what is done to events before they are recognised."""
    from neuroclip_live.stream.filters import Treatment
    from neuroclip_live.stream.road import TURNS, RoadSettings, parse_region, parse_support

    with about("--noise-filter"):
        support_us = parse_support(options.noise_filter)
    treatment = Treatment(support_us, quarter_turns=TURNS[options.turn] if options.turn is not None else 0)
    with about("--region"):
        region = parse_region(options.region) if options.region is not None else None
    return RoadSettings(treatment, region)


def put_on(pipeline: Pipeline, road: RoadSettings) -> None:
    """Have a pipeline that was not started do to events what is asked for."""
    pipeline.treat(road.treatment)
    with about("--region"):
        pipeline.set_region(road.region)
