"""Files that are broken in every way: told in one line, and nothing else suffers."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import PROMPTS, SETTINGS, Endless, FakeBackbone, wait_for
from safetensors.numpy import save_file

from neuroclip_gui.settings import VERSION, SettingsStore, WindowSettings
from neuroclip_live.config import read_saved
from neuroclip_live.errors import UserError
from neuroclip_live.learning.adapter import FORMAT, load_adapter
from neuroclip_live.learning.lesson_file import read_lessons
from neuroclip_live.outputs.jsonl import JsonLines
from neuroclip_live.prompting.prompts import read_prompts
from neuroclip_live.recognition.pipeline import Pipeline, PipelineState

DEEP = "[" * 200_000


def text(content: str | bytes) -> Callable[[Path], object]:
    data = content if isinstance(content, bytes) else content.encode()
    return lambda path: path.write_bytes(data)


def unreadable(path: Path) -> None:
    path.write_text("{}")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")


BROKEN: dict[str, Callable[[Path], Any]] = {
    "missing": lambda path: None,
    "empty": text(""),
    "cut off": text('{"version": 1, "model": "event-na'),
    "not JSON": text("hello"),
    "not text": text(b"\xff\xfe\x00\x80"),
    "a list": text("[]"),
    "null": text("null"),
    "nested too deeply": text(DEEP),
    "a number of 5,000 digits": text('{"timesteps": ' + "9" * 5_000 + "}"),
    "wrong types": text('{"version": "x", "model": 5, "timesteps": [], "overlap": {}, "slice": 1}'),
    "unreadable": unreadable,
    "a folder": lambda path: path.mkdir(),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nowhere": lambda path: path.symlink_to(path.with_name("nowhere")),
    "without end": lambda path: path.symlink_to("/dev/zero"),
}


def one_line(caught: pytest.ExceptionInfo[UserError], path: Path) -> None:
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)


@pytest.mark.parametrize("how", BROKEN)
def test_settings_of_the_window(tmp_path: Path, how: str) -> None:
    path = tmp_path / "window.json"
    BROKEN[how](path)
    store = SettingsStore(path)
    assert store.load() == WindowSettings()
    silent = how in ("missing", "a link to nowhere", "wrong types")  # wrong types: each by itself, in the log
    assert bool(store.complaint) is not silent
    assert "\n" not in store.complaint
    store.save(WindowSettings(theme="light"))
    assert SettingsStore(path).load().theme == "light"  # from here on all is well again


def test_settings_of_another_version_are_read_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "window.json"
    for version in (VERSION + 1, 10**30):
        path.write_text(json.dumps({"version": version, "theme": "light", "timesteps": "many"}))
        before = path.read_bytes()
        store = SettingsStore(path)
        assert (store.load().theme, store.load().timesteps) == ("light", WindowSettings().timesteps)
        assert "newer version" in store.complaint
        store.save(WindowSettings())
        assert path.read_bytes() == before


@pytest.mark.parametrize("how", BROKEN)
def test_settings_without_a_window(tmp_path: Path, how: str) -> None:
    path = tmp_path / "my.json"
    BROKEN[how](path)
    with pytest.raises(UserError) as caught:
        read_saved(path)
    one_line(caught, path)


@pytest.mark.parametrize(
    "how", ["missing", "not text", "unreadable", "a folder", "a link to itself", "without end"]
)
def test_a_prompt_file(tmp_path: Path, how: str) -> None:
    path = tmp_path / "words.txt"
    BROKEN[how](path)
    with pytest.raises(UserError) as caught:
        read_prompts(path)
    one_line(caught, path)


@pytest.mark.parametrize("name", ["~nobody-of-this-name/words", "a\0b"])
def test_names_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    for reads in (read_prompts, read_saved):
        with pytest.raises(UserError) as caught:
            reads(name)
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError):
        JsonLines(str(tmp_path / "no" / name))


def metadata(about: str) -> Callable[[Path], None]:
    return lambda path: save_file({"x": np.ones(3, np.float32)}, path, metadata={"neuroclip_live": about})


HUGE = {"format": FORMAT, "model": "m", "embed_dim": 1 << 40, "timesteps": 3, "labels": []}
ARCHIVES: dict[str, Callable[[Path], Any]] = {
    **{how: BROKEN[how] for how in ("missing", "empty", "not JSON", "unreadable", "a folder")},
    "a link to itself": BROKEN["a link to itself"],
    "cut off": lambda path: (metadata("{}")(path), path.write_bytes(path.read_bytes()[:20])),
    "another version": metadata(json.dumps({"format": "neuroclip-live adapter 99"})),
    "a list inside": metadata("[]"),
    "nothing inside": metadata("null"),
    "nested too deeply": metadata(DEEP),
    "wrong types": metadata(json.dumps({**HUGE, "embed_dim": "wide", "timesteps": None})),
    "huge": metadata(json.dumps(HUGE)),
}  # fmt: skip


@pytest.mark.parametrize("how", ARCHIVES)
def test_an_adapter_and_lessons(tmp_path: Path, memory_within, how: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "mine.safetensors"
    ARCHIVES[how](path)
    importlib.import_module("neuroclip_live.learning.adapter_network")  # and torch: they are not watched
    with memory_within(100):
        for reads in (load_adapter, lambda path: read_lessons(path, "fake", 16, 3)):
            with pytest.raises(UserError) as caught:
                reads(path)
            one_line(caught, path)


def test_a_pipeline_with_a_broken_adapter_says_so_and_shows_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_text("hello")
    pipeline = Pipeline(
        Endless([]),
        lambda progress: FakeBackbone(),  # type: ignore[arg-type,return-value]
        PROMPTS,
        replace(SETTINGS, wait_for_model=False),
        lambda model: load_adapter(path),
    )
    pipeline.start()
    try:
        wait_for(lambda: pipeline.status().state is PipelineState.FAILED)
        assert "mine.safetensors is not an adapter" in pipeline.status().message
        wait_for(lambda: pipeline.status().total_events > 200)
    finally:
        assert pipeline.stop(60.0)
