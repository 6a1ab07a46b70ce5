"""The command line as a user meets it, in this process: exit status, what is printed, what is written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fakes import packet
from tiny_model import make_tiny_model

from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_live.cli.main import main
from neuroclip_live.cli.options import several_files
from neuroclip_live.events import Resolution
from neuroclip_live.plain_output import SPELLED

ROOT = Path(__file__).resolve().parents[1]
SENSOR = Resolution(48, 32)
EVENTS = 12_000


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny_model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("recordings") / "noise.aedat4"
    write_aedat4(path, [packet(1_000_000, EVENTS, step_us=50, sensor=SENSOR)], SENSOR)
    return str(path)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def run(*arguments: str) -> int:
    return main(list(arguments))


def headless(recording: str, model: str, *more: str) -> tuple[str, ...]:
    return ("--replay", recording, "--headless", "--runtime", "torch", "--model", model, *more)


def test_every_window_at_full_speed(recording: str, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = headless(recording, model, "--speed", "max", "-p", "a mug, -hand", "--jsonl", "-")
    assert run(*arguments) == 0
    first = lines(capsys.readouterr().out)
    header, *predictions, summary = first
    assert (header["type"], header["prompts"], header["negatives"]) == ("header", ["a mug"], ["hand"])
    assert header["resolution"] == list(SENSOR)
    assert (summary["events"], summary["dropped_events"], summary["skipped_windows"]) == (EVENTS, 0, 0)
    assert summary["windows"] == summary["predictions"] == len(predictions) > 50
    assert {p["type"] for p in predictions} == {"prediction"}
    assert predictions[0]["state"] == "warming-up"
    assert predictions[20]["state"] == "ok"
    assert list(predictions[20]["scores"]) == ["a mug"]
    assert run(*arguments) == 0
    second = lines(capsys.readouterr().out)
    times = ("latency_ms", "wall_s")
    assert [{k: v for k, v in line.items() if k not in times} for line in first] == [
        {k: v for k, v in line.items() if k not in times} for line in second
    ]


def test_real_time_gives_the_same_counts_and_a_file(recording: str, model: str, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert run(*headless(recording, model, "--speed", "1", "--jsonl", str(out))) == 0
    header, *predictions, summary = lines(out.read_text(encoding="utf-8"))
    assert header["source"].startswith("noise")
    assert summary["events"] == EVENTS
    assert summary["windows"] == summary["predictions"] + summary["skipped_windows"]
    assert len(predictions) == summary["predictions"]
    assert set(predictions[-1]["latency_ms"]) >= {"slice", "frame", "encode", "score", "total"}


def test_duration_ends_a_looping_run(recording: str, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    for seconds in (2, 10, 50):  # on a busy machine it takes longer until the recording has begun anew
        assert run(*headless(recording, model, "--loop", "--duration", str(seconds), "--jsonl", "-")) == 0
        summary = lines(capsys.readouterr().out)[-1]
        assert seconds <= summary["wall_s"] < seconds + 60  # it would loop for ever
        if summary["events"] > EVENTS:
            break
    assert summary["events"] > EVENTS


def test_the_table_is_shown_without_jsonl(
    recording: str, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*headless(recording, model, "--speed", "max", "-p", "a mug, a phone")) == 0
    assert "a phone" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--replay", "absent.aedat4", "--headless"], "absent.aedat4"),
        (["--slice", "0", "--headless"], "slice"),
        (["--timesteps", "0", "--headless"], "--timesteps 0"),
        (["--speed", "fast", "--headless"], "--speed"),
        (["--speed", "1000", "--headless"], "--speed"),
        (["--duration", "0"], "--duration"),
        (["--prompts", " , ", "--headless"], "prompt"),
        (["--prompts", ",".join(f"thing {i}" for i in range(10_000)), "--headless"], "10,000"),
        (["--prompt-file", "absent.txt", "--headless"], "absent.txt"),
        (["--templates", "no slot", "--headless"], "no slot"),
        (["--jsonl", "no/such/x.jsonl"], "no/such/x.jsonl"),
        (["--replay", "a", "--connect", "b:1", "--headless"], "choose one"),
        (["--nonsense"], "--nonsense"),
        (["--overlap", "0", "--headless"], "hops"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert words in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "no-such-model"], "no-such-model"),
        (["--model", "ViT-B-32", "--weights", "absent.safetensors"], "absent.safetensors"),
        (["--device", "cuda"], "cuda was asked for"),
        (["--adapter", "absent.safetensors"], "absent.safetensors"),
        (["--prompts", "very " * 40 + "long"], "tokens"),
    ],
)
def test_what_the_model_refuses_is_one_line_and_status_2(
    arguments: list[str], words: str, recording: str, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    if "cuda" in arguments and torch.cuda.is_available():
        pytest.skip("CUDA is here")
    assert run(*headless(recording, model, "--speed", "max", "--jsonl", "-", *arguments)) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1, captured.err
    assert words in captured.err


def test_any_unicode_is_a_prompt(recording: str, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    labels = ["кружка", "杯子", "🐕", "מאג", "a\u200bb"]
    assert run(*headless(recording, model, "--speed", "max", "--jsonl", "-", "-p", ",".join(labels))) == 0
    assert lines(capsys.readouterr().out)[1]["scores"].keys() == set(labels)


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    assert "--replay" in capsys.readouterr().out
    assert run("--version") == 0
    assert run("models") == 0
    assert "event-nano" in capsys.readouterr().out


def test_what_was_taught_from_a_recording_competes_with_what_is_typed(
    recording: str, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taught = str(tmp_path / "taught.safetensors")
    show = ("--show", f"grey noise={recording}", "--seconds", "0.4")
    assert run("teach", *show, "--out", taught, "--runtime", "torch", "--model", model) == 0
    assert "grey noise" in capsys.readouterr().out
    arguments = headless(recording, model, "--speed", "max", "--jsonl", "-", "--start", "0.4")
    assert run(*arguments, "-p", "a mug, a phone", "--taught", taught) == 0
    with_lessons = lines(capsys.readouterr().out)
    assert run(*arguments, "-p", "a mug, a phone, grey noise") == 0
    without = lines(capsys.readouterr().out)
    assert with_lessons[0]["prompts"] == without[0]["prompts"] == ["a mug", "a phone", "grey noise"]
    assert with_lessons[-2]["t_us"] == without[-2]["t_us"]
    assert with_lessons[-2]["scores"] != without[-2]["scores"], "what was learnt changes the scores"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["teach", "--show", "no file", "--out", "x"], "LABEL=FILE"),
        (["teach", "--show", "a mug=absent.aedat4", "--out", "x"], "absent.aedat4"),
        (["evaluate", "--dataset", "folder", "--root", "absent", "--out", "x.csv"], "absent"),
        (["train", "--dataset", "n-mnist", "--root", "absent", "--shots", "1", "--out", "x"], "absent"),
        (["evaluate", "--dataset", "folder", "--root", ".", "--out", "x.csv", "--shots", "many"], "many"),
    ],
)
def test_bad_input_to_the_few_shot_commands(
    arguments: list[str], words: str, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    more = () if arguments[0] == "teach" else ("--runtime", "torch", "--model", model)
    assert run(*arguments, *more) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert words in captured.err


@pytest.mark.parametrize("speed", ["max", "100"])
def test_a_recording_too_short_for_one_slice_says_so(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str], speed: str
) -> None:
    path = tmp_path / "short.aedat4"
    write_aedat4(path, [packet(1_000_000, 40, step_us=100, sensor=SENSOR)], SENSOR)
    assert run(*headless(str(path), model, "--speed", speed, "-p", "a, b", "--jsonl", "-")) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "short.aedat4 is too short for one slice: 40 events in 0.004 s" in told
    assert "try --slice 10" in told
    assert (
        run(*headless(str(path), model, "--speed", speed, "-p", "a, b", "--slice", "10", "--jsonl", "-")) == 0
    )
    out = capsys.readouterr()
    assert lines(out.out)[-1]["predictions"] > 0
    assert "too short" not in out.err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_of_any_encoding_gets_its_table(recording: str, model: str, encoding: str) -> None:
    command = [
        sys.executable,
        "-m",
        "neuroclip_live",
        *headless(recording, model, "--speed", "max", "-p", "größe, b"),
    ]
    done = subprocess.run(
        command, capture_output=True, cwd=ROOT, env={**os.environ, "PYTHONIOENCODING": encoding}
    )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert ("█".encode() if encoding == "utf-8" else b"###") in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_labels_stay_apart_where_the_encoding_lacks_them(recording: str, model: str, encoding: str) -> None:
    for jsonl in (["--jsonl", "-"], []):
        command = [*headless(recording, model, "--speed", "max", "-p", "größe, 手, 足"), *jsonl]
        done = subprocess.run(
            [sys.executable, "-m", "neuroclip_live", *command],
            capture_output=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONIOENCODING": encoding},
        )
        assert done.returncode == 0, done.stderr
        told = done.stdout.decode(encoding)
        if jsonl:
            assert lines(told)[0]["prompts"] == ["größe", "手", "足"]
        else:
            assert "\\u624b" in told
            assert "\\u8db3" in told


def test_what_works_and_what_does_not_stay_apart_in_plain_letters() -> None:
    assert "✓ ok, ✗ failed → 5 µs".encode("ascii", SPELLED) == b"+ ok, x failed -> 5 us"


def test_an_overlap_out_of_range_names_the_option(
    recording: str, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for overlap in ("0", "-1", "17"):
        assert run(*headless(recording, model, "--overlap", overlap)) == 2
        assert f"--overlap {overlap}: a slice has 1 (no overlap) to 16 hops" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--replay a", "--replay a"),
        ("--replay a b c", "--replay a --replay b --replay c"),
        ("-v --replay a b --prompts x --loop", "-v --replay a --replay b --prompts x --loop"),
        ("--replay=a b --headless", "--replay=a --replay b --headless"),
        ("--replay a --replay b c", "--replay a --replay b --replay c"),
        ("--replay a doctor", "--replay a doctor"),
        ("doctor a b", "doctor a b"),
        ("--prompts x y", "--prompts x y"),
    ],
)
def test_everything_after_replay_up_to_the_next_option_is_a_recording(typed, meant):
    assert several_files(typed.split(), {"doctor"}) == meant.split()


def test_several_recordings_are_for_the_window(recording, capsys):
    assert main(["--replay", recording, recording, "--headless"]) == 2
    assert "--replay of several recordings is for the window" in capsys.readouterr().err


def test_a_recording_of_several_that_is_not_there_is_named(recording, capsys):
    assert main(["--replay", recording, "absent.aedat4"]) == 2
    assert "--replay: No such file: absent.aedat4" in capsys.readouterr().err
