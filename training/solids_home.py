"""Solids: lamps and furniture."""

from __future__ import annotations

from training.mesh import Mesh, box, ellipsoid, lathe, tube
from training.solid_parts import Random, _g, _legs, _other, _slab, _u, solid


@solid("lamp", "table lamp", "desk lamp")
def _lamp(random: Random) -> Mesh:
    g = _g(random)
    return lathe(
        [
            (0, 0),
            (0.3, 0),
            (0.28, 0.08),
            (0.05, 0.1),
            (0.05, 0.8),
            (0.55, 0.75),
            (0.3, 1.3),
            (0.28, 1.3),
            (0.5, 0.76),
        ],
        [g, g, g, g, 0.5, *([_u(random, 0.6, 1)] * 3)],
        18,
    )


@solid("light bulb", "bulb")
def _bulb(random: Random) -> Mesh:
    return lathe(
        [
            (0, 0),
            (0.1, 0.02),
            (0.17, 0.08),
            (0.17, 0.35),
            (0.2, 0.45),
            (0.42, 0.85),
            (0.38, 1.1),
            (0.2, 1.28),
            (0, 1.32),
        ],
        [0.2, 0.3, 0.6, 0.5, *([0.95] * 4)],
        18,
    )


@solid("candle")
def _candle(random: Random) -> Mesh:
    r = _u(random, 0.1, 0.25)
    return lathe(
        [(0, 0), (r, 0), (r, 1.0), (0.02, 0.97), (0.02, 1.12), (0, 1.12)],
        [0.9, _u(random, 0.5, 1), 0.9, 0.1, 0.1],
        14,
    )


@solid("flashlight", "torch")
def _flashlight(random: Random) -> Mesh:
    g = _u(random, 0.1, 0.6)
    return lathe(
        [(0, 0), (0.13, 0), (0.13, 0.8), (0.22, 1.0), (0.22, 1.15), (0.19, 1.15), (0, 1.08)],
        [g, g, g, g, 0.8, 0.95],
        14,
    ).turned("x", 90)


@solid("battery")
def _battery(random: Random) -> Mesh:
    g = _g(random)
    return lathe(
        [(0, 0), (0.2, 0), (0.2, 0.75), (0.2, 1.0), (0.07, 1.0), (0.07, 1.07), (0, 1.07)],
        [0.8, g, _other(random, g), 0.8, 0.9, 0.9],
        14,
    )


@solid("chair")
def _chair(random: Random) -> Mesh:
    g, t = _g(random), _u(random, 0.05, 0.1)
    mesh = box(0.7, 0.7, t, g).moved(0, 0, 0.7) + _legs(0.7, 0.7, 0.7, t, g)
    if random.random() < 0.5:
        return mesh + box(0.7, t, 0.75, g).moved(0, 0.33, 0.75)
    slats = box(t, t, 0.8, g).moved(-0.32, 0.32, 0.75) + box(t, t, 0.8, g).moved(0.32, 0.32, 0.75)
    return mesh + slats + box(0.7, t, 0.15, g).moved(0, 0.32, 1.35) + box(0.7, t, 0.12, g).moved(0, 0.32, 1.0)


@solid("office chair", "swivel chair")
def _office_chair(random: Random) -> Mesh:
    g = _g(random)
    mesh = (
        _slab(0.7, 0.7, 0.12, 0.15, g).moved(0, 0, 0.65)
        + _slab(0.65, 0.7, 0.1, 0.15, g).turned("x", 80).moved(0, 0.4, 1.15)
        + tube([(0, 0, 0.1), (0, 0, 0.65)], 0.06, 0.3, 6)
    )
    for k in range(5):
        mesh = (
            mesh
            + tube([(0, 0, 0.12), (0.45, 0, 0.05)], 0.04, 0.3, 5).turned("z", 72 * k)
            + ellipsoid(0.06, 0.06, 0.06, 0.1, 6).moved(0.45, 0, 0.0).turned("z", 72 * k)
        )
    return mesh


@solid("stool")
def _stool(random: Random) -> Mesh:
    g = _g(random)
    return lathe([(0, 0.75), (0.4, 0.75), (0.4, 0.85), (0, 0.85)], g, 18) + _legs(0.55, 0.55, 0.75, 0.07, g)


@solid("table", "desk")
def _table(random: Random) -> Mesh:
    w, d, t, g = _u(random, 1.0, 1.6), _u(random, 0.6, 1.0), _u(random, 0.05, 0.1), _g(random)
    return box(w, d, t, g).moved(0, 0, 0.7) + _legs(w, d, 0.7, t, g)


@solid("sofa", "couch", "armchair")
def _sofa(random: Random) -> Mesh:
    w, g = _u(random, 0.9, 1.7), _g(random)
    return (
        box(w, 0.7, 0.35, g)
        + box(w, 0.2, 0.8, g).moved(0, 0.35, 0)
        + box(0.18, 0.7, 0.55, g).moved(w / 2, 0, 0)
        + box(0.18, 0.7, 0.55, g).moved(-w / 2, 0, 0)
    )


@solid("bed")
def _bed(random: Random) -> Mesh:
    g = _g(random)
    return (
        box(1.0, 1.6, 0.3, g)
        + box(1.0, 1.55, 0.15, 0.9).moved(0, 0, 0.3)
        + box(1.0, 0.08, 0.8, g).moved(0, 0.8, 0)
        + _slab(0.4, 0.3, 0.1, 0.08, 0.98).moved(-0.25, 0.55, 0.45)
        + _slab(0.4, 0.3, 0.1, 0.08, 0.98).moved(0.25, 0.55, 0.45)
    )


@solid("shelf", "bookshelf", "bookcase")
def _bookshelf(random: Random) -> Mesh:
    g = _g(random)
    mesh = box(1.0, 0.03, 1.5, g).moved(0, 0.17, 0)
    for x in (-0.5, 0.5):
        mesh = mesh + box(0.04, 0.35, 1.5, g).moved(x, 0, 0)
    for z in (0, 0.5, 1.0, 1.47):
        mesh = mesh + box(1.0, 0.35, 0.04, g).moved(0, 0, z)
    for _ in range(14):
        mesh = mesh + box(_u(random, 0.04, 0.09), 0.25, _u(random, 0.25, 0.4), _g(random)).moved(
            _u(random, -0.42, 0.42), 0, float(random.choice([0.04, 0.54, 1.04]))
        )
    return mesh


@solid("ladder")
def _ladder(random: Random) -> Mesh:
    g = _g(random)
    mesh = box(0.07, 0.07, 1.8, g).moved(-0.3) + box(0.07, 0.07, 1.8, g).moved(0.3)
    for k in range(6):
        mesh = mesh + box(0.6, 0.05, 0.05, g).moved(0, 0, 0.2 + 0.28 * k)
    return mesh
