"""A connection to an MQTT broker that comes back by itself, and an account of what the broker took.

Paho's own thread talks to the broker. Paho holds locks of its own while it calls back, so nothing here calls
paho while it holds :attr:`MqttLink.changed`.
"""

from __future__ import annotations

import ssl
import sys
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any, NamedTuple

from paho.mqtt.client import CallbackAPIVersion, Client, MQTTv5

from neuroclip_live.errors import UserError
from neuroclip_live.outputs.mqtt_address import MqttAddress

CONNECT_S = 5.0
KEEP_ALIVE_S = 10
"""A broker that says nothing for one and a half times as long is gone."""
RETRY_S = (0.25, 4.0)


class Sent(NamedTuple):
    """A message on its way; ``counted`` where its loss is one."""

    topic: str
    qos: int
    counted: bool


class MqttLink:
    """One connection. What it knows is changed by paho's thread and read under :attr:`changed`.

    Parameters
    ----------
    address : MqttAddress
    will : tuple of (topic, payload), optional
        What the broker is to publish, retained, when this side is gone without a word.

    Attributes
    ----------
    changed : threading.Condition
        Notified whenever one of the others changes.
    connected : bool
    connects : int
        How often a connection came about.
    unconfirmed : dict of int to Sent
        Messages that the broker has not confirmed yet (QoS 1), or that were not written yet (QoS 0).
    refused, lost : int
        Messages that the broker did not take, and those that went away with a connection (QoS 0).
    trouble : str
        What is wrong now, in a line; empty where nothing is.
    """

    def __init__(self, address: MqttAddress, will: tuple[str, str] | None = None) -> None:
        self.address = address
        self.changed = threading.Condition()
        self.connected = False
        self.connects = self.refused = self.lost = 0
        self.unconfirmed: dict[int, Sent] = {}
        self.trouble = ""
        self._confirmed_early: dict[int, Any] = {}  # a confirmation can be faster than publish() returns
        self._refusal = ""
        self._ending = False
        self._client = client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        client.on_connect, client.on_connect_fail = self._on_connect, self._on_connect_fail
        client.on_disconnect, client.on_publish = self._on_disconnect, self._on_publish
        client.reconnect_delay_set(*RETRY_S)
        if address.user is not None or address.password is not None:
            client.username_pw_set(address.user or "", address.password)
        if address.tls is not None:
            client.tls_set_context(address.tls)
        if will is not None:
            client.will_set(*will, qos=1, retain=True)

    def connect(self, timeout_s: float = CONNECT_S) -> None:
        """Connect for the first time, and wait until the broker has agreed.

        Raises
        ------
        UserError
            When it cannot be reached, does not prove who it is, refuses, or does not answer.
        """
        address, until = self.address, monotonic() + timeout_s
        self._client.connect_timeout = timeout_s
        try:
            self._client.connect(address.host, address.port, KEEP_ALIVE_S)
        except (OSError, ValueError) as error:  # ValueError: names that cannot be looked up
            raise UserError(f"{address.called} {_why(error)}") from None
        self._client.loop_start()
        with self.changed:
            self.changed.wait_for(lambda: self.connects or self._refusal, max(0.1, until - monotonic()))
            came, refusal = bool(self.connects), self._refusal
        if not came:
            self.close(0.0)
            raise UserError(refusal or f"{address.called} does not answer as a broker of MQTT does")

    def publish(
        self, topic: str, payload: str, *, retain: bool = False, qos: int | None = None, counted: bool = True
    ) -> None:
        """Hand a message to the broker; returns at once. QoS 0 loses it where there is no connection."""
        qos = self.address.qos if qos is None else qos
        info = self._client.publish(topic, payload.encode("utf-8", "replace"), qos, retain)
        with self.changed:
            if qos == 0 and info.rc != 0:
                self.lost += counted
            elif info.mid in self._confirmed_early:
                self._settle(Sent(topic, qos, counted), self._confirmed_early.pop(info.mid))
                self.changed.notify_all()
            else:
                self.unconfirmed[info.mid] = Sent(topic, qos, counted)

    def wait(self, condition: Callable[[], object], timeout_s: float) -> bool:
        """Wait until a condition holds that is read under :attr:`changed`; return whether it does."""
        with self.changed:
            return bool(self.changed.wait_for(condition, max(0.0, timeout_s)))

    def close(self, timeout_s: float = 1.0) -> None:
        """End the connection in good order, so that the broker publishes no will."""
        self._ending = True
        self._client.disconnect()
        end = threading.Thread(target=self._client.loop_stop, name="mqtt-end", daemon=True)
        end.start()  # it waits for a thread that may be in the middle of an attempt to connect
        end.join(timeout_s)

    # ---- called by paho's thread

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        with self.changed:
            if reason.is_failure:
                self._refusal = self.trouble = self._refused(str(reason))
            else:
                self.connected, self.trouble = True, ""
                self.connects += 1
                for mid, sent in list(self.unconfirmed.items()):
                    if sent.qos == 0:  # it went with the connection before; paho sends the others again
                        self.lost += sent.counted
                        del self.unconfirmed[mid]
            self.changed.notify_all()

    def _on_connect_fail(self, _client: Any, _data: Any) -> None:
        error = sys.exc_info()[1]
        with self.changed:
            why = _why(error) if error is not None else "does not answer"
            self.trouble = f"{self.address.called} {why}; trying again"
            self.changed.notify_all()

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        with self.changed:
            self.connected = False
            if not self._ending and not (self._refusal and not self.connects):
                said = str(reason)
                why = "" if said == "Unspecified error" else f" ({said})"
                self.trouble = f"{self.address.called} is away{why}; trying again"
            self.changed.notify_all()

    def _on_publish(self, _client: Any, _data: Any, mid: int, reason: Any, _properties: Any) -> None:
        with self.changed:
            sent = self.unconfirmed.pop(mid, None)
            if sent is None:
                self._confirmed_early[mid] = reason
            else:
                self._settle(sent, reason)
            self.changed.notify_all()

    def _settle(self, sent: Sent, reason: Any) -> None:
        if reason.is_failure:
            self.refused += sent.counted
            self.trouble = f"{self.address.called} does not take {sent.topic}: {reason}"

    def _refused(self, reason: str) -> str:
        hint = "; check user and password" if "uthoriz" in reason or "user name" in reason else ""
        return f"{self.address.called} refuses the connection: {reason}{hint}"


def _why(error: BaseException) -> str:
    """Return what came of an attempt to connect, to stand after the address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message or "its certificate is not accepted"
        return f"does not prove who it is: {said}; give the certificate of its authority with ca=FILE"
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "no answer").replace("_", " ").lower()
        return f"does not speak TLS with us ({reason}); check port, ca, cert and key"
    if isinstance(error, TimeoutError):
        return "cannot be reached: it does not answer"
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"cannot be reached: {said}"
