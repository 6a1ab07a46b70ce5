"""An output of another package that hangs, is slow or raises holds up nothing, and is told in a line."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fakes import PROMPTS, SENSOR, SETTINGS, packet, wait_for
from tiny_model import make_tiny_model

from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_live import registry
from neuroclip_live.cli.main import main
from neuroclip_live.errors import UserError
from neuroclip_live.outputs import apart
from neuroclip_live.outputs.apart import QUEUE, Apart, Guarded
from neuroclip_live.outputs.registry import OUTPUTS
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header, Summary

HEADER = Header("here", SENSOR, None, PROMPTS, SETTINGS)


class Radio:
    """Waits in every call of ``write`` until it may go on."""

    goes_on: ClassVar[threading.Event] = threading.Event()

    def __init__(self, argument: str = "") -> None:
        self.told: list[Any] = []
        self.threads: set[int] = set()
        self.writing = threading.Event()

    def open(self, header: Header) -> None:
        self._note(header)

    def write(self, prediction: Prediction) -> None:
        self._note(prediction)
        self.writing.set()
        self.goes_on.wait()

    def close(self, summary: Summary | None) -> None:
        self._note(summary)

    def trouble(self) -> str:
        self.threads.add(threading.get_ident())
        return "the antenna is loose"

    def _note(self, thing: object) -> None:
        self.threads.add(threading.get_ident())
        self.told.append(thing)


class Wrong(Radio):
    """Makes the mistake that it is asked for."""

    def __init__(self, argument: str = "") -> None:
        super().__init__()
        self.argument = argument

    def open(self, header: Header) -> None:
        self._fail("open")

    def write(self, prediction: Prediction) -> None:
        self._fail("write")

    def close(self, summary: Summary | None) -> None:
        super().close(summary)
        if summary is not None:
            self._fail("close")

    def trouble(self) -> Any:
        self._fail("trouble")

    def _fail(self, place: str) -> None:
        if place == self.argument:
            raise KeyError("a wave")
        if self.argument == f"exit-{place}":
            raise SystemExit(3)


@pytest.fixture(autouse=True)
def radios(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    Radio.goes_on.clear()
    monkeypatch.setattr(apart, "CLOSE_S", 0.2)
    points = [
        EntryPoint(name.lower(), f"test_outputs_apart:{name}", "neuroclip_live.outputs")
        for name in ("Radio", "Wrong")
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if "outputs" in group else [])
    monkeypatch.setattr(OUTPUTS, "_added", None)
    yield
    Radio.goes_on.set()
    OUTPUTS._added = None


def numbered(number: int) -> Prediction:
    return Prediction(number * 1000, number, "ok")


def test_one_that_hangs_holds_up_nobody_and_what_it_missed_is_counted() -> None:
    radio = Radio()
    output = Apart(Guarded("radio", radio))
    output.open(HEADER)
    output.write(numbered(1))
    radio.writing.wait()
    for number in range(2, 202):
        output.write(numbered(number))
    assert output.trouble() == "radio is too slow: predictions are lost"
    output.close(None)
    assert output.trouble() == "radio: 200 of 201 predictions were lost; radio did not end: it is left behind"
    assert [t.number for t in radio.told[1:]] == [1]


def test_one_that_is_slow_gets_the_newest_every_header_and_all_in_one_thread() -> None:
    radio = Radio()
    output = Apart(Guarded("radio", radio))
    output.open(HEADER)
    output.write(numbered(1))
    radio.writing.wait()
    output.open(HEADER)
    for number in range(2, 202):
        output.write(numbered(number))
    radio.goes_on.set()
    wait_for(lambda: len(radio.told) == 2 + 1 + QUEUE - 1)
    wait_for(lambda: output.trouble() == "radio is too slow: predictions are lost")
    output.close(None)
    assert radio.told[0] is radio.told[2] is HEADER
    assert [t.number for t in radio.told[3:-1]] == list(range(202 - (QUEUE - 1), 202))
    assert radio.told[-1] is None
    assert len(radio.threads) == 1
    assert threading.get_ident() not in radio.threads
    assert output.trouble() == f"radio: {200 - (QUEUE - 1)} of 201 predictions were lost"


def test_trouble_is_told() -> None:
    Radio.goes_on.set()
    output = Apart(Guarded("radio", Radio()))
    output.write(numbered(1))
    wait_for(lambda: output.trouble() == "the antenna is loose")
    output.close(None)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("run")
    recording = folder / "noise.aedat4"
    write_aedat4(recording, [packet(1_000_000, 6_000, step_us=50, sensor=SENSOR)], SENSOR)
    model = str(make_tiny_model(folder))
    return ["--headless", "--runtime", "torch", "--replay", str(recording), "--model", model, "-p", "a, b"]


def test_a_run_ends_without_one_that_hangs(run: list[str], tmp_path: Path, capsys: Any) -> None:
    lines = tmp_path / "out.jsonl"
    assert main([*run, "--speed", "20", "--output", "radio", "--output", f"jsonl:{lines}"]) == 0
    summary = json.loads(lines.read_text().splitlines()[-1])
    assert summary["type"] == "summary"
    assert summary["unwritten_predictions"] == 0
    assert re.search(r"radio: \d+ of \d+ predictions were lost; radio did not end", capsys.readouterr().err)


@pytest.mark.parametrize("speed", ["max", "20"])
@pytest.mark.parametrize("place", ["open", "write", "close", "exit-write", "trouble"])
def test_a_mistake_in_one_is_a_line_with_its_place(
    run: list[str], speed: str, place: str, capsys: Any
) -> None:
    assert main([*run, "--speed", speed, "--output", f"wrong:{place}"]) == 2
    error = capsys.readouterr().err
    kind = "SystemExit: 3" if place.startswith("exit") else "KeyError: 'a wave'"
    last = error.splitlines()[-1]
    assert re.search(rf"the output wrong failed: {kind} \(test_outputs_apart.py, line \d+\)", last), error
    assert "Traceback" not in error


def test_what_one_says_itself_is_told_as_it_is() -> None:
    class Off(Radio):
        def write(self, prediction: Prediction) -> None:
            raise UserError("the radio is off; switch it on")

    output = Apart(Guarded("radio", Off()))
    output.write(numbered(1))
    with pytest.raises(UserError, match=r"^the radio is off; switch it on$"):
        output.close(None)
