"""Feeds the panel of health: four times a second."""

from __future__ import annotations

from neuroclip_gui.panel_spec import Context, Due, Presenter, Snapshot
from neuroclip_gui.panels.health.health_panel import HealthPanel
from neuroclip_gui.style.scrolled import Scrolled

_EVERY_S = 0.25


class HealthUpdates(Presenter):
    """Between the pipeline's counts and the panel.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        self.panel = HealthPanel(context.theme)
        super().__init__(Scrolled(self.panel))
        self._due = Due(_EVERY_S)

    def update(self, snapshot: Snapshot) -> None:
        """Show the newest numbers."""
        if snapshot.status is not None and self._due(snapshot.now_s):
            self.panel.show_status(snapshot.status, snapshot.paint_hz, snapshot.worst_gap_ms)
