"""The clients in docs/outputs.md, each run as it stands there: only ports differ."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from broker import Broker
from fakes import PROMPTS, SETTINGS, Endless, FakeBackbone, wait_for
from ros2_side import Router
from serving import free_port

from neuroclip_live.outputs.carrier import Carrier, CarrierThread
from neuroclip_live.outputs.mqtt import MqttOutput
from neuroclip_live.outputs.registry import make_outputs
from neuroclip_live.outputs.udp import UdpOutput
from neuroclip_live.recognition.pipeline import Pipeline
from neuroclip_live.server.live_run import LiveRun
from neuroclip_live.server.web_server import ServerSettings, WebServer

GUIDE = (Path(__file__).resolve().parents[1] / "docs" / "outputs.md").read_text(encoding="utf-8")
CLIENTS = GUIDE.partition("## Clients")[2]
NEEDS = {("WebSocket", "sh"): ("jq",), ("MQTT", "sh"): ("jq", "mosquitto_sub"), ("UDP", "sh"): ("jq", "nc")}
PACKAGES = {"jq": "jq", "mosquitto_sub": "mosquitto-clients", "nc": "netcat-openbsd"}


def snippets() -> list[tuple[str, str, str]]:
    """Return protocol, language and code of each client."""
    found = []
    for section in CLIENTS.split("\n### ")[1:]:
        protocol = section.partition("\n")[0].strip()
        found += [
            (protocol, language, code) for language, code in re.findall(r"```(\w+)\n(.*?)```", section, re.S)
        ]
    return found


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """Run recognition, with everything that the clients listen to; return port in the guide to port here."""
    broker, udp = Broker(tmp_path_factory.mktemp("broker")), free_port()
    pipeline = Pipeline(Endless(()), lambda progress: FakeBackbone(), PROMPTS, SETTINGS)  # type: ignore[arg-type,return-value]
    server = WebServer(LiveRun(lambda: pipeline), ServerSettings("0"))
    router = Router()
    outputs = [
        MqttOutput(f"//127.0.0.1:{broker.port}"),
        UdpOutput(f"127.0.0.1:{udp}"),
        *make_outputs([f"ros2:{router.place}"]),
    ]
    carrier = CarrierThread(Carrier(pipeline, outputs))
    pipeline.start()
    server.start()
    carrier.start()
    web = int(server.url.rstrip("/").rpartition(":")[2])
    yield {"8080": web, "1883": broker.port, "9000": udp, "7447": router.port}
    carrier.stop(60)
    server.stop()
    assert pipeline.stop(60)
    broker.close()
    router.kill()


def command(protocol: str, language: str, code: str) -> list[str]:
    """Return what runs a client, or skip where that is not here."""
    absent = [tool for tool in NEEDS.get((protocol, language), ()) if shutil.which(tool) is None]
    if absent:
        packages = " ".join(PACKAGES[tool] for tool in absent)
        pytest.skip(f"no {' and no '.join(absent)} here: apt-get install {packages}")
    if language == "python":
        return [sys.executable, "-c", code]
    if language == "sh":
        return ["bash", "-c", code.replace("python3", sys.executable)]
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here: apt-get install nodejs")
    more = []
    if protocol == "WebSocket":  # built in from 22 on, behind an option before
        more = ["--experimental-websocket"]
    if protocol == "MQTT" and subprocess.run([node, "-e", 'require("mqtt")'], capture_output=True).returncode:
        pytest.skip("no mqtt for node here: npm install mqtt, and NODE_PATH")
    return [node, *more, "-e", code]


@pytest.mark.parametrize(("protocol", "language", "code"), snippets(), ids=lambda text: text[:9])
def test_the_clients_of_the_guide(protocol: str, language: str, code: str, ports: dict[str, int]) -> None:
    for port, here in ports.items():
        code = code.replace(port, str(here))
    lines: list[str] = []
    client = subprocess.Popen(
        command(protocol, language, code), stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert client.stdout is not None
    reading = threading.Thread(target=lambda: [lines.append(line) for line in client.stdout], daemon=True)  # type: ignore[union-attr]
    reading.start()
    try:
        wait_for(lambda: len(lines) >= 3 or client.poll() is not None)
    finally:
        os.killpg(client.pid, signal.SIGKILL)
        client.wait()
        reading.join()
        client.stdout.close()
    times = [int(line.split()[0]) for line in lines[:3]]
    assert len(times) == 3
    assert times == sorted(times)
    assert all(line.split(maxsplit=1)[1].strip() in (*PROMPTS.labels, "None", "null") for line in lines[:3])


def test_there_are_ten_lines_of_each() -> None:
    kinds = {(protocol, language) for protocol, language, _ in snippets()}
    assert kinds == {
        *((p, language) for p in ("WebSocket", "MQTT", "UDP") for language in ("python", "js", "sh")),
        ("ROS 2", "python"),
    }
    assert all(code.count("\n") <= 10 for _, _, code in snippets())
