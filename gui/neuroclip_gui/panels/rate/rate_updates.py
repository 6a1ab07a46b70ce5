"""Feeds the rate plot: a sample four times a second, from the pipeline's count and its newest events."""

from __future__ import annotations

from neuroclip_drivers.source import EventSource
from neuroclip_gui.panel_spec import Context, Presenter, Snapshot
from neuroclip_gui.panels.rate.rate_plot import RatePlot

_LOOKED_AT_US = 10_000
_MOST = 50_000
"""Events of whom the share that is ON is counted: a sample, so that a flood costs no more."""


class RateUpdates(Presenter):
    """Between the pipeline and the plot.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        self.plot = RatePlot(context.theme)
        super().__init__(self.plot)

    def update(self, snapshot: Snapshot) -> None:
        """Add a sample where one is due."""
        if snapshot.status is None or not self.plot.is_due(snapshot.now_s):
            return
        rate_hz, share = snapshot.status.event_rate_hz, None
        if rate_hz > 0 and len(newest := snapshot.pipeline.recent_events(_LOOKED_AT_US)[-_MOST:]):
            share = float((newest["p"] > 0).mean())
        self.plot.add(snapshot.now_s, rate_hz, share)

    def source_changed(self, source: EventSource) -> None:
        """Forget the rates of the source before."""
        self.plot.clear()
