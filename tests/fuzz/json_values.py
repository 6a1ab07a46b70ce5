"""JSON that nobody expects."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .dice import Dice, mutate

JSON_TOKENS = (
    b"null", b"true", b"NaN", b"Infinity", b"-1", b"0", b"1e999", b'""', b"[]", b"{}", b"[[", b'{"a":',
    b'"\\ud800"',
    b"9" * 30, b"9" * 400, b"[" * 300, b'"' + b"a" * 300 + b'"', b"\xff", b"\0", b"\xef\xbb\xbf", b",",
    b":", b'"',
)  # fmt: skip


def bad_value(dice: Dice, depth: int = 0) -> Any:
    """Return any value that JSON can hold."""
    match dice.below(9):
        case 0:
            return dice.odd_number()
        case 1:
            return dice.odd_number() * 10 ** dice.below(400)
        case 2:
            return dice.choose((0.5, -0.0, 1e308, float("nan"), float("inf"), -1e-320))
        case 3:
            return dice.choose((None, True, False))
        case 4:
            return bad_text(dice)
        case 5:
            return [bad_value(dice, depth + 1) for _ in range(dice.small(4))] if depth < 3 else []
        case 6:
            items = range(dice.small(4)) if depth < 3 else ()
            return {bad_text(dice): bad_value(dice, depth + 1) for _ in items}
        case _:
            return dice.choose(
                ("auto", "event-nano", "dark", "100ms", "5000", "{}", "#aabbcc", "cpu", "a, b", 1, 10)
            )


_CHARACTERS = (
    *"abc ,;-\"'{}|:#\n\t\r\0=/~.", "ﬁ", "İ", "ß", "日", "́", "‍", "‮", "\ud800", "\U0001f600", "\x1b",
    "\x85", "not:"
)  # fmt: skip


def bad_text(dice: Dice) -> str:
    if dice.one_in(12):
        return dice.choose(
            ("a" * 300, "9" * 400 + "ms", "9" * 400, "~nobody/x", "~", "/", "..", "\0", "a " * 200)
        )
    return "".join(dice.choose(_CHARACTERS) for _ in range(dice.small(24)))


def bad_json(good: dict[str, Any]) -> Callable[[Dice], bytes]:
    text = json.dumps(good).encode()

    def make(dice: Dice) -> bytes:
        if dice.one_in(3):
            return mutate(text, dice, JSON_TOKENS)
        bad = dict(good)
        for _ in range(1 + dice.small(4)):
            bad[dice.choose(list(good))] = bad_value(dice)
        return json.dumps(bad).encode()

    return make
