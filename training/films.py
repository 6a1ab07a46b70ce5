"""What moves before the sensor: photographs, cut-out pictures, solids; each a function of time.

The random choices (size, pose, motion, contrast, ground, an arm that holds the thing) are all made when a
film is made, so that asking it for a time is only drawing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from neuroclip_live.events import Resolution
from training.mesh import Mesh, normalized, render, rotation
from training.scenes import GLYPH, ICON, PHOTO, SOLID, Film, Image, Random, Style


class Motion:
    """Where a thing is, over time in slices: shift (in shares of the view), turn in the plane, growth."""

    def __init__(self, random: Random, reach: tuple[float, float] = (0.008, 0.14), spin: float = 6.0) -> None:
        amount = float(np.exp(random.uniform(*np.log(reach))))
        angle = random.uniform(0, 2 * np.pi)
        self._shift = amount * np.array([np.cos(angle), np.sin(angle)])
        self._kind = int(random.integers(3))
        self._phase = random.uniform(0, 2 * np.pi)
        self._bend = random.uniform(0.5, 2.0)
        self._turn = random.normal(0, spin) if random.random() < 0.5 else 0.0
        self._grow = random.normal(0, 0.03) if random.random() < 0.4 else 0.0

    def shift(self, t: float) -> npt.NDArray[np.float64]:
        """Return the (x, y) shift at time ``t``."""
        if self._kind == 0:
            return self._shift * t
        side = np.array([-self._shift[1], self._shift[0]])
        swing = self._phase + self._bend * t
        if self._kind == 1:  # to and fro
            return self._shift * (np.sin(swing) - np.sin(self._phase)) / self._bend * 1.3
        circle = self._shift * (np.cos(swing) - np.cos(self._phase)) + side * (
            np.sin(swing) - np.sin(self._phase)
        )
        return circle / self._bend

    def turn(self, t: float) -> float:
        """Return the turn in the image plane, in degrees."""
        return self._turn * t

    def scale(self, t: float) -> float:
        """Return the growth, around one."""
        return float(np.exp(self._grow * t))


def photo_film(photo: Image, resolution: Resolution, random: Random, style: Style = PHOTO) -> Film:
    """Move the sensor over a photograph, or the photograph before the sensor."""
    tile = photo
    if style.flip and random.random() < 0.5:
        tile = np.ascontiguousarray(tile[:, ::-1])
    if random.random() < 0.15:
        tile = 255 - tile
    height, width = tile.shape
    whole = random.random() < 0.65  # otherwise a part of it, larger
    ratios = (resolution.width / width, resolution.height / height)
    base = min(ratios) * random.uniform(0.8, 1.05) if whole else max(ratios) * random.uniform(1.0, 1.2)
    loose = 0.06 * random.uniform(-1, 1, 2)
    tilt = random.normal(0, 6)
    motion = Motion(random, (0.015, 0.1))
    plain = whole and random.random() < 0.7
    border = cv2.BORDER_CONSTANT if plain else cv2.BORDER_REFLECT_101
    ground = float(random.uniform(20, 235))

    def film(t: float) -> Image:
        scale = base * motion.scale(t)
        x, y = (loose + motion.shift(t)) * (resolution.width, resolution.height)
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), tilt + motion.turn(t), scale)
        matrix[:, 2] += (resolution.width / 2 + x - width / 2, resolution.height / 2 + y - height / 2)
        return cv2.warpAffine(  # type: ignore[no-any-return]
            tile, matrix, tuple(resolution), flags=cv2.INTER_LINEAR, borderMode=border, borderValue=ground
        )

    return film


def _colored(planes: Image, random: Random, style: Style, glyph: bool) -> tuple[Image, Image, float]:
    """Give an icon grays and a ground that it can be told from; return its tile, opacity and the ground."""
    gray, alpha = planes
    if style.flip and random.random() < 0.5:
        gray, alpha = np.ascontiguousarray(gray[:, ::-1]), np.ascontiguousarray(alpha[:, ::-1])
    ground = float(random.uniform(10, 245))
    inked = alpha > 60
    values = gray[inked]
    if not glyph and random.random() < 0.12:  # an outline only
        alpha = cv2.morphologyEx(
            alpha, cv2.MORPH_GRADIENT, np.ones((int(random.integers(2, 5)),) * 2, np.uint8)
        )
        values = values[:0]
    if len(values) == 0 or values.std() < 12:
        ink = random.uniform(5, 250)
        while abs(ink - ground) < (60 if glyph else 35):
            ink, ground = random.uniform(5, 250), float(random.uniform(10, 245))
        return np.full_like(gray, ink), alpha, ground
    gain = random.uniform(0.5, 1.1) * (-1 if random.random() < 0.2 else 1)
    tile = np.clip((gray.astype(np.float32) - 128) * gain + 128 + random.uniform(-30, 30), 0, 255).astype(
        np.uint8
    )
    mean = float(tile[inked].mean())
    if abs(mean - ground) < 35:
        ground = float(np.clip(mean + (60 if mean < 128 else -60), 5, 250))
    return tile, alpha, ground


def cutout_film(
    planes: Image, resolution: Resolution, random: Random, style: Style = ICON, clutter: Image | None = None
) -> Film:
    """Move a cut-out picture (2, S, S) before a ground: turned, foreshortened, sometimes thick or held."""
    glyph = style is GLYPH
    tile, alpha, ground = _colored(planes, random, style, glyph)
    side = alpha.shape[0]
    view = min(resolution)
    if glyph:
        extent = view * random.uniform(0.55, 1.0)
    else:
        extent = view * float(np.exp(random.uniform(np.log(0.35), np.log(0.95))))
    free = (1 - extent / np.array(resolution)) / 2
    place = np.array([0.5, 0.5]) + np.clip(free, 0.02, None) * random.uniform(-0.9, 0.9, 2)
    angle = (
        random.uniform(0, 360) if random.random() < style.turn_any else random.normal(0, 5 if glyph else 12)
    )
    kind = random.random() if not glyph else 1.0
    motion = Motion(random, (0.03, 0.13) if glyph else (0.008, 0.14), 2.0 if glyph else 6.0)
    squeeze, table_turn, yaw, yaw_rate, layers = 1.0, 0.0, 0.0, 0.0, 0
    if kind < 0.3:  # lying on a turntable, seen from above at an angle
        squeeze = float(np.sin(np.radians(random.uniform(18, 75))))
        table_turn = random.normal(0, 12)
        layers = int(random.integers(0, 4)) if (alpha > 60).mean() > 0.2 and resolution.area < 20_000 else 0
        angle = random.uniform(0, 360) if random.random() < 0.7 else angle
    elif kind < 0.55:  # upright, turned to the side
        yaw, yaw_rate = random.uniform(-65, 65), random.normal(0, 8)
    rise = extent * random.uniform(0.01, 0.035) * np.sqrt(max(1 - squeeze**2, 0))
    side_gray = float(np.clip(tile.mean() * random.uniform(0.5, 1.3), 0, 255))
    ground_image = np.full((resolution.height, resolution.width), ground, np.float32)
    if random.random() < 0.3:
        slope = random.uniform(-40, 40, 2)
        y, x = np.mgrid[: resolution.height, : resolution.width]
        ground_image += (slope[0] * x / resolution.width + slope[1] * y / resolution.height).astype(
            np.float32
        )
    if clutter is not None:
        soft = cv2.resize(clutter, tuple(resolution), interpolation=cv2.INTER_LINEAR).astype(np.float32)
        ground_image = ground_image + (soft - soft.mean()) * random.uniform(0.2, 0.8)
    arm = _arm(random, resolution, extent) if random.random() < style.arm else None

    def matrix(t: float, lift: float) -> npt.NDArray[np.float64]:
        scale = extent / side * motion.scale(t)
        across = float(np.cos(np.radians(yaw + yaw_rate * t)))
        across = across if abs(across) > 0.12 else 0.12
        first = cv2.getRotationMatrix2D((0, 0), angle + table_turn * t, 1.0)[:, :2]
        squash = np.diag([scale * across, scale * squeeze])
        second = cv2.getRotationMatrix2D((0, 0), motion.turn(t), 1.0)[:, :2]
        linear = second @ squash @ first
        center = (place + motion.shift(t)) * np.array(resolution) - (0, lift)
        return np.column_stack([linear, center - linear @ (side / 2, side / 2)])

    def film(t: float) -> Image:
        image = ground_image
        if arm is not None:
            image = arm(image, (place + motion.shift(t)) * np.array(resolution))
        for layer in range(layers):
            mask = cv2.warpAffine(alpha, matrix(t, rise * layer), tuple(resolution), flags=cv2.INTER_LINEAR)
            share = mask.astype(np.float32) / 255
            image = image + (side_gray - image) * share
        top = matrix(t, rise * layers)
        share = cv2.warpAffine(alpha, top, tuple(resolution), flags=cv2.INTER_LINEAR).astype(np.float32) / 255
        paint = cv2.warpAffine(
            tile, top, tuple(resolution), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        image = image + (paint - image) * share
        return np.clip(image, 0, 255).astype(np.uint8)

    return film


def _arm(random: Random, resolution: Resolution, extent: float) -> Callable[[Any, Any], Any]:
    """Return a painter of a forearm and fingers that hold something: reaches in from a border."""
    skin = float(random.uniform(30, 230))
    direction = random.uniform(0, 2 * np.pi)
    width = int(max(2, extent * random.uniform(0.15, 0.35)))
    fingers = random.normal(0, extent * 0.12, (int(random.integers(0, 4)), 2)) + extent * 0.3 * np.array(
        [np.cos(direction), np.sin(direction)]
    )

    def paint(image: Any, center: Any) -> Any:
        painted = image.copy()
        start = center + extent * 0.35 * np.array([np.cos(direction), np.sin(direction)])
        end = start + 2 * max(resolution) * np.array([np.cos(direction), np.sin(direction)])
        cv2.line(painted, tuple(int(v) for v in start), tuple(int(v) for v in end), skin, width)
        for finger in fingers:
            spot = tuple(int(v) for v in center + finger)
            cv2.circle(painted, spot, max(1, width // 3), skin * 0.92, -1)
        return painted

    return paint


def solid_film(
    mesh: Mesh, resolution: Resolution, random: Random, style: Style = SOLID, clutter: Image | None = None
) -> Film:
    """Turn and move a solid thing: on a turntable, or in a hand, under one light."""
    thing = normalized(mesh)
    view = min(resolution)
    size = view * float(np.exp(random.uniform(np.log(0.18 if view > 64 else 0.3), np.log(0.5))))
    free = np.clip((1 - 2 * size / np.array(resolution)) / 2, 0.02, None)
    place = np.array([0.5, 0.5]) + free * random.uniform(-0.9, 0.9, 2)
    elevation = float(random.uniform(5, 60)) if random.random() < 0.75 else float(random.uniform(-20, 90))
    start, roll = random.uniform(0, 360), 0.0
    motion = Motion(random, (0.004, 0.1), 3.0)
    if random.random() < 0.6:  # a turntable: it turns and hardly moves
        rate = random.choice([-1, 1]) * float(np.exp(random.uniform(np.log(2), np.log(20))))
        motion = Motion(random, (0.0005, 0.01), 0.3)
    else:
        rate = random.normal(0, 6)
        roll = random.normal(0, 25) if random.random() < 0.7 else random.uniform(0, 360)
    ground = float(random.uniform(10, 240))
    body = float((thing.gray * 255 * 0.7).mean())
    while abs(body - ground) < 25:
        ground = float(random.uniform(10, 240))
    light = np.array(
        [random.normal(0, 0.6), -abs(random.normal(0.7, 0.4)), abs(random.normal(0.7, 0.4))], np.float32
    )
    light /= np.linalg.norm(light)
    ground_image = np.full((resolution.height, resolution.width), ground, np.float32)
    if clutter is not None:
        soft = cv2.resize(clutter, tuple(resolution), interpolation=cv2.INTER_LINEAR).astype(np.float32)
        ground_image = ground_image + (soft - soft.mean()) * random.uniform(0.2, 0.8)
    arm = _arm(random, resolution, size * 1.6) if random.random() < style.arm else None

    def film(t: float) -> Image:
        center = (place + motion.shift(t)) * np.array(resolution)
        image = ground_image.copy() if arm is None else arm(ground_image, center)
        depth = np.full(image.shape, np.inf, np.float32)
        pose = (
            rotation("y", roll + motion.turn(t)) @ rotation("x", elevation) @ rotation("z", start + rate * t)
        )
        render(thing, pose, light, image, depth, size * motion.scale(t), (float(center[0]), float(center[1])))
        return np.clip(image, 0, 255).astype(np.uint8)

    return film
