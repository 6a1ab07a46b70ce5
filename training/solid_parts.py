"""What every solid of the catalog is made with: the register, random grays, and parts that recur."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.mesh import Mesh, arc, box, lathe, prism, rounded, tube

Random = np.random.Generator
Builder = Callable[[Random], Mesh]

CATALOG: dict[str, tuple[Builder, tuple[str, ...]]] = {}
"""Key → (builder, names); all names are equally right."""


def solid(*names: str) -> Callable[[Builder], Builder]:
    """Register a builder under the names of what it makes."""

    def register(builder: Builder) -> Builder:
        CATALOG[builder.__name__.strip("_")] = (builder, names)
        return builder

    return register


def _u(random: Random, low: float, high: float) -> float:
    return float(random.uniform(low, high))


def _g(random: Random) -> float:
    """Return a random reflectance, often dark or bright and seldom between."""
    return float(np.clip(random.choice([0.15, 0.35, 0.6, 0.9]) + random.normal(0, 0.08), 0.05, 1.0))


def _other(random: Random, gray: float) -> float:
    """Return a reflectance clearly unlike ``gray``."""
    return _u(random, 0.6, 1.0) if gray < 0.5 else _u(random, 0.05, 0.35)


def _decal(random: Random, width: float, depth: float, z: float, gray: float, n: int = 3) -> Mesh:
    """Return a few thin marks on a lid at height ``z``: printing, labels, buttons."""
    marks = box(width * 0.2, depth * 0.2, 0.004, gray).moved(0, 0, z)
    for _ in range(n):
        w, d = width * _u(random, 0.08, 0.5), depth * _u(random, 0.05, 0.3)
        x, y = _u(random, -0.5, 0.5) * (width - w), _u(random, -0.5, 0.5) * (depth - d)
        marks = marks + box(w, d, 0.004, gray).moved(x, y, z)
    return marks


def _slab(
    width: float, depth: float, height: float, radius: float, gray: float, top: float | None = None
) -> Mesh:
    return prism(rounded(width, depth, radius), height, gray, top)


def _ring(radius: float, thick: float, gray: float, stretch: float = 1.0) -> Mesh:
    points = arc(radius, 0, 360, "xy", 18)
    points[:, 1] *= stretch
    return tube(points, thick, gray, 6)


def _legs(width: float, depth: float, height: float, thick: float, gray: float) -> Mesh:
    legs = None
    for x in (-1, 1):
        for y in (-1, 1):
            leg = box(thick, thick, height, gray).moved(x * (width - thick) / 2, y * (depth - thick) / 2)
            legs = leg if legs is None else legs + leg
    assert legs is not None
    return legs


def _vessel(
    random: Random, height: float, bottom: float, top: float, gray: float, bulge: float = 0.0
) -> Mesh:
    """Return an open cup: outside, rim, inside and floor."""
    z = np.linspace(0, height, 6)
    r = np.linspace(bottom, top, 6) + bulge * np.sin(np.pi * z / height)
    outside = [(0.0, 0.0), *((float(a), float(b)) for a, b in zip(r, z, strict=True))]
    inside = [(float(a) * 0.92, float(b)) for a, b in zip(r[::-1], z[::-1], strict=True)]
    shades = [gray] * 6 + [min(1.0, gray * 1.15)] + [gray * 0.7] * 5 + [gray * 0.6]
    return lathe([*outside, *inside, (0.0, 0.03)], shades)


def _handle(radius: float, height: float, side: float, gray: float, thick: float = 0.06) -> Mesh:
    points = arc(1, -90, 90, "xz", 9)
    points[:, 0] *= side
    points[:, 2] = points[:, 2] * height / 2
    return tube(points, thick, gray).moved(radius, 0, 0)


def _ribbon(random: Random, radius: float, z: float, gray: float) -> Mesh:
    """Return print on the side of a round thing: patches a little outside its wall."""
    start, width = _u(random, 0, 360), _u(random, 40, 160)
    height = _u(random, 0.1, 0.5)
    patch = None
    for _ in range(int(random.integers(1, 4))):
        span = width * _u(random, 0.2, 0.6)
        points = arc(radius * 1.02, start, start + span, "xy", 6)
        strip = tube(points, height * _u(random, 0.05, 0.25), gray, 4).moved(0, 0, z + _u(random, -0.2, 0.2))
        patch = strip if patch is None else patch + strip
        start += _u(random, 20, 90)
    assert patch is not None
    return patch
