"""Predictions to ROS 2: detections and event frames, through a Zenoh router, as rmw_zenoh_cpp has them.

Zenoh is talked to in a thread of its own. Where the router is away or reads too slowly, messages are lost:
counted as far as it can be known, told, and nothing waits for it.
"""

from __future__ import annotations

import threading
import time
from time import monotonic, monotonic_ns
from typing import Any

import zenoh

from neuroclip_drivers.ros2.address import Ros2Address, parse_ros2
from neuroclip_drivers.ros2.graph import PUBLISHER, Sent, attachment, gid_of, topic_key
from neuroclip_drivers.ros2.link import SLOW_S, Ros2Link
from neuroclip_drivers.ros2.message_types import DETECTIONS, IMAGE, type_hash
from neuroclip_live.errors import UserError
from neuroclip_live.outputs.line_queue import Line, LineQueue
from neuroclip_live.outputs.passing_trouble import PassingTrouble
from neuroclip_live.outputs.ros2_messages import Ros2Messages
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header, Summary

NAMESPACE, NODE = "/neuroclip", "neuroclip_live"
EXAMPLE = "--output ros2://HOST:7447/neuroclip"
QUEUE = 64
"""Messages kept for a router that is slow: about three seconds of predictions."""
FPS, MOST_FPS = 10.0, 100.0
CLOSE_S = 2.0
TOLD_S = 10.0
"""For so long it is told that the router is back."""
_LOOK_S = 0.5
_DEPTH = 10


class _Topic:
    """One topic that is published on; for one thread."""

    def __init__(self, link: Ros2Link, topic: str, type_name: str, priority: Any) -> None:
        said = type_hash(type_name)
        self._gid = gid_of(link.endpoint(PUBLISHER, topic, type_name, said, _DEPTH))
        # as ROS does for what it keeps the last few of: one slow subscriber must not hold up the others
        self._publisher = link.session.declare_publisher(
            topic_key(link.address.domain, topic, type_name, said),
            congestion_control=zenoh.CongestionControl.DROP,
            priority=priority,
        )
        self._number = 0

    @property
    def wanted(self) -> bool:
        """Whether anybody subscribes."""
        return bool(self._publisher.matching_status.matching)

    def put(self, message: bytes) -> bool:
        """Publish; return whether it went at once, and was not left out for a router that is too slow."""
        self._number += 1
        begin = monotonic()
        self._publisher.put(message, attachment=attachment(Sent(self._number, time.time_ns(), self._gid)))
        return monotonic() - begin < SLOW_S


class Ros2Output:
    """Publishes ``detections`` and ``image`` below a namespace; see the module.

    Parameters
    ----------
    argument : str
        ``[//HOST[:PORT]][/NAMESPACE][?fps=10&stamp=arrival&domain=0]``; see
        :func:`neuroclip_drivers.ros2.address.parse_ros2`.

    Attributes
    ----------
    offered, lost : int
        Predictions that were to be published, and those of which it is known that they were not.

    Raises
    ------
    UserError
        When the address makes no sense, or the router cannot be had now. Later on it may come and go.
    """

    def __init__(self, argument: str) -> None:
        address = parse_ros2(argument, NAMESPACE, EXAMPLE, ("fps", "stamp"))
        self._every_s = _every(address)
        self._stream_time = _stream_time(address)
        self._messages = Ros2Messages()
        self._messages.detections(Prediction(0, 0, "ok"), 0)  # rosbags makes what serializes at first use
        self._link = link = Ros2Link(address, address.name, NODE)
        self._detections = _Topic(link, f"{address.name}/detections", DETECTIONS, zenoh.Priority.DATA)
        self._image = _Topic(link, f"{address.name}/image", IMAGE, zenoh.Priority.DATA_LOW)
        self._image_due = 0.0
        self._changed = threading.Condition()
        self._lines = LineQueue(QUEUE)
        self.offered = self.lost = 0
        self._end_by: float | None = None
        self._away_since_lost: int | None = None
        self._news: tuple[float, str] = (-TOLD_S, "")
        self._slow = PassingTrouble()
        self._thread = threading.Thread(target=self._run, name="ros2", daemon=True)
        self._thread.start()

    def open(self, header: Header) -> None:
        """Take in what holds for the predictions that follow."""
        self._offer(header)

    def write(self, prediction: Prediction) -> None:
        """Publish a prediction, sooner or later or never; returns at once."""
        self._offer(prediction)

    def close(self, summary: Summary | None) -> None:
        """Publish what is left, for two seconds at most, and go; idempotent."""
        with self._changed:
            if self._end_by is not None:
                return
            self._end_by = monotonic() + CLOSE_S
            self._changed.notify_all()
        self._thread.join(CLOSE_S + 1.0)
        with self._changed:
            self.lost += self._lines.drop_all()
        self._link.close()

    def trouble(self) -> str:
        """Return what is wrong with the router, or, at the end, how many messages were lost."""
        called = self._link.address.called
        with self._changed:
            if self._end_by is not None:
                return f"{called}: {self.lost:,} of {self.offered:,} messages were lost" if self.lost else ""
            if self._away_since_lost is not None:
                return f"{called} is away; trying again"
            at, news = self._news
            return news if monotonic() - at < TOLD_S else self._slow.text()

    def _offer(self, line: Line) -> None:
        with self._changed:
            if self._end_by is not None:
                return
            if isinstance(line, Prediction):
                self.offered += 1
            lost = self._lines.add(line)
            self.lost += lost
            if lost:
                self._slow.note(f"{self._link.address.called} is too slow: messages are lost")
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._lines) or self._end_by is not None, _LOOK_S)
                line = self._lines.take()
                over = self._end_by is not None and (line is None or monotonic() > self._end_by)
            here = self._link.here
            self._look(here)
            if over:
                if isinstance(line, Prediction):
                    self._lose()
                return
            if isinstance(line, Header):
                self._messages.begin(line)
            elif line is not None:
                if not (here and self._publish(line)):
                    self._lose()

    def _look(self, here: bool) -> None:
        with self._changed:
            if not here and self._away_since_lost is None:
                self._away_since_lost = self.lost
            elif here and self._away_since_lost is not None:
                missed, self._away_since_lost = self.lost - self._away_since_lost, None
                called = self._link.address.called
                self._news = (monotonic(), f"{called} is back; {missed:,} messages were lost meanwhile")

    def _lose(self) -> None:
        with self._changed:
            self.lost += 1

    def _publish(self, prediction: Prediction) -> bool:
        at_ns = self._stamp(prediction)
        went = True
        if self._detections.wanted:
            went = self._detections.put(self._messages.detections(prediction, at_ns))
        now = monotonic()
        if self._every_s is not None and now >= self._image_due and self._image.wanted:
            image = self._messages.image(prediction, at_ns)
            if image is not None:
                self._image_due = now + self._every_s
                went &= self._image.put(image)
        if not went:
            self._slow.note(f"{self._link.address.called} is too slow: messages are lost")
        return went

    def _stamp(self, prediction: Prediction) -> int:
        """Return nanoseconds of the clock by which ROS goes, or of the stream's."""
        if self._stream_time:
            return prediction.t_us * 1000
        since = 0 if prediction.arrival_ns is None else monotonic_ns() - prediction.arrival_ns
        return time.time_ns() - since


def _every(address: Ros2Address) -> float | None:
    """Return seconds between two images; None for none."""
    text = address.more.get("fps", str(FPS))
    try:
        fps = float(text)
    except ValueError:
        fps = -1.0
    if not 0 <= fps <= MOST_FPS:
        raise UserError(f"fps is {text[:20]!r}: give images per second, from 0 (none) to {MOST_FPS:g}")
    return 1 / fps if fps else None


def _stream_time(address: Ros2Address) -> bool:
    text = address.more.get("stamp", "arrival")
    if text not in ("arrival", "stream"):
        raise UserError(f"stamp is {text[:20]!r}: choose arrival (when events came) or stream (their own)")
    return text == "stream"
