"""Predictions for Foxglove: MCAP files read back by the format's own reader, and the live server asked."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import resource
import socket
import struct
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import PROMPTS, SENSOR, SETTINGS, packet
from tiny_model import make_tiny_model
from websockets.sync.client import connect

from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_live.cli.main import main
from neuroclip_live.errors import UserError
from neuroclip_live.objects.found import FoundObject
from neuroclip_live.outputs.output import Output
from neuroclip_live.recognition.prediction import Decision, Prediction
from neuroclip_live.recognition.run_facts import Header
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.road import RoadSettings

pytest.importorskip("foxglove", reason='foxglove-sdk is not installed: pip install ".[foxglove]"')
READER = pytest.importorskip("mcap.reader", reason="mcap is not installed")
PROTOBUF = pytest.importorskip("mcap_protobuf.decoder", reason="mcap-protobuf-support is not installed")
from neuroclip_live.outputs.foxglove_outputs import FoxgloveOutput, McapOutput  # noqa: E402

HEADLESS = ("--headless", "--runtime", "torch", "--speed", "max", "-p", "a mug, a boat, -a hand", "--objects")
FRAME = np.full((SENSOR.height, SENSOR.width), 127, np.uint8)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("run")
    write_aedat4(folder / "noise.aedat4", [packet(1_000_000, 6_000, step_us=50, sensor=SENSOR)], SENSOR)
    return ["--replay", str(folder / "noise.aedat4"), *HEADLESS, "--model", str(make_tiny_model(folder))]


def read(path: Path) -> dict[str, list[tuple[int, Any]]]:
    """Return what each topic holds: time in nanoseconds, and the message."""
    found: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    with path.open("rb") as file:
        reader = READER.make_reader(file, validate_crcs=True, decoder_factories=[PROTOBUF.DecoderFactory()])
        for _, channel, message in reader.iter_messages(log_time_order=False):
            if channel.message_encoding == "json":
                decoded = json.loads(message.data)
            else:
                schema = reader.get_summary().schemas[channel.schema_id]
                decode = PROTOBUF.DecoderFactory().decoder_for(channel.message_encoding, schema)
                decoded = decode(message.data)
            found[channel.topic.removeprefix("/neuroclip/")].append((message.log_time, decoded))
    return found


def header(region: Box | None = None) -> Header:
    settings = replace(SETTINGS, road=RoadSettings(region=region))
    return Header("script", SENSOR, None, PROMPTS, settings)


def moment(number: int = 1, **more: Any) -> Prediction:
    things = (
        FoundObject(1, Box(8, 6, 16, 24), "a mug", 0.75),
        FoundObject(2, Box(0, 0, 4, 4), None, 0.5, state="waiting"),
    )
    values = {
        "scores": {"a mug": 0.9, "a phone": 0.1},
        "decision": Decision("label", "a mug", 0.9),
        "frames": (FRAME * 0, FRAME),
        "objects": things,
        **more,
    }
    return Prediction(number * 100_000, number, "ok", **values)


def test_a_recording_becomes_a_file_that_the_reader_of_the_format_reads(
    tmp_path: Path, run: list[str]
) -> None:
    path, lines = tmp_path / "a.mcap", tmp_path / "p.jsonl"
    assert main([*run, "--output", f"mcap:{path}", "--jsonl", str(lines)]) == 0
    written = [json.loads(line) for line in lines.read_text().splitlines()]
    found = read(path)
    predictions = [line for line in written if line["type"] == "prediction"]
    assert [line for _, line in found["prediction"]] == predictions
    assert [time for time, _ in found["prediction"]] == [line["t_us"] * 1000 for line in predictions]
    assert [line for _, line in found["header"]] == written[:1]
    assert [{**line, "wall_s": 0} for _, line in found["summary"]] == [{**written[-1], "wall_s": 0}]
    assert len(found["frames"]) == len(found["annotations"]) == len(found["rates"]) == len(predictions)
    for (time, image), line in zip(found["frames"], predictions, strict=True):
        assert (image.width, image.height, image.step, image.encoding) == (*SENSOR, SENSOR.width, "mono8")
        assert len(image.data) == SENSOR.width * SENSOR.height
        assert image.timestamp.seconds * 10**9 + image.timestamp.nanos == time == line["t_us"] * 1000
        pixels = np.frombuffer(image.data, np.uint8)
        assert set(np.unique(pixels)) <= {0, 127, 255}
        assert np.any(pixels != 127)


def test_a_run_as_it_happens_has_its_frames_too(tmp_path: Path, run: list[str]) -> None:
    path = tmp_path / "a.mcap"
    assert main([*run, "--speed", "1", "--output", f"mcap:{path}"]) == 0
    found = read(path)
    at = {time: np.frombuffer(image.data, np.uint8) for time, image in found["frames"]}
    times = [time for time, _ in found["prediction"]]
    assert times[-1] in at  # of those taken late, as by a busy machine, the newest have one
    assert set(at) <= set(times)
    assert all(len(pixels) == SENSOR.width * SENSOR.height for pixels in at.values())
    assert any(np.any(pixels != 127) for pixels in at.values())


def test_boxes_words_and_rates(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    output = McapOutput(str(path))
    output.open(header(region=Box(4, 2, 32, 24)))
    for number in range(1, 31):
        output.write(moment(number, skipped=2, latency_ms={"total": 3.25}))
    output.close(None)
    found = read(path)
    (_, marks), *_ = found["annotations"]
    assert [text.text for text in marks.texts] == ["a mug 0.90", "a mug 0.75", "none of these 0.50"]
    mug, nothing = marks.points
    assert [(p.x, p.y) for p in mug.points] == [(4, 4), (12, 4), (12, 22), (4, 22)]  # of the region's frame
    assert mug.type == 2  # LINE_LOOP
    assert mug.outline_color != nothing.outline_color
    _, rates = found["rates"][-1]
    assert rates == {"predictions_hz": 10.0, "events": 0, "skipped": 60, "latency_ms": {"total": 3.25}}
    assert "summary" not in found


@pytest.mark.parametrize("t_us", [-1, 0, 2**45, 2**62])
def test_times_of_any_camera(tmp_path: Path, t_us: int) -> None:
    output = McapOutput(str(tmp_path / "a.mcap"))
    output.open(header())
    output.write(Prediction(t_us, 1, "no-motion"))
    output.close(None)
    found = read(tmp_path / "a.mcap")
    assert found["prediction"][0][1]["t_us"] == t_us
    assert "frames" not in found


def test_no_file_is_written_over_and_bad_names_are_one_line(tmp_path: Path, run: list[str], capsys) -> None:  # type: ignore[no-untyped-def]
    there = tmp_path / "there.mcap"
    there.write_text("kept")
    for name, says in {
        str(there): "is there already: choose another --output mcap:FILE",
        "/nowhere/a.mcap": "cannot write /nowhere/a.mcap: No such file",
        "~nobody-of-that-name/a": "there is no such user",
        "": "mcap needs a file",
        "a\0b": "cannot write a\0b",
    }.items():
        assert main([*run, "--output", f"mcap:{name}"]) == 2
        error = capsys.readouterr().err
        assert says in error
        assert error.count("\n") == 1
    assert there.read_text() == "kept"


def fill(output: McapOutput) -> None:
    noise = np.random.default_rng(0)
    for number in range(1, 200):
        output.write(moment(number, frames=(noise.integers(0, 255, (480, 640), dtype=np.uint8),)))


def test_a_disk_that_fills_up_is_one_line_and_what_came_before_is_kept(tmp_path: Path, capfd) -> None:  # type: ignore[no-untyped-def]
    output = McapOutput(str(tmp_path / "a.mcap"))
    output.open(header())
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, limit[1]))
    try:
        with pytest.raises(UserError, match=r"a\.mcap failed: File too large; what came before is kept"):
            fill(output)
        output.close(None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert capfd.readouterr() == ("", "")
    assert 2_000_000 < os.path.getsize(tmp_path / "a.mcap") <= 3_000_000
    times = []
    with (
        (tmp_path / "a.mcap").open("rb") as file,
        contextlib.suppress(Exception),
    ):  # it ends in a chunk's middle
        for _, _, message in READER.NonSeekingReader(file).iter_messages(log_time_order=False):
            times.append(message.log_time)
    assert len(times) > 10


# ---- live


def test_a_viewer_gets_frames_boxes_and_words() -> None:
    output = FoxgloveOutput("0")
    try:
        output.open(header())
        with connect(f"ws://127.0.0.1:{output.port}", subprotocols=["foxglove.sdk.v1"]) as viewer:  # type: ignore[list-item]
            channels: dict[str, int] = {}
            while len(channels) < 6:
                told = json.loads(viewer.recv(60))
                if told["op"] == "advertise":
                    channels |= {channel["topic"]: channel["id"] for channel in told["channels"]}
                assert "clientPublish" not in told.get("capabilities", [])
            wanted = [
                {"id": channels[f"/neuroclip/{topic}"], "channelId": channels[f"/neuroclip/{topic}"]}
                for topic in ("frames", "annotations", "prediction")
            ]
            viewer.send(json.dumps({"op": "subscribe", "subscriptions": wanted}))
            got: dict[int, bytes] = {}
            for number in range(1, 10_000):
                output.write(moment(number))
                try:
                    message = viewer.recv(0.05)
                except TimeoutError:
                    continue
                if isinstance(message, bytes) and message[0] == 1:  # a message's data
                    subscription, _time = struct.unpack("<IQ", message[1:13])
                    got[subscription] = message[13:]
                if len(got) == 3:
                    break
            assert json.loads(got[channels["/neuroclip/prediction"]])["decision"]["label"] == "a mug"
            assert FRAME.tobytes() in got[channels["/neuroclip/frames"]]
            assert b"a mug 0.75" in got[channels["/neuroclip/annotations"]]
    finally:
        output.close(None)


def test_a_viewer_that_reads_nothing_holds_nobody_up() -> None:
    output = FoxgloveOutput("0")
    frame = np.random.default_rng(0).integers(0, 255, (480, 640), dtype=np.uint8)
    try:
        output.open(header())
        with connect(
            f"ws://127.0.0.1:{output.port}", subprotocols=["foxglove.sdk.v1"], max_queue=1, close_timeout=1
        ) as viewer:  # type: ignore[list-item]
            channels: dict[str, int] = {}
            while len(channels) < 6:
                told = json.loads(viewer.recv(60))
                channels |= {channel["topic"]: channel["id"] for channel in told.get("channels", ())}
            number = channels["/neuroclip/frames"]
            viewer.send(
                json.dumps({"op": "subscribe", "subscriptions": [{"id": number, "channelId": number}]})
            )
            seen: Any = ""
            while isinstance(seen, str):
                output.write(moment(1, frames=(frame,)))
                with contextlib.suppress(TimeoutError):
                    seen = viewer.recv(0.05)
            for count in range(2, 400):  # a hundred megabytes that nobody reads
                output.write(moment(count, frames=(frame,)))
    finally:
        output.close(None)


@pytest.mark.parametrize("argument", ["x", "70000", "-1", "1.5", "٣", "host:"])
def test_ports_that_are_none(argument: str) -> None:
    with pytest.raises(UserError, match="foxglove takes a port"):
        FoxgloveOutput(argument)


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "robot", ""])
def test_it_serves_this_machine_only(host: str) -> None:
    with pytest.raises(UserError, match=r"serves this machine only: .*ssh -L 8765:127\.0\.0\.1:9000"):
        FoxgloveOutput(f"{host}:9000")


def test_a_port_in_use_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"cannot listen on 127.0.0.1:{port}: .*Address already in use"):
            FoxgloveOutput(str(port))


@pytest.mark.parametrize("name", ["foxglove", "mcap:a.mcap"])
def test_without_the_extra_it_is_one_line_that_names_it(
    name: str, monkeypatch, run: list[str], capsys
) -> None:  # type: ignore[no-untyped-def]
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n == "foxglove" else known(n))
    assert main([*run, "--output", name]) == 2
    assert (
        'needs foxglove, not installed here: pip install "neuroclip-live[foxglove]"'
        in capsys.readouterr().err
    )


def test_they_are_outputs() -> None:
    """For the type checker."""
    _: list[type[Output]] = [FoxgloveOutput, McapOutput]  # type: ignore[type-abstract]
