"""Feeds the timeline: every prediction is a moment, and the last minutes are scored anew for other words."""

from __future__ import annotations

import logging
from typing import Any

from neuroclip_drivers.source import EventSource
from neuroclip_gui.panel_spec import Context, Due, Presenter, Snapshot
from neuroclip_gui.panels.timeline.moments import Moment
from neuroclip_gui.panels.timeline.timeline import Timeline

log = logging.getLogger(__name__)

_EVERY_S = 0.2


class TimelineUpdates(Presenter):
    """Between predictions and the timeline.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        self.timeline = Timeline(context.theme, context.words.color)
        super().__init__(self.timeline)
        self._context = context
        self._due = Due(_EVERY_S)
        self._table: object = None
        self.timeline.chosen.connect(context.doors.place)

    def update(self, snapshot: Snapshot) -> None:
        """Take in what is new; move on five times a second."""
        for past in snapshot.past:
            moment = Moment(snapshot.clock_s, past.t_us, past.label or "", past.scores, past.number)
            self.timeline.add(moment)
        taken = snapshot.taken
        if snapshot.pipeline.table is not self._table:
            self._table = snapshot.pipeline.table
            self._ask_the_past(snapshot)
        if taken is not None and taken.frames and taken.state != "no-motion" and not taken.paused:
            self.timeline.thumbnails.add(snapshot.clock_s, taken.frames[-1])
        if self._due(snapshot.now_s):
            newest = snapshot.prediction
            place_us = newest.t_us if newest is not None and newest.paused else None
            self.timeline.refresh(snapshot.clock_s, self._context.words.now().labels, place_us)

    def source_changed(self, source: EventSource) -> None:
        """Forget the source before."""
        self.timeline.clear()

    def _ask_the_past(self, snapshot: Snapshot) -> None:
        """Score the last minutes against the prompts of now; a moment of computing, done elsewhere."""
        context, pipeline = self._context, snapshot.pipeline
        source = pipeline.source

        def told(past: Any) -> None:
            if past is not None and pipeline is context.pipeline() and pipeline.source is source:
                self.timeline.rescore(past)

        context.jobs.do(pipeline.rescore, told, lambda message: log.warning("the past: %s", message))
