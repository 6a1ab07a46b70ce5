"""Predictions as datagrams, small JSON and Open Sound Control, with real sockets."""

from __future__ import annotations

import importlib.util
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import SENSOR, packet
from tiny_model import make_tiny_model

from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_live.cli.main import main
from neuroclip_live.errors import UserError
from neuroclip_live.objects.found import FoundObject
from neuroclip_live.outputs.datagrams import MOST_BYTES
from neuroclip_live.outputs.output import Output
from neuroclip_live.outputs.udp import UdpOutput, small
from neuroclip_live.recognition.prediction import Decision, Prediction
from neuroclip_live.stream.box import Box

OSC = pytest.importorskip("pythonosc.osc_packet", reason='python-osc is not installed: pip install ".[osc]"')
from neuroclip_live.outputs.osc import OscOutput, bundle  # noqa: E402

HEADLESS = ("--headless", "--runtime", "torch", "--speed", "max", "-p", "a mug, a boat, -a hand", "--objects")


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(60)
        yield receiver


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("run")
    write_aedat4(folder / "noise.aedat4", [packet(1_000_000, 3_000, step_us=50, sensor=SENSOR)], SENSOR)
    return ["--replay", str(folder / "noise.aedat4"), *HEADLESS, "--model", str(make_tiny_model(folder))]


def received(receiver: socket.socket, count: int) -> list[bytes]:
    return [receiver.recv(65536) for _ in range(count)]


def busy(labels: int = 3, label: str = "a label {}", objects: int = 2) -> Prediction:
    """Return a prediction with much in it."""
    names = [label.format(number) for number in range(labels)]
    scores = {name: (number + 1) / 1000 for number, name in enumerate(names)}
    things = tuple(
        FoundObject(number, Box(8, 6, 16, 24), names[0], 0.5, scores, "waiting" if number == 0 else "seen")
        for number in range(objects)
    )
    decision = Decision("label", names[-1], 0.75)
    return Prediction(12, 3, "ok", names[-1], 0.5, scores=scores, objects=things, decision=decision)


def messages(data: bytes) -> list[tuple[str, list[Any]]]:
    """Decode a bundle as python-osc's own servers do."""
    return [(timed.message.address, timed.message.params) for timed in OSC.OscPacket(data).messages]


def test_small_json_says_what_the_json_lines_say(
    tmp_path: Path, receiver: socket.socket, run: list[str]
) -> None:
    lines = tmp_path / "p.jsonl"
    port = receiver.getsockname()[1]
    assert main([*run, "--output", f"udp:127.0.0.1:{port}", "--jsonl", str(lines)]) == 0
    written = [json.loads(line) for line in lines.read_text().splitlines()]
    predictions = [line for line in written if line["type"] == "prediction"]
    for data, line in zip(received(receiver, len(predictions)), predictions, strict=True):
        assert len(data) <= MOST_BYTES
        assert data.endswith(b"\n")
        told = json.loads(data)
        assert told["decision"].items() <= line.pop("decision").items()
        things, objects = told.pop("objects"), line.pop("objects")
        assert len(things) == len(objects)
        assert all(any(thing.items() <= found.items() for found in objects) for thing in things)
        del told["decision"]
        assert told.items() <= line.items()


def test_open_sound_control_says_what_the_json_lines_say(  # type: ignore[no-untyped-def]
    tmp_path: Path, receiver: socket.socket, run: list[str]
) -> None:
    lines = tmp_path / "p.jsonl"
    port = receiver.getsockname()[1]
    assert main([*run, "--output", f"osc:127.0.0.1:{port}", "--jsonl", str(lines)]) == 0
    written = [json.loads(line) for line in lines.read_text().splitlines()]
    predictions = [line for line in written if line["type"] == "prediction"]
    for data, line in zip(received(receiver, len(predictions)), predictions, strict=True):
        told = messages(data)
        assert ("/neuroclip/state", [line["decision"]["kind"]]) in told
        scores = {params[0]: params[1] for address, params in told if address == "/neuroclip/score"}
        assert scores == pytest.approx(line["scores"], abs=1e-5)


def test_places_of_objects_are_shares_of_the_picture() -> None:
    told = messages(bundle(busy(), 32, 24))
    assert told[0] == ("/neuroclip/label", ["a label 2", 0.75])
    places = [params for address, params in told if address == "/neuroclip/object"]
    assert places == [
        [1, "a label 0", 0.5, 0.25, 0.25, 0.5, 1.0],  # what moves comes first
        [0, "a label 0", 0.5, 0.25, 0.25, 0.5, 1.0],
    ]


@pytest.mark.parametrize("label", ["a label {}", "ein sehr langer Name " * 10 + "{}", "記者" * 60 + "{}"])
def test_datagrams_stay_small_however_much_there_is(label: str) -> None:
    prediction = busy(1000, label, 64)
    data = small(prediction)
    assert len(data) <= MOST_BYTES
    assert json.loads(data)["label"] == prediction.label
    data = bundle(prediction, 32, 24)
    assert len(data) <= MOST_BYTES
    assert messages(data)[0][1][0] == prediction.label


def test_the_highest_scores_are_kept() -> None:
    told = json.loads(small(busy(1000, objects=0)))
    assert list(told["scores"])[:2] == ["a label 999", "a label 998"]
    assert told["objects"] == []
    assert "objects" not in json.loads(small(Prediction(1, 1, "ok")))


@pytest.mark.parametrize("make", [UdpOutput, OscOutput])
def test_where_nobody_listens_that_is_told_and_counted(make: Any, receiver: socket.socket) -> None:
    port = receiver.getsockname()[1]
    output = make(f"127.0.0.1:{port}")
    output.write(Prediction(1, 1, "ok"))
    assert received(receiver, 1)
    assert output.trouble() == ""
    receiver.close()
    for number in range(2, 12):
        output.write(Prediction(number, number, "ok"))
    assert output.trouble() == f"127.0.0.1:{port}: nobody listens there; sending goes on"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(("127.0.0.1", port))
        again.settimeout(60)
        output.write(Prediction(12, 12, "ok"))
        assert again.recv(65536)
        output.close(None)
    assert output.trouble() == f"127.0.0.1:{port}: 10 of 12 datagrams were lost"
    output.close(None)


@pytest.mark.parametrize("name", ["udp", "osc"])
@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("", "needs an address: write --output {0}:HOST:PORT"),
        ("9000", "needs an address"),
        ("a:b", "needs an address"),
        ("a:0", "needs an address"),
        ("a:99999", "needs an address"),
        ("a:²", "needs an address"),
        (":9000", "needs an address"),
        (f"{'a' * 70}.b:9000", "cannot send to"),
        ("no-such-host.invalid:9000", "cannot send to no-such-host.invalid:9000"),
    ],
)
def test_addresses_that_make_no_sense(name: str, argument: str, says: str) -> None:
    with pytest.raises(UserError) as error:
        {"udp": UdpOutput, "osc": OscOutput}[name](argument)
    assert says.format(name) in str(error.value)
    assert "\n" not in str(error.value)


def test_ipv6() -> None:
    try:
        receiver = socket.create_server(("::1", 0), family=socket.AF_INET6, reuse_port=False)
    except OSError:
        pytest.skip("no IPv6 here")
    receiver.close()
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as listener:
        listener.bind(("::1", 0))
        listener.settimeout(60)
        output = UdpOutput(f"[::1]:{listener.getsockname()[1]}")
        output.write(Prediction(1, 1, "ok"))
        assert json.loads(listener.recv(65536))["number"] == 1
        output.close(None)


def test_without_the_extra_it_is_one_line_that_names_it(monkeypatch, run: list[str], capsys) -> None:  # type: ignore[no-untyped-def]
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n == "pythonosc" else known(n))
    assert main([*run, "--output", "osc:127.0.0.1:9000"]) == 2
    assert (
        'osc needs pythonosc, not installed here: pip install "neuroclip-live[osc]"'
        in capsys.readouterr().err
    )


def test_they_are_outputs() -> None:
    """For the type checker."""
    _: list[type[Output]] = [UdpOutput, OscOutput]  # type: ignore[type-abstract]
