"""What is written where the encoding lacks a character: a terminal, or a pipe, that is not UTF-8."""

from __future__ import annotations

import codecs
import json
import sys
from typing import Any

SPELLED = "spelled"
"""Name of the error handler for streams whose encoding lacks a character."""
_PLAIN = {"✓": "+", "✗": "x", "█": "#", "→": "->", "·": "-", "–": "-", "…": "...", "×": "x", "µ": "u"}


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Write letters by their numbers, so that two labels stay two, and signs by what looks like them."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    spelled = (
        _PLAIN.get(c) or (c.encode("unicode_escape").decode() if c.isalnum() else "?") for c in missing
    )
    return "".join(spelled), error.end


codecs.register_error(SPELLED, _spell)


def json_for_stdout(told: Any) -> str:
    """Return JSON as standard output can take it: what its encoding lacks is escaped, as JSON has it."""
    text = json.dumps(told, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeError:
        return json.dumps(told)
    return text
