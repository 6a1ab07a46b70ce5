"""What becomes of the messages of one topic: whose are read, what is lost, what is refused.

It knows nothing of Zenoh: it gets keys and bytes, all of which others have chosen.
"""

from __future__ import annotations

import math

from neuroclip_drivers.files.ros_messages import (
    EVENT_ARRAYS,
    EVENT_PACKETS,
    BadMessage,
    MessageDecoder,
    plain_type,
)
from neuroclip_drivers.ros2.graph import parse_attachment, type_of_key
from neuroclip_live.events import Packet, Resolution, empty_packet

EVENT_TYPES = tuple(plain.replace("/", "/msg/") for plain in (*EVENT_PACKETS, *EVENT_ARRAYS))
"""What is read, as ROS writes it."""
TAKEOVER_S = 1.0
"""A publisher that was silent for so long gives its place to another one that is not."""
LARGEST_PACKET = 1 << 22
"""Bytes of a packet of encoded events: each may become ninety-six bytes of memory."""
SETTLED_S = 5.0
"""A reason for refusing is told until nothing was refused for so long."""
_RESTART = 1 << 20
"""A number so much smaller is that of a publisher that began anew."""


class Intake:
    """Turns the messages of one topic into events; for one thread, but for :meth:`worth_keeping`.

    Attributes
    ----------
    size : Resolution or None
        Of the sensor, as the first message of events told it. Messages of another size are refused.
    kind : str
        Type of the messages that were read last, empty before the first.
    lost : int
        Messages of the publisher that is read which did not come, by its own numbers.
    refused : int
        Messages that are not events, are damaged, or are of another size.
    """

    def __init__(self) -> None:
        self.size: Resolution | None = None
        self.kind = ""
        self.lost = self.refused = self._others = 0
        self._kept_out = 0  # of others, by worth_keeping's thread
        self._why = ""
        self._gid: bytes | None = None
        self._number: int | None = None
        self._heard_s = self._refused_s = self._others_s = -math.inf
        self._last_us: int | None = None
        self._decoder: MessageDecoder | None = None

    @property
    def others(self) -> int:
        """Messages of publishers that are not read, because another one is."""
        return self._others + self._kept_out

    @property
    def numbered(self) -> bool:
        """Whether the publisher that is read numbers its messages, as ROS does."""
        return self._number is not None

    def worth_keeping(self, beside: bytes | None, now_s: float) -> bool:
        """Tell whether a message has to be kept for :meth:`take`, and count it where not; any one thread.

        A flood of what will not be read must neither push out what will be, nor have it wait.
        """
        sent = parse_attachment(beside) if beside is not None else None
        gid = sent.gid if sent is not None else b""
        if self._gid not in (None, gid) and self.heard_within(TAKEOVER_S, now_s):
            self._kept_out += 1
            self._others_s = now_s
            return False
        return True

    def take(self, key: str, payload: bytes, beside: bytes | None, now_s: float) -> Packet:
        """Return the events of a message, none where it is not to be read.

        Parameters
        ----------
        key : str
            With its type, as ROS has it.
        payload : bytes
            In CDR.
        beside : bytes or None
            The attachment.
        now_s : float
            Seconds, of any clock that only goes forward.
        """
        kind = plain_type(type_of_key(key))
        if kind not in EVENT_ARRAYS and kind not in EVENT_PACKETS:
            return self._refuse(no_events(kind), now_s)
        sent = parse_attachment(beside) if beside is not None else None
        if not self._follows(sent.gid if sent is not None else b"", kind, now_s):
            return empty_packet()
        if sent is not None:
            self._count(sent.number)
        if kind in EVENT_PACKETS and len(payload) > LARGEST_PACKET:
            return self._refuse(f"a packet of {len(payload) / 1e6:.0f} MB came", now_s)
        decoder = self._decoder
        assert decoder is not None
        try:
            events = decoder.decode(payload)
        except BadMessage as error:
            return self._refuse(f"a message is damaged: {error}", now_s)
        if self.size is None:
            self.size = decoder.size
        if self.size is None:
            return self._refuse("a message tells no size of a sensor", now_s)
        if decoder.size != self.size:
            return self._refuse(f"it now is of a sensor of {decoder.size}, before it was {self.size}", now_s)
        self.kind, self._heard_s = kind, now_s  # who says nothing of use is no publisher that is read
        if len(events):
            self._last_us = int(events["t"][-1])
        return events

    def told(self, now_s: float, within_s: float) -> str:
        """Return what went wrong within the last seconds, in words that do not change with every message."""
        if now_s - self._refused_s < within_s:
            return f"some messages are left out: {self._why}"
        if now_s - self._others_s < within_s:
            return "several publish there; one of them is read"
        return ""

    def heard_within(self, seconds: float, now_s: float) -> bool:
        """Tell whether a message of the publisher that is read came within the last seconds."""
        return now_s - self._heard_s < seconds

    def _follows(self, gid: bytes, kind: str, now_s: float) -> bool:
        """Tell whether a publisher is the one that is read: the first, until it says no more."""
        if self._gid != gid or self._decoder is None or self._decoder.kind != kind:
            if self._gid is not None and now_s - self._heard_s < TAKEOVER_S:
                self._others += 1
                self._others_s = now_s
                return False
            self._gid, self._number = gid, None
            self._decoder = MessageDecoder(kind, cdr=True)
            if self._last_us is not None:
                self._decoder.expect(self._last_us)
        return True

    def _count(self, number: int) -> None:
        before, self._number = self._number, number
        if before is not None and 0 < number - before < _RESTART:
            self.lost += number - before - 1

    def _refuse(self, why: str, now_s: float) -> Packet:
        self.refused += 1
        if now_s - self._refused_s > SETTLED_S:  # of garbage every message has another fault
            self._why = "".join(c if c.isprintable() else "?" for c in why)
        self._refused_s = now_s
        return empty_packet()


def no_events(kind: str) -> str:
    """Return what is wrong with a type of messages that hold no events."""
    return f"it carries {kind or 'messages of no known type'}, which are no events"
