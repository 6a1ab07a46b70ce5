"""A real MQTT broker (Mosquitto) for tests, and somebody who listens to it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from fakes import wait_for
from serving import free_port

CLIENT = pytest.importorskip("paho.mqtt.client", reason='paho-mqtt is not installed: pip install ".[mqtt]"')
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class Broker:
    """Mosquitto on loopback; can be killed and started again at the same port."""

    def __init__(self, folder: Path, *lines: str) -> None:
        if MOSQUITTO is None:
            pytest.skip("no mosquitto here: apt-get install mosquitto")
        self.port = free_port()
        own = () if any("allow_anonymous" in line for line in lines) else ("allow_anonymous true",)
        user = ("user root",) if os.geteuid() == 0 else ()  # else it gives up the rights to read our files
        self._config = folder / "mosquitto.conf"
        self._config.write_text("\n".join((*user, f"listener {self.port} 127.0.0.1", *own, *lines, "")))
        self._log = (folder / "mosquitto.log").open("ab")
        self.start()

    def start(self) -> None:
        assert MOSQUITTO is not None
        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self._config)], stdout=self._log, stderr=self._log
        )
        wait_for(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, "mosquitto ended: see mosquitto.log"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        self._log.close()


class Listener:
    """Keeps every message below a topic, in the order in which they come."""

    def __init__(self, port: int, topic: str = "#", **tls_or_user: Any) -> None:
        self.messages: list[tuple[str, str, bool]] = []
        self._agreed = threading.Event()
        self._client = client = CLIENT.Client(CLIENT.CallbackAPIVersion.VERSION2)
        if "user" in tls_or_user:
            client.username_pw_set(tls_or_user["user"], tls_or_user["password"])
        if "ca" in tls_or_user:
            client.tls_set(tls_or_user["ca"])
        client.on_connect = lambda *_: client.subscribe(topic, 1)
        client.on_subscribe = lambda *_: self._agreed.set()
        client.on_message = self._keep
        client.connect("localhost" if "ca" in tls_or_user else "127.0.0.1", port)
        client.loop_start()
        assert self._agreed.wait(60)

    def _keep(self, _client: Any, _data: Any, message: Any) -> None:
        self.messages.append((message.topic, message.payload.decode(), bool(message.retain)))

    def of(self, topic: str) -> list[str]:
        return [payload for where, payload, _ in list(self.messages) if where == topic]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
