"""Pictures with names: photographs in folders by class, and characters in many fonts and hands."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

PHOTO_SIDE = 144
GLYPH_SIDE = 80
_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}

DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass
class PictureSet:
    """Pictures of one kind: ``images`` (gray, or (2, H, W) gray and opacity) and their ``nouns``."""

    images: list[Any] = field(default_factory=list)
    nouns: list[str] = field(default_factory=list)

    def add(self, image: Any, noun: str) -> None:
        """Append one picture."""
        self.images.append(image)
        self.nouns.append(noun)

    def by_noun(self) -> dict[str, list[int]]:
        """Return the indices of each noun's pictures."""
        index: dict[str, list[int]] = {}
        for position, noun in enumerate(self.nouns):
            index.setdefault(noun, []).append(position)
        return index


def read_photographs(path: Path, side: int = PHOTO_SIDE) -> Iterator[tuple[Image, str, str]]:
    """Yield (gray image, class, file name) from a folder, or a zip, of images by class.

    The class is the name of the folder an image lies in, with ``_`` read as a space. Longer sides are
    reduced to ``side`` pixels. Files that are not images are passed over; images that cannot be decoded are
    too, and counted by nobody but the log of OpenCV.
    """
    for name, data in _files(path):
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        if image is None:
            continue
        scale = side / max(image.shape)
        if scale < 1:
            size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        yield image, Path(name).parent.name.replace("_", " ").lower(), name


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in _SUFFIXES:
                yield str(file.relative_to(path)), file.read_bytes()
        return
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if Path(name).suffix.lower() in _SUFFIXES:
                yield name, archive.read(name)


def render_glyphs(fonts: Sequence[Path], characters: str, side: int = GLYPH_SIDE) -> PictureSet:
    """Draw characters in many fonts; pictures are (2, side, side): black, and the ink's opacity."""
    from PIL import Image as PilImage
    from PIL import ImageDraw, ImageFont

    glyphs = PictureSet()
    for path in fonts:
        font = ImageFont.truetype(str(path), side)
        for character in characters:
            page = PilImage.new("L", (side * 3, side * 3))
            ImageDraw.Draw(page).text((side, side * 0.7), character, fill=255, font=font)
            box = page.getbbox()
            if box is None:
                continue
            ink = np.asarray(page.crop(box))
            glyphs.add(centerd(ink, side), character)
    return glyphs


def centerd(ink: npt.NDArray[Any], side: int, margin: float = 0.1) -> Image:
    """Scale an ink plane to fit a square with a margin; return (2, side, side) gray (black) and opacity."""
    scale = side * (1 - 2 * margin) / max(ink.shape)
    size = (max(2, round(ink.shape[1] * scale)), max(2, round(ink.shape[0] * scale)))
    small = cv2.resize(np.ascontiguousarray(ink), size, interpolation=cv2.INTER_AREA)
    planes = np.zeros((2, side, side), np.uint8)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    planes[1, top : top + size[1], left : left + size[0]] = small
    return planes


_STROKES: dict[int, tuple[tuple[tuple[tuple[float, float], ...], ...], ...]] = {
    0: (
        (
            ((0.5, 0), (0.1, 0.35), (0.15, 0.8), (0.5, 1), (0.85, 0.7), (0.85, 0.25), (0.5, 0), (0.4,
            0.03)),
        ),
        (((0.6, 0.05), (0.2, 0.2), (0.1, 0.7), (0.45, 1), (0.85, 0.65), (0.75, 0.15), (0.45, 0.05)),),
    ),
    1: (
        (((0.5, 0), (0.5, 0.5), (0.5, 1)),),
        (((0.3, 0.2), (0.5, 0), (0.5, 1)),),
        (((0.6, 0), (0.5, 0.5), (0.4, 1)),),
        (((0.3, 0.2), (0.5, 0), (0.5, 1)), ((0.25, 1), (0.75, 1)),),
    ),
    2: (
        (((0.15, 0.25), (0.45, 0), (0.8, 0.2), (0.7, 0.5), (0.15, 1)), ((0.15, 1), (0.9, 1)),),
        (
            ((0.15, 0.2), (0.5, 0), (0.8, 0.25), (0.5, 0.7), (0.2, 0.95), (0.15, 0.8), (0.4, 0.78), (0.9,
            1)),
        ),
        (((0.1, 0.15), (0.5, 0.02), (0.8, 0.25), (0.45, 0.75), (0.1, 0.95), (0.5, 0.9), (0.95, 0.95)),),
    ),
    3: (
        (
            ((0.15, 0.12), (0.5, 0), (0.8, 0.2), (0.4, 0.47)),
            ((0.4, 0.47), (0.85, 0.7), (0.5, 1), (0.1, 0.88)),
        ),
        (((0.15, 0.05), (0.8, 0.03), (0.45, 0.4)), ((0.45, 0.4), (0.85, 0.65), (0.55, 0.98), (0.1, 0.9)),),
    ),
    4: (
        (((0.3, 0), (0.15, 0.5), (0.85, 0.5)), ((0.7, 0.1), (0.68, 0.5), (0.65, 1)),),
        (((0.7, 1), (0.7, 0), (0.1, 0.65), (0.95, 0.65)),),
        (((0.2, 0.05), (0.2, 0.45), (0.7, 0.5), (0.8, 0.05)), ((0.8, 0.05), (0.7, 0.5), (0.65, 1)),),
    ),
    5: (
        (
            ((0.8, 0), (0.25, 0)),
            ((0.25, 0), (0.2, 0.42)),
            ((0.2, 0.42), (0.6, 0.38), (0.85, 0.65), (0.55, 0.97), (0.1, 0.9)),
        ),
        (((0.9, 0.03), (0.3, 0.05), (0.2, 0.45), (0.7, 0.5), (0.75, 0.8), (0.4, 1), (0.1, 0.95)),),
    ),
    6: (
        (((0.7, 0), (0.3, 0.35), (0.15, 0.75), (0.45, 1), (0.8, 0.75), (0.5, 0.52), (0.2, 0.7)),),
        (((0.5, 0), (0.25, 0.4), (0.2, 0.85), (0.55, 1), (0.75, 0.8), (0.5, 0.62), (0.25, 0.8)),),
    ),
    7: (
        (((0.1, 0.02), (0.85, 0.02)), ((0.85, 0.02), (0.5, 0.5), (0.35, 1)),),
        (((0.1, 0.15), (0.15, 0.02), (0.85, 0.05), (0.45, 1)),),
        (((0.1, 0.02), (0.85, 0.02)), ((0.85, 0.02), (0.4, 1)), ((0.3, 0.5), (0.8, 0.48)),),
    ),
    8: (
        (
            ((0.75, 0.15), (0.45, 0), (0.2, 0.22), (0.5, 0.47), (0.8, 0.75), (0.5, 1), (0.2, 0.78), (0.5,
            0.47), (0.78, 0.2), (0.7, 0.1)),
        ),
        (
            ((0.5, 0.48), (0.2, 0.25), (0.5, 0), (0.8, 0.22), (0.5, 0.48)),
            ((0.5, 0.48), (0.15, 0.75), (0.5, 1), (0.85, 0.75), (0.5, 0.48)),
        ),
    ),
    9: (
        (
            ((0.8, 0.2), (0.5, 0), (0.2, 0.25), (0.45, 0.5), (0.8, 0.25)),
            ((0.8, 0.2), (0.75, 0.6), (0.65, 1)),
        ),
        (
            ((0.75, 0.15), (0.4, 0.02), (0.2, 0.3), (0.5, 0.45), (0.78, 0.2)),
            ((0.78, 0.2), (0.8, 0.7), (0.5, 1), (0.15, 0.9)),
        ),
    ),
}  # fmt: skip
"""How people write digits: ways for each; a way is strokes, a stroke the points it passes (x, y down)."""


def write_digit(digit: int, random: np.random.Generator, side: int = GLYPH_SIDE) -> Image:
    """Write a digit by hand: one of the usual ways, shaken, slanted, with a pen of random width."""
    ways = _STROKES[digit]
    way = ways[int(random.integers(len(ways)))]
    shake = random.uniform(0.01, 0.06)
    slant, aspect = random.normal(0.12, 0.2), random.uniform(0.5, 0.95)
    turn = np.radians(random.normal(0, 7))
    page = np.zeros((side * 2, side * 2), np.uint8)
    width = int(side * random.uniform(0.06, 0.2))
    for stroke in way:
        points = np.asarray(stroke) + random.normal(0, shake, (len(stroke), 2))
        points = _smooth(points) - 0.5
        points[:, 0] = points[:, 0] * aspect - slant * points[:, 1]
        points = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        pixels = np.round((points * 0.8 + 0.5) * side * 2).astype(np.int32)
        cv2.polylines(page, [pixels.reshape(-1, 1, 2)], False, 255, max(2, width), cv2.LINE_AA)
    rows, columns = np.flatnonzero(page.any(1)), np.flatnonzero(page.any(0))
    return centerd(page[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], side)


def _smooth(points: npt.NDArray[np.float64], steps: int = 8) -> npt.NDArray[np.float64]:
    """Draw a Catmull-Rom curve through points (P, 2)."""
    if len(points) < 3:
        return points
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for k in range(len(points) - 1):
        a, b, c, d = padded[k : k + 4]
        pieces.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    return np.concatenate([*pieces, points[-1:]])


def warped_glyph(glyph: Image, random: np.random.Generator) -> Image:
    """Bend, thicken or thin a glyph a little, so that no two look alike."""
    ink = glyph[1]
    side = ink.shape[0]
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    thickness = int(random.integers(-1, 4))
    if thickness < 0 and (ink > 0).mean() > 0.25:
        ink = cv2.erode(ink, kernel)
    elif thickness > 0:
        ink = cv2.dilate(ink, kernel, iterations=thickness)
    coarse = random.normal(0, random.uniform(0, 0.045) * side, (2, 4, 4)).astype(np.float32)
    dx, dy = (cv2.resize(plane, (side, side), interpolation=cv2.INTER_CUBIC) for plane in coarse)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    middle = side / 2
    shear, squeeze = random.normal(0, 0.15), random.uniform(0.7, 1.15)
    source_x = (x - middle) / squeeze + shear * (y - middle) + middle + dx
    bent = cv2.remap(ink, source_x.astype(np.float32), y + dy, cv2.INTER_LINEAR)
    return np.stack([glyph[0], bent])
