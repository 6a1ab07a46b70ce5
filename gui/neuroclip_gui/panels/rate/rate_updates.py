"""Feeds the rate plot: a sample four times a second, from the pipeline's count and its newest events."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neuroclip_gui.panels.rate.rate_plot import RatePlot
    from neuroclip_live.recognition.pipeline_protocol import PipelineProtocol

_LOOKED_AT_US = 10_000
_MOST = 50_000
"""Events of whom the share that is ON is counted: a sample, so that a flood costs no more."""


def sample(plot: RatePlot, pipeline: PipelineProtocol, rate_hz: float, now_s: float) -> None:
    """Add a sample where one is due."""
    if not plot.is_due(now_s):
        return
    share = None
    if rate_hz > 0 and len(newest := pipeline.recent_events(_LOOKED_AT_US)[-_MOST:]):
        share = float((newest["p"] > 0).mean())
    plot.add(now_s, rate_hz, share)
