"""A file of actions, read and checked before anything runs.

[[action]]
name = "a hand came"
label = "a hand"          # typed or taught
enter = 0.7               # at or above this ...
for_s = 0.5               # ... for so long, in the stream's time
leave = 0.5               # and it is over below this
run = ["notify-send", "{label} {probability}"]
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neuroclip_live.actions.effect import Effect, Given
from neuroclip_live.actions.registry import EFFECTS
from neuroclip_live.actions.rules import Rule, Rules, Where
from neuroclip_live.bounded import home_expanded, read_bounded
from neuroclip_live.errors import UserError
from neuroclip_live.stream.box import Box

MAX_BYTES = 1 << 20
MAX_ACTIONS = 100
MAX_TEXT = 300
LONGEST_S = 86_400.0
MOST_KEPT_S = 600.0
_NUMBERS = {
    "enter": (0.7, 1.0),
    "leave": (0.5, 1.0),
    "for_s": (0.5, LONGEST_S),
    "at_most_every_s": (1.0, LONGEST_S),
    "timeout_s": (10.0, 3600.0),
    "before_s": (2.0, MOST_KEPT_S),
    "after_s": (2.0, MOST_KEPT_S),
    "longest_s": (60.0, LONGEST_S),
}
"""Every number: what it is where it is not given, and what it is at the most."""
_KEYS = ("name", "label", "where", "region", *_NUMBERS)


def read_rules(path: str | Path) -> Rules:
    """Read and check a file.

    Raises
    ------
    UserError
        When it cannot be read, is no TOML, or an action makes no sense; the message names action and key.
    """
    try:
        place = home_expanded(path)
        data = tomllib.loads(read_bounded(place, MAX_BYTES).decode("utf-8"))
    except (OSError, UnicodeEncodeError) as error:
        raise UserError(
            f"cannot read --actions {path}: {getattr(error, 'strerror', None) or error}"
        ) from None
    except (ValueError, RecursionError) as error:  # ValueError: no TOML, no UTF-8
        raise UserError(f"--actions {path} is no TOML: {error}") from None
    for key in data:
        if key != "action":
            raise UserError(
                f"--actions {path}: {_short(key)} is not known here; write [[action]] before each action"
            )
    entries = data.get("action", [])
    if not isinstance(entries, list) or not entries or not all(isinstance(e, dict) for e in entries):
        raise UserError(f"--actions {path} holds no actions: write [[action]] before each")
    if len(entries) > MAX_ACTIONS:
        raise UserError(f"--actions {path}: {len(entries)} actions are too many; at most {MAX_ACTIONS}")
    rules: list[Rule] = []
    for number, entry in enumerate(entries, 1):
        rule = _rule(entry, _whose(path, number, entry), place.parent)
        if any(rule.name == other.name for other in rules):
            raise UserError(
                f"--actions {path}: two actions are called {rule.name!r}; give each a name of its own"
            )
        rules.append(rule)
    return Rules(str(path), tuple(rules))


def _whose(path: str | Path, number: int, entry: Mapping[str, Any]) -> str:
    name = entry.get("name", entry.get("label"))
    called = f" ({_short(name)})" if isinstance(name, str) else ""
    return f"--actions {path}, action {number}{called}"


def _rule(entry: Mapping[str, Any], where: str, folder: Path) -> Rule:
    effects = EFFECTS.names()
    for key in entry:
        if key not in _KEYS and key not in effects:
            known = ", ".join(sorted({*_KEYS, *effects}))
            raise UserError(f"{where}: {_short(key)} is not known; choose from {known}")
    label = _text(entry, "label", where)
    if label is None:
        raise UserError(f'{where}: label is missing; say which, as in label = "a hand"')
    numbers = {key: _number(entry, key, where) for key in _NUMBERS}
    if "leave" not in entry:
        numbers["leave"] = min(numbers["leave"], numbers["enter"])
    if not 0 < numbers["leave"] <= numbers["enter"]:
        raise UserError(
            f"{where}: leave {numbers['leave']:g} must be above 0 and at most enter, {numbers['enter']:g}"
        )
    if not numbers["timeout_s"]:
        raise UserError(f"{where}: timeout_s 0 leaves no time; give a number of seconds above 0")
    region, kind = _region(entry.get("region"), where), _where(entry, where)
    if region is not None and kind != "object":
        raise UserError(f'{where}: region is for objects; write where = "object"')
    given = Given(folder, *(numbers[key] for key in ("timeout_s", "before_s", "after_s", "longest_s")))
    made = tuple(_effect(key, entry[key], given, where) for key in effects if key in entry)
    if not made:
        raise UserError(f"{where}: nothing is to be done; give one of {', '.join(effects)}")
    return Rule(
        name=_text(entry, "name", where) or label,
        label=label,
        enter=numbers["enter"],
        leave=numbers["leave"],
        for_s=numbers["for_s"],
        at_most_every_s=numbers["at_most_every_s"],
        where=kind,
        region=region,
        effects=made,
    )


def _effect(key: str, value: Any, given: Given, where: str) -> Effect:
    try:
        effect: Effect = EFFECTS.make(key, value, given)
    except UserError as error:
        raise UserError(f"{where}: {key}: {error}") from None
    return effect


def _where(entry: Mapping[str, Any], where: str) -> Where:
    kind = entry.get("where", "object" if "region" in entry else "picture")
    if kind == "picture" or kind == "object":
        chosen: Where = kind
        return chosen
    raise UserError(f"{where}: where {_short(kind)}: choose picture or object")


def _text(entry: Mapping[str, Any], key: str, where: str) -> str | None:
    value = entry.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT or not value.isprintable():
        raise UserError(f"{where}: {key} {_short(value)}: give text of 1 to {MAX_TEXT} characters in a line")
    return value.strip()


def _number(entry: Mapping[str, Any], key: str, where: str) -> float:
    default, most = _NUMBERS[key]
    value = entry.get(key, default)
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not good or not 0 <= value <= most:
        raise UserError(f"{where}: {key} {_short(value)}: give a number from 0 to {most:g}")
    return float(value)


def _region(value: Any, where: str) -> Box | None:
    if value is None:
        return None
    whole = (
        isinstance(value, list) and len(value) == 4 and all(type(v) is int and 0 <= v < 65536 for v in value)
    )
    if not whole or value[0] >= value[2] or value[1] >= value[3]:
        raise UserError(f"{where}: region {_short(value)}: give [left, top, right, bottom] in pixels")
    return Box(*value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}..."
