"""Predictions to an MQTT broker: the JSON lines, each kind under a topic of its own.

Below the topic that is asked for: ``status`` ("online" or "offline", retained; the second also as the will),
``header`` (retained, so that whoever comes later knows what the predictions mean), ``prediction`` and
``summary``. The broker is talked to in threads of its own; where it is away or too slow, the oldest
predictions are lost, and counted.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from time import monotonic

from neuroclip_live.errors import UserError
from neuroclip_live.outputs.mqtt_address import parse_address
from neuroclip_live.outputs.mqtt_link import MqttLink
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header, Summary

TOPIC = "neuroclip"
QUEUE = 64
"""Messages kept for a broker that is slow or away: about three seconds of predictions."""
WINDOW = 16
"""Messages on their way at once; brokers confirm twenty by default."""
CLOSE_S = 2.0
TOLD_S = 10.0
"""For so long it is told that the broker is back."""

_Line = Header | Prediction | Summary


class MqttOutput:
    """Publishes predictions; see the module.

    Parameters
    ----------
    argument : str
        The broker's address after the scheme and a colon; see
        :func:`neuroclip_live.outputs.mqtt_address.parse_address`.

    Attributes
    ----------
    offered, lost : int
        Predictions and other lines that were to be published, and those of them that were not.

    Raises
    ------
    UserError
        When the address makes no sense, or the broker cannot be had now. Later on it may come and go.
    """

    scheme = "mqtt"

    def __init__(self, argument: str) -> None:
        if not argument:
            raise UserError(f"{self.scheme} needs a broker: write --output {self.scheme}://HOST/TOPIC")
        address = parse_address(f"{self.scheme}:{argument}")
        self._topic = address.topic or TOPIC
        self._link = MqttLink(address, will=(f"{self._topic}/status", "offline"))
        self._changed = self._link.changed
        self.offered = self._dropped = self._left = 0
        self._lines: deque[_Line] = deque()
        self._header: Header | None = None
        self._header_due = False
        self._greeted = 0
        self._end_by: float | None = None
        self._closed = False
        self._away_since_lost: int | None = None
        self._news: tuple[float, str] = (0.0, "")
        self._link.connect()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """Lines that did not reach the broker, as far as that is known."""
        return self._dropped + self._left + self._link.lost + self._link.refused

    def open(self, header: Header) -> None:
        """Publish a header, retained."""
        self._offer(header)

    def write(self, prediction: Prediction) -> None:
        """Publish a prediction, sooner or later or never; returns at once."""
        self._offer(prediction)

    def close(self, summary: Summary | None) -> None:
        """Publish what is left and the summary, say "offline", and go."""
        if summary is not None:
            self._offer(summary)
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._end_by = monotonic() + CLOSE_S
            self._changed.notify_all()
        self._thread.join(CLOSE_S + 1.0)
        with self._changed:
            self._left = len(self._lines) + sum(sent.counted for sent in self._link.unconfirmed.values())
        if self._link.connected:
            self._link.publish(f"{self._topic}/status", "offline", retain=True, qos=1, counted=False)
            self._link.wait(lambda: not self._link.unconfirmed, self._end_by - monotonic())
        self._link.close()

    def trouble(self) -> str:
        """Return what is wrong with the broker, or, at the end, how many messages were lost."""
        called, now = self._link.address.called, monotonic()
        with self._changed:
            if self._closed:
                lost = self.lost
                return f"{called}: {lost:,} of {self.offered:,} messages were lost" if lost else ""
            trouble = self._link.trouble
            if trouble and not self._link.connected:
                if self._away_since_lost is None:
                    self._away_since_lost = self.lost
            elif self._away_since_lost is not None:
                missed, self._away_since_lost = self.lost - self._away_since_lost, None
                self._news = (now, f"{called} is back; {missed:,} messages were lost meanwhile")
            if not trouble and now - self._news[0] < TOLD_S:
                return self._news[1]
            return trouble

    def _offer(self, line: _Line) -> None:
        with self._changed:
            self.offered += 1
            if len(self._lines) >= QUEUE:
                oldest = self._lines.popleft()
                if isinstance(oldest, Header):  # what follows it cannot be understood without
                    self._header, self._header_due = oldest, True
                else:
                    self._dropped += 1
                    if self._link.connected and self._greeted == self._link.connects:
                        self._news = (
                            monotonic(),
                            f"{self._link.address.called} is too slow: messages are lost",
                        )
            self._lines.append(line)
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._may_go_on, self._time_left())
                message = self._next()
                if message is None and self._over():
                    return
            if message is not None:
                topic, line, retained, counted = message
                payload = line if isinstance(line, str) else json.dumps(line.to_dict(), ensure_ascii=False)
                self._link.publish(topic, payload, retain=retained, counted=counted)

    def _time_left(self) -> float | None:
        return None if self._end_by is None else max(0.0, self._end_by - monotonic())

    def _ready(self) -> bool:
        return self._link.connected and len(self._link.unconfirmed) < WINDOW

    def _greeting(self) -> bool:
        return self._greeted != self._link.connects or self._header_due

    def _may_go_on(self) -> bool:
        return (self._ready() and (self._greeting() or bool(self._lines))) or self._over()

    def _over(self) -> bool:
        if self._end_by is None:
            return False
        done = not self._lines and not self._link.unconfirmed
        return done or not self._link.connected or monotonic() >= self._end_by

    def _next(self) -> tuple[str, str | _Line, bool, bool] | None:
        """Return topic, text or line, whether it is retained, and whether counted, of what may go next."""
        if not self._ready():
            return None
        if self._greeted != self._link.connects:  # a broker that was away may have forgotten everything
            self._greeted = self._link.connects
            self._header_due = self._header is not None
            return f"{self._topic}/status", "online", True, False
        if self._header_due and self._header is not None:
            self._header_due = False
            return *self._message(self._header), False
        if not self._lines:
            return None
        line = self._lines.popleft()
        if isinstance(line, Header):
            self._header = line
        return *self._message(line), True

    def _message(self, line: _Line) -> tuple[str, _Line, bool]:
        kind = {Header: "header", Prediction: "prediction", Summary: "summary"}[type(line)]
        return f"{self._topic}/{kind}", line, isinstance(line, Header)


class SecureMqttOutput(MqttOutput):
    """The same over TLS."""

    scheme = "mqtts"
