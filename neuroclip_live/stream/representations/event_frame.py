"""NeuroCLIP's event frame, its *simple discrimination strategy*: :mod:`neuroclip_live.stream.frames`."""

from __future__ import annotations

from neuroclip_live.events import Packet, Resolution
from neuroclip_live.stream.frames import Frame, event_frame


class EventFrame:
    """Black where ON events fell, white where OFF events did, ON where both."""

    def __call__(
        self, events: Packet, resolution: Resolution, threshold: int, start_us: int, end_us: int
    ) -> Frame:
        """Return the frame (H, W); when in the slice an event happened makes no difference."""
        return event_frame(events, resolution, threshold)
