"""Publish a message to an MQTT broker: a connection for each, as firings are seldom."""

from __future__ import annotations

import json
import re
from time import monotonic
from typing import Any

from neuroclip_live.actions.effect import Beside, Given, described, filled
from neuroclip_live.actions.triggers import Firing
from neuroclip_live.errors import UserError
from neuroclip_live.outputs.mqtt_address import check_topic, parse_address
from neuroclip_live.outputs.mqtt_link import MqttLink

BROKER = "mqtt://127.0.0.1"
MAX_PAYLOAD = 64 * 1024
_KEYS = ("broker", "topic", "payload", "retain")


class MqttMessage:
    """A table ``{broker = "mqtt://...", topic = "...", payload = "...", retain = false}``.

    Without a payload the message is the JSON object that webhooks get.
    """

    key = "mqtt"

    def __init__(self, value: Any, given: Given) -> None:
        if not isinstance(value, dict):
            raise UserError('give a table, as in {broker = "mqtt://broker.local", topic = "lab/hand"}')
        for key in value:
            if key not in _KEYS:
                raise UserError(f"{str(key)[:40]!r} is not known; choose from {', '.join(_KEYS)}")
        broker, topic = value.get("broker", BROKER), value.get("topic")
        payload, retain = value.get("payload"), value.get("retain", False)
        if not isinstance(broker, str) or not isinstance(topic, str):
            raise UserError('broker and topic are text, as in topic = "lab/hand"')
        if payload is not None and (not isinstance(payload, str) or len(payload) > MAX_PAYLOAD):
            raise UserError(f"payload is text of at most {MAX_PAYLOAD:,} characters")
        if not isinstance(retain, bool):
            raise UserError("retain is true or false")
        self._address = parse_address(broker, given.folder)
        if self._address.topic:
            raise UserError("the broker's address names a topic: give it with topic alone")
        self._topic = check_topic(topic)
        self._payload, self._retain, self._given = payload, retain, given

    def plan(self, firing: Firing) -> str:
        """Return where it goes."""
        return f"publish to {self._topic_of(firing)} at {self._address.called}"

    def trouble(self) -> str:
        """Know nothing before it is tried."""
        return ""

    def carry_out(self, firing: Firing, beside: Beside) -> str:
        """Connect, publish, and wait until the broker confirms it (QoS 0: until it is sent)."""
        limit, topic = self._given.timeout_s, self._topic_of(firing)
        until = monotonic() + limit
        payload = (
            json.dumps(described(firing), ensure_ascii=False)
            if self._payload is None
            else filled(self._payload, firing)
        )
        link = MqttLink(self._address)
        link.connect(limit)
        try:
            link.publish(topic, payload, retain=self._retain)
            confirmed = link.wait(lambda: not link.unconfirmed, until - monotonic())
        finally:
            link.close()
        if link.refused or link.lost:
            raise UserError(link.trouble or f"{self._address.called} went away")
        if not confirmed:
            raise UserError(f"{self._address.called} did not confirm within {limit:g} s")
        return f"published to {topic} at {self._address.called}"

    def _topic_of(self, firing: Firing) -> str:
        """Return the topic; what is filled in makes no levels of its own, whatever a label is called."""
        levels = (_level(level, firing) if "{" in level else level for level in self._topic.split("/"))
        return "/".join(levels)


def _level(level: str, firing: Firing) -> str:
    return re.sub(r"[/+#\0]", "_", filled(level, firing))
