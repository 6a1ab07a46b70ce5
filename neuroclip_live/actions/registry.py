"""Which effects there are: each has a key of its own in a file of actions."""

from __future__ import annotations

from neuroclip_live.extras import MQTT
from neuroclip_live.registry import Entry, Registry

EFFECTS = Registry(
    "effect",
    "neuroclip_live.effects",
    (
        Entry("run", "a program and its arguments", f"{__package__}.command:Command", '["PROGRAM", "ARG"]'),
        Entry(
            "webhook", "a POST with a JSON object", f"{__package__}.webhook:Webhook", '"https://HOST/PATH"'
        ),
        Entry(
            "mqtt",
            "a message to an MQTT broker",
            f"{__package__}.mqtt_message:MqttMessage",
            '{broker = "mqtt://HOST", topic = "TOPIC"}',
            ("paho",),
            MQTT,
        ),
        Entry("sound", "a sound, by the system's player", f"{__package__}.sound:Sound", '"FILE.wav"'),
        Entry("clip", "a file of what was just seen", f"{__package__}.clips:Clip", '"FILE.aedat4"'),
        Entry("record", "a file of it until it is over", f"{__package__}.clips:Record", '"FILE.aedat4"'),
    ),
    Entry,
)
"""A factory gets the value of its key, as TOML has it, and a :class:`neuroclip_live.actions.effect.Given`."""
