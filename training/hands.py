"""Hands in every pose, alone and round things; heads seen from the side and from below."""

from __future__ import annotations

import numpy as np

from training.mesh import Mesh, box, ellipsoid, lathe, normalized, prism, rotation, rounded, tube
from training.solid_parts import Random, _g, _u

POSES = ("open", "spread", "fist", "point", "pinch", "grip", "loose", "thumb", "two")
"""What a hand may do; ``grip`` and ``pinch`` hold things."""

_CURL = {
    "open": (0, 0, 0, 0), "spread": (0, 0, 0, 0), "fist": (1, 1, 1, 1), "point": (0, 1, 1, 1),
    "pinch": (0.5, 0.6, 0.7, 0.8), "grip": (0.65, 0.65, 0.65, 0.65), "loose": (0.25, 0.3, 0.35, 0.4),
    "thumb": (1, 1, 1, 1), "two": (0, 0, 1, 1),
}  # fmt: skip
_LENGTHS = (0.42, 0.48, 0.44, 0.34)


def hand_mesh(
    random: Random,
    pose: str | None = None,
    skin: float | None = None,
    forearm: tuple[float, float] = (0.5, 2.2),
) -> Mesh:
    """Return a hand about two units long with its forearm: palm across x, fingers along +y, palm faces +z.

    ``pose`` is one of :data:`POSES`; fingers bend at three joints, each a little at random.
    """
    pose = pose or str(random.choice(POSES))
    skin = _u(random, 0.3, 0.95) if skin is None else skin
    mesh = prism(rounded(0.5, 0.56, 0.14), 0.17, skin).moved(0, 0, -0.08)
    mesh = mesh + ellipsoid(0.13, 0.2, 0.1, skin, 8).moved(0.17, -0.1, 0.05)
    spread = _u(random, 7, 16) if pose == "spread" else _u(random, 0, 7)
    for k, (length, curl) in enumerate(zip(_LENGTHS, _CURL[pose], strict=True)):
        bend = float(np.clip(curl + random.normal(0, 0.1), -0.05, 1.05))
        start = np.array([-0.19 + 0.128 * k, 0.26, 0.0])
        mesh = mesh + _finger(start, (k - 1.5) * spread, length, bend, 0.068, skin)
    folded = pose in ("fist", "two", "point")
    out, up = (_u(random, -10, 25), 1.0) if folded else (_u(random, 25, 65), _u(random, 0, 0.6))
    if pose == "thumb":
        out, up = 70.0, 0.0
    mesh = mesh + _finger(np.array([0.22, -0.12, 0.04]), out, 0.4, up * 0.6, 0.08, skin)
    reach = _u(random, *forearm)
    sleeve = skin if random.random() < 0.6 else _g(random)
    arm = [(0, -0.22, 0), (0, -0.5, 0), (0, -0.5 - reach, _u(random, -0.2, 0.2))]
    return mesh + tube(arm, [0.19, 0.17, 0.25], sleeve, 10)


def _finger(start: np.ndarray, aside: float, length: float, curl: float, radius: float, skin: float) -> Mesh:
    """Return three segments that bend towards +z; ``curl`` 1 closes the finger."""
    across = np.array([np.sin(np.radians(aside)), np.cos(np.radians(aside)), 0.0])
    points, angle = [start], 0.0
    for share, turn in ((0.42, 75), (0.32, 95), (0.26, 65)):
        angle += np.radians(turn * curl)
        ahead = np.cos(angle) * across + np.sin(angle) * np.array([0, 0, 1.0])
        points.append(points[-1] + share * length * ahead)
    radii = [radius, radius * 0.95, radius * 0.88, radius * 0.7]
    return tube(points, radii, skin, 6) + ellipsoid(*(radius * 0.75,) * 3, skin, 6).moved(*points[-1])


def held(thing: Mesh, random: Random) -> Mesh:
    """Return a thing with a hand that holds it; the thing keeps most of the view.

    The hand grips a place along the thing's longest axis, or reaches under it, or pinches its end.
    """
    body = normalized(thing)
    extent = body.corners.max((0, 1)) - body.corners.min((0, 1))
    order = np.argsort(-extent)
    axes = np.zeros((3, 3), np.float32)
    axes[0, order[2]] = axes[1, order[0]] = axes[2, order[1]] = 1  # longest along y, thinnest along x
    if np.linalg.det(axes) < 0:
        axes[2] *= -1
    laid = Mesh(body.corners @ axes.T, body.normals @ axes.T, body.gray)
    slim = float(extent[order[1]]) < 0.9
    scale = _u(random, 0.45, 0.85) if slim else _u(random, 0.6, 1.2)
    hand = hand_mesh(random, "grip" if random.random() < 0.7 else "pinch", forearm=(0.2, 0.9)).scaled(scale)
    # the fingers go round the thing's axis: across it, palm against its side
    hand = hand.turned("x", 90 if random.random() < 0.5 else -90).turned("y", float(random.normal(0, 25)))
    place = _u(random, -0.75, -0.05) * float(extent[order[0]]) / 2 if slim else _u(random, -0.3, 0.3)
    away = float(extent[order[2]]) / 2 + 0.12 * scale
    hand = hand.turned("y", float(random.uniform(0, 360)))
    direction = rotation("y", float(random.uniform(0, 360))) @ np.array([away, 0, 0], np.float32)
    return laid + hand.moved(float(direction[0]), place, float(direction[2]))


def head_mesh(random: Random) -> Mesh:
    """Return a head with brow, nose, chin, ears, hair and neck, mostly with shoulders."""
    skin, hair = _u(random, 0.35, 0.95), _u(random, 0.03, 0.6)
    deep = _u(random, 0.4, 0.48)
    mesh = ellipsoid(0.36, deep, 0.44, skin, 18).moved(0, 0.03, 0.1)  # skull
    mesh = mesh + ellipsoid(0.28, 0.3, 0.34, skin, 14).moved(0, -0.12, -0.2)  # jaw
    mesh = mesh + ellipsoid(0.12, 0.1, 0.09, skin, 10).moved(0, -0.33, -0.42)  # chin
    nose = _u(random, 0.08, 0.17)
    bridge = [(0, -deep + 0.03, 0.06), (0, -deep - nose, -0.1), (0, -deep + 0.05, -0.16)]
    mesh = mesh + tube(bridge, [0.035, 0.06, 0.05], skin * 0.95, 6)
    for x in (-0.14, 0.14):
        mesh = mesh + ellipsoid(0.07, 0.03, 0.03, 0.12, 8).moved(x, -deep + 0.02, 0.04)
        mesh = mesh + box(0.15, 0.04, 0.03, hair).moved(x, -deep + 0.01, 0.12)
        mesh = mesh + ellipsoid(0.03, 0.08, 0.12, skin * 0.9, 8).moved(2.6 * x, 0.05, -0.02)
    mesh = mesh + ellipsoid(0.12, 0.03, 0.03, skin * 0.5, 8).moved(0, -0.4, -0.28)
    style = random.random()
    if style < 0.75:
        mesh = mesh + ellipsoid(0.39, deep + 0.03, 0.42, hair, 16).moved(0, 0.09, 0.16)
    if style < 0.3:  # long hair
        mesh = mesh + ellipsoid(0.4, 0.26, _u(random, 0.5, 0.8), hair, 12).moved(0, 0.22, -0.25)
    if random.random() < 0.2:  # beard
        mesh = mesh + ellipsoid(0.27, 0.24, 0.24, hair, 10).moved(0, -0.2, -0.36)
    if random.random() < 0.2:  # glasses
        for x in (-0.15, 0.15):
            ring = [
                (x + 0.11 * np.cos(a), -deep - 0.03, 0.04 + 0.09 * np.sin(a)) for a in np.linspace(0, 6.3, 12)
            ]
            mesh = mesh + tube(ring, 0.015, 0.08, 4)
    mesh = mesh + lathe([(0.19, -1.0), (0.16, -0.3)], skin, 10).moved(0, 0.1, 0)
    if random.random() < 0.75:
        cloth = _g(random)
        mesh = mesh + ellipsoid(_u(random, 0.75, 1.0), 0.34, 0.34, cloth, 14).moved(0, 0.12, -1.15)
        if random.random() < 0.6:
            mesh = mesh + ellipsoid(0.75, 0.36, 0.9, cloth, 12).moved(0, 0.12, -1.7)
    return mesh
