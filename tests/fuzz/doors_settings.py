"""Doors that settings, words and the command line come in by."""

from __future__ import annotations

import contextlib
import io
from functools import cache
from typing import Any
from unittest import mock

from neuroclip_live.errors import UserError

from . import containers
from .dice import Dice, mutate
from .json_values import bad_text
from .places import file

SETTINGS: dict[str, Any] = {
    "version": 1, "theme": "dark", "event_colors": "", "accumulate": "time", "accumulate_ms": 33,
    "accumulate_events": 5000, "smoothing_s": 0.3, "threshold": 0.3, "show_frames": True, "loop": True,
    "recent": ["a.aedat4"], "geometry": "AAAA", "docks": "", "model": "event-nano", "device": "auto",
    "slice": "auto", "overlap": 2, "timesteps": 10, "colors": {"a mug": "#aabbcc"},
    "cameras": {"cam": {"controls": {"bias": 1.0}, "flip_x": True}},
    "prompt_sets": {"x": {"words": "a mug, -b", "off": ["b"], "templates": ["{}"], "none_of_these": False}},
}  # fmt: skip


def window_settings(data: bytes) -> None:
    """Load the window's settings, whatever they are; saved and loaded again they are the same."""
    from neuroclip_gui.settings import SettingsStore

    path = file(data, "window.json")
    loaded = SettingsStore(path).load()
    path.unlink(missing_ok=True)
    store = SettingsStore(path)
    store.save(loaded)
    assert SettingsStore(path).load() == loaded


def prompt_sets(data: bytes) -> None:
    """Use saved lists of words and what is remembered of cameras, as far as the settings took them over."""
    from neuroclip_gui.panels.camera.cameras import _numbers, _treatment
    from neuroclip_gui.panels.prompts.prompt_sets import read
    from neuroclip_gui.settings import SettingsStore

    loaded = SettingsStore(file(data, "window.json")).load()
    for kept in loaded.prompt_sets.values():
        with contextlib.suppress(UserError, KeyError, TypeError, ValueError):
            read(kept)
    for kept in loaded.cameras.values():
        _numbers(kept.get("controls"))
        _treatment(kept)


def config(data: bytes) -> None:
    """Read ``--config`` and make a run's settings of it."""
    from neuroclip_live.config import Config
    from neuroclip_live.session import settings_of

    with contextlib.suppress(UserError):
        settings = settings_of(Config(config=str(file(data, "config.json")), headless=True).with_saved())
        settings.slice_by.describe()


CONFIG = {"model": "event-nano", "device": "auto", "slice": "50ms", "overlap": 2, "timesteps": 10}


def _check_prompts(prompts: Any) -> None:
    from neuroclip_live.prompting.prompt_set import MAX_PROMPTS, parse_prompts

    assert len(prompts.prompts) <= MAX_PROMPTS
    for prompt in prompts.prompts[:5]:
        prompt.label.encode()
        assert prompt.label == " ".join(prompt.label.split()) != ""
        for sentence in prompts.sentences(prompt.label):
            sentence.encode()
        parse_prompts(prompt.label)
        with contextlib.suppress(UserError):
            prompts.rename(prompt.label, prompt.label + "x").replace(prompt.label + "x", enabled=False)
    with contextlib.suppress(UserError):
        prompts.validate()


def prompts(data: bytes) -> None:
    """Parse what was typed: the first part are words, the second templates, the third a slice."""
    from neuroclip_live.prompting.prompt_set import parse_prompts
    from neuroclip_live.prompting.templates import TEMPLATE_SETS, resolve_templates
    from neuroclip_live.session import speed_of
    from neuroclip_live.stream.slicing import parse_slice

    text = data.decode("utf-8", "surrogateescape")
    words, _, rest = text.partition("\x1f")
    chosen, _, slices = rest.partition("\x1f")
    templates = TEMPLATE_SETS["none"]
    with contextlib.suppress(UserError):
        templates = resolve_templates(chosen)
    with contextlib.suppress(UserError):
        parse_slice(slices, 1 + len(data) % 16).describe()
    with contextlib.suppress(UserError):
        speed_of(slices)
    with contextlib.suppress(UserError):
        _check_prompts(parse_prompts(words, templates, len(data) % 2 == 0))


def prompt_file(data: bytes) -> None:
    from neuroclip_live.prompting.prompt_set import read_prompts

    with contextlib.suppress(UserError):
        _check_prompts(read_prompts(file(data, "words.txt")))


def tokens(data: bytes) -> None:
    """Cut words into tokens, as far as a prompt may be long."""
    from neuroclip_live.prompting.prompt_set import parse_prompts

    with contextlib.suppress(UserError):
        rows = _tokenizer()(parse_prompts(data.decode("utf-8", "surrogateescape")).labels[:8])
        assert rows.shape[1] == 77


@cache
def _tokenizer() -> Any:
    from neuroclip_live.model.tokenizer import ClipTokenizer

    return ClipTokenizer(77)


WORDS = tuple(
    text.encode()
    for text in (
        'a mug, a phone; -hand, "salt, pepper"\nnot: a dog\x1fa photo of a {}|{}\x1f100ms',
        "a\nb\n# note\n-c\n", "\x1fphoto\x1f5000", "İstanbul, ß, SS, ﬁ\x1fevents\x1fauto",
        "日本語;&amp;lt;\x1f{}\x1f0.1s",
        ",".join(map(str, range(60))),
    )
)  # fmt: skip
WORD_TOKENS = (
    b'"', b",", b";", b"\n", b"-", b"not:", b"{}", b"|", b"\x1f", b"#", b"\xef\xbb\xbf", b"\xff",
    b"\xed\xa0\x80", b"\xe2\x80\xae", b"\xcc\x81" * 40, b" " * 300,
    b'"' * 100, b",-" * 100, b"a" * 400, b"\0", b"&lt;" * 20, b"9" * 400,
    "\U0001f468‍\U0001f469".encode(), "İ".encode() * 20, "ﷺ".encode() * 30,
)  # fmt: skip


def command_line(data: bytes) -> None:
    """Run the command line up to where it would load a model or open a window; it ends with 0 or 2."""
    from neuroclip_live.cli import few_shot_commands, main, reports, run_command

    arguments = data.decode("utf-8", "surrogateescape").split("\0")
    said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    with (
        mock.patch.object(run_command, "_run_headless", _would_run),
        mock.patch.object(run_command, "_run_window", _would_run),
        mock.patch.object(reports, "print_doctor", return_value=0),
        mock.patch.object(reports, "print_models", return_value=None),
        mock.patch.object(reports, "print_cameras", return_value=0),
        mock.patch.object(few_shot_commands, "_prepare", _would_prepare),
        mock.patch("neuroclip_live.cli.malloc_tuning.keep_memory", return_value=None),
        mock.patch("logging.basicConfig"),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        try:
            status = main.main(arguments)
        except SystemExit as end:  # doctor
            status = end.code
    assert status in (0, 2), status


def _would_run(config: Any, spec: Any, *_settings: Any) -> int:
    """Open recordings, which is quick; nothing else."""
    from neuroclip_live.session import prompts_of, settings_of

    prompts_of(config, spec).validate()
    settings_of(config).slice_by.describe()
    if spec.kind in ("replay", "demo"):
        from neuroclip_drivers.opening import open_source

        open_source(spec).close()
    return 0


def _would_prepare(values: dict[str, Any], _tell: Any) -> Any:
    from neuroclip_live.prompting.templates import resolve_templates

    if values["templates"]:
        resolve_templates(values["templates"])
    raise UserError("no data set is opened here")


@cache
def _a_recording() -> str:
    return str(file(containers.whole_files()[1], "whole.aedat4"))


def bad_arguments(dice: Dice) -> bytes:
    values = (
        "1", "0", "-1", "nan", "inf", "1e400", "0.5", "auto", "max", "100ms", "a, b", "-a", "", "x",
        "cpu", "{}", "a|{}",
        "9" * 400, "demo", "event-nano", "none", "/", "/dev/null", "/dev/zero", "~nobody/x",
        "no-such-file", "a=b", "=",
        _a_recording(),
    )  # fmt: skip
    parts: list[str] = []
    if dice.one_in(6):
        parts.append(dice.choose(("repair", "teach", "train", "evaluate", "doctor", "models", "x")))
    for _ in range(dice.small(7)):
        parts.append(dice.choose(_options()) if not dice.one_in(8) else bad_text(dice))
        if dice.below(4):
            parts.append(dice.choose(values) if not dice.one_in(4) else bad_text(dice))
    data = "\0".join(parts).encode("utf-8", "surrogatepass")
    return data if dice.below(4) else mutate(data, dice, (b"\0", b"--", b"=", b"-p", b"--speed"))


@cache
def _options() -> list[str]:
    from neuroclip_live.cli.main import cli

    return [name for command in (cli, *cli.loaded().values()) for o in command.params for name in o.opts] + [
        "--help"
    ]
