"""The other side of ROS 2 for tests: a Zenoh router, and programs of their own that publish and subscribe.

They use Zenoh and rosbags alone, and none of the product's code: the definitions of messages are written down
here once more, from the packages' own .msg files.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fakes import wait_for
from serving import free_port

zenoh = pytest.importorskip("zenoh", reason='eclipse-zenoh is not installed: pip install ".[ros2]"')
typesys = pytest.importorskip("rosbags.typesys", reason='rosbags is not installed: pip install ".[ros2]"')

VISION = {
    "vision_msgs/msg/Point2D": "float64 x\nfloat64 y",
    "vision_msgs/msg/Pose2D": "Point2D position\nfloat64 theta",
    "vision_msgs/msg/BoundingBox2D": "vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y",
    "vision_msgs/msg/ObjectHypothesis": "string class_id\nfloat64 score",
    "vision_msgs/msg/ObjectHypothesisWithPose": (
        "vision_msgs/ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose"
    ),
    "vision_msgs/msg/Detection2D": (
        "std_msgs/Header header\nObjectHypothesisWithPose[] results\nBoundingBox2D bbox\nstring id"
    ),
    "vision_msgs/msg/Detection2DArray": "std_msgs/Header header\nDetection2D[] detections",
}
ROUTER = """
import json, sys, zenoh
config = zenoh.Config()
for key, value in json.loads(sys.argv[1]).items():
    config.insert_json5(key, json.dumps(value))
session = zenoh.open(config)
print("ready", flush=True)
sys.stdin.read()
"""


def store() -> Any:
    made = typesys.get_typestore(typesys.Stores.ROS2_JAZZY)
    types: dict[str, Any] = {}
    for name, text in VISION.items():
        types.update(typesys.get_types_from_msg(text, name))
    made.register(types)
    return made


class Router:
    """Zenoh as a router on loopback, in a process of its own; can be killed, stopped and started again."""

    def __init__(self, **more: Any) -> None:
        self.port = free_port()
        self._settings = {
            "mode": "router",
            "listen/endpoints": [f"tcp/127.0.0.1:{self.port}"],
            "scouting/multicast/enabled": False,
            **more,
        }
        self.start()

    @property
    def place(self) -> str:
        return f"//127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", ROUTER, json.dumps(self._settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    def stop(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def join_as_client(port: int) -> Any:
    config = zenoh.Config()
    for key, value in (
        ("mode", "client"),
        ("connect/endpoints", [f"tcp/127.0.0.1:{port}"]),
        ("scouting/multicast/enabled", False),
    ):
        config.insert_json5(key, json.dumps(value))
    return zenoh.open(config)


class Program:
    """This file in a process of its own; what it prints are JSON lines."""

    def __init__(self, *arguments: object) -> None:
        self.lines: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [sys.executable, __file__, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        wait_for(lambda: self.lines or self._process.poll() is not None)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(json.loads(line))

    def of(self, topic: str) -> list[dict[str, Any]]:
        return [line for line in list(self.lines) if line.get("topic") == topic]

    def say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait(60)
        self._thread.join(60)


@contextlib.contextmanager
def programs() -> Iterator[Any]:
    """Give out what starts a :class:`Program`; end them all."""
    started: list[Program] = []

    def start(*arguments: object) -> Program:
        started.append(Program(*arguments))
        return started[-1]

    yield start
    for program in started:
        program.close()


# ---- in a process of its own


def say(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def subscribe(port: str, domain: str, namespace: str) -> None:
    """Print every message below a namespace, decoded, and every token of who is there."""
    kinds = store()

    def heard(sample: Any) -> None:
        key = str(sample.key_expr)
        name, type_hash = key.split("/")[-2:]
        topic = "/" + "/".join(key.split("/")[1:-2])
        package, _, _, kind = name.split("::")
        kind = f"{package}/msg/{kind[:-1]}"
        message = kinds.deserialize_cdr(sample.payload.to_bytes(), kind)
        said = {"topic": topic, "type": kind, "hash": type_hash, "good": kinds.hash_rihs01(kind) == type_hash}
        number, at_ns, gid = zenoh.ext.z_deserialize(
            tuple[zenoh.ext.Int64, zenoh.ext.Int64, bytes], sample.attachment
        )
        say(**said, number=number, at_ns=at_ns, gid=gid.hex(), message=plain(message))

    def token(sample: Any) -> None:
        say(token=str(sample.key_expr), here=str(sample.kind).endswith("PUT"))

    session = join_as_client(int(port))
    held = [
        session.declare_subscriber(f"{domain}/{namespace}/**", heard),
        session.liveliness().declare_subscriber(f"@ros2_lv/{domain}/**", token, history=True),
    ]
    say(ready=True)
    sys.stdin.read()
    del held
    session.close()


def plain(value: Any) -> Any:
    """Return a message as what JSON can hold."""
    if hasattr(value, "__msgtype__"):
        return {key: plain(part) for key, part in vars(value).items() if key != "__msgtype__"}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return value.tolist() if hasattr(value, "tolist") else value


def publish(port: str, key: str, gid: str, folder: str) -> None:
    """Publish the files of a folder as messages, one for each line that is read; ``all`` of them at once."""
    session = join_as_client(int(port))
    publisher = session.declare_publisher(key, congestion_control=zenoh.CongestionControl.BLOCK)
    domain, *topic, kind, type_hash = key.split("/")
    said = f"%{'%'.join(topic)}/{kind}/{type_hash}/::,10:,:,:,,"
    token = session.liveliness().declare_token(
        f"@ros2_lv/{domain}/{session.info.zid()}/0/1/MP/%/%/cam/{said}"
    )
    say(ready=True)
    waiting = sorted(Path(folder).iterdir())
    number = 0
    for line in sys.stdin:
        word = line.strip()
        if word == "skip":
            number += 1
            waiting = waiting[1:]
            continue
        now, waiting = (waiting, []) if word == "all" else (waiting[:1], waiting[1:])
        for file in now:
            number += 1
            beside = (zenoh.ext.Int64(number), zenoh.ext.Int64(0), bytes.fromhex(gid))
            publisher.put(file.read_bytes(), attachment=zenoh.ext.z_serialize(beside) if gid else None)
        say(sent=number)
    token.undeclare()
    session.close()


def main(arguments: Sequence[str]) -> None:
    {"subscribe": subscribe, "publish": publish}[arguments[0]](*arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
