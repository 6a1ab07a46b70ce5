"""Pictures with names from icon sets and emoji: the drawings that look most like event edges.

Reads the ``icons.json`` of npm's ``@iconify-json/*`` packages (``npm pack @iconify-json/noto`` and so on;
licenses in ``training/README.md``), keeps the icons whose names are things one can see, and renders each
with QtSvg to a gray image with transparency. Nothing of the packages is stored in this repository.
"""

from __future__ import annotations

import json
import os
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SIDE = 112
"""Side, in pixels, at which icons are rendered."""

_STYLE_WORDS = frozenset(
    "outline outlined fill filled bold duotone linear broken thin light rounded round sharp negative flat "
    "duo remix solid regular line color twotone high contrast low sm lg alt 16 20 24 28 32 48 16px 24px "
    "11 15 12 01 02 03 04 05 06 one two three four five six minimalistic square circle simple black white "
    "variant freehand large small".split()
)
_SKIP_WORDS = frozenset(
    "off add plus minus check slash cancel edit remove sync search settings arrow up down left right "
    "alert question badge clock lock unlock data chart file folder user users logo ai code text align "
    "layout border sort filter cursor tone skin dark medium flag disabled download upload share signal "
    "database number letter xmark exclamation crossed no not prohibited button keycap input symbol sign "
    "mark network cloud server wifi bluetooth brand app web browser page window view grid list table "
    "column row cell multiple heart star dollar".split()
)
_EMOJI_SETS = frozenset(
    "noto noto-v1 openmoji twemoji fluent-emoji fluent-emoji-flat fluent-emoji-high-contrast emojione "
    "emojione-v1 fxemoji streamline-emojis".split()
)
_FREE_NAME_SETS = _EMOJI_SETS | {"game-icons"}
_RENAMED = {
    "mouse": "computer mouse",
    "mobile": "mobile phone",
    "device mobile": "mobile phone",
    "phone": "telephone",
    "cup": "cup",
    "cutter": "box cutter",
    "screen": "computer screen",
}
"""What a word means in a user-interface set; emoji mean the animal when they say mouse."""


@dataclass(frozen=True)
class Icon:
    """One vector picture: its set, its name in the set, the noun it shows and its SVG text."""

    prefix: str
    key: str
    noun: str
    svg: str


def noun_of(prefix: str, key: str, lemmas: frozenset[str]) -> str | None:
    """Return the visible thing an icon's name says, or None when it says something else.

    Parameters
    ----------
    prefix, key : str
        The set's prefix and the icon's name in it.
    lemmas : frozenset of str
        Lower-case nouns of physical things (ImageNet-22k lemmas).
    """
    words = [w for w in re.split(r"[-_ ]+", key.lower()) if w]
    if (
        any("tone" in w for w in words)
        or (words and words[0] == "flag")
        or (words and words[-1] in {"dark", "light"})
    ):
        return None
    emoji = prefix in _EMOJI_SETS
    if prefix == "arcticons":  # the logos of applications, but for its emoji
        if words[:1] != ["emoji"]:
            return None
        words, emoji = words[1:], True
    while len(words) > 1 and (words[-1] in _STYLE_WORDS or words[-1].isdigit()):
        words.pop()
    if not words or all(w.isdigit() or len(w) < 2 for w in words):
        return None
    if not emoji and (words[0] == "device" and len(words) > 1):
        words = words[1:]
    noun = " ".join(words)
    if emoji:
        if len(words) > 4 or any(w in {"button", "keycap", "flag", "sign", "symbol"} for w in words):
            return None
        return noun
    noun = _RENAMED.get(noun, noun)
    if noun in lemmas:
        return noun
    if any(w in _SKIP_WORDS for w in words) or len(words) > 3:
        return None
    if prefix in _FREE_NAME_SETS or (len(words) > 1 and words[-1] in lemmas):
        return noun
    return None


def read_set(package: Path, lemmas: frozenset[str]) -> Iterator[Icon]:
    """Yield the named icons of one npm package (``.tgz`` as npm makes it)."""
    with tarfile.open(package) as archive:
        member = archive.extractfile("package/icons.json")
        if member is None:
            raise ValueError(f"{package} holds no package/icons.json: not an @iconify-json package")
        data: dict[str, Any] = json.load(member)
    prefix = data["prefix"]
    for key, icon in data["icons"].items():
        if icon.get("hidden"):
            continue
        noun = noun_of(prefix, key, lemmas)
        if noun is not None:
            yield Icon(prefix, key, noun, _svg(icon, data))


def render(icons: list[Icon], side: int = SIDE) -> npt.NDArray[np.uint8]:
    """Render icons to gray and alpha planes.

    Returns
    -------
    ndarray of uint8, shape (N, 2, side, side)
        Plane 0 is luminance (not premultiplied), plane 1 opacity. An icon that cannot be drawn is all
        transparent.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QByteArray, QRectF
    from PySide6.QtGui import QGuiApplication, QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    application = QGuiApplication.instance() or QGuiApplication([])
    planes = np.zeros((len(icons), 2, side, side), dtype=np.uint8)
    for index, icon in enumerate(icons):
        renderer = QSvgRenderer(QByteArray(icon.svg.encode()))
        if not renderer.isValid():
            continue
        image = QImage(side, side, QImage.Format.Format_RGBA8888)
        image.fill(0)
        painter = QPainter(image)
        box = renderer.viewBoxF()
        scale = side / max(box.width(), box.height(), 1e-6)
        width, height = box.width() * scale, box.height() * scale
        renderer.render(painter, QRectF((side - width) / 2, (side - height) / 2, width, height))
        painter.end()
        rgba = np.frombuffer(image.constBits(), np.uint8).reshape(side, side, 4)
        planes[index, 0] = (rgba[..., :3] @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
        planes[index, 1] = rgba[..., 3]
    del application
    return planes


def _svg(icon: dict[str, Any], data: dict[str, Any]) -> str:
    """Wrap an icon's body in an SVG element with its view box."""
    left, top = icon.get("left", data.get("left", 0)), icon.get("top", data.get("top", 0))
    width, height = icon.get("width", data.get("width", 16)), icon.get("height", data.get("height", 16))
    body = icon["body"].replace("currentColor", "#101010")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {width} {height}">{body}</svg>'
    )
