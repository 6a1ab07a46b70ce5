"""Pulls the newest events and has them painted, as the user wants them accumulated."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroclip_gui.style.palettes import EVENT_COLORS, EventColors

if TYPE_CHECKING:
    from neuroclip_gui.jobs import Jobs
    from neuroclip_gui.panels.picture.event_view import EventView
    from neuroclip_gui.settings import WindowSettings
    from neuroclip_gui.style.theme import Theme
    from neuroclip_live.events import Packet
    from neuroclip_live.recognition.pipeline_protocol import PipelineProtocol

_STALE_S = 0.4
"""A picture of events older than this shows something that no longer happens."""
_LONGEST_US = 2_000_000


class LiveView:
    """Between the pipeline and the event view.

    Parameters
    ----------
    view : EventView
    theme : Theme
    settings : WindowSettings
    """

    def __init__(self, view: EventView, theme: Theme, settings: WindowSettings) -> None:
        self.view, self._theme, self._settings = view, theme, settings
        self.frozen = False
        self.failure = ""
        self._paint: Any = None
        self._seen: tuple[int, int, int] = (-1, 0, 0)
        self._changed_s = 0.0
        self._blank = True
        theme.changed.connect(self._recolor)

    def load(self, jobs: Jobs) -> None:
        """Load the painting code, which is slow to import and to compile, away from the window's thread."""
        if self._paint is None:
            jobs.do(_load_painting, self._on_loaded, self._on_failed)

    @property
    def ready(self) -> bool:
        """Whether the painting code is loaded."""
        return self._paint is not None

    def _on_loaded(self, painting: Any) -> None:
        self._paint = painting
        self._recolor()
        self._tell()

    def _on_failed(self, message: str) -> None:
        self.failure = f"The picture cannot be painted: {message}"

    # ---- settings

    def set_colors(self, name: str) -> None:
        """Color events; "" follows the theme."""
        self._settings.event_colors = name
        self._recolor()

    def set_accumulation(self, kind: str, amount: int) -> None:
        """Show events of so many ms ("time"), so many events ("count"), or fading in so many ms ("fade")."""
        self._settings.accumulate = kind
        if kind == "count":
            self._settings.accumulate_events = amount
        else:
            self._settings.accumulate_ms = amount
        self.refresh()
        self._tell()

    @property
    def accumulation(self) -> tuple[str, int]:
        """How events are accumulated, as :meth:`set_accumulation` takes it."""
        s = self._settings
        return s.accumulate, s.accumulate_events if s.accumulate == "count" else s.accumulate_ms

    @property
    def colors(self) -> EventColors:
        """The colors of events in use."""
        return EVENT_COLORS[self._settings.event_colors or self._theme.palette.events]

    def freeze(self, on: bool) -> None:
        """Hold the picture still, or let it go on."""
        self.frozen = on
        self.refresh()

    def show_frames(self, on: bool) -> None:
        """Show a camera's intensity frames beside the events."""
        self._settings.show_frames = on
        if not on:
            self.view.show_beside(None)

    def refresh(self) -> None:
        """Paint anew at the next tick, whether or not events came."""
        self._seen = (-1, 0, 0)

    # ---- each tick

    def pull(self, pipeline: PipelineProtocol, rate_hz: float, held: bool) -> bool:
        """Paint the newest events; return whether the picture changed.

        Parameters
        ----------
        pipeline : PipelineProtocol
        rate_hz : float
            Events per second, to know how far back so many events reach.
        held : bool
            A recording is paused: what is shown stays, however old.
        """
        if self._paint is None or (self.frozen and not self._blank):
            return False
        now = time.monotonic()
        kind, amount = self.accumulation
        events = self._events(pipeline, kind, amount, rate_hz)
        seen = (len(events), int(events["t"][0]), int(events["t"][-1])) if len(events) else (0, 0, 0)
        if seen == self._seen:
            if self._blank or held or now - self._changed_s < _STALE_S:
                return False
            events = events[:0]
        else:
            self._seen, self._changed_s = seen, now
        self._blank = not len(events)
        resolution = pipeline.resolution
        if kind == "fade":
            frame = self._paint.fading_frame(events, resolution, amount * 1000)
        else:
            frame = self._paint.plain_frame(events, resolution)
        self.view.show_frame(frame)
        if self._settings.show_frames:
            gray = pipeline.latest_frame()
            self.view.show_beside(gray.image if gray is not None else None)
        return True

    def _events(self, pipeline: PipelineProtocol, kind: str, amount: int, rate_hz: float) -> Packet:
        if kind == "count":
            back_us = int(min(_LONGEST_US, 1.5e6 * amount / max(rate_hz, 1.0)))
            return pipeline.recent_events(max(back_us, 20_000))[-amount:]
        return pipeline.recent_events(amount * 1000 * (4 if kind == "fade" else 1))

    def _recolor(self) -> None:
        if self._paint is None:
            return
        name = self._settings.event_colors or self._theme.palette.events
        colors = EVENT_COLORS[name]
        self.view.set_colors(colors, self._paint.color_table(colors))
        self.refresh()

    def _tell(self) -> None:
        kind, amount = self.accumulation
        text = {"time": f"{amount} ms", "count": f"{amount:,} events", "fade": f"fading, {amount} ms"}[kind]
        self.view.set_facts(text)

    def clear(self) -> None:
        """Begin anew: another source."""
        self.refresh()
        self._blank = True
        if self.view.frame is not None:
            self.view.show_frame(np.full_like(self.view.frame, 127))


def _load_painting() -> Any:
    from neuroclip_gui.panels.picture import painting

    painting.warm_up()
    return painting
