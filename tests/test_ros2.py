"""ROS 2 without ROS: a program of its own, with Zenoh and rosbags, reads what is published, and publishes."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic_ns, time_ns
from typing import Any

import numpy as np
import pytest
from event_files import EPOCH_US, SIZE, Table, ros_messages, ros_type, ros_types, scene
from fakes import PROMPTS, SENSOR, SETTINGS, packet, wait_for
from making import join
from ros2_side import Program, Router, join_as_client, programs, zenoh
from serving import LONG_S, free_port
from test_tls import Certificates
from tiny_model import make_tiny_model

from neuroclip_drivers import SourceSpec, open_source
from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_drivers.ros2 import graph
from neuroclip_drivers.ros2.address import DOMAIN, parse_ros2
from neuroclip_drivers.ros2.intake import SETTLED_S, TAKEOVER_S, Intake
from neuroclip_drivers.ros2.message_types import (
    DEFINITIONS,
    DETECTIONS,
    EVENT_PACKET,
    IMAGE,
    type_hash,
    typestore,
)
from neuroclip_drivers.ros2.source import Ros2Source
from neuroclip_drivers.source import EventSource, SourceState
from neuroclip_live.cli.main import main
from neuroclip_live.errors import SourceAway, UserError
from neuroclip_live.events import Packet, Resolution
from neuroclip_live.objects.found import FoundObject
from neuroclip_live.outputs.output import Output, Telling
from neuroclip_live.outputs.ros2 import QUEUE, Ros2Output
from neuroclip_live.outputs.ros2_messages import Ros2Messages
from neuroclip_live.recognition.prediction import Decision, Prediction
from neuroclip_live.recognition.run_facts import Header
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.road import RoadSettings

HEADLESS = ("--headless", "--runtime", "torch", "--speed", "max", "-p", "a mug, a boat, -a hand", "--objects")
FRAME = np.arange(SENSOR.area, dtype=np.uint8).reshape(SENSOR.height, SENSOR.width)
GID = "00112233445566778899aabbccddeeff"
OTHER = "ff" * 16


@pytest.fixture(autouse=True)
def _domain_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DOMAIN, raising=False)


@pytest.fixture
def router() -> Iterator[Router]:
    router = Router()
    yield router
    router.kill()


@pytest.fixture
def start() -> Iterator[Callable[..., Program]]:
    with programs() as starting:
        yield starting


def header(region: Box | None = None) -> Header:
    return Header("script", SENSOR, None, PROMPTS, replace(SETTINGS, road=RoadSettings(region=region)))


def moment(number: int = 1, **more: Any) -> Prediction:
    things = (
        FoundObject(7, Box(8, 6, 16, 24), "a mug", 0.75, {"a mug": 0.75, "a phone": 0.25}),
        FoundObject(9, Box(4, 2, 8, 6), None, 0.5, {"a mug": 0.3}, state="waiting"),
    )
    values: dict[str, Any] = {
        "scores": {"a mug": 0.9, "a phone": 0.1},
        "decision": Decision("label", "a mug", 0.9, {"a phone": 0.1, "a mug": 0.9}),
        "frames": (FRAME * 0, FRAME),
        "objects": things,
        **more,
    }
    return Prediction(number * 100_000, number, "ok", **values)


# ---- names


def test_types_have_the_hashes_that_ros_knows_them_by() -> None:
    """Two that every bag of ROS 2 Jazzy shows, and one worked out by hand from the type's description."""
    known = typestore().hash_rihs01
    assert known("std_msgs/msg/String").endswith(
        "df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18"
    )
    assert type_hash(IMAGE).endswith("d31d41a9a4c4bc8eae9be757b0beed306564f7526c88ea6a4588fb9582527d47")

    def entry(name: str, kind: int, nested: str = "") -> dict[str, Any]:
        of = {"type_id": kind, "capacity": 0, "string_capacity": 0, "nested_type_name": nested}
        return {"name": name, "type": of}

    time = [entry("sec", 6), entry("nanosec", 7)]
    said = {
        "type_description": {
            "type_name": EVENT_PACKET,
            "fields": [
                entry("header", 1, "std_msgs/msg/Header"),
                *(entry("height", 7), entry("width", 7), entry("seq", 9), entry("time_base", 9)),
                *(entry("encoding", 17), entry("is_bigendian", 15), entry("events", 147)),
            ],
        },
        "referenced_type_descriptions": [
            {"type_name": "builtin_interfaces/msg/Time", "fields": time},
            {
                "type_name": "std_msgs/msg/Header",
                "fields": [entry("stamp", 1, "builtin_interfaces/msg/Time"), entry("frame_id", 17)],
            },
        ],
    }
    assert type_hash(EVENT_PACKET) == "RIHS01_" + hashlib.sha256(json.dumps(said).encode()).hexdigest()


def test_keys_and_tokens_are_those_of_rmw_zenoh() -> None:
    key = graph.topic_key(3, "/lab/events", "event_camera_msgs/msg/EventPacket", "RIHS01_0")
    assert key == "3/lab/events/event_camera_msgs::msg::dds_::EventPacket_/RIHS01_0"
    assert graph.type_of_key(key) == "event_camera_msgs/msg/EventPacket"
    node = graph.Node(3, "abc", "/lab", "eye")
    assert node.token() == "@ros2_lv/3/abc/0/0/NN/%/%lab/eye"
    token = node.endpoint(2, graph.PUBLISHER, "/lab/a", "std_msgs/msg/String", "RIHS01_0", 10)
    assert (
        token == "@ros2_lv/3/abc/0/2/MP/%/%lab/eye/%lab%a/std_msgs::msg::dds_::String_/RIHS01_0/::,10:,:,:,,"
    )
    assert zenoh.KeyExpr(graph.publishers_of(3, "/lab/a")).includes(zenoh.KeyExpr(token))
    assert not zenoh.KeyExpr(graph.publishers_of(3, "/lab")).intersects(zenoh.KeyExpr(token))
    assert graph.type_of_token(token) == "std_msgs/msg/String"
    assert graph.type_of_token(node.token()) == graph.type_of_token("x") == ""
    versions = zenoh.KeyExpr(graph.any_version(3, "/lab/events", EVENT_PACKET))
    assert versions.includes(zenoh.KeyExpr(key))
    for name in DEFINITIONS:
        assert graph.type_of_key(f"0/x/{graph.dds_type(name)}/RIHS01_0") == name


@pytest.mark.parametrize(
    "key", ["", "a", "a/b/c", "0/x/a::b::C/h", "0/x/a::msg::dds_::/h", "0/x/a::msg::dds_::B\n_/h"]
)
def test_keys_without_a_type(key: str) -> None:
    assert graph.type_of_key(key) == ""


def test_what_goes_with_a_message_is_as_zenoh_writes_it() -> None:
    sent = graph.Sent(5, -6, bytes(range(16)))
    written = zenoh.ext.z_serialize((zenoh.ext.Int64(5), zenoh.ext.Int64(-6), sent.gid)).to_bytes()
    assert graph.attachment(sent) == written
    assert graph.parse_attachment(written) == sent
    for data in (b"", written[:-1], written + b"x", written[:16] + b"\x0f" + written[17:]):
        assert graph.parse_attachment(data) is None
    # XXH3 of nothing, 128 bits, as its authors publish it; the lower half first, little-endian
    assert graph.gid_of("") == bytes.fromhex("99aa06d3014798d86001c324468d497f")[::-1]


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(text: str) -> tuple[object, ...]:
        address = parse_ros2(text, "/neuroclip", "ros2:/x")
        return address.called, address.name, address.domain

    assert read("") == ("127.0.0.1:7447", "/neuroclip", 0)
    assert read("/a/b_1") == read("a/b_1") == read("/a/b_1/") == ("127.0.0.1:7447", "/a/b_1", 0)
    assert read("//robot") == ("robot:7447", "/neuroclip", 0)
    assert read("//robot:99/desk?domain=3") == ("robot:99", "/desk", 3)
    assert read("//[::1]:99/desk") == ("[::1]:99", "/desk", 0)
    monkeypatch.setenv(DOMAIN, "42")
    assert read("") == ("127.0.0.1:7447", "/neuroclip", 42)
    assert read("?domain=0") == ("127.0.0.1:7447", "/neuroclip", 0)
    monkeypatch.setenv(DOMAIN, "x")
    with pytest.raises(UserError, match=r"ROS_DOMAIN_ID of the environment is 'x': give a number"):
        read("")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("run")
    write_aedat4(folder / "noise.aedat4", [packet(1_000_000, 2_000, step_us=50, sensor=SENSOR)], SENSOR)
    return ["--replay", str(folder / "noise.aedat4"), *HEADLESS, "--model", str(make_tiny_model(folder))]


BAD = {
    "//:7": "no address of ROS 2: write it as",
    "//robot:0": "no address of ROS 2",
    "//robot:x": "no address of ROS 2",
    "//me@robot": "no address of ROS 2",
    "//[::1": "no address of ROS 2",
    "/a//b": "no name in ROS 2",
    "/1a": "no name in ROS 2",
    "/a b": "no name in ROS 2",
    "/a?domain=233": "domain is '233': give a number from 0 to 232",
    "/a?domain=-1": "domain is '-1'",
    "/a?domain=٣": "domain is",
    "/a?nonsense=1": "'nonsense' is not known in an address of ROS 2; choose from domain, ca, cert, key",
    "/a?ca=/no/such/file": "ca /no/such/file: there is no such file",
    "/" + "a" * 300: "no name in ROS 2",
}


@pytest.mark.parametrize("text", BAD)
def test_addresses_that_make_no_sense_are_one_line(text: str, run: list[str], capsys) -> None:  # type: ignore[no-untyped-def]
    for asked in (["--output", f"ros2:{text}"], ["--source", f"ros2:{text}"]):
        arguments = [*run, *asked] if asked[0] == "--output" else [*run[2:], *asked]
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert BAD[text] in error
        assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("?fps=-1", "fps is '-1': give images per second, from 0"),
        ("?fps=nan", "fps is 'nan'"),
        ("?fps=x", "fps is 'x'"),
        ("?stamp=x", "stamp is 'x': choose arrival"),
    ],
)
def test_settings_that_make_no_sense(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        Ros2Output(text)


def test_a_topic_has_to_be_named() -> None:
    with pytest.raises(UserError, match="which topic"):
        open_source(SourceSpec("ros2", None))


def test_a_router_that_is_not_there_is_one_line(run: list[str], capsys) -> None:  # type: ignore[no-untyped-def]
    port = free_port()
    for asked in (["--output", f"ros2://127.0.0.1:{port}"], ["--source", f"ros2://127.0.0.1:{port}/events"]):
        arguments = [*run, *asked] if asked[0] == "--output" else [*run[2:], *asked]
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert f"no Zenoh router at 127.0.0.1:{port} (Connection refused): start one first" in error
        assert error.count("\n") == 1


@pytest.mark.parametrize("says", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", None])
def test_what_answers_and_is_no_router_is_one_line(
    says: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neuroclip_drivers.ros2.link.OPEN_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if says is not None:

            def answer() -> None:
                for _ in range(2):
                    connection, _ = server.accept()
                    connection.sendall(says)
                    connection.close()

            threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(SourceAway, match=f"127.0.0.1:{port} does not answer as a router of Zenoh does"):
            Ros2Output(f"//127.0.0.1:{port}")


def test_a_host_that_nobody_knows() -> None:
    with pytest.raises(UserError, match="there is no host called"):
        Ros2Output("//" + "a" * 80 + "/x")


@pytest.mark.parametrize("name", ["--output", "--source"])
def test_without_the_extra_it_is_one_line_that_names_it(
    name: str, monkeypatch, run: list[str], capsys
) -> None:  # type: ignore[no-untyped-def]
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n == "zenoh" else known(n))
    arguments = run if name == "--output" else run[2:]
    assert main([*arguments, name, "ros2:/events"]) == 2
    error = capsys.readouterr().err
    assert 'needs zenoh, not installed here: pip install "neuroclip-live[ros2]"' in error


# ---- out


def test_a_program_of_its_own_reads_what_is_seen(router: Router, start: Callable[..., Program]) -> None:
    reader = start("subscribe", router.port, 5, "desk")
    output = Ros2Output(f"{router.place}/desk?domain=5&stamp=stream&fps=100")
    wait_for(lambda: output._detections.wanted and output._image.wanted)
    output.open(header())
    for number in range(1, 6):
        output.write(moment(number))
    output.close(None)
    wait_for(lambda: len(reader.of("/desk/detections")) == 5 and reader.of("/desk/image"))
    lines = reader.of("/desk/detections")
    assert [line["number"] for line in lines] == [1, 2, 3, 4, 5]
    assert {line["type"] for line in lines} == {DETECTIONS}
    assert all(line["good"] for line in lines)  # the hash, worked out by the other side from its definitions
    message = lines[0]["message"]
    assert message["header"] == {"stamp": {"sec": 0, "nanosec": 100_000_000}, "frame_id": "camera"}
    picture, mug, nothing = message["detections"]
    assert [found["id"] for found in message["detections"]] == ["picture", "7", "9"]

    def results(found: dict[str, Any]) -> list[tuple[str, float]]:
        return [(r["hypothesis"]["class_id"], r["hypothesis"]["score"]) for r in found["results"]]

    def box(found: dict[str, Any]) -> tuple[float, ...]:
        place = found["bbox"]["center"]["position"]
        return place["x"], place["y"], found["bbox"]["size_x"], found["bbox"]["size_y"]

    assert results(picture) == [("a mug", 0.9), ("a phone", 0.1)]
    assert results(mug) == [("a mug", 0.75), ("a phone", 0.25)]
    assert results(nothing) == [("", 0.5), ("a mug", 0.3)]
    assert box(picture) == (SENSOR.width / 2, SENSOR.height / 2, SENSOR.width, SENSOR.height)
    assert box(mug) == (12, 15, 8, 18)
    image = reader.of("/desk/image")[0]
    assert (image["type"], image["good"]) == (IMAGE, True)
    seen = image["message"]
    assert (seen["width"], seen["height"], seen["step"]) == (SENSOR.width, SENSOR.height, SENSOR.width)
    assert (seen["encoding"], seen["header"]) == ("mono8", message["header"])
    assert np.array_equal(np.array(seen["data"], np.uint8).reshape(FRAME.shape), FRAME)
    # who published it: the identifier of the publisher that ROS is shown
    tokens = {line["token"] for line in reader.lines if "token" in line}
    published = [token for token in tokens if "/MP/" in token and "%desk%detections" in token]
    assert [graph.gid_of(token).hex() for token in published] == [lines[0]["gid"]]
    assert any(token.endswith("/NN/%/%desk/neuroclip_live") for token in tokens)
    wait_for(lambda: tokens <= {line["token"] for line in reader.lines if line.get("here") is False})


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"decision": Decision("no-motion"), "objects": None, "frames": ()}, []),
        ({"decision": Decision("none", "", 0.6, {"a mug": 0.4})}, [("", 0.6), ("a mug", 0.4)]),
        (  # the answer leads, as it is calm
            {"decision": Decision("label", "a mug", 0.49, {"a phone": 0.5, "a mug": 0.49})},
            [("a mug", 0.49), ("a phone", 0.5)],
        ),
        ({"decision": Decision("label", "\ud800", 1.0, {"\ud800": 1.0})}, [("?", 1.0)]),
    ],
)
def test_answers_of_all_kinds_and_boxes_in_a_region(more: dict[str, Any], expected: list[Any]) -> None:
    messages = Ros2Messages()
    messages.begin(header(region=Box(4, 2, 24, 22)))
    data = messages.detections(moment(**more), 2**70)
    read = typestore().deserialize_cdr(data, DETECTIONS)
    whole, *things = read.detections
    assert [(r.hypothesis.class_id, r.hypothesis.score) for r in whole.results] == expected
    assert read.header.stamp.sec == 2**31 - 1
    if more.get("frames") == ():
        assert (whole.bbox.size_x, whole.bbox.size_y) == (20, 20)
        assert messages.image(moment(**more), 0) is None
        assert not things
    else:
        assert (things[0].bbox.center.position.x, things[0].bbox.center.position.y) == (8, 13)


def test_a_run_publishes_every_prediction(
    router: Router, start: Callable[..., Program], tmp_path: Path, run: list[str]
) -> None:
    reader, lines = start("subscribe", router.port, 0, "neuroclip"), tmp_path / "p.jsonl"
    assert main([*run, "--output", f"ros2:{router.place}?stamp=stream", "--jsonl", str(lines)]) == 0
    written = [json.loads(line) for line in lines.read_text().splitlines()]
    predictions = [line for line in written if line["type"] == "prediction"]
    assert 2 < len(predictions) <= QUEUE
    wait_for(lambda: len(reader.of("/neuroclip/detections")) == len(predictions))
    for line, published in zip(predictions, reader.of("/neuroclip/detections"), strict=True):
        stamp = published["message"]["header"]["stamp"]
        assert stamp["sec"] * 10**6 + stamp["nanosec"] // 1000 == line["t_us"]
        picture, *things = published["message"]["detections"]
        assert [int(found["id"]) for found in things] == [found["id"] for found in line["objects"]]
        if line["decision"]["kind"] in ("label", "unsure"):
            assert picture["results"][0]["hypothesis"]["class_id"] == line["decision"]["label"]


@pytest.mark.parametrize(("fps", "expected"), [("0", 0), ("0.001", 1)])
def test_images_come_no_faster_than_asked_for(
    router: Router, start: Callable[..., Program], fps: str, expected: int
) -> None:
    reader = start("subscribe", router.port, 0, "neuroclip")
    output = Ros2Output(f"{router.place}?fps={fps}")
    wait_for(lambda: output._detections.wanted and output._image.wanted)
    output.open(header())
    for number in range(1, 31):
        output.write(moment(number))
    output.close(None)
    wait_for(lambda: len(reader.of("/neuroclip/detections")) == 30)
    wait_for(lambda: len(reader.of("/neuroclip/image")) == expected)
    wait_for(lambda: any("/NN/" in line.get("token", "") and not line["here"] for line in reader.lines))
    assert len(reader.of("/neuroclip/image")) == expected


def test_stamps_are_of_the_clock_by_which_ros_goes(router: Router) -> None:
    output = Ros2Output(router.place)
    try:
        begin = time_ns()
        arrived = monotonic_ns() - 3_000_000_000
        stamp = output._stamp(moment(arrival_ns=arrived))
        assert begin - 3_100_000_000 < stamp < time_ns() - 2_900_000_000
        assert begin <= output._stamp(moment()) <= time_ns()
    finally:
        output.close(None)


def test_a_router_that_goes_and_comes_back_is_told(router: Router, start: Callable[..., Program]) -> None:
    output = Ros2Output(router.place)
    output.open(header())
    assert output.trouble() == ""
    router.kill()
    wait_for(lambda: f"127.0.0.1:{router.port} is away; trying again" in output.trouble())
    for number in range(1, 4):
        output.write(moment(number))
    wait_for(lambda: output.lost == 3)
    router.start()
    wait_for(lambda: f"127.0.0.1:{router.port} is back; 3 messages were lost meanwhile" in output.trouble())
    reader = start("subscribe", router.port, 0, "neuroclip")
    wait_for(lambda: output._detections.wanted)
    output.write(moment(4))
    wait_for(lambda: reader.of("/neuroclip/detections"))
    assert any("/MP/" in line["token"] for line in reader.lines if "token" in line)
    output.close(None)
    assert output.trouble() == f"127.0.0.1:{router.port}: 3 of 4 messages were lost"
    output.close(None)
    output.write(moment(5))
    assert output.offered == 4


def test_a_router_that_reads_nothing_holds_nobody_up(router: Router, start: Callable[..., Program]) -> None:
    start("subscribe", router.port, 0, "neuroclip")
    output = Ros2Output(f"{router.place}?fps=100")
    wait_for(lambda: output._detections.wanted and output._image.wanted)
    output.open(header())
    router.stop()
    frame = np.zeros((2000, 2000), np.uint8)
    offered = 0

    def too_slow() -> bool:
        nonlocal offered
        for _ in range(10):
            offered += 1
            output.write(moment(offered, frames=(frame,)))
        return "is too slow: messages are lost" in output.trouble()

    wait_for(too_slow)
    output.close(None)
    router.go_on()
    assert output.offered == offered
    assert 0 < output.lost <= offered
    assert f"{output.lost:,} of {offered:,} messages were lost" in output.trouble()


def test_tls_and_a_router_that_does_not_prove_who_it_is(
    tmp_path: Path, start: Callable[..., Program]
) -> None:
    certificates = Certificates(tmp_path)
    port = free_port()
    router = Router(
        **{
            "listen/endpoints": [f"tls/127.0.0.1:{port}", "tcp/127.0.0.1:0"],
            "transport/link/tls/listen_certificate": str(certificates.pem("server")),
            "transport/link/tls/listen_private_key": str(certificates.key("server")),
            "transport/link/tls/root_ca_certificate": str(certificates.pem("authority")),
            "transport/link/tls/enable_mtls": True,
        }
    )
    try:
        mine = f"cert={certificates.pem('client')}&key={certificates.key('client')}"
        for words in (f"ca={certificates.pem('stranger')}&{mine}", f"ca={certificates.pem('authority')}"):
            with pytest.raises(
                UserError, match=r"does not answer as a router of Zenoh does; check .*, ca, cert and key"
            ):
                Ros2Output(f"//127.0.0.1:{port}?{words}")
        output = Ros2Output(f"//localhost:{port}?ca={certificates.pem('authority')}&{mine}")
        assert output._link.here
        output.close(None)
    finally:
        router.kill()


def open_to_others() -> set[str]:
    """Return the sockets of this process that others could reach: listening ones, and those of datagrams."""
    own = set()
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            own.add(os.readlink(f"/proc/self/fd/{number}"))
    found = set()
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        for row in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
            place, state, inode = (row.split()[column] for column in (1, 3, 9))
            if f"socket:[{inode}]" in own and (state == "0A" or kind.startswith("udp")):
                found.add(f"{kind} {place}")
    return found


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="no /proc here")
def test_nothing_of_it_is_open_to_others(router: Router) -> None:
    before = open_to_others()
    output = Ros2Output(router.place)
    try:
        assert open_to_others() == before
        with socket.create_server(("127.0.0.1", 0)):  # it would be seen
            assert len(open_to_others() - before) == 1
    finally:
        output.close(None)


def test_it_is_an_output() -> None:
    """For the type checker."""
    _: type[Output] = Ros2Output
    __: type[Telling] = Ros2Output


# ---- in


def put(folder: Path, events: Table, encoding: str, split: int, size: Resolution = SIZE) -> Path:
    """Lay down messages of events as files, in CDR."""
    store = ros_types()
    folder.mkdir()
    for number, (_, message) in enumerate(ros_messages(store, events, encoding, split=split, size=size)):
        data = bytes(store.serialize_cdr(message, ros_type(encoding)))
        (folder / f"{number:04}").write_bytes(data)
    return folder


def key_of(encoding: str, topic: str = "/dvs/events", domain: int = 0) -> str:
    return graph.topic_key(domain, topic, ros_type(encoding), "RIHS01_" + "0" * 64)


def take(packets: Iterator[Packet], count: int) -> Packet:
    parts: list[Packet] = []
    given = 0

    def enough() -> bool:
        nonlocal given
        parts.append(next(packets))
        given += len(parts[-1])
        return given >= count

    wait_for(enough, LONG_S)
    return join(parts)


def table(given: Packet) -> Table:
    return np.stack([given[field].astype(np.int64) for field in ("x", "y", "t", "p")], axis=1)


@pytest.fixture
def reading(router: Router) -> Iterator[Callable[..., Ros2Source]]:
    """Open a topic, and have the first message published once it is listened to: latecomers get nothing."""
    opened: list[Ros2Source] = []

    def read(publisher: Program, topic: str = "/dvs/events") -> Ros2Source:
        made: list[Any] = []

        def open_it() -> None:
            try:
                made.append(open_source(SourceSpec("ros2", f"{router.place}{topic}")))
            except UserError as error:
                made.append(error)

        session = join_as_client(router.port)
        thread = threading.Thread(target=open_it)
        thread.start()
        wait_for(lambda: made or list(session.liveliness().get("@ros2_lv/*/*/*/*/MS/**")))
        session.close()
        if not made:
            publisher.say("one")
        thread.join(LONG_S)
        if isinstance(made[0], Exception):
            raise made[0]
        opened.append(made[0])
        return opened[-1]

    yield read
    for source in opened:
        source.close()


@pytest.mark.parametrize("encoding", ["evt3", "libcaer", "libcaer_cmp", "dvs_msgs"])
def test_every_event_of_a_program_of_its_own_comes(
    encoding: str,
    tmp_path: Path,
    router: Router,
    start: Callable[..., Program],
    reading: Callable[..., Ros2Source],
) -> None:
    events = scene(count=4_000)
    publisher = start(
        "publish", router.port, key_of(encoding), GID, put(tmp_path / "m", events, encoding, 40)
    )
    source = reading(publisher)
    assert isinstance(source, EventSource)
    assert source.resolution == SIZE
    assert source.live
    packets = source.packets()
    given = [take(packets, 1)]
    publisher.say("all")
    given.append(take(packets, len(events) - len(given[0])))
    expected = events.copy()
    expected[:, 2] += 0 if encoding == "evt3" else EPOCH_US
    assert np.array_equal(table(join(given)), expected)
    status = source.status()
    assert (status.state, status.message, status.lost) == (SourceState.STREAMING, "", False)
    assert status.position_us == expected[-1, 2]
    source.close()
    assert all(len(packet) == 0 for packet in packets)
    assert source.status().state is SourceState.ENDED


def test_what_is_lost_on_the_way_is_told(
    tmp_path: Path, router: Router, start: Callable[..., Program], reading: Callable[..., Ros2Source]
) -> None:
    events = scene(count=2_000)
    publisher = start(
        "publish", router.port, key_of("libcaer"), GID, put(tmp_path / "m", events, "libcaer", 40)
    )
    source = reading(publisher)
    for word in ("skip", "skip", "skip", "all"):
        publisher.say(word)
    packets = source.packets()
    take(packets, len(np.concatenate([events[:0], *np.array_split(events, 40)[4:]])))
    assert source.lost == 3
    assert source.status().message.startswith("a few messages of /dvs/events of ROS 2 were lost")
    assert source.status().lost
    source.close()
    assert source.status().message == "3 messages of /dvs/events of ROS 2 were lost"


def test_a_flood_of_somebody_else_takes_nothing_from_who_is_read(
    tmp_path: Path,
    router: Router,
    start: Callable[..., Program],
    reading: Callable[..., Ros2Source],
) -> None:
    events = scene(count=2_000)
    publisher = start(
        "publish", router.port, key_of("libcaer"), GID, put(tmp_path / "m", events, "libcaer", 40)
    )
    source = reading(publisher)
    other = join_as_client(router.port)
    flood = other.declare_publisher(key_of("evt3"), congestion_control=zenoh.CongestionControl.BLOCK)
    pictures = other.declare_publisher(
        graph.topic_key(0, "/dvs/events", IMAGE, "RIHS01_0"), congestion_control=zenoh.CongestionControl.BLOCK
    )
    packets = source.packets()
    given = [take(packets, 1)]
    for number in range(39):
        for _ in range(20):
            flood.put(bytes(500_000), attachment=beside(number, OTHER))
            pictures.put(bytes(500_000))
        publisher.say("one")
        given.append(take(packets, 1))
    assert np.array_equal(table(join(given))[:, :2], events[:, :2])
    assert source.lost == 0
    wait_for(lambda: source._intake.others == 39 * 20)
    assert source._intake.refused == 0  # pictures are not even sent here
    assert source.status().state is SourceState.STREAMING
    assert source.status().message == "/dvs/events: several publish there; one of them is read"
    other.close()


def test_a_topic_that_nobody_publishes(router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuroclip_drivers.ros2.source.ANSWER_S", 0.2)
    address = parse_ros2(f"{router.place}/nothing?domain=7", "", "")
    with pytest.raises(
        SourceAway, match=r"nobody publishes /nothing at 127\.0\.0\.1:\d+ in domain 7: `ros2 topic list`"
    ):
        Ros2Source(address, answer_s=0.2)


def test_a_topic_of_another_type_and_one_that_is_silent_are_said(
    tmp_path: Path, router: Router, start: Callable[..., Program]
) -> None:
    (tmp_path / "m").mkdir()
    address = parse_ros2(f"{router.place}/dvs/events", "", "")
    key = graph.topic_key(0, "/dvs/events", IMAGE, "RIHS01_0")
    start("publish", router.port, key, GID, tmp_path / "m")
    with pytest.raises(
        SourceAway, match="it carries sensor_msgs/msg/Image, which are no events; name a topic of"
    ):
        Ros2Source(address, answer_s=0.2)
    start("publish", router.port, key_of("evt3"), GID, tmp_path / "m")
    with pytest.raises(SourceAway, match="who publishes /dvs/events says nothing: is the camera running"):
        Ros2Source(address, answer_s=0.2)


def test_a_router_and_a_publisher_that_go_and_come_back(
    tmp_path: Path, router: Router, start: Callable[..., Program], reading: Callable[..., Ros2Source]
) -> None:
    events = scene(count=2_000)
    folder = put(tmp_path / "m", events, "libcaer", 4)
    publisher = start("publish", router.port, key_of("libcaer"), GID, folder)
    source = reading(publisher)
    packets = source.packets()
    take(packets, 1)
    router.kill()
    wait_for(lambda: source.status().state is SourceState.WAITING)
    assert source.status().message == f"/dvs/events: 127.0.0.1:{router.port} is away; trying again"
    assert len(next(packets)) == 0
    publisher.close()
    router.start()
    wait_for(lambda: "nobody publishes /dvs/events any more" in source.status().message)
    publisher = start("publish", router.port, key_of("libcaer"), OTHER, folder)

    def again() -> bool:
        publisher.say("one")
        return len(next(packets)) > 0

    wait_for(again)
    wait_for(lambda: source.status().state is SourceState.STREAMING)


# ---- what becomes of messages


def messages(count: int = 400, encoding: str = "libcaer", size: Resolution = SIZE) -> list[bytes]:
    store = ros_types()
    made = ros_messages(store, scene(count=count), encoding, split=20, size=size)
    return [bytes(store.serialize_cdr(message, ros_type(encoding))) for _, message in made]


def beside(number: int, gid: str = GID) -> bytes:
    return graph.attachment(graph.Sent(number, 0, bytes.fromhex(gid)))


def test_of_two_publishers_one_is_read_and_the_other_when_it_is_silent() -> None:
    intake, (first, *rest) = Intake(), messages()
    assert len(intake.take(key_of("libcaer"), first, beside(1), 0.0))
    assert not len(intake.take(key_of("libcaer"), rest[0], beside(1, OTHER), 0.5))
    assert intake.others == 1
    assert intake.told(0.6, 5.0) == "several publish there; one of them is read"
    assert len(intake.take(key_of("libcaer"), rest[0], beside(2), 0.6))
    assert len(intake.take(key_of("libcaer"), rest[1], beside(9, OTHER), 0.6 + TAKEOVER_S))
    assert not len(intake.take(key_of("libcaer"), rest[2], beside(3), 0.7 + TAKEOVER_S))
    assert intake.lost == 0  # what another one numbers has nothing to do with it


def test_who_says_nothing_of_use_keeps_nobody_from_being_read() -> None:
    intake, (first, *rest) = Intake(), messages()
    assert not len(intake.take(key_of("libcaer"), b"garbage", beside(1, OTHER), 0.0))
    assert len(intake.take(key_of("libcaer"), first, beside(1), 0.1))
    assert not len(intake.take(key_of("libcaer"), b"garbage", beside(2, OTHER), 0.2))
    assert len(intake.take(key_of("libcaer"), rest[0], beside(2), 0.3))
    assert (intake.refused, intake.others, intake.lost) == (1, 1, 0)


def test_what_will_not_be_read_is_not_kept() -> None:
    intake, (first, *_) = Intake(), messages()
    assert intake.worth_keeping(beside(1, OTHER), 0.0)  # nobody is read yet
    assert len(intake.take(key_of("libcaer"), first, beside(1), 0.0))
    assert intake.worth_keeping(beside(2), 0.5)
    assert not intake.worth_keeping(beside(2, OTHER), 0.5)
    assert not intake.worth_keeping(None, 0.5)
    assert intake.worth_keeping(beside(2, OTHER), TAKEOVER_S)
    assert (intake.refused, intake.others) == (0, 2)


def test_another_size_and_no_size_are_refused() -> None:
    intake, first = Intake(), messages()[0]
    assert not len(intake.take(key_of("libcaer"), messages(size=Resolution(0, 0))[0], beside(1), 0.0))
    assert "tells no size" in intake.told(0.0, 1.0)
    assert len(intake.take(key_of("libcaer"), first, beside(2), 10.0))
    assert not len(intake.take(key_of("libcaer"), messages(size=Resolution(64, 48))[0], beside(3), 20.0))
    assert "it now is of a sensor of 64x48, before it was 640x480" in intake.told(20.0, 1.0)
    assert intake.size == SIZE


def test_what_is_wrong_is_told_once_and_not_for_every_message() -> None:
    intake = Intake()
    intake.take("0/x/a::msg::dds_::B_/h", b"", None, 0.0)
    intake.take(key_of("libcaer"), b"garbage", beside(1), 1.0)
    assert "it carries a/B, which are no events" in intake.told(1.0, 5.0)
    intake.take(key_of("libcaer"), b"garbage", beside(1), 2.0 + SETTLED_S)
    assert "a message is damaged" in intake.told(2.0 + SETTLED_S, 5.0)
    assert intake.told(20.0, 5.0) == ""


def test_packets_too_large_to_be_true_are_refused() -> None:
    intake = Intake()
    assert not len(intake.take(key_of("evt3"), bytes(1 << 23), beside(1), 0.0))
    assert "a packet of 8 MB came" in intake.told(0.0, 1.0)
