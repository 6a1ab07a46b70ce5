"""A source that is recorded on its way, for runs without a capture thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from neuroclip_live.events import Packet
from neuroclip_live.recording.recorder import Recorder

if TYPE_CHECKING:
    from neuroclip_drivers.source import EventSource


class RecordedSource:
    """A source whose packets are recorded on their way, for runs without a capture thread."""

    def __init__(self, source: EventSource, recorder: Recorder) -> None:
        self._source, self._recorder = source, recorder

    def packets(self) -> Iterator[Packet]:
        """Yield the source's packets; waits for the disk, where nothing is lost by it."""
        for packet in self._source.packets():
            self._recorder.write(packet)
            while not self._source.live and not self._recorder.has_room():
                threading.Event().wait(0.001)
            yield packet

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)
