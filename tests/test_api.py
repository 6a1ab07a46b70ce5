"""The front door for programs: what the page says runs, errors are one line, and importing it is light."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import neuroclip_live as nl
from neuroclip_live import config

ROOT = Path(__file__).resolve().parents[1]
RECORDING = str(ROOT / "recordings" / "digits.aedat4")
EXAMPLES = re.findall(
    r"^```python\n(.*?)^```", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.S | re.M
)


@pytest.fixture(scope="module")
def model():  # type: ignore[no-untyped-def]
    return nl.load_model(device="cpu")


def test_the_pages_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for number, code in enumerate(EXAMPLES, 1):
        exec(compile(code, f"docs/api.md, example {number}", "exec"), names)
    assert len(EXAMPLES) >= 7
    assert names["total"] == 92_580
    assert names["seen"]
    assert (tmp_path / "lessons.safetensors").exists()


def test_every_name_is_there_and_importing_loads_none_of_them() -> None:
    assert all(getattr(nl, name) is not None for name in nl.__all__)
    assert set(nl.__all__) <= set(dir(nl))
    assert set(nl._PLACES) == set(nl.__all__) - {"__version__"}
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        nl.nonsense  # noqa: B018
    code = "import sys, neuroclip_live; print([m for m in sys.modules if m.startswith('neuroclip_live.')])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(ast.literal_eval(out.stdout))
    assert loaded <= {"neuroclip_live.errors", "neuroclip_live.extras"}


def test_predictions_are_those_of_the_command_line(model, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from neuroclip_live.cli.main import main

    out = tmp_path / "lines.jsonl"
    ours = [p.to_dict() for p in nl.recognize(RECORDING, ["three", "seven"], model=model, end=1.5)]
    arguments = "--headless --speed max --end 1.5 --device cpu".split()
    main([*arguments, "--replay", RECORDING, "-p", "three, seven", "--jsonl", str(out)])
    theirs = [line for line in map(json.loads, out.read_text().splitlines()) if line["type"] == "prediction"]
    assert len(ours) == len(theirs) > 10
    for one, other in zip(ours, theirs, strict=True):
        assert (one["t_us"], one["label"], one["scores"]) == (other["t_us"], other["label"], other["scores"])


def test_packets_are_the_recordings_and_the_file_is_closed_early() -> None:
    with nl.open(RECORDING) as events:
        assert events.resolution == (128, 128)
        packets = list(events)
    assert sum(map(len, packets)) == 92_580
    assert all(packet.dtype == nl.EVENT_DTYPE and len(packet) for packet in packets)
    with nl.open(RECORDING) as events:
        next(iter(events))
    assert list(events) == []


def test_frames_are_images_of_their_events() -> None:
    for frame in nl.frames(RECORDING, slice="2000", end=1.0):
        assert frame.image.shape[:2] == (128, 128)
        assert frame.image.dtype == np.uint8
        assert 0 < len(frame.events) <= 2000  # the last may be short


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: nl.recognize(RECORDING, [], model="event-nano"), "."),
        (lambda: nl.recognize(RECORDING, ["a"], sped=2), "no setting called 'sped'"),
        (lambda: nl.recognize(RECORDING, ["a"], given=()), "no setting called 'given'"),
        (lambda: nl.recognize(RECORDING, ["a"], speed="1"), "Session"),
        (lambda: nl.recognize(RECORDING, ["a"], smoothing=-1.0), "smoothing"),
        (lambda: nl.open("no-such-file.aedat4"), "replay: .*no-such-file"),
        (lambda: next(nl.frames("no-such-file.aedat4")), "no-such-file"),
        (lambda: nl.frames(RECORDING, region="1,2"), "region"),
        (lambda: nl.load_model("nonsense"), "nonsense"),
        (lambda: nl.load_model(device="nonsense"), "device"),
        (lambda: nl.Session(["a"], "no-such-file.aedat4"), "no-such-file"),
        (lambda: nl.Session([], RECORDING), "."),
        (lambda: nl.teach({"a": "no-such-file.aedat4"}, "out"), "no-such-file"),
    ],
)
def test_what_cannot_be_used_is_one_line_without_dashes(call, told: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(nl.UserError, match=told) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert not str(caught.value).startswith("--")


@pytest.mark.parametrize("value", [5, b"x", ["a"], object(), float("nan"), True, None, np.zeros((9, 9))])
@pytest.mark.parametrize("name", sorted(config.Config.__dataclass_fields__.keys() - {"given"}))
def test_a_value_of_any_type_is_taken_or_is_one_line(name: str, value: object) -> None:
    try:
        config.config_of(**{name: value})
    except nl.UserError as error:
        told = str(error)
    else:
        told = name
    assert "\n" not in told
    assert told.startswith(name)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: nl.open(5), "the recording is 5"),
        (lambda: nl.frames(b"x"), "the recording is"),
        (lambda: nl.recognize(RECORDING, 5), "prompts is 5"),
        (lambda: nl.recognize(RECORDING, ["a", 5]), "a prompt is 5"),
        (lambda: nl.recognize(RECORDING, ["a"], slice=50), "slice is 50, where text"),
        (lambda: nl.recognize(RECORDING, ["a"], timesteps=2.5), "timesteps is 2.5, where a whole number"),
        (lambda: nl.recognize(RECORDING, ["a"], end=float("nan")), "end is nan"),
        (lambda: nl.recognize(RECORDING, ["a"], fit="wide"), "fit is 'wide'; it is one of"),
        (lambda: nl.recognize(RECORDING, ["a"], model=5), "model is 5"),
        (lambda: nl.load_model(5), "model is 5"),
        (lambda: nl.teach(5, "out"), "mapping"),
        (lambda: nl.teach({5: RECORDING}, "out"), "a label is 5"),
        (lambda: nl.teach({"a": 5}, "out"), "the recording is 5"),
        (lambda: nl.teach({"a": RECORDING}, "out", seconds="x"), "seconds is 'x'"),
        (lambda: nl.Session(5, RECORDING), "prompts is 5"),
        (lambda: nl.Session(["a"], 5), "the recording is 5"),
    ],
)
def test_a_wrong_type_is_one_line(call, told: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(nl.UserError, match=told) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_session_follows_a_recording_to_its_end_and_stops_twice() -> None:
    seen: list[int] = []
    with nl.Session(["three", "seven"], RECORDING, speed="20", end=1.0) as live:
        cancel = live.subscribe(lambda p: seen.append(p.number))
        live.subscribe(lambda p: 1 / 0)  # is told nothing more, and stops nobody
        assert live.wait(120)
        newest = live.latest()
    assert live.stop()
    cancel()
    assert newest is not None
    assert seen == sorted(set(seen))
    assert newest.number in seen


def test_a_session_that_fails_says_why() -> None:
    with (
        nl.Session(["a"], RECORDING, model="nonsense") as live,
        pytest.raises(nl.UserError, match="nonsense"),
    ):
        live.wait(60)
