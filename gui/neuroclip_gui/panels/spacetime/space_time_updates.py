"""Feeds the view of space and time, at most thirty times a second and only while it is in view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuroclip_gui.panels.spacetime.space_time_view import load_projection

if TYPE_CHECKING:
    from neuroclip_gui.jobs import Jobs
    from neuroclip_gui.panels.spacetime.space_time_view import SpaceTimeView
    from neuroclip_live.recognition.pipeline_protocol import PipelineProtocol

_EVERY_S = 1 / 32


class SpaceTimeUpdates:
    """Between the pipeline and the view.

    Parameters
    ----------
    view : SpaceTimeView
    jobs : Jobs
        Loads what projects, the first time the view is looked at.
    """

    def __init__(self, view: SpaceTimeView, jobs: Jobs) -> None:
        self._view, self._jobs = view, jobs
        self._due_s = 0.0
        self._asked = False
        self.failure = ""

    def look(self, pipeline: PipelineProtocol, now_s: float, frozen: bool) -> None:
        """Show the newest events where they are wanted."""
        if not self._view.in_view or now_s < self._due_s:
            return
        self._due_s = now_s + _EVERY_S
        if not self._asked:
            self._asked = True
            self._jobs.do(load_projection, self._view.use, self._on_failed)
        span_us = self._view.wants_us
        if span_us and not frozen:
            self._view.show_events(pipeline.recent_events(span_us), pipeline.resolution)

    def _on_failed(self, message: str) -> None:
        self.failure = message
