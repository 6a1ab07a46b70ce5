"""Predictions and actions over MQTT, with a real broker that comes and goes."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from broker import Broker, Listener
from fakes import SENSOR, Endless, packet, pipelines, wait_for
from test_actions import BASE, rules_in, seen
from test_tls import Certificates
from tiny_model import make_tiny_model

from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_live.actions.actions import Actions
from neuroclip_live.cli.main import main
from neuroclip_live.errors import UserError
from neuroclip_live.outputs.carrier import Carrier, CarrierThread
from neuroclip_live.outputs.jsonl import SCHEMA_FILE
from neuroclip_live.outputs.mqtt import QUEUE, WINDOW, MqttOutput, SecureMqttOutput
from neuroclip_live.outputs.mqtt_address import PASSWORD, USER, parse_address
from neuroclip_live.outputs.output import Output
from neuroclip_live.recognition.prediction import Prediction

SCHEMA = jsonschema.Draft7Validator(json.loads(SCHEMA_FILE.read_text()))
HEADLESS = ("--headless", "--runtime", "torch", "--speed", "max", "-p", "a mug, -a hand")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path)
    yield broker
    broker.close()


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    made: list[Listener] = []

    def listener(*arguments: Any, **more: Any) -> Listener:
        made.append(Listener(*arguments, **more))
        return made[-1]

    yield listener
    for each in made:
        each.close()


@pytest.fixture(autouse=True)
def _no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD, raising=False)
    monkeypatch.delenv(USER, raising=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the arguments of a run: a recording and a model of random weights."""
    folder = tmp_path_factory.mktemp("run")
    write_aedat4(folder / "noise.aedat4", [packet(1_000_000, 6_000, step_us=50, sensor=SENSOR)], SENSOR)
    return ["--replay", str(folder / "noise.aedat4"), *HEADLESS, "--model", str(make_tiny_model(folder))]


def steady(line: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in line.items() if key not in ("latency_ms", "wall_s")}


# ---- what is published


def test_the_messages_are_the_json_lines(tmp_path: Path, broker: Broker, run: list[str], listen) -> None:  # type: ignore[no-untyped-def]
    listener, lines = listen(broker.port), tmp_path / "p.jsonl"
    outputs = ["--output", f"mqtt://127.0.0.1:{broker.port}/lab/desk 1", "--jsonl", str(lines)]
    assert main([*run, *outputs]) == 0
    wait_for(lambda: "offline" in listener.of("lab/desk 1/status"))
    written = [json.loads(line) for line in lines.read_text().splitlines()]
    told = [json.loads(payload) for topic, payload, _ in listener.messages if topic != "lab/desk 1/status"]
    for line in told:
        SCHEMA.validate(line)
    assert [steady(line) for line in told] == [steady(line) for line in written]
    assert {
        topic.rpartition("/")[2]: json.loads(text)["type"]
        for topic, text, _ in listener.messages
        if "{" in text
    } == {
        "header": "header",
        "prediction": "prediction",
        "summary": "summary",
    }
    assert listener.of("lab/desk 1/status") == ["online", "offline"]
    # whoever comes later learns what it was about, and that it is over
    late = listen(broker.port)
    wait_for(lambda: len(late.messages) == 2)
    assert {(topic, retained) for topic, _, retained in late.messages} == {
        ("lab/desk 1/status", True),
        ("lab/desk 1/header", True),
    }


def test_the_will_says_offline_where_the_program_is_killed(broker: Broker, run: list[str], listen) -> None:  # type: ignore[no-untyped-def]
    listener = listen(broker.port)
    code = (
        "import os, sys\nfrom neuroclip_live.outputs.mqtt import MqttOutput\n"
        "MqttOutput(sys.argv[1])\nsys.stdin.read()\nos.abort()"
    )
    arguments = ["-c", code, f"//127.0.0.1:{broker.port}"]
    child = subprocess.Popen([sys.executable, *arguments], stdin=subprocess.PIPE)
    wait_for(lambda: listener.of("neuroclip/status") == ["online"])
    child.kill()
    child.wait()
    wait_for(lambda: listener.of("neuroclip/status") == ["online", "offline"])
    assert child.stdin is not None
    child.stdin.close()


# ---- the broker comes and goes


def test_a_broker_killed_and_back_is_told_and_messages_go_on(broker: Broker, listen) -> None:  # type: ignore[no-untyped-def]
    output, told = MqttOutput(f"//127.0.0.1:{broker.port}/t"), list[str]()
    with pipelines() as make:
        pipeline = make(Endless(()))
        thread = CarrierThread(Carrier(pipeline, [output], tell=told.append))
        thread.start()
        wait_for(lambda: pipeline.status().predictions > 5)
        broker.kill()
        wait_for(lambda: any("trying again" in line for line in told))
        before = pipeline.status().predictions
        wait_for(lambda: pipeline.status().predictions > before + 2 * QUEUE + WINDOW)  # nobody waits for it
        broker.start()
        wait_for(lambda: any("is back" in line for line in told))
        listener = listen(broker.port)  # a killed broker has forgotten what was retained: it is said again
        wait_for(lambda: len(listener.of("t/prediction")) > 5)
        assert listener.of("t/status") == ["online"]
        assert json.loads(listener.of("t/header")[0])["type"] == "header"
        assert thread.stop(60.0)
    wait_for(lambda: listener.of("t/status") == ["online", "offline"])
    numbers = [json.loads(payload)["number"] for payload in listener.of("t/prediction")]
    assert numbers == sorted(set(numbers))
    assert output.lost > QUEUE
    assert told[-1] == f"127.0.0.1:{broker.port}: {output.lost:,} of {output.offered:,} messages were lost"
    assert f"127.0.0.1:{broker.port} is away" in told[0] or "cannot be reached" in told[0]


def test_what_is_counted_as_lost_is_what_nobody_got(broker: Broker, listen) -> None:  # type: ignore[no-untyped-def]
    listener, output = listen(broker.port), MqttOutput(f"//127.0.0.1:{broker.port}")
    os.kill(broker.process.pid, signal.SIGSTOP)  # connected, and does not answer
    count = QUEUE + WINDOW + 40
    for number in range(1, count + 1):
        output.write(Prediction(number, number, "ok"))
    assert "too slow" in output.trouble()
    os.kill(broker.process.pid, signal.SIGCONT)
    output.close(None)
    wait_for(lambda: listener.of("neuroclip/status")[-1] == "offline")
    numbers = {json.loads(payload)["number"] for payload in listener.of("neuroclip/prediction")}
    assert len(numbers) + output.lost == count == output.offered
    assert max(numbers) == count  # the oldest go, never the newest


def test_without_confirmations_the_count_goes_on_too(broker: Broker, listen) -> None:  # type: ignore[no-untyped-def]
    listener, output = listen(broker.port), MqttOutput(f"//127.0.0.1:{broker.port}?qos=0")
    output.write(Prediction(1, 1, "ok"))
    wait_for(lambda: len(listener.of("neuroclip/prediction")) == 1)
    broker.kill()
    wait_for(lambda: "trying again" in output.trouble())
    for number in range(2, 2 + QUEUE + 10):
        output.write(Prediction(number, number, "ok"))
    broker.start()
    wait_for(lambda: "is back; 10 messages were lost meanwhile" in output.trouble())
    output.close(None)
    assert output.lost == 10


def test_a_broker_that_hangs_at_the_end_holds_nobody_up(broker: Broker) -> None:
    output = MqttOutput(f"//127.0.0.1:{broker.port}")
    os.kill(broker.process.pid, signal.SIGSTOP)
    for number in range(1, 11):
        output.write(Prediction(number, number, "ok"))
    output.close(None)
    assert output.lost == 10
    assert "10 of 10 messages were lost" in output.trouble()
    output.close(None)  # once more does nothing


# ---- who may


def test_tls_and_a_password_from_a_file(tmp_path: Path, listen, certificates: Certificates) -> None:  # type: ignore[no-untyped-def]
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, "desk", "s3cret"], check=True)
    broker = Broker(
        tmp_path,
        "allow_anonymous false",
        f"password_file {passwords}",
        f"certfile {certificates.pem('server')}",
        f"keyfile {certificates.key('server')}",
    )
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    ca = certificates.pem("authority")
    try:
        listener = listen(broker.port, ca=str(ca), user="desk", password="s3cret")
        there = f"//desk@localhost:{broker.port}/t?ca={ca}"
        output = SecureMqttOutput(f"{there}&password-file={secret}")
        output.write(Prediction(1, 1, "ok"))
        output.close(None)
        wait_for(lambda: listener.of("t/status")[-1:] == ["offline"])
        assert len(listener.of("t/prediction")) == 1
        with pytest.raises(
            UserError, match="refuses the connection: Not authorized; check user and password"
        ):
            SecureMqttOutput(there)
        with pytest.raises(UserError, match=r"does not prove who it is: .*ca=FILE"):
            SecureMqttOutput(f"//desk@localhost:{broker.port}?password-file={secret}")
        with pytest.raises(UserError, match=r"does not answer|cannot be reached"):
            MqttOutput(f"//desk@localhost:{broker.port}?password-file={secret}")
    finally:
        broker.close()


def test_a_topic_that_may_not_be_written_to_is_told(tmp_path: Path, broker: Broker) -> None:
    broker.close()
    rights = tmp_path / "rights"
    rights.write_text("topic read #\ntopic write mine/status\n")
    broker = Broker(tmp_path, f"acl_file {rights}")
    try:
        output = MqttOutput(f"//127.0.0.1:{broker.port}/mine")
        output.write(Prediction(1, 1, "ok"))
        wait_for(lambda: "does not take mine/prediction: Not authorized" in output.trouble())
        output.close(None)
        assert "1 of 1 messages were lost" in output.trouble()
    finally:
        broker.close()


# ---- addresses


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    address = parse_address("mqtt:broker/lab/desk%201/?qos=0")
    assert (address.host, address.port, address.topic, address.qos) == ("broker", 1883, "lab/desk 1", 0)
    address = parse_address("mqtts://an%40user@[::1]:99")
    assert (address.user, address.called, address.topic) == ("an@user", "[::1]:99", "")
    assert address.tls is not None
    monkeypatch.setenv(PASSWORD, "s3cret")
    monkeypatch.setenv(USER, "desk")
    address = parse_address("mqtt://broker")
    assert (address.user, address.password) == ("desk", "s3cret")
    assert "s3cret" not in repr(address)


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("", "mqtt needs a broker"),
        ("//", "no address of a broker"),
        ("//a:b", "no address of a broker"),
        ("//a:0", "no address of a broker"),
        ("//a:99999", "no address of a broker"),
        ("//[::1", "no address of a broker"),
        ("//a/b#c", "no address of a broker"),
        ("//a/\x1b", "no address of a broker"),
        ("//me:s3cret@a", "no password in the address"),
        ("//a?password=s3cret", "'password' is not known in a broker's address"),
        ("//a?ca=x", "'ca' is not known .* TLS is for mqtts"),
        ("//a?qos=2", "qos is 0 or 1"),
        ("//a?qos", "no address of a broker"),
        ("//a/b/%23", r"\+ and # are for those who subscribe"),
        ("//a/$SYS", "give 1 to 1000 characters"),
        ("//a?password-file=/nowhere/secret", "cannot read password-file /nowhere/secret: No such file"),
        ("//a?password-file=/dev/null", "password-file /dev/null is empty"),
        ("//a?password-file=/dev/zero", "larger than"),
    ],
)
def test_addresses_that_make_no_sense(argument: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as error:
        MqttOutput(argument)
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("name", [USER, PASSWORD])
@pytest.mark.parametrize("value", ["s3cret\udcff", "s3cret" * 1000])
def test_a_user_or_password_that_cannot_be_sent(name: str, value: str, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="cannot be sent") as error:
        MqttOutput("//127.0.0.1")
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("ca=/nowhere", "ca /nowhere: there is no such file"),
        ("ca=~nobody-of-that-name/x", "ca ~nobody-of-that-name/x: there is no such user"),
        ("key=/nowhere", "key /nowhere belongs to a certificate: give that with cert"),
    ],
)
def test_tls_files_that_are_not_there(query: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        SecureMqttOutput(f"//a?{query}")


def test_a_broker_that_is_not_there_or_is_none_is_one_line(run: list[str], capsys) -> None:  # type: ignore[no-untyped-def]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(UserError, match="does not answer as a broker of MQTT does"):
            MqttOutput(f"//127.0.0.1:{port}")
    assert main([*run, "--output", f"mqtt://127.0.0.1:{port}"]) == 2
    error = capsys.readouterr().err
    assert f"127.0.0.1:{port} cannot be reached: Connection refused" in error
    assert error.count("\n") == 1
    assert not [t for t in threading.enumerate() if t.name == "mqtt"]


def test_without_the_extra_it_is_one_line_that_names_it(monkeypatch, run: list[str], capsys) -> None:  # type: ignore[no-untyped-def]
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "paho" else known(name))
    assert main([*run, "--output", "mqtt://127.0.0.1"]) == 2
    error = capsys.readouterr().err
    assert 'mqtt needs paho, not installed here: pip install "neuroclip-live[mqtt]"' in error
    assert error.count("\n") == 1


def test_they_are_outputs() -> None:
    """For the type checker."""
    _: list[type[Output]] = [MqttOutput, SecureMqttOutput]  # type: ignore[type-abstract]


# ---- actions


def test_an_action_publishes(tmp_path: Path, broker: Broker, listen) -> None:  # type: ignore[no-untyped-def]
    listener, told = listen(broker.port), list[str]()
    where = f'broker = "mqtt://127.0.0.1:{broker.port}", topic = "lab/{{name}}"'
    rules = rules_in(
        tmp_path,
        f'[[action]]\nname = "a/mug #1"\nlabel = "a mug"\nfor_s = 0\nmqtt = {{{where}}}\n'
        f'[[action]]\nname = "text"\nlabel = "a mug"\nfor_s = 0\n'
        f'mqtt = {{{where}, payload = "{{label}} {{t_us}}", retain = true}}\n',
    )
    actions = Actions(rules, told.append)
    actions.write(seen(0.5, p=0.9))
    wait_for(lambda: len(listener.messages) == 2)
    actions.close(None)
    (message,) = listener.of("lab/a_mug _1")
    assert json.loads(message)["label"] == "a mug"
    assert listener.of("lab/text") == ["a mug 500000"]
    assert any("published to lab/text" in line for line in told)


def test_an_action_whose_broker_is_away_is_told(tmp_path: Path, broker: Broker) -> None:
    broker.kill()
    told: list[str] = []
    where = f'broker = "mqtt://127.0.0.1:{broker.port}", topic = "t"'
    rules = rules_in(tmp_path, f'[[action]]\nlabel = "a mug"\nfor_s = 0\nmqtt = {{{where}}}\n')
    actions = Actions(rules, told.append)
    actions.write(seen(0.5, p=0.9))
    wait_for(lambda: any("cannot be reached: Connection refused" in line for line in told))
    actions.close(None)
    assert actions.failed == 1


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ('"mqtt://a"', "mqtt: give a table"),
        ('{topic = "a", colour = 1}', "mqtt: 'colour' is not known"),
        ('{broker = "mqtt://a"}', "mqtt: broker and topic are text"),
        ('{topic = "a/#"}', "are for those who subscribe"),
        ('{topic = "a", broker = "mqtt://a/b"}', "names a topic"),
        ('{topic = "a", broker = "http://a"}', "begins with mqtt"),
        ('{topic = "a", broker = "mqtt://me:s3cret@a"}', "no password in the address"),
        ('{topic = "a", retain = 1}', "retain is true or false"),
        ('{topic = "a", payload = 1}', "payload is text"),
    ],
)
def test_messages_that_make_no_sense(tmp_path: Path, value: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as error:
        rules_in(tmp_path, BASE + f"mqtt = {value}")
    assert "s3cret" not in str(error.value)
