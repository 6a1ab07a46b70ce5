"""A settings file for runs without a window."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from neuroclip_live.cli import main as command_line
from neuroclip_live.cli import run_command
from neuroclip_live.config import Config
from neuroclip_live.errors import UserError


def write(tmp_path, **values):  # type: ignore[no-untyped-def]
    path = tmp_path / "my.json"
    path.write_text(json.dumps(values))
    return str(path)


def test_a_file_fills_in_what_was_not_typed(tmp_path):  # type: ignore[no-untyped-def]
    path = write(tmp_path, timesteps=4, slice="50ms", theme="light", version=1)
    options = Config(config=path, slice="20ms", given=frozenset({"slice"})).with_saved()
    assert (options.timesteps, options.slice, options.model) == (4, "20ms", "event-nano")


def test_an_adapter_decides_model_and_t(tmp_path):  # type: ignore[no-untyped-def]
    path = write(tmp_path, timesteps=4, model="RN50/openai", slice="50ms")
    options = Config(config=path, adapter="a.safetensors").with_saved()
    assert (options.timesteps, options.model, options.slice) == (10, "event-nano", "50ms")
    assert Config(weights="w.pt").decided == {"model"}


@pytest.mark.parametrize("text", ["", "[]", '{"timesteps": "ten"}', '{"model": 5}', '{"overlap": true}'])
def test_a_file_that_cannot_be_meant_is_refused_without_a_window(tmp_path, text):  # type: ignore[no-untyped-def]
    path = tmp_path / "my.json"
    path.write_text(text)
    with pytest.raises(UserError, match="--config"):
        Config(config=str(path)).with_saved()


@pytest.mark.parametrize("speed", ["1", "max"])
@pytest.mark.parametrize("wrong", [{"model": "/no/such/model"}, {"device": "abacus"}])
def test_what_a_file_chose_is_not_said_to_have_been_typed(tmp_path, speed, wrong, capsys):  # type: ignore[no-untyped-def]
    path, (name,) = write(tmp_path, **wrong), wrong
    run = ["--headless", "--speed", speed, "--config", path, "--jsonl", str(tmp_path / "out.jsonl")]
    assert command_line.main(run) == 2
    assert f"--config {path}: {name}: no " in capsys.readouterr().err
    assert command_line.main([*run, f"--{name}", wrong[name]]) == 2
    assert f"live: --{name}: no " in capsys.readouterr().err


def test_a_file_that_is_not_there_is_refused(tmp_path):  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match="cannot read"):
        Config(config=str(tmp_path / "none.json")).with_saved()


def test_the_command_line_tells_what_was_typed(tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    seen: list[Config] = []
    monkeypatch.setattr(run_command, "run", lambda options: seen.append(options) or 0)
    path = write(tmp_path, timesteps=4)
    CliRunner().invoke(command_line.cli, ["--config", path, "--timesteps", "10", "--headless"])
    assert seen[0].given == {"config", "timesteps", "headless"}
    assert seen[0].with_saved().timesteps == 10
