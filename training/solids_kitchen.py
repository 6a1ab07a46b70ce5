"""Solids: vessels, dishes and what is cooked in."""

from __future__ import annotations

from training.mesh import Mesh, arc, ellipsoid, lathe, tube
from training.solid_parts import Random, _g, _handle, _other, _ribbon, _u, _vessel, solid


@solid("mug", "coffee mug", "cup", "coffee cup")
def _mug(random: Random) -> Mesh:
    h, r, g = _u(random, 0.9, 1.3), _u(random, 0.38, 0.5), _g(random)
    top = r * _u(random, 0.95, 1.3)
    mesh = _vessel(random, h, r, top, g, _u(random, -0.03, 0.06))
    mesh = mesh + _handle(
        (r + top) / 2 * 0.95, h * _u(random, 0.5, 0.7), _u(random, 0.25, 0.38), g, _u(random, 0.04, 0.07)
    ).moved(0, 0, h / 2)
    return mesh + _ribbon(random, (r + top) / 2, h / 2, _other(random, g)) if random.random() < 0.6 else mesh


@solid("cup", "paper cup", "drinking cup")
def _cup(random: Random) -> Mesh:
    h, r, g = _u(random, 0.9, 1.4), _u(random, 0.28, 0.4), _g(random)
    mesh = _vessel(random, h, r, r * _u(random, 1.1, 1.5), g)
    return mesh + _ribbon(random, r * 1.12, h / 2, _other(random, g)) if random.random() < 0.5 else mesh


@solid("glass", "drinking glass", "tumbler")
def _glass(random: Random) -> Mesh:
    h, r = _u(random, 1.0, 1.5), _u(random, 0.3, 0.4)
    return _vessel(random, h, r, r * _u(random, 0.95, 1.2), _u(random, 0.5, 0.9))


@solid("wine glass", "goblet")
def _wine_glass(random: Random) -> Mesh:
    w, g = _u(random, 0.3, 0.42), _u(random, 0.4, 0.9)
    return lathe(
        [
            (w * 0.9, 0),
            (0.05, 0.05),
            (0.05, 0.7),
            (w, 1.0),
            (w * 1.05, 1.3),
            (w * 0.8, 1.7),
            (w * 0.75, 1.7),
            (0.02, 0.85),
        ],
        g,
    )


@solid("bowl")
def _bowl(random: Random) -> Mesh:
    r, h, g = _u(random, 0.7, 0.9), _u(random, 0.35, 0.6), _g(random)
    return _vessel(random, h, r * 0.45, r, g, 0.12)


@solid("plate", "dish", "saucer")
def _plate(random: Random) -> Mesh:
    r, g = 0.9, _g(random)
    return lathe(
        [(0, 0), (r * 0.6, 0), (r, 0.12), (r * 0.97, 0.14), (r * 0.6, 0.03), (0, 0.03)],
        [g, g, g, g, g * 0.85],
    )


@solid("bottle", "water bottle", "plastic bottle")
def _bottle(random: Random) -> Mesh:
    r, h, g = _u(random, 0.25, 0.36), _u(random, 1.0, 1.5), _g(random)
    n = r * _u(random, 0.3, 0.5)
    cap = _other(random, g)
    return lathe(
        [
            (0, 0),
            (r, 0),
            (r, h * 0.2),
            (r, h * 0.6),
            (r, h * 0.7),
            (n, h * 0.95),
            (n, h * 1.1),
            (n * 1.2, h * 1.1),
            (n * 1.2, h * 1.25),
            (0, h * 1.25),
        ],
        [g, g, _other(random, g) if random.random() < 0.6 else g, g, g, g, cap, cap, cap],
    )


@solid("wine bottle", "beer bottle", "bottle")
def _wine_bottle(random: Random) -> Mesh:
    r, g = _u(random, 0.24, 0.32), _g(random)
    return lathe(
        [(0, 0), (r, 0), (r, 0.25), (r, 0.7), (r, 1.0), (0.1, 1.25), (0.09, 1.7), (0, 1.7)],
        [g, g, _other(random, g), g, g, g, g],
    )


@solid("can", "tin can", "soda can", "beverage can")
def _can(random: Random) -> Mesh:
    r, h, g = _u(random, 0.32, 0.45), _u(random, 0.9, 1.2), _g(random)
    return lathe(
        [(0, 0), (r * 0.85, 0), (r, 0.07), (r, h * 0.9), (r * 0.85, h), (r * 0.8, h * 0.97), (0, h * 0.97)],
        [0.8, 0.8, g, 0.8, 0.9, 0.6],
    ) + _ribbon(random, r, h / 2, _other(random, g))


@solid("jar", "glass jar")
def _jar(random: Random) -> Mesh:
    r, h, g = _u(random, 0.4, 0.5), _u(random, 0.8, 1.1), _u(random, 0.5, 0.9)
    lid = _g(random)
    return lathe(
        [
            (0, 0),
            (r, 0),
            (r, h * 0.8),
            (r * 0.8, h * 0.88),
            (r * 0.88, h * 0.88),
            (r * 0.88, h * 1.05),
            (0, h * 1.05),
        ],
        [g, g, g, lid, lid, lid],
    )


@solid("vase")
def _vase(random: Random) -> Mesh:
    g = _g(random)
    return lathe(
        [
            (0, 0),
            (0.28, 0),
            (_u(random, 0.4, 0.55), 0.5),
            (_u(random, 0.3, 0.45), 0.9),
            (0.15, 1.15),
            (_u(random, 0.2, 0.32), 1.4),
            (0.1, 1.2),
        ],
        g,
    )


@solid("flower pot", "plant pot", "potted plant")
def _flower_pot(random: Random) -> Mesh:
    g = _g(random)
    mesh = lathe([(0, 0), (0.35, 0), (0.5, 0.6), (0.56, 0.6), (0.56, 0.75), (0.5, 0.75), (0, 0.68)], g)
    for _ in range(int(random.integers(5, 10))):
        leaf = ellipsoid(_u(random, 0.08, 0.2), 0.03, _u(random, 0.3, 0.5), _g(random), 10).moved(0, 0, 0.4)
        mesh = mesh + leaf.turned("y", _u(random, -50, 50)).turned("z", _u(random, 0, 360)).moved(0, 0, 0.7)
    return mesh


@solid("teapot", "kettle")
def _teapot(random: Random) -> Mesh:
    g = _g(random)
    mesh = lathe(
        [(0, 0), (0.4, 0), (0.55, 0.3), (0.45, 0.65), (0.2, 0.75), (0.05, 0.8), (0.08, 0.9), (0, 0.92)], g, 18
    )
    spout = tube([(0.45, 0, 0.25), (0.7, 0, 0.4), (0.85, 0, 0.7)], [0.12, 0.08, 0.05], g)
    return mesh + spout + _handle(0.45, 0.5, 0.35, _g(random), 0.05).turned("z", 180).moved(0, 0, 0.4)


@solid("frying pan", "pan", "skillet")
def _pan(random: Random) -> Mesh:
    g = _u(random, 0.1, 0.6)
    return _vessel(random, 0.2, 0.5, 0.6, g) + tube([(0.58, 0, 0.15), (1.4, 0, 0.25)], 0.06, _g(random))


@solid("cooking pot", "saucepan", "pot")
def _pot(random: Random) -> Mesh:
    g = _g(random)
    mesh = _vessel(random, _u(random, 0.5, 0.8), 0.55, 0.56, g)
    if random.random() < 0.5:
        return mesh + tube([(0.55, 0, 0.4), (1.3, 0, 0.45)], 0.06, _g(random))
    return (
        mesh
        + _handle(0.55, 0.25, 0.18, g, 0.04).moved(0, 0, 0.4)
        + _handle(0.55, 0.25, 0.18, g, 0.04).turned("z", 180).moved(0, 0, 0.4)
    )


@solid("bucket", "pail")
def _bucket(random: Random) -> Mesh:
    g = _g(random)
    handle = arc(0.55, 0, 180, "xz", 12)
    return _vessel(random, 0.9, 0.4, 0.55, g) + tube(handle, 0.025, _g(random), 6).turned(
        "x", _u(random, -60, 60)
    ).moved(0, 0, 0.88)
