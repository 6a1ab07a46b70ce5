"""What is called motion, as it is typed and kept: apart from what looks for it, which brings a compiler."""

from __future__ import annotations

import math

from neuroclip_live.errors import UserError

MOST_HZ = 1_000.0
"""Most events per pixel and second that can be asked for."""


def parse_motion(text: str) -> float | None:
    """Read ``auto`` (None), or a rate in events per pixel and second.

    Raises
    ------
    UserError
        When it is neither.
    """
    if text.strip().lower() == "auto":
        return None
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 <= rate <= MOST_HZ:
        raise UserError(
            f"--motion {text!r}: write auto, or events per pixel and second from 0 to {MOST_HZ:g}"
        )
    return rate


def describe_motion(rate: float | None) -> str:
    """Return the form :func:`parse_motion` reads."""
    return "auto" if rate is None else f"{rate:g}"
