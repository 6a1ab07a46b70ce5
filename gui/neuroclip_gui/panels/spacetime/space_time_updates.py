"""Feeds the view of space and time, at most thirty times a second and only while it is in view."""

from __future__ import annotations

from neuroclip_gui.panel_spec import Context, Presenter, Snapshot
from neuroclip_gui.panels.spacetime.space_time_view import SpaceTimeView, load_projection

_EVERY_S = 1 / 32


class SpaceTimeUpdates(Presenter):
    """Between the pipeline and the view.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        self.view = SpaceTimeView(context.theme, context.event_colors)
        super().__init__(self.view)
        self._jobs = context.jobs
        self._due_s = 0.0
        self._asked = False
        self.failure = ""

    def update(self, snapshot: Snapshot) -> None:
        """Show the newest events where they are wanted; what projects is loaded at the first look."""
        if snapshot.minimized or snapshot.now_s < self._due_s or not self.view.in_view:
            return
        self._due_s = snapshot.now_s + _EVERY_S
        if not self._asked:
            self._asked = True
            self._jobs.do(load_projection, self.view.use, self._on_failed)
        span_us = self.view.wants_us
        if span_us and not snapshot.frozen:
            pipeline = snapshot.pipeline
            self.view.show_events(pipeline.recent_events(span_us), pipeline.resolution)

    def _on_failed(self, message: str) -> None:
        self.failure = message
