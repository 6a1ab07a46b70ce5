"""Events of a ROS 2 topic, as drivers of cameras publish them: ``event_camera_msgs``, ``dvs_msgs``."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from time import monotonic
from typing import Any, NamedTuple

from neuroclip_drivers.files.event_file import MAX_PACKET_EVENTS
from neuroclip_drivers.opening import SourceSpec
from neuroclip_drivers.ros2.address import Ros2Address, parse_ros2
from neuroclip_drivers.ros2.graph import SUBSCRIPTION, any_version, publishers_of, type_of_token
from neuroclip_drivers.ros2.intake import EVENT_TYPES, Intake, no_events
from neuroclip_drivers.ros2.link import Ros2Link
from neuroclip_drivers.ros2.message_types import EVENT_PACKET, type_hash
from neuroclip_drivers.source import MAX_WAIT_S, GrayFrame, SourceState, SourceStatus
from neuroclip_live.errors import SourceAway
from neuroclip_live.events import Packet, Resolution, copy_packet, empty_packet, join_packets

EXAMPLE = "--source ros2:/event_camera/events"
NODE = "neuroclip_live_events"
WAITING_BYTES = 1 << 25
"""Kept of what is not read yet: 32 MiB."""
ANSWER_S = 5.0
"""So long the first message may take to come."""
SILENT_S = 2.0
TOLD_S = 5.0
AT_ONCE = 256
"""Messages that become one packet, where so many wait."""
_DEPTH = 1000


class _Message(NamedTuple):
    key: str
    payload: Any
    beside: bytes | None
    size: int


class _Mailbox:
    """Messages that wait to be read; the oldest go, counted, where there is no more room. For any threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._came = threading.Condition()
        self._messages: deque[_Message] = deque()
        self._bytes = self.dropped = 0

    def put(self, message: _Message) -> None:
        """Take in a message; returns at once."""
        with self._came:
            while self._messages and self._bytes + message.size > self._most:
                self._bytes -= self._messages.popleft().size
                self.dropped += 1
            self._messages.append(message)
            self._bytes += message.size
            self._came.notify()

    def take(self, wait_s: float) -> list[_Message]:
        """Return the oldest messages, none where none comes in time."""
        with self._came:
            if not self._messages:
                self._came.wait(wait_s)
            taken = [self._messages.popleft() for _ in range(min(AT_ONCE, len(self._messages)))]
            self._bytes -= sum(message.size for message in taken)
            return taken


class Ros2Source:
    """A topic as an :class:`neuroclip_drivers.source.EventSource`.

    Where several publish on it, the first is read until it is silent for a second. Times are the camera's
    own, as everywhere: those of ``evt3`` begin when the camera does.

    Parameters
    ----------
    address : Ros2Address
        The router and the topic.
    answer_s : float
        How long the first message may take to come; before it the sensor's size is not known.

    Raises
    ------
    SourceAway
        When the router cannot be had, or no events come.
    """

    live = True

    def __init__(self, address: Ros2Address, *, answer_s: float = ANSWER_S) -> None:
        topic = address.name
        self.name = f"{topic} of ROS 2"
        self._topic = topic
        self._closed = threading.Event()
        self._mailbox = _Mailbox(WAITING_BYTES)
        self._intake = Intake()
        self._publishers: dict[str, str] = {}  # token to type
        self._position_us: int | None = None
        self._first: deque[Packet] = deque()
        self._link = Ros2Link(address, "/", NODE)
        try:
            self._link.watch(publishers_of(address.domain, topic), self._publisher)
            for name in EVENT_TYPES:  # not of all types: a router then sends nothing else
                self._link.hear(any_version(address.domain, topic, name), self._heard)
            self._link.endpoint(SUBSCRIPTION, topic, EVENT_PACKET, type_hash(EVENT_PACKET), _DEPTH)
            self.resolution: Resolution = self._wait_for_first(answer_s)
        except BaseException:
            self._link.close()
            raise

    @property
    def lost(self) -> int:
        """Messages that did not come, or came while there was no room for them."""
        return self._intake.lost if self._intake.numbered else self._mailbox.dropped

    def packets(self) -> Iterator[Packet]:
        """Yield packets as they arrive, empty ones while there is nothing."""
        while not self._closed.is_set():
            packet = self._first.popleft() if self._first else self._next(MAX_WAIT_S)
            if len(packet):
                self._position_us = int(packet["t"][-1])
            for start in range(0, max(1, len(packet)), MAX_PACKET_EVENTS):
                piece = packet[start : start + MAX_PACKET_EVENTS]
                yield piece if len(piece) == len(packet) else copy_packet(piece)

    def status(self) -> SourceStatus:
        """Return STREAMING, or WAITING with the reason while the router or the publisher is away."""
        lost = self.lost
        if self._closed.is_set():
            told = f"{lost:,} messages of {self.name} were lost" if lost else ""
            return SourceStatus(SourceState.ENDED, told, lost=bool(lost))
        away = self._link.trouble
        trouble = f"{self._topic}: {away}" if away else self._silence()
        if trouble:
            return SourceStatus(SourceState.WAITING, trouble, self._position_us)
        # in powers of ten: what changes is told anew each time
        some = "a few" if lost < 10 else f"more than {10 ** (len(str(lost)) - 1) - 1:,}"
        missed = f"{some} messages of {self.name} were lost on the way, or came faster than they are read"
        notes = (missed if lost else "", self._told())
        message = "; ".join(note for note in notes if note)
        return SourceStatus(SourceState.STREAMING, message, self._position_us, lost=bool(lost))

    def latest_frame(self) -> GrayFrame | None:
        """Return None: frames have topics of their own."""
        return None

    def close(self) -> None:
        """Read no more; idempotent."""
        self._closed.set()
        self._link.close()

    def _heard(self, sample: Any) -> None:
        """Take in a message; called by Zenoh, so it returns at once."""
        key, payload = str(sample.key_expr), sample.payload
        beside = None if sample.attachment is None else sample.attachment.to_bytes()
        if self._intake.worth_keeping(beside, monotonic()):
            self._mailbox.put(_Message(key, payload, beside, len(payload)))

    def _publisher(self, change: Any) -> None:
        """Take in that a publisher is there or gone; called by Zenoh."""
        token = str(change.key_expr)
        if str(change.kind).endswith("PUT"):
            self._publishers[token] = type_of_token(token)
        else:
            self._publishers.pop(token, None)

    def _next(self, wait_s: float) -> Packet:
        parts = [
            self._intake.take(message.key, message.payload.to_bytes(), message.beside, monotonic())
            for message in self._mailbox.take(wait_s)
        ]
        return join_packets(parts) if parts else empty_packet()

    def _wait_for_first(self, answer_s: float) -> Resolution:
        until = monotonic() + answer_s
        while self._intake.size is None and monotonic() < until:
            packet = self._next(MAX_WAIT_S)
            if len(packet):
                self._first.append(packet)
        if self._intake.size is not None:
            return self._intake.size
        raise SourceAway(self._told_of_nothing(), self.name)

    def _told_of_nothing(self) -> str:
        address = self._link.address
        known = list(self._publishers.values())
        told = self._told()
        if known and not any(name in EVENT_TYPES for name in known):
            told = f"{self._topic}: {no_events(known[0])}"
        if told:
            return f"{told}; name a topic of event_camera_msgs or dvs_msgs"
        if known:
            return f"who publishes {self._topic} says nothing: is the camera running?"
        return (
            f"nobody publishes {self._topic} at {address.called} in domain {address.domain}: "
            "`ros2 topic list` says which topics there are"
        )

    def _told(self) -> str:
        told = self._intake.told(monotonic(), TOLD_S)
        return f"{self._topic}: {told}" if told else ""

    def _silence(self) -> str:
        publishes = any(name in EVENT_TYPES for name in list(self._publishers.values()))
        if publishes or self._intake.heard_within(SILENT_S, monotonic()):
            return ""
        return f"nobody publishes {self._topic} any more; waiting for it"


def open_ros2(spec: SourceSpec) -> Ros2Source:
    """Read the topic that ``spec`` names.

    Raises
    ------
    UserError
        When the address makes no sense, or there are no events.
    """
    return Ros2Source(parse_ros2(spec.target or "", "", EXAMPLE))
