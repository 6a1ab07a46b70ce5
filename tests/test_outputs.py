"""Where predictions go: one schema for every line, outputs by name, and another package's beside our own."""

from __future__ import annotations

import json
import threading
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
import pytest
from fakes import (
    PROMPTS,
    SENSOR,
    SETTINGS,
    Endless,
    FakeBackbone,
    ScriptedSource,
    packet,
    pipelines,
    wait_for,
)
from tiny_model import make_tiny_model

from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_live import registry
from neuroclip_live.cli.main import main
from neuroclip_live.errors import UserError
from neuroclip_live.outputs import registry as outputs_registry
from neuroclip_live.outputs.carrier import Carrier, CarrierThread
from neuroclip_live.outputs.jsonl import SCHEMA_FILE, JsonLines
from neuroclip_live.outputs.output import Output
from neuroclip_live.outputs.registry import OUTPUTS, make_outputs
from neuroclip_live.recognition.pipeline import Pipeline, PipelineState
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.recording_labels import RecordingLabels
from neuroclip_live.recognition.run_facts import Header, Summary
from neuroclip_live.registry import Entry

SCHEMA = jsonschema.Draft7Validator(json.loads(SCHEMA_FILE.read_text()))


HEADLESS = ("--headless", "--runtime", "torch")


def told(path: Path) -> list[dict[str, Any]]:
    """Read lines; each has to be as the schema that ships says, and no field may be unknown to it."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    definitions = SCHEMA.schema["definitions"]
    for line in lines:
        SCHEMA.validate(line)
        if line["type"] in definitions:
            assert line.keys() <= definitions[line["type"]]["properties"].keys(), line
    return lines


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny_model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("recordings") / "noise.aedat4"
    write_aedat4(path, [packet(1_000_000, 6_000, step_us=50, sensor=SENSOR)], SENSOR)
    return str(path)


@pytest.mark.parametrize("speed", ["max", "20"])
@pytest.mark.parametrize("more", [(), ("--objects",)], ids=["", "objects"])
def test_lines_and_labels_of_a_run_keep_the_schema(tmp_path, recording, model, speed, more) -> None:  # type: ignore[no-untyped-def]
    lines, film = tmp_path / "p.jsonl", tmp_path / "film.aedat4"
    arguments = ["--replay", recording, *HEADLESS, "--model", model, "--speed", speed]
    asked = ["-p", "a mug, -a hand", "--output", f"jsonl:{lines}", "--record", str(film)]
    assert main([*arguments, *asked, *more]) == 0
    written, labels = told(lines), told(film.with_suffix(".labels.jsonl"))
    assert [line["type"] for line in written[:1] + written[-1:]] == ["header", "summary"]
    # one schema: what lies beside the recording is the same, line for line, but for what only it can know
    kinds = {"header", "prediction", "summary"}
    assert {line["type"] for line in labels} == kinds == {line["type"] for line in written}
    predictions = [line for line in written if line["type"] == "prediction"]
    assert [line for line in labels if line["type"] == "prediction"] == predictions
    last = [line for line in labels if line["type"] == "header"][-1]
    assert {k: v for k, v in last.items() if k != "recording"} == written[0]
    assert labels[-1].keys() == written[-1].keys()
    assert labels[-1]["predictions"] == written[-1]["predictions"] == len(predictions)


@pytest.mark.parametrize(
    "line",
    [
        {"type": "prediction"},
        {"type": "other"},
        {**Prediction(1, 1, "ok").to_dict(), "probability": 2},
        {**Prediction(1, 1, "ok").to_dict(), "schema": 2},
        {**Prediction(1, 1, "ok").to_dict(), "state": "fine"},
    ],
)
def test_the_schema_can_tell_a_wrong_line(line: dict[str, Any]) -> None:
    assert not SCHEMA.is_valid(line)


def test_short_form_and_long_form_write_the_same(tmp_path, recording, model) -> None:  # type: ignore[no-untyped-def]
    arguments = ["--replay", recording, *HEADLESS, "--model", model, "--speed", "max"]
    one, other = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    assert main([*arguments, "--jsonl", str(one), "--output", f"jsonl:{other}"]) == 0

    def steady(path: Path) -> list[dict[str, Any]]:
        return [{k: v for k, v in line.items() if k not in ("wall_s", "latency_ms")} for line in told(path)]

    assert steady(one) == steady(other)


@pytest.mark.parametrize(
    ("outputs", "says"),
    [
        (["nonsense"], "no output is called 'nonsense'; choose jsonl, table, "),
        (["jsonl"], "jsonl needs a file"),
        (["jsonl:-", "table"], "jsonl:- and table both write to the terminal"),
        (["table:x"], "table takes nothing"),
        (["jsonl:/no/such/place/p.jsonl"], "cannot write /no/such/place/p.jsonl"),
    ],
)
def test_what_cannot_be_had_is_said_in_a_line(outputs, says, recording, capsys) -> None:  # type: ignore[no-untyped-def]
    asked = [word for output in outputs for word in ("--output", output)]
    assert main(["--replay", recording, "--headless", *asked]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


# ---- another package's


class Kept:
    """Keeps what it is given."""

    made: ClassVar[list[Kept]] = []

    def __init__(self, argument: str = "") -> None:
        self.argument, self.told = argument, list[Any]()
        Kept.made.append(self)

    def open(self, header: Header) -> None:
        self.told.append(header)

    def write(self, prediction: Prediction) -> None:
        self.told.append(prediction)

    def close(self, summary: Summary | None) -> None:
        self.told.append(summary)


class Broken(Kept):
    """Cannot be written to."""

    def write(self, prediction: Prediction) -> None:
        raise UserError("the radio is off; switch it on")


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package is installed that brings outputs: one that works, one that is no output, one that fails."""
    points = [
        EntryPoint("kept", "test_outputs:Kept", "neuroclip_live.outputs"),
        EntryPoint("number", "test_outputs:NUMBER", "neuroclip_live.outputs"),
        EntryPoint("gone", "no_such_package:Output", "neuroclip_live.outputs"),
        EntryPoint("jsonl", "test_outputs:Kept", "neuroclip_live.outputs"),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if "outputs" in group else [])
    monkeypatch.setattr(OUTPUTS, "_added", None)
    Kept.made = []
    yield
    OUTPUTS._added = None


NUMBER = 3


@pytest.mark.usefixtures("plugged")
def test_an_output_of_another_package_is_an_output_like_any(recording, model) -> None:  # type: ignore[no-untyped-def]
    assert OUTPUTS.names() == (*(entry.name for entry in OUTPUTS.built_in), "kept")
    assert OUTPUTS.find("kept").help == "Keeps what it is given."
    assert OUTPUTS.find("jsonl").load() is JsonLines  # nobody takes the place of our own
    arguments = ["--replay", recording, *HEADLESS, "--model", model, "--speed", "max"]
    assert main([*arguments, "--output", "kept:one:two"]) == 0
    (output,) = Kept.made
    assert output.argument == "one:two"
    header, *predictions, summary = output.told
    assert isinstance(header, Header)
    assert isinstance(summary, Summary)
    assert len(predictions) == summary.predictions > 20
    assert all(isinstance(p, Prediction) for p in predictions)


@pytest.mark.usefixtures("plugged")
def test_what_was_made_is_closed_where_the_next_cannot_be_had() -> None:
    with pytest.raises(UserError, match="cannot write"):
        make_outputs(["kept", "jsonl:/no/such/place/p.jsonl"])
    assert Kept.made[0].told == [None]


def test_what_is_missing_is_named_with_how_to_install_it() -> None:
    entry = Entry(
        "osc", "to a mixer", "nowhere:Osc", requires=("no_such_module",), install="neuroclip-live[osc]"
    )
    with pytest.raises(
        UserError, match=r'no_such_module, not installed here: pip install "neuroclip-live\[osc\]"'
    ):
        entry.load()
    with pytest.raises(UserError, match="osc cannot be used: No module named"):
        Entry("osc", "to a mixer", "no_such_module:Osc").load()


def test_our_outputs_are_outputs() -> None:
    """For the type checker: each is one without inheriting from anything."""
    _: list[type[Output]] = [JsonLines, RecordingLabels, Kept]  # type: ignore[type-abstract]


# ---- beside a pipeline


def test_an_output_that_fails_is_told_and_the_others_go_on() -> None:
    good, bad = Kept(), Broken()
    with pipelines() as make:
        pipeline = make(Endless(()))
        thread = CarrierThread(Carrier(pipeline, [bad, good], pipeline.report))
        thread.start()
        wait_for(lambda: sum(isinstance(t, Prediction) for t in good.told) > 5)
        assert "the radio is off" in pipeline.status().message
        assert thread.stop(60.0)
    assert bad.told[1:] == [None]
    assert isinstance(good.told[-1], Summary)


class Shaky(Kept):
    """Is in trouble now and then, and goes on."""

    text = ""

    def trouble(self) -> str:
        return self.text


def test_what_an_output_is_in_trouble_with_is_told_as_long_as_it_is() -> None:
    output, other = Shaky(), Shaky()
    with pipelines() as make:
        pipeline = make(Endless(()))
        thread = CarrierThread(Carrier(pipeline, [output, other], pipeline.report, pipeline.report))
        thread.start()
        output.text = "the antenna is loose"
        wait_for(lambda: pipeline.status().message == "the antenna is loose")
        other.text = "the tape is full"
        wait_for(lambda: pipeline.status().message == "the antenna is loose; the tape is full")
        output.text = other.text = ""
        wait_for(lambda: not pipeline.status().message)
        before = len(output.told)
        wait_for(lambda: len(output.told) > before)
        assert thread.stop(60.0)


def test_each_prediction_comes_once_and_the_counts_are_theirs() -> None:
    output = Kept()
    with pipelines() as make:
        pipeline = make(ScriptedSource([packet(i * 5_000, 100) for i in range(30)]))
        carrier = Carrier(pipeline, [output])
        while carrier.look().state is not PipelineState.ENDED:
            pass
        carrier.finish()
        carrier.give_up()  # once more does nothing
    header, *predictions, summary = output.told
    assert header.model.name == "fake"
    numbers = [p.number for p in predictions]
    assert numbers == sorted(set(numbers))
    assert summary.predictions == len(predictions)
    assert summary.unwritten_predictions == 0


def test_the_newest_frame_goes_with_each_prediction_to_those_who_carry_it_out() -> None:
    framed, bare = Kept(), Kept()
    with pipelines() as make:
        pipeline = make(ScriptedSource([packet(i * 5_000, 100) for i in range(30)]))
        carriers = [Carrier(pipeline, [framed], framed=True), Carrier(pipeline, [bare])]
        newest: dict[int, Any] = {}
        while pipeline.status().state is not PipelineState.ENDED:
            for carrier in carriers:
                carrier.look()
            latest = pipeline.prediction()
            if latest is not None and latest.frames:
                newest[latest.number] = latest.frames[-1]
        for carrier in carriers:
            carrier.finish()
            carrier.give_up()
    got = {p.number: p.frames for p in framed.told if isinstance(p, Prediction)}
    assert got[max(got)]  # of those taken late, as by a busy machine, the newest have one
    assert {len(frames) for frames in got.values()} <= {0, 1}
    assert all(frames[0] is newest[number] for number, frames in got.items() if frames and number in newest)
    assert not any(p.frames for p in bare.told if isinstance(p, Prediction))


def test_other_words_or_another_source_are_told_by_another_header() -> None:
    output = Kept()
    pipeline = Pipeline(Endless(()), lambda progress: FakeBackbone(), PROMPTS, SETTINGS)  # type: ignore[arg-type,return-value]
    pipeline.start()
    carrier = Carrier(pipeline, [output])

    def headers() -> list[Header]:
        carrier.look()
        return [t for t in output.told if isinstance(t, Header)]

    wait_for(lambda: len(headers()) == 1)
    pipeline.set_prompts(PROMPTS.add("a boat"))
    wait_for(lambda: len(headers()) == 2)
    pipeline.open(ScriptedSource([threading.Event()], name="another"))
    wait_for(lambda: headers()[-1].source == "another")
    assert "a boat" in headers()[-1].to_dict()["prompts"]
    carrier.give_up()
    assert pipeline.stop(60.0)
    assert outputs_registry.takes_terminal("table")


def test_the_window_has_outputs_too(tmp_path, recording, model) -> None:  # type: ignore[no-untyped-def]
    lines = tmp_path / "p.jsonl"
    arguments = [
        "--replay",
        recording,
        "--runtime",
        "torch",
        "--model",
        model,
        "--config",
        str(tmp_path / "w"),
    ]
    assert main([*arguments, "--duration", "6", "--output", f"jsonl:{lines}"]) == 0
    header, *_, summary = told(lines)
    assert header["model"] == Path(model).name
    assert summary["type"] == "summary"
