"""Solids: tools, cutlery and what one writes with."""

from __future__ import annotations

from training.mesh import Mesh, arc, box, ellipsoid, lathe, prism, tube
from training.solid_parts import Random, _g, _other, _ring, _slab, _u, solid


@solid("scissors", "pair of scissors")
def _scissors(random: Random) -> Mesh:
    opening, g, blade = _u(random, 2, 28), _g(random), _u(random, 0.5, 0.95)
    stretch, radius = _u(random, 1.1, 1.7), _u(random, 0.17, 0.25)

    def half(sign: float) -> Mesh:
        long = _u(random, 0.7, 1.1)
        metal = prism([(-0.05, 0), (0.06, 0), (0.05, long * 0.6), (0, long)], 0.05, blade)
        shank = tube([(0, 0, 0.03), (sign * 0.06, -0.25, 0.03), (sign * 0.12, -0.4, 0.03)], 0.05, g, 6)
        ring = _ring(radius, _u(random, 0.035, 0.06), g, stretch).moved(
            sign * 0.16, -0.42 - radius * stretch, 0.03
        )
        return metal + shank + ring

    return half(-1).turned("z", -opening / 2) + half(1).turned("z", opening / 2).moved(0, 0, 0.03)


@solid("pliers", "pincers")
def _pliers(random: Random) -> Mesh:
    g, grip, opening = _u(random, 0.4, 0.9), _g(random), _u(random, 5, 25)

    def half(sign: float) -> Mesh:
        jaw = prism([(-0.07, 0), (0.07, 0), (0.05, 0.4), (-0.03, 0.4)], 0.1, g)
        return jaw + tube(
            [(0, 0, 0.05), (sign * 0.15, -0.3, 0.05), (sign * 0.12, -0.9, 0.05)], [0.07, 0.06, 0.07], grip, 6
        )

    return half(-1).turned("z", -opening / 2) + half(1).turned("z", opening / 2)


@solid("box cutter", "utility knife", "cutter knife", "stanley knife")
def _box_cutter(random: Random) -> Mesh:
    g, w = _g(random), _u(random, 0.1, 0.17)
    swell = _u(random, 0.9, 1.6)
    outline = [
        (-0.75, -w * swell * 0.8),
        (-0.5, -w * swell),
        (0, -w),
        (0.6, -w * 0.8),
        (0.75, -w * 0.3),
        (0.75, w * 0.8),
        (0, w),
        (-0.6, w * swell * 0.9),
        (-0.78, 0),
    ]
    body = prism(outline, _u(random, 0.08, 0.2), g)
    slider = box(0.25, w * 0.7, 0.06, _other(random, g)).moved(_u(random, -0.1, 0.4), 0, 0.14)
    out = _u(random, 0.0, 0.45)
    blade = prism(
        [(0.7, -w * 0.45), (0.75 + out, -w * 0.45), (0.85 + out, w * 0.45), (0.7, w * 0.45)], 0.03, 0.9
    ).moved(0, 0, 0.06)
    return body + slider + blade


@solid("knife", "kitchen knife", "table knife")
def _knife(random: Random) -> Mesh:
    w = _u(random, 0.09, 0.16)
    blade = prism([(0, -w), (0.7, -w), (1.0, 0), (1.05, w), (0, w)], 0.03, _u(random, 0.6, 1))
    return blade + _slab(0.7, w * 1.5, 0.1, 0.05, _g(random)).moved(-0.35, 0, -0.03)


@solid("fork")
def _fork(random: Random) -> Mesh:
    g = _u(random, 0.5, 1)
    mesh = tube([(-1, 0, 0), (0.1, 0, 0.05), (0.35, 0, 0)], [0.05, 0.03, 0.1], g, 6)
    for y in (-0.12, -0.04, 0.04, 0.12):
        mesh = mesh + tube([(0.35, y, 0), (0.8, y, 0.06)], 0.02, g, 4)
    return mesh


@solid("spoon", "tablespoon")
def _spoon(random: Random) -> Mesh:
    g = _u(random, 0.5, 1)
    return tube([(-1, 0, 0.05), (0.2, 0, 0), (0.3, 0, 0)], [0.06, 0.03, 0.03], g, 6) + ellipsoid(
        0.28, 0.18, 0.06, g, 14
    ).moved(0.5, 0, 0)


@solid("screwdriver")
def _screwdriver(random: Random) -> Mesh:
    r = _u(random, 0.09, 0.14)
    return lathe(
        [
            (0, 0),
            (r * 0.8, 0.02),
            (r, 0.15),
            (r * 0.9, 0.5),
            (r * 0.6, 0.65),
            (0.03, 0.67),
            (0.03, 1.4),
            (0.05, 1.45),
            (0.01, 1.5),
        ],
        [_g(random)] * 5 + [0.8] * 3,
        12,
    ).turned("x", 90)


@solid("hammer")
def _hammer(random: Random) -> Mesh:
    handle = tube([(0, -1, 0), (0, 0, 0), (0, 0.3, 0)], [0.08, 0.06, 0.05], _g(random), 8)
    head = lathe(
        [(0, -0.35), (0.12, -0.35), (0.12, -0.15), (0.08, -0.05), (0.08, 0.1), (0.02, 0.4)],
        _u(random, 0.2, 0.7),
        10,
    ).turned("y", 90)
    return handle + head.moved(0, 0.3, 0)


@solid("wrench", "spanner")
def _wrench(random: Random) -> Mesh:
    g = _u(random, 0.4, 0.9)
    jaw = tube(arc(0.17, 40, 320, "xy", 12), 0.06, g, 6)
    return (
        box(1.1, 0.13, 0.08, g)
        + jaw.turned("z", 180).turned("z", 180).moved(0.7, 0, 0.04)
        + _ring(0.12, 0.05, g).moved(-0.65, 0, 0.04)
    )


@solid("drill", "power drill", "electric drill")
def _drill(random: Random) -> Mesh:
    g = _g(random)
    body = lathe(
        [(0, 0), (0.2, 0), (0.22, 0.7), (0.12, 0.85), (0.08, 1.0), (0.02, 1.0), (0.02, 1.4)],
        [g, g, 0.2, 0.2, 0.7, 0.7],
        14,
    ).turned("y", 90)
    grip = box(0.25, 0.2, 0.7, g).moved(0, 0, -0.75).turned("y", 10)
    return body + grip.moved(0.3, 0, 0) + box(0.4, 0.26, 0.15, 0.2).moved(0.2, 0, -0.85)


@solid("saw", "handsaw")
def _saw(random: Random) -> Mesh:
    blade = prism([(0, -0.1), (1.4, -0.05), (1.4, 0.08), (0, 0.3)], 0.02, 0.85)
    return blade + tube(arc(0.2, 0, 360, "xy", 12), 0.07, _g(random), 6).moved(-0.15, 0.1, 0)


@solid("pencil")
def _pencil(random: Random) -> Mesh:
    g = _g(random)
    return lathe(
        [(0, 0), (0.045, 0), (0.045, 0.08), (0.045, 1.5), (0.01, 1.68), (0, 1.7)], [0.6, 0.6, g, 0.9, 0.1], 6
    ).turned("x", 90)


@solid("mechanical pencil", "propelling pencil")
def _mechanical_pencil(random: Random) -> Mesh:
    g, r = _g(random), _u(random, 0.045, 0.07)
    other = _other(random, g)
    body = lathe(
        [
            (0, 0),
            (r * 0.5, 0),
            (r * 0.5, 0.1),
            (r * 0.9, 0.1),
            (r, 0.9),
            (r * 1.1, 1.0),
            (r, 1.3),
            (r * 0.3, 1.5),
            (0.01, 1.6),
        ],
        [other, other, g, g, other, g, 0.8, 0.8],
        10,
    )
    return (body + box(r * 0.5, 0.02, 0.4, other).moved(0, r * 1.3, 0.15)).turned("x", 90)


@solid("pen", "ballpoint pen", "ballpoint")
def _pen(random: Random) -> Mesh:
    g, r = _g(random), _u(random, 0.05, 0.08)
    other = _other(random, g) if random.random() < 0.5 else g
    body = lathe(
        [(0, 0), (r, 0), (r, 0.6), (r * 1.05, 0.62), (r, 1.2), (r * 0.2, 1.45), (0, 1.5)],
        [g, g, other, other, other, 0.7],
        10,
    )
    return (body + box(r * 0.5, 0.02, 0.45, _g(random)).moved(0, r * 1.2, 0.02)).turned("x", 90)


@solid("marker", "felt-tip pen", "highlighter")
def _marker(random: Random) -> Mesh:
    g, r = _g(random), _u(random, 0.1, 0.14)
    return lathe(
        [(0, 0), (r, 0), (r, 0.75), (r * 1.08, 0.75), (r * 1.08, 1.2), (r * 0.9, 1.3), (0, 1.3)],
        [g, g, 0.3, _other(random, g), 0.3, 0.3],
        12,
    ).turned("x", 90)


@solid("paintbrush", "brush")
def _paintbrush(random: Random) -> Mesh:
    g = _g(random)
    return lathe(
        [(0, 0), (0.03, 0), (0.06, 0.6), (0.04, 0.9), (0.06, 0.92), (0.07, 1.1), (0.09, 1.2), (0.01, 1.5)],
        [g, g, g, 0.8, 0.8, 0.2, 0.2],
        8,
    ).turned("x", 90)


@solid("ruler")
def _ruler(random: Random) -> Mesh:
    g = _g(random)
    mesh = box(1.8, 0.22, 0.03, g)
    for k in range(17):
        mesh = mesh + box(0.012, 0.05 + 0.04 * (k % 2), 0.006, _other(random, g)).moved(
            -0.8 + 0.1 * k, 0.07, 0.03
        )
    return mesh


@solid("eraser", "rubber")
def _eraser(random: Random) -> Mesh:
    return _slab(0.35, 0.75, 0.2, 0.05, 0.95) + box(0.37, 0.45, 0.22, _g(random)).moved(0, -0.1, -0.01)


@solid("stapler")
def _stapler(random: Random) -> Mesh:
    g = _g(random)
    arm = _slab(0.28, 1.25, 0.2, 0.1, g) + box(0.24, 1.1, 0.12, 0.8).moved(0, 0, -0.12)
    return box(0.3, 1.3, 0.06, g) + arm.moved(0, 0.6, 0).turned("x", -_u(random, 5, 15)).moved(0, -0.6, 0.2)
