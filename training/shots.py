"""What the turntable does not show: small and fast, in a hand, from above, near the rim, lying flat."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from neuroclip_live.events import Resolution
from training.hands import held
from training.mesh import Mesh, normalized, render, rotation
from training.scenes import Film, Image, Random
from training.solids import CATALOG

SMALL_PX = (15.0, 60.0)
"""Extent, in pixels of the sensor, of things that are far away."""

FAST_PX = (10.0, 200.0)
"""How far they move in a slice, in pixels."""

SMEAR = (2.5, 40)
"""A fast thing is drawn once in so many pixels, and smears as before a sensor; at most so often."""

FIRST_SMEAR = (6.0, 16)
"""The same in simulated validation, which was first filmed so."""

_TOO_LARGE = frozenset({"box", "laptop", "monitor", "keyboard", "telephone", "speaker", "bucket"})
_KINDS = ("solids_kitchen", "solids_desk", "solids_tools", "solids_small")
HANDY = (
    *(
        key
        for key, (builder, _) in CATALOG.items()
        if builder.__module__.rpartition(".")[2] in _KINDS and key not in _TOO_LARGE
    ),
    "flashlight",
    "battery",
    "glasses",
    "card",
    "toothbrush",
    "comb",
    "hair_dryer",
    "spray",
    "umbrella",
)
"""Keys of the catalog's solids that a hand can hold."""

SHARP = ("scissors", "box_cutter", "pliers", "knife", "screwdriver", "pen", "mechanical_pencil", "phone")
"""Those that are held most."""

NEAR = ("hand", "hand", "hand", "hand", "head", "person")
"""Keys of what comes close before a camera, hands most."""

FROM_ABOVE = ("car", "truck", "bus", "person", "boat", "airplane", "tree", "house", "dog", "horse")
"""Keys that a bridge or a mast looks down on."""


def swift_film(
    mesh: Mesh,
    resolution: Resolution,
    random: Random,
    clutter: Image | None = None,
    above: bool = False,
    smear: tuple[float, int] = SMEAR,
) -> tuple[Film, int]:
    """Move a small thing fast; return the film and how many pictures a slice needs.

    ``above`` looks down on it; it then moves the way it points and hardly turns. ``smear`` is how many pixels
    it moves between two pictures, and how many of these a slice has at the most.
    """
    thing = normalized(mesh)
    view = float(min(resolution))
    most = min(SMALL_PX[1], 0.7 * view)
    size = float(np.exp(random.uniform(np.log(min(SMALL_PX[0], 0.4 * view)), np.log(most)))) / 2
    slowest = 2.0 if above else FAST_PX[0]
    speed = float(np.exp(random.uniform(np.log(slowest), np.log(30.0 if above else FAST_PX[1]))))
    area = np.array(resolution, float)
    free = np.maximum(area / 2 - size, 0.15 * area)
    swing = free * random.uniform(0.35, 1.0, 2) * (1.0, random.choice([0.15, 0.5, 1.0]))
    if random.random() < 0.3:
        swing = swing[::-1] * (area / area[::-1])
    middle = area / 2 + (free - swing) * random.uniform(-1, 1, 2)
    rate = speed / max(float(np.hypot(*swing)), 4.0) * random.uniform(0.8, 1.2, 2)
    phase = random.uniform(0, 2 * np.pi, 2)
    elevation = random.uniform(25, 88) if above else random.uniform(-30, 90)
    start = random.uniform(0, 360)
    spin = random.normal(0, 2 if above else 12)
    roll = 0.0 if above else random.normal(0, 40)
    ground = _ground(thing, random)
    light = np.array([random.normal(0, 0.6), -abs(random.normal(0.7, 0.4)), 0.8], np.float32)
    light /= np.linalg.norm(light)
    ground_image = _painted(ground, resolution, random, clutter)

    turns = [("z", start, spin), ("x", elevation, 0.0), ("y", roll, 0.0)]
    film = _film(thing, size, light, ground_image, turns, lambda t: middle + swing * np.sin(phase + rate * t))
    return film, int(np.clip(round(speed / smear[0]), 2, smear[1]))


def near_film(
    mesh: Mesh, resolution: Resolution, random: Random, clutter: Image | None = None, upright: bool = False
) -> tuple[Film, int]:
    """Wave a thing close before the sensor: it fills the view, in any pose, cut by the rim, its edges thick.

    ``upright`` is for a hand on its arm: it faces the sensor more or less, whole, and is waved sideways.
    Returns the film and how many pictures a slice needs.
    """
    thing = normalized(mesh)
    view = float(min(resolution))
    size = view * (random.uniform(0.22, 0.6) if upright else random.uniform(0.35, 0.85))
    area = np.array(resolution, float)
    middle = area * random.uniform(0.25, 0.75, 2)
    speed = view * float(np.exp(random.uniform(np.log(0.02), np.log(0.7))))
    angle = random.uniform(0, 2 * np.pi)
    swing = view * random.uniform(0.05, 0.35) * np.array([np.cos(angle), np.sin(angle)])
    rate = speed / max(float(np.hypot(*swing)), 1.0)
    phase = random.uniform(0, 2 * np.pi, 2) if random.random() < 0.5 else np.full(2, random.uniform(0, 6.3))
    if upright:
        starts = (random.normal(90, 25), random.normal(0, 35), random.normal(0, 40))
        heading = np.radians(starts[1]) + random.normal(0, 0.5)
        swing = float(np.hypot(*swing)) * np.array([np.cos(heading), np.sin(heading)])
    else:
        starts = tuple(random.uniform(0, 360, 3))
    turns = [(axis, start, random.normal(0, 4)) for axis, start in zip("xyz", starts, strict=True)]
    ground = _ground(thing, random)
    light = np.array([random.normal(0, 0.8), random.normal(-0.5, 0.6), 0.8], np.float32)
    light /= np.linalg.norm(light)
    ground_image = _painted(ground, resolution, random, clutter)

    film = _film(thing, size, light, ground_image, turns, lambda t: middle + swing * np.sin(phase + rate * t))
    return film, int(np.clip(round(speed / SMEAR[0]), 2, SMEAR[1] // 2))


def facing_film(
    mesh: Mesh, resolution: Resolution, random: Random, clutter: Image | None = None
) -> tuple[Film, int]:
    """Show somebody who sits before the camera: upright, more or less from the front, cut by the lower rim.

    The head sways, nods and turns; returns the film and how many pictures a slice needs.
    """
    thing = normalized(mesh)
    view = float(min(resolution))
    size = view * random.uniform(0.4, 0.95)
    area = np.array(resolution, float)
    middle = area * (random.uniform(0.35, 0.65), random.uniform(0.5, 0.5 + 0.4 * size / view))
    swing = view * float(np.exp(random.uniform(np.log(0.01), np.log(0.12)))) * random.uniform(0.2, 1.0, 2)
    rate, phase = random.uniform(0.3, 1.2), random.uniform(0, 2 * np.pi, 2)
    starts = (random.normal(5, 12), random.normal(0, 7), random.normal(0, 30))
    turns = [(axis, start, random.normal(0, 5)) for axis, start in zip("xyz", starts, strict=True)]
    ground = _ground(thing, random)
    light = np.array([random.normal(0, 0.8), random.normal(-0.7, 0.4), 0.7], np.float32)
    light /= np.linalg.norm(light)
    ground_image = _painted(ground, resolution, random, clutter)

    turns.reverse()  # the head turns on its neck, then the whole leans
    film = _film(thing, size, light, ground_image, turns, lambda t: middle + swing * np.sin(phase + rate * t))
    return film, 3


def _film(
    thing: Mesh,
    size: float,
    light: npt.NDArray[np.float32],
    ground_image: npt.NDArray[np.float32],
    turns: Sequence[tuple[str, float, float]],
    center: Callable[[float], npt.NDArray[np.float64]],
) -> Film:
    """Return the film of a thing before a ground, (H, W) float32.

    ``turns``: about which axis, in what order, from how many degrees on and how many a second.
    ``center``: its middle (x, y) in pixels at a time in seconds.
    """

    def film(t: float) -> Image:
        image = ground_image.copy()
        depth = np.full(image.shape, np.inf, np.float32)
        pose = np.eye(3, dtype=np.float32)
        for axis, start, turn in turns:
            pose = rotation(axis, start + turn * t) @ pose
        x, y = center(t)
        render(thing, pose, light, image, depth, size, (float(x), float(y)))
        return np.clip(image, 0, 255).astype(np.uint8)

    return film


def _ground(thing: Mesh, random: Random) -> float:
    """Draw a gray value 0..255 that the thing stands out from."""
    ground = float(random.uniform(10, 240))
    body = float((thing.gray * 255 * 0.7).mean())
    while abs(body - ground) < 25:
        ground = float(random.uniform(10, 240))
    return ground


def _painted(ground: float, resolution: Resolution, random: Random, clutter: Image | None) -> Image:
    """Return the ground (H, W) float32, with a faint picture on it where one is given."""
    image = np.full((resolution.height, resolution.width), ground, np.float32)
    if clutter is None:
        return image
    soft = cv2.resize(clutter, tuple(resolution), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    return image + (soft - soft.mean()) * random.uniform(0.2, 0.6)


def laid(mesh: Mesh) -> Mesh:
    """Return a thing that lies on its flattest side: its thinnest extent upwards, its longest along x."""
    body = normalized(mesh)
    order = np.argsort(np.ptp(body.corners.reshape(-1, 3), axis=0))
    axes = np.zeros((3, 3), np.float32)
    axes[2, order[0]] = axes[1, order[1]] = axes[0, order[2]] = 1
    if np.linalg.det(axes) < 0:
        axes[1] *= -1
    return Mesh(body.corners @ axes.T, body.normals @ axes.T, body.gray)


def bent(mesh: Mesh, random: Random) -> Mesh:
    """Return a laid thing of other proportions, bent a little along its length: no two makes are alike."""
    wide, high = float(np.exp(random.uniform(-0.25, 0.5))), float(np.exp(random.uniform(-0.3, 0.6)))
    curve = random.normal(0, 0.18)
    stretched = mesh.scaled(1.0, wide, high)
    corners = stretched.corners.copy()
    corners[..., 1] += curve * corners[..., 0] ** 2
    return Mesh(corners, stretched.normals, stretched.gray)


def in_hand(mesh: Mesh, random: Random) -> Mesh:
    """Return a thing in a hand, the whole in any pose in the picture's plane."""
    return (
        held(mesh, random)
        .turned("x", float(random.uniform(0, 360)))
        .turned("z", float(random.uniform(0, 360)))
    )
