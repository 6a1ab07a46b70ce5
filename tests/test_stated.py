"""What settings, words, adapters and lessons state is looked at before it is believed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzz.doors_samples import _adapter_seeds, _lesson_seeds

from neuroclip_gui.panels.prompts.prompt_sets import read as read_prompt_set
from neuroclip_gui.settings import SettingsStore, WindowSettings
from neuroclip_live.config import read_saved
from neuroclip_live.errors import UserError
from neuroclip_live.learning.adapter import load_adapter
from neuroclip_live.learning.lesson_file import read_lessons
from neuroclip_live.prompting.prompt_set import MAX_LABEL, PromptSet, parse_prompts, read_prompts
from neuroclip_live.prompting.templates import resolve_templates
from neuroclip_live.stream.slicing import SliceBy, parse_slice


def changed(data: bytes, path: Path, **about: Any) -> Path:
    """Write a safetensors file with other values in its description."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    told = json.loads(header["__metadata__"]["neuroclip_live"])
    header["__metadata__"]["neuroclip_live"] = json.dumps({**told, **about})
    raw = json.dumps(header).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + data[8 + size :])
    return path


@pytest.mark.parametrize(
    "about",
    [
        {"embed_dim": "16"},
        {"embed_dim": 2**40},
        {"timesteps": 2**31},
        {"timesteps": 2.5},
        {"ratio": "much"},
        {"ratio": float("nan")},
        {"feature_scale": []},
        {"timestep_weights": "cpu"},
        {"timestep_weights": [1.0]},
        {"labels": [1, 2]},
        {"kind": "rnn"},
    ],
    ids=str,
)
def test_an_adapter_whose_description_makes_no_sense(tmp_path: Path, about: dict[str, Any]) -> None:
    good, weighted = _adapter_seeds()
    load_adapter(changed(good, tmp_path / "good"))
    load_adapter(changed(weighted, tmp_path / "weighted"))
    with pytest.raises(UserError, match="or it is damaged"):
        load_adapter(changed(good, tmp_path / "bad", **about))


def test_an_adapter_or_lessons_with_weights_that_are_no_numbers(tmp_path: Path) -> None:
    nan = np.full(8, np.nan, dtype=np.float32).tobytes()
    path = tmp_path / "nan"
    good = changed(_adapter_seeds()[0], path).read_bytes()
    at = 8 + int.from_bytes(good[:8], "little")
    path.write_bytes(good[:at] + nan + good[at + len(nan) :])
    with pytest.raises(UserError, match="or it is damaged"):
        load_adapter(path)
    good = changed(_lesson_seeds()[0], path).read_bytes()
    path.write_bytes(good[: -len(nan)] + nan)
    with pytest.raises(UserError, match="or it is damaged"):
        read_lessons(path, "event-nano", 16, 2)


@pytest.mark.parametrize(
    "about",
    [
        {"timesteps": float("inf")},
        {"lessons": [{"label": 5, "is_it": True}]},
        {"lessons": 7},
        {"lessons": ["a"]},
    ],
    ids=str,
)
def test_lessons_whose_description_makes_no_sense(tmp_path: Path, about: dict[str, Any]) -> None:
    read_lessons(changed(_lesson_seeds()[0], tmp_path / "good"), "event-nano", 16, 2)
    with pytest.raises(UserError, match="or it is damaged"):
        read_lessons(changed(_lesson_seeds()[0], tmp_path / "bad", **about), "event-nano", 16, 2)


def test_a_setting_of_hundreds_of_digits_becomes_the_default(tmp_path: Path) -> None:
    path = tmp_path / "window.json"
    path.write_text('{"version": 1, "theme": "light", "smoothing_s": 1' + 400 * "0" + "}")
    assert SettingsStore(path).load() == WindowSettings(theme="light")


@pytest.mark.parametrize("kept", [{"off": [5]}, {"templates": [None]}, {"words": 7}, {"off": 3}], ids=str)
def test_a_list_of_words_that_is_none(kept: dict[str, Any]) -> None:
    good = {"words": "a, b", "off": ["b"], "templates": ["{}"], "none_of_these": False}
    assert read_prompt_set(good).labels == ("a", "b")
    with pytest.raises((TypeError, ValueError)):
        read_prompt_set({**good, **kept})


def test_files_of_a_user_who_is_not_there_and_names_that_are_none() -> None:
    for path in ("~nobody-of-that-name/words.txt", "a\0b", "\ud800"):
        with pytest.raises(UserError, match="cannot read"):
            read_prompts(path)
        with pytest.raises(UserError, match="--config"):
            read_saved(path)


def test_endless_words_are_refused_before_they_are_cut_into_tokens() -> None:
    assert parse_prompts("a" * MAX_LABEL).labels == ("a" * MAX_LABEL,)
    for text in ("b" * (MAX_LABEL + 1), "c, " + "d " * 200):
        with pytest.raises(UserError, match="at most 300 can be read"):
            parse_prompts(text)
    with pytest.raises(UserError, match="at most 300 can be read"):
        PromptSet.of(["a"]).rename("a", "e" * 1000)
    with pytest.raises(UserError, match="at most 300 can be read"):
        resolve_templates("a photo of " + "very " * 100 + "{}")
    with pytest.raises(UserError, match="too many: at most 100"):
        resolve_templates("|".join(["a {}"] * 101))


def test_templates_of_a_badly_decoded_command_line_can_be_encoded() -> None:
    templates = resolve_templates(b"a \xff{}".decode("utf-8", "surrogateescape"))
    assert parse_prompts("x", templates).sentences("x")[0].encode()


@pytest.mark.parametrize(
    "text", ["9" * 400, "9" * 400 + "s", "-" + "9" * 400, "3601s", "-5ms", "0"], ids=lambda t: t[:9]
)
def test_slices_that_are_too_long_or_none(text: str) -> None:
    with pytest.raises(UserError, match="a slice of"):
        parse_slice(text)


@pytest.mark.parametrize("time_us", [2, 1_001, 33_333, 1_234_567, 3_599_999_999])
def test_a_slice_described_is_the_slice_read(time_us: int) -> None:
    by = SliceBy("time", time_us=time_us)
    assert parse_slice(by.describe()) == by
