"""Settings with a few values each, declared as data: every one is a sub-menu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neuroclip_gui.style.palettes import EVENT_COLORS, PALETTES


@dataclass(frozen=True)
class Choice:
    """One setting with a few values, as a sub-menu."""

    name: str
    text: str
    values: tuple[tuple[Any, str], ...]
    do: Callable[..., Any]


CHOICES: tuple[Choice, ...] = (
    Choice(
        "theme", "&Theme", tuple((n, p.title) for n, p in PALETTES.items()), lambda w, v: w.do.set_theme(v)
    ),
    Choice(
        "event_colors",
        "Event &colors",
        (("", "as the theme"), *((n, c.title) for n, c in EVENT_COLORS.items())),
        lambda w, v: w.live.set_colors(v),
    ),
    Choice(
        "accumulate",
        "&Accumulate",
        (
            *((("time", ms), f"Events of {ms} ms") for ms in (10, 20, 33, 50, 100, 200)),
            *((("count", n), f"{n:,} events") for n in (2000, 5000, 10_000, 20_000, 50_000)),
            *((("fade", ms), f"Fading, {ms} ms") for ms in (20, 50, 100, 300)),
        ),
        lambda w, v: w.live.set_accumulation(*v),
    ),
    Choice(
        "smoothing",
        "Steady the &decision",
        (
            (0.0, "Off: the mean of the timesteps"),
            (0.3, "A little, 0.3 s"),
            (1.0, "More, 1 s"),
            (2.5, "Most, 2.5 s"),
        ),
        lambda w, v: w.do.set_smoothing(v),
    ),
)
