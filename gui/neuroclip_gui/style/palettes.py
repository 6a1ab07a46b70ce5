"""Colors, and nothing else: three window themes and seven ways to color events.

Every text color has a contrast of at least 4.5 : 1 on the surface it is used on (``tests/gui/test_parts.py``
computes it). Polarity is told by red against green only where that is chosen: other
programs do, and one in twelve men cannot see it. The color-blind-safe set is Okabe and Ito's.
"""

from __future__ import annotations

from dataclasses import dataclass

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class EventColors:
    """How a pixel looks: nothing happened, brightness rose (ON), brightness fell (OFF)."""

    title: str
    ground: Rgb
    on: Rgb
    off: Rgb


EVENT_COLORS: dict[str, EventColors] = {
    "dark": EventColors("Dark", (9, 12, 17), (244, 247, 251), (52, 132, 255)),
    "light": EventColors("Light", (250, 251, 253), (24, 99, 214), (28, 34, 43)),
    "safe": EventColors("Color-blind safe", (9, 12, 17), (230, 159, 0), (86, 180, 233)),
    "warm": EventColors("Amber and teal", (10, 12, 14), (255, 190, 92), (38, 166, 154)),
    "green-red": EventColors("Green and red", (9, 12, 17), (64, 220, 96), (255, 72, 64)),
    "red-blue": EventColors("Red and blue", (250, 251, 253), (208, 24, 32), (24, 72, 214)),
    "paper": EventColors("As the network sees it", (127, 127, 127), (0, 0, 0), (255, 255, 255)),
}
"""By the name kept in the settings."""


@dataclass(frozen=True)
class Palette:
    """The colors of one window theme, as ``#rrggbb``.

    ``window`` is behind everything, ``panel`` carries text, ``raised`` is for fields and buttons,
    ``sunken`` for plots, ``record`` for what records. ``series`` are the colors given to prompts in turn.
    """

    name: str
    title: str
    dark: bool
    window: str
    panel: str
    raised: str
    sunken: str
    border: str
    text: str
    muted: str
    accent: str
    on_accent: str
    good: str
    warn: str
    bad: str
    record: str
    series: tuple[str, ...]
    events: str


_OKABE_ITO = ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#7aa6ff", "#b8c0c8")

PALETTES: dict[str, Palette] = {
    "dark": Palette(
        name="dark",
        title="Dark",
        dark=True,
        window="#0b0e13",
        panel="#12161d",
        raised="#1b212b",
        sunken="#0d1117",
        border="#262e3a",
        text="#e8edf4",
        muted="#8e9bab",
        accent="#4fd1c5",
        on_accent="#04211e",
        good="#5fd38d",
        warn="#f2b84b",
        bad="#ff7b72",
        record="#ff5a52",
        series=(
            "#5eb8ff", "#ffb454", "#7ee2a8", "#ff8fab", "#b79cff",
            "#f4e06d", "#4fd1c5", "#ff9e7a", "#9fd36a", "#d9a6ff",
        ),
        events="dark",
    ),
    "light": Palette(
        name="light",
        title="Light",
        dark=False,
        window="#e9edf2",
        panel="#ffffff",
        raised="#f2f5f8",
        sunken="#f7f9fb",
        border="#d3dae3",
        text="#151b23",
        muted="#4f5b69",
        accent="#0a6f66",
        on_accent="#ffffff",
        good="#14683a",
        warn="#7d4f00",
        bad="#b3261e",
        record="#c01c28",
        series=(
            "#1769c2", "#b35f00", "#17803f", "#c2255c", "#6741d9",
            "#8a7400", "#0a6f66", "#c4461b", "#4d7c0f", "#9c36b5",
        ),
        events="light",
    ),
    "safe": Palette(
        name="safe",
        title="Color-blind safe",
        dark=True,
        window="#0d0f12",
        panel="#15181d",
        raised="#20252c",
        sunken="#0f1216",
        border="#313943",
        text="#f2f5f8",
        muted="#9aa6b3",
        accent="#56b4e9",
        on_accent="#06202f",
        good="#56b4e9",
        warn="#e69f00",
        bad="#f0986a",
        record="#ff6b5e",
        series=_OKABE_ITO,
        events="safe",
    ),
}  # fmt: skip
"""By the name kept in the settings; the first is the default."""


def rgb(color: str) -> Rgb:
    """Return ``#rrggbb`` as three numbers."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colors, 1 to 21 (WCAG 2.1, 1.4.3)."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def ink_over(color: str) -> str:
    """Return black or white, whichever is easier to read on a color: at least 4.58 : 1 on any."""
    return max("#000000", "#ffffff", key=lambda ink: contrast(ink, color))


def _luminance(color: str) -> float:
    parts = [part / 255 for part in rgb(color)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
