"""Solids: small things, balls and food."""

from __future__ import annotations

import numpy as np

from training.mesh import Mesh, arc, box, ellipsoid, lathe, tube
from training.solid_parts import Random, _decal, _g, _other, _ring, _u, solid


@solid("adhesive tape", "tape", "roll of tape")
def _tape(random: Random) -> Mesh:
    h, inside = _u(random, 0.2, 0.5), _u(random, 0.3, 0.45)
    return lathe([(inside, 0), (0.6, 0), (0.6, h), (inside, h), (inside, 0)], [0.8, _g(random), 0.8, 0.4], 22)


@solid("toilet paper", "paper towel roll", "toilet roll")
def _toilet_roll(random: Random) -> Mesh:
    h = _u(random, 0.6, 1.2)
    return lathe([(0.15, 0), (0.5, 0), (0.5, h), (0.15, h), (0.15, 0)], [0.9, 0.95, 0.9, 0.3], 20)


@solid("key", "door key")
def _key(random: Random) -> Mesh:
    g = _u(random, 0.4, 0.9)
    mesh = _ring(_u(random, 0.18, 0.26), 0.06, g).scaled(1, 1, 0.5) + box(0.9, 0.1, 0.05, g).moved(0.65, 0, 0)
    for x in (0.7, 0.85, 1.0):
        mesh = mesh + box(0.08, _u(random, 0.1, 0.2), 0.05, g).moved(x, 0.1, 0)
    return mesh


@solid("padlock", "lock")
def _padlock(random: Random) -> Mesh:
    g = _g(random)
    shackle = tube(
        np.concatenate([[[0.25, 0, -0.15]], arc(0.25, 0, 180, "xz", 9), [[-0.25, 0, -0.15]]]), 0.06, 0.8, 6
    )
    return (
        box(0.8, 0.3, 0.65, g)
        + shackle.moved(0, 0, 0.8)
        + ellipsoid(0.07, 0.03, 0.1, _other(random, g), 8).moved(0, -0.15, 0.3)
    )


@solid("coin")
def _coin(random: Random) -> Mesh:
    g = _u(random, 0.4, 0.9)
    return lathe(
        [(0, 0), (0.6, 0), (0.6, 0.07), (0.54, 0.08), (0.52, 0.06), (0, 0.06)], [g, g, 0.9, 0.3, g], 24
    ) + _decal(random, 0.5, 0.5, 0.065, _other(random, g), 2)


@solid("ring", "wedding ring")
def _finger_ring(random: Random) -> Mesh:
    mesh = tube(arc(0.5, 0, 360, "xz", 20), 0.07, _u(random, 0.4, 1), 6)
    return mesh + ellipsoid(0.13, 0.13, 0.13, 0.95, 6).moved(0, 0, 0.6) if random.random() < 0.6 else mesh


@solid("ball", "rubber ball", "sphere")
def _ball(random: Random) -> Mesh:
    return ellipsoid(0.6, 0.6, 0.6, _g(random), 20)


@solid("soccer ball", "football")
def _soccer_ball(random: Random) -> Mesh:
    mesh = ellipsoid(0.6, 0.6, 0.6, 0.95, 20)
    for _ in range(14):
        patch = lathe([(0, 0.605), (0.17, 0.58)], 0.05, 5)
        mesh = mesh + patch.turned("x", _u(random, 0, 360)).turned("z", _u(random, 0, 360))
    return mesh


@solid("basketball")
def _basketball(random: Random) -> Mesh:
    mesh = ellipsoid(0.6, 0.6, 0.6, 0.6, 20)
    for plane in ("xy", "xz", "yz"):
        mesh = mesh + tube(arc(0.605, 0, 360, plane, 20), 0.014, 0.05, 4)
    return mesh


@solid("tennis ball", "baseball")
def _tennis_ball(random: Random) -> Mesh:
    t = np.linspace(0, 2 * np.pi, 32)
    a = 0.44 * np.pi / 2
    seam = (
        np.stack(
            [
                np.cos(t) * np.cos(a * np.sin(2 * t)),
                np.sin(t) * np.cos(a * np.sin(2 * t)),
                np.sin(a * np.sin(2 * t)),
            ],
            1,
        )
        * 0.605
    )
    return ellipsoid(0.6, 0.6, 0.6, 0.8, 20) + tube(seam, 0.02, 0.2, 4)


@solid("egg")
def _egg(random: Random) -> Mesh:
    return ellipsoid(0.42, 0.42, 0.58, _u(random, 0.6, 1.0), 18)


@solid("apple")
def _apple(random: Random) -> Mesh:
    mesh = lathe(
        [(0, 0.08), (0.25, 0), (0.5, 0.25), (0.55, 0.55), (0.4, 0.85), (0.2, 0.88), (0.03, 0.75)],
        _g(random),
        18,
    )
    return mesh + tube([(0, 0, 0.75), (0.05, 0, 1.0)], 0.03, 0.2, 5)


@solid("pear")
def _pear(random: Random) -> Mesh:
    return lathe(
        [(0, 0), (0.3, 0.03), (0.48, 0.3), (0.4, 0.6), (0.22, 0.9), (0.17, 1.05), (0, 1.1)], _g(random), 18
    ) + tube([(0, 0, 1.05), (0.04, 0, 1.25)], 0.03, 0.2, 5)


@solid("orange", "tangerine", "grapefruit")
def _orange(random: Random) -> Mesh:
    return ellipsoid(0.55, 0.55, 0.5, _u(random, 0.4, 0.8), 20) + ellipsoid(0.05, 0.05, 0.03, 0.2, 6).moved(
        0, 0, 0.5
    )


@solid("lemon", "lime")
def _lemon(random: Random) -> Mesh:
    return lathe(
        [(0, 0), (0.08, 0.05), (0.12, 0.12), (0.38, 0.4), (0.4, 0.6), (0.3, 0.85), (0.1, 1.05), (0, 1.12)],
        _u(random, 0.5, 0.9),
        16,
    ).turned("x", 90)


@solid("banana")
def _banana(random: Random) -> Mesh:
    radii = 0.16 * np.sqrt(np.maximum(1 - np.linspace(-0.95, 0.97, 9) ** 2, 0.03))
    return tube(arc(0.8, 200, 330, "xy", 9), radii, _u(random, 0.5, 0.9), 6)


@solid("carrot")
def _carrot(random: Random) -> Mesh:
    mesh = lathe([(0, 0), (0.05, 0.1), (0.18, 1.0), (0.12, 1.1), (0, 1.12)], _u(random, 0.3, 0.7), 12)
    for _ in range(5):
        mesh = mesh + tube([(0, 0, 1.1), (_u(random, -0.3, 0.3), _u(random, -0.3, 0.3), 1.5)], 0.03, 0.3, 4)
    return mesh.turned("x", 90)


@solid("donut", "doughnut", "bagel")
def _donut(random: Random) -> Mesh:
    return tube(arc(0.4, 0, 360, "xy", 20), 0.2, _g(random), 10).scaled(1, 1, 0.8)


@solid("bread", "loaf of bread")
def _bread(random: Random) -> Mesh:
    return ellipsoid(0.8, 0.4, 0.35, _u(random, 0.3, 0.7)) + _decal(random, 0.5, 0.3, 0.34, 0.9, 2)


@solid("mushroom")
def _mushroom(random: Random) -> Mesh:
    return lathe(
        [(0, 0), (0.15, 0), (0.13, 0.5), (0.5, 0.45), (0.48, 0.65), (0.3, 0.85), (0, 0.92)],
        [0.9, 0.9, 0.7, *([_g(random)] * 3)],
        16,
    )
