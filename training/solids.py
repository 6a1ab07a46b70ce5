"""A catalogue of everyday things as solids of random proportions, each under its names.

Why it exists: icons show things from the front, but a real phone, mouse or cutter turning on a desk is
mostly seen edge-on and foreshortened. Which *kinds* of things are here (handheld, on a desk, in a kitchen or
a toolbox) was chosen after looking at real desk recordings; no shape, size or pose was measured from them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.mesh import Mesh, arc, box, ellipsoid, lathe, prism, rounded, tube

Random = np.random.Generator
Builder = Callable[[Random], Mesh]

CATALOGUE: dict[str, tuple[Builder, tuple[str, ...]]] = {}
"""Key → (builder, names); all names are equally right."""


def solid(*names: str) -> Callable[[Builder], Builder]:
    """Register a builder under the names of what it makes."""

    def register(builder: Builder) -> Builder:
        CATALOGUE[builder.__name__.strip("_")] = (builder, names)
        return builder

    return register


def _u(random: Random, low: float, high: float) -> float:
    return float(random.uniform(low, high))


def _g(random: Random) -> float:
    """Return a random reflectance, often dark or bright and seldom between."""
    return float(np.clip(random.choice([0.15, 0.35, 0.6, 0.9]) + random.normal(0, 0.08), 0.05, 1.0))


def _other(random: Random, grey: float) -> float:
    """Return a reflectance clearly unlike ``grey``."""
    return _u(random, 0.6, 1.0) if grey < 0.5 else _u(random, 0.05, 0.35)


def _decal(random: Random, width: float, depth: float, z: float, grey: float, n: int = 3) -> Mesh:
    """Return a few thin marks on a lid at height ``z``: printing, labels, buttons."""
    marks = box(width * 0.2, depth * 0.2, 0.004, grey).moved(0, 0, z)
    for _ in range(n):
        w, d = width * _u(random, 0.08, 0.5), depth * _u(random, 0.05, 0.3)
        x, y = _u(random, -0.5, 0.5) * (width - w), _u(random, -0.5, 0.5) * (depth - d)
        marks = marks + box(w, d, 0.004, grey).moved(x, y, z)
    return marks


def _slab(
    width: float, depth: float, height: float, radius: float, grey: float, top: float | None = None
) -> Mesh:
    return prism(rounded(width, depth, radius), height, grey, top)


def _ring(radius: float, thick: float, grey: float, stretch: float = 1.0) -> Mesh:
    points = arc(radius, 0, 360, "xy", 18)
    points[:, 1] *= stretch
    return tube(points, thick, grey, 6)


def _legs(width: float, depth: float, height: float, thick: float, grey: float) -> Mesh:
    legs = None
    for x in (-1, 1):
        for y in (-1, 1):
            leg = box(thick, thick, height, grey).moved(x * (width - thick) / 2, y * (depth - thick) / 2)
            legs = leg if legs is None else legs + leg
    assert legs is not None
    return legs


def _vessel(
    random: Random, height: float, bottom: float, top: float, grey: float, bulge: float = 0.0
) -> Mesh:
    """Return an open cup: outside, rim, inside and floor."""
    z = np.linspace(0, height, 6)
    r = np.linspace(bottom, top, 6) + bulge * np.sin(np.pi * z / height)
    outside = [(0.0, 0.0), *((float(a), float(b)) for a, b in zip(r, z, strict=True))]
    inside = [(float(a) * 0.92, float(b)) for a, b in zip(r[::-1], z[::-1], strict=True)]
    shades = [grey] * 6 + [min(1.0, grey * 1.15)] + [grey * 0.7] * 5 + [grey * 0.6]
    return lathe([*outside, *inside, (0.0, 0.03)], shades)


def _handle(radius: float, height: float, side: float, grey: float, thick: float = 0.06) -> Mesh:
    points = arc(1, -90, 90, "xz", 9)
    points[:, 0] *= side
    points[:, 2] = points[:, 2] * height / 2
    return tube(points, thick, grey).moved(radius, 0, 0)


def _ribbon(random: Random, radius: float, z: float, grey: float) -> Mesh:
    """Return print on the side of a round thing: patches a little outside its wall."""
    start, width = _u(random, 0, 360), _u(random, 40, 160)
    height = _u(random, 0.1, 0.5)
    patch = None
    for _ in range(int(random.integers(1, 4))):
        span = width * _u(random, 0.2, 0.6)
        points = arc(radius * 1.02, start, start + span, "xy", 6)
        strip = tube(points, height * _u(random, 0.05, 0.25), grey, 4).moved(0, 0, z + _u(random, -0.2, 0.2))
        patch = strip if patch is None else patch + strip
        start += _u(random, 20, 90)
    assert patch is not None
    return patch


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


@solid("box", "cardboard box", "carton")
def _box(random: Random) -> Mesh:
    w, d, h, g = _u(random, 0.6, 1.2), _u(random, 0.4, 1.0), _u(random, 0.25, 0.9), _g(random)
    mesh = box(w, d, h, g)
    if random.random() < 0.4:
        mesh = mesh + box(w * 1.005, d * _u(random, 0.08, 0.2), h * 1.005, _other(random, g))
    if random.random() < 0.4:
        mesh = (
            mesh
            + _decal(random, w, d, h, _other(random, g), 2)
            + _decal(random, w, h, d / 2, _other(random, g), 2).turned("x", 90).moved(0, 0, h / 2)
        )
    return mesh


@solid("small box", "box", "package", "parcel")
def _small_box(random: Random) -> Mesh:
    w, d, h, g = _u(random, 0.7, 1.0), _u(random, 0.2, 0.5), _u(random, 0.4, 0.8), _g(random)
    mesh = box(w, d, h, g)
    return (
        mesh + _decal(random, w, h, d / 2, _other(random, g), 3).turned("x", 90).moved(0, 0, h / 2)
        if random.random() < 0.5
        else mesh
    )


@solid("cube", "block", "toy block")
def _cube(random: Random) -> Mesh:
    return box(0.8, 0.8, 0.8, _g(random))


@solid("dice", "die")
def _dice(random: Random) -> Mesh:
    g = _u(random, 0.7, 1.0)
    mesh = _slab(0.8, 0.8, 0.8, 0.08, g)
    spots = {
        1: [(0, 0)],
        2: [(-1, -1), (1, 1)],
        3: [(-1, -1), (0, 0), (1, 1)],
        5: [(-1, -1), (1, 1), (-1, 1), (1, -1), (0, 0)],
    }
    for (axis, degrees), number in zip(
        (("x", 0), ("x", 90), ("y", 90), ("x", -90)), (1, 2, 3, 5), strict=True
    ):
        for x, y in spots[number]:
            dot = lathe([(0, 0), (0.08, 0)], 0.05, 8).moved(x * 0.2, y * 0.2, 0.405)
            mesh = mesh + dot.turned(axis, degrees).moved(0, 0, 0.4)
    return mesh


@solid("book", "closed book", "notebook")
def _book(random: Random) -> Mesh:
    w, d, h, g = _u(random, 0.7, 0.9), _u(random, 1.0, 1.3), _u(random, 0.1, 0.35), _g(random)
    cover = box(w, d, 0.03, g) + box(w, d, 0.03, g).moved(0, 0, h) + box(0.03, d, h, g).moved(-w / 2, 0, 0)
    return cover + box(w * 0.94, d * 0.95, h, 0.95) + _decal(random, w, d, h + 0.03, _other(random, g), 3)


@solid("open book")
def _open_book(random: Random) -> Mesh:
    page, tilt = box(0.8, 1.1, 0.06, 0.95), _u(random, 5, 25)
    text = None
    for k in range(6):
        line = box(0.6 * _u(random, 0.6, 1), 0.04, 0.005, 0.2).moved(0, -0.4 + 0.16 * k, 0.06)
        text = line if text is None else text + line
    assert text is not None
    right = (page + text).moved(0.4, 0, 0).turned("y", -tilt)
    return right + (page + text).moved(-0.4, 0, 0).turned("y", tilt)


@solid("phone", "smartphone", "mobile phone", "cell phone")
def _phone(random: Random) -> Mesh:
    w, d, h, g = _u(random, 0.6, 0.8), _u(random, 1.25, 1.5), _u(random, 0.06, 0.22), _g(random)
    mesh = _slab(w, d, h, _u(random, 0.04, 0.15), g)
    top = _u(random, 0.78, 0.96)
    screen = _slab(
        w * _u(random, 0.82, 0.97),
        d * top,
        0.008,
        0.02,
        _other(random, g) if random.random() < 0.75 else _g(random),
    ).moved(0, 0, h)
    mesh = mesh + screen
    if top < 0.9:
        mesh = mesh + lathe([(0, 0), (0.06, 0)], _other(random, g), 10).moved(0, -d * 0.46, h + 0.012)
    return mesh


@solid("tablet", "tablet computer")
def _tablet(random: Random) -> Mesh:
    g = _g(random)
    return _slab(1.0, 1.35, 0.06, 0.06, g) + _slab(0.88, 1.2, 0.008, 0.02, _other(random, g)).moved(
        0, 0, 0.06
    )


@solid("telephone", "desk phone", "landline telephone")
def _telephone(random: Random) -> Mesh:
    g = _g(random)
    mesh = prism(rounded(1.0, 1.0, 0.1), 0.25, g)
    for x in range(3):
        for y in range(4):
            mesh = mesh + box(0.11, 0.09, 0.04, _other(random, g)).moved(
                0.05 + 0.15 * x, -0.3 + 0.14 * y, 0.25
            )
    handset = tube([(0, -0.45, 0), (0, -0.3, 0.1), (0, 0.3, 0.1), (0, 0.45, 0)], [0.13, 0.08, 0.08, 0.13], g)
    return mesh + handset.moved(-0.33, 0, 0.32)


@solid("laptop", "notebook computer", "laptop computer")
def _laptop(random: Random) -> Mesh:
    g = _g(random)
    base = _slab(1.3, 0.9, 0.06, 0.04, g) + box(1.1, 0.4, 0.01, _other(random, g)).moved(0, 0.12, 0.06)
    base = base + box(0.35, 0.22, 0.01, _other(random, g)).moved(0, -0.28, 0.06)
    lid = box(1.3, 0.04, 0.85, g) + box(1.18, 0.01, 0.72, _other(random, g)).moved(0, -0.025, 0.06)
    return base + lid.turned("x", _u(random, -35, 0)).moved(0, 0.45, 0.05)


@solid("computer monitor", "monitor", "screen", "television", "computer screen")
def _monitor(random: Random) -> Mesh:
    g = _u(random, 0.1, 0.4)
    screen = box(1.5, 0.08, 0.9, g) + box(1.4, 0.01, 0.8, _g(random)).moved(0, -0.045, 0.05)
    return screen.moved(0, 0, 0.35) + box(0.12, 0.08, 0.4, g) + box(0.6, 0.4, 0.04, g)


@solid("keyboard", "computer keyboard")
def _keyboard(random: Random) -> Mesh:
    g = _g(random)
    key = _other(random, g) if random.random() < 0.5 else g * 0.7
    mesh = _slab(1.8, 0.6, 0.06, 0.03, g)
    for row in range(4):
        for column in range(12):
            mesh = mesh + box(0.115, 0.1, 0.04, key).moved(-0.78 + 0.142 * column, -0.2 + 0.135 * row, 0.06)
    return mesh


@solid("computer mouse", "mouse", "wireless mouse", "optical mouse")
def _computer_mouse(random: Random) -> Mesh:
    g = _g(random)
    w, d, h = _u(random, 0.5, 0.7), 1.0, _u(random, 0.3, 0.42)
    y = np.linspace(-0.5, 0.5, 7) * d
    mesh = ellipsoid(w / 2, d / 2, h, g, 18)
    flat = Mesh(
        np.stack([mesh.corners[..., 0], mesh.corners[..., 1], np.maximum(mesh.corners[..., 2], 0)], -1),
        mesh.normals,
        mesh.grey,
    )
    square = np.clip(flat.corners[..., :2] * 1.25, -np.array([w / 2, d / 2]), np.array([w / 2, d / 2]))
    flat = Mesh(
        np.concatenate([square, flat.corners[..., 2:]], -1).astype(np.float32), flat.normals, flat.grey
    )
    front = y[3:]
    height = h * np.sqrt(np.maximum(1 - (front / (d / 2) / 1.25) ** 2, 0))
    seam = tube(np.stack([0 * front, front, height], 1), 0.012, _other(random, g), 4)
    wheel = ellipsoid(0.035, 0.09, 0.06, _other(random, g), 8).moved(0, 0.25 * d, h * 0.82)
    return flat + seam + wheel


@solid("game controller", "gamepad", "joystick")
def _gamepad(random: Random) -> Mesh:
    g = _g(random)
    mesh = (
        ellipsoid(0.55, 0.3, 0.14, g)
        + ellipsoid(0.22, 0.42, 0.15, g).turned("z", -15).moved(-0.5, -0.2, 0)
        + ellipsoid(0.22, 0.42, 0.15, g).turned("z", 15).moved(0.5, -0.2, 0)
    )
    for x, y in ((0.4, 0.1), (0.5, 0), (0.3, 0), (0.4, -0.1)):
        mesh = mesh + ellipsoid(0.04, 0.04, 0.05, _other(random, g), 8).moved(x, y, 0.14)
    return (
        mesh
        + ellipsoid(0.09, 0.09, 0.12, _other(random, g), 10).moved(-0.4, 0, 0.12)
        + box(0.2, 0.06, 0.03, _other(random, g)).moved(0, 0.05, 0.12)
    )


@solid("remote control", "tv remote")
def _remote(random: Random) -> Mesh:
    g = _g(random)
    mesh = _slab(0.38, 1.5, 0.14, 0.08, g)
    for row in range(int(random.integers(4, 8))):
        for column in range(3):
            mesh = mesh + _slab(0.07, 0.07, 0.03, 0.03, _other(random, g)).moved(
                -0.1 + 0.1 * column, -0.6 + 0.17 * row, 0.14
            )
    return mesh


@solid("calculator")
def _calculator(random: Random) -> Mesh:
    g = _g(random)
    mesh = _slab(0.75, 1.15, 0.12, 0.06, g) + box(0.6, 0.2, 0.01, _other(random, g)).moved(0, 0.4, 0.12)
    for row in range(4):
        for column in range(4):
            mesh = mesh + box(0.11, 0.11, 0.03, _other(random, g)).moved(
                -0.24 + 0.16 * column, -0.42 + 0.18 * row, 0.12
            )
    return mesh


@solid("camera", "photo camera", "digital camera")
def _camera(random: Random) -> Mesh:
    g = _g(random)
    lens = (
        lathe([(0.3, 0), (0.3, 0.3), (0.26, 0.3), (0.22, 0.22), (0, 0.2)], [_other(random, g), g, 0.2, 0.1])
        .turned("x", 90)
        .moved(0, -0.2, 0.4)
    )
    return (
        box(1.2, 0.4, 0.8, g)
        + lens
        + box(0.4, 0.3, 0.15, g).moved(0, 0, 0.8)
        + lathe([(0.08, 0), (0.08, 0.08), (0, 0.08)], 0.8, 10).moved(0.45, 0, 0.8)
    )


@solid("headphones", "headset")
def _headphones(random: Random) -> Mesh:
    g = _g(random)
    band = tube(arc(0.7, 0, 180, "xz", 14), 0.05, g, 6)
    cup = lathe([(0, 0), (0.28, 0), (0.3, 0.1), (0.22, 0.2), (0, 0.2)], _g(random), 14).turned("y", 90)
    return band + cup.moved(-0.78, 0, -0.1) + cup.turned("y", 180).moved(0.78, 0, -0.1)


@solid("speaker", "loudspeaker")
def _speaker(random: Random) -> Mesh:
    g = _g(random)
    cone = lathe(
        [(0.3, 0.02), (0.26, 0.03), (0.05, -0.0), (0, 0.04)], [_other(random, g), 0.3, 0.2], 16
    ).turned("x", 90)
    return box(0.8, 0.6, 1.2, g) + cone.moved(0, -0.31, 0.4) + cone.scaled(0.5).moved(0, -0.31, 0.9)


@solid("alarm clock", "clock")
def _clock(random: Random) -> Mesh:
    g = _g(random)
    face = lathe(
        [(0.6, 0), (0.6, 0.2), (0.54, 0.22), (0.54, 0.2), (0, 0.2)], [g, g, g, _other(random, g)], 24
    )
    for degrees, length in ((_u(random, 0, 360), 0.42), (_u(random, 0, 360), 0.28)):
        face = face + box(0.05, length, 0.01, g).moved(0, length / 2, 0.21).turned("z", degrees)
    return face.turned("x", 90).moved(0, 0, 0.6)


@solid("watch", "wristwatch")
def _watch(random: Random) -> Mesh:
    g = _g(random)
    strap = tube(arc(0.5, 0, 360, "xz", 18), [0.1] * 18, _g(random), 6).scaled(1, 1.6, 0.85)
    return strap + lathe(
        [(0.3, 0), (0.3, 0.1), (0.25, 0.12), (0, 0.12)], [g, g, _other(random, g)], 16
    ).moved(0, 0, 0.42)


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


@solid("umbrella")
def _umbrella(random: Random) -> Mesh:
    g = _g(random)
    hook = np.concatenate(
        [[[0, 0, 1.0], [0, 0, 0.1]], arc(0.1, 180, 360, "xz", 6) + np.array([0.1, 0, 0.05])]
    )
    return lathe([(0, 1.15), (0.3, 1.08), (0.6, 0.9), (0.8, 0.65)], [g, g, g], 8) + tube(hook, 0.025, 0.2, 5)


@solid("hat", "cowboy hat")
def _hat(random: Random) -> Mesh:
    g = _g(random)
    return lathe(
        [(0.9, 0.05), (0.4, 0), (0.42, 0.15), (0.36, 0.5), (0.2, 0.56), (0, 0.52)],
        [g, _other(random, g), g, g, g],
        20,
    )


@solid("cap", "baseball cap")
def _cap(random: Random) -> Mesh:
    g = _g(random)
    crown = ellipsoid(0.5, 0.55, 0.5, g, 18)
    top = Mesh(np.maximum(crown.corners, np.array([-9, -9, 0], np.float32)), crown.normals, crown.grey)
    return top + prism([(-0.35, -0.4), (-0.25, -0.9), (0, -1.0), (0.25, -0.9), (0.35, -0.4)], 0.04, g)


@solid("shoe", "sneaker", "running shoe")
def _shoe(random: Random) -> Mesh:
    g = _g(random)
    sole = prism(
        [
            (-0.2, -0.7),
            (0.15, -0.75),
            (0.26, -0.4),
            (0.18, 0.2),
            (0.2, 0.6),
            (-0.05, 0.75),
            (-0.22, 0.55),
            (-0.18, 0),
        ],
        0.1,
        _other(random, g),
    )
    return (
        sole
        + ellipsoid(0.22, 0.5, 0.22, g).moved(0, -0.22, 0.12)
        + _vessel(random, 0.5, 0.22, 0.18, g).scaled(1, 1.4, 1).moved(0, 0.4, 0.05)
    )


@solid("boot")
def _boot(random: Random) -> Mesh:
    g = _g(random)
    return (
        ellipsoid(0.23, 0.5, 0.22, g).moved(0, -0.25, 0.15)
        + _vessel(random, _u(random, 0.9, 1.3), 0.23, 0.25, g).moved(0, 0.3, 0.05)
        + box(0.4, 1.1, 0.06, 0.1).moved(0, -0.1, 0)
    )


@solid("glasses", "eyeglasses", "spectacles", "sunglasses")
def _glasses(random: Random) -> Mesh:
    g, r = _u(random, 0.05, 0.4), _u(random, 0.24, 0.32)
    ring = tube(arc(r, 0, 360, "xz", 16), 0.03, g, 5).scaled(1.15, 1, _u(random, 0.75, 1))
    mesh = (
        ring.moved(-0.37)
        + ring.moved(0.37)
        + tube([(-0.08, 0, 0.08), (0, 0, 0.12), (0.08, 0, 0.08)], 0.03, g, 5)
    )
    if random.random() < 0.5:
        lens = lathe([(0, 0), (r, 0)], _u(random, 0.05, 0.5), 14).turned("x", 90).scaled(1.15, 1, 0.9)
        mesh = mesh + lens.moved(-0.37) + lens.moved(0.37)
    return (
        mesh
        + tube([(-0.7, 0, 0.1), (-0.72, 0.8, 0.08), (-0.7, 1.0, -0.1)], 0.025, g, 5)
        + tube([(0.7, 0, 0.1), (0.72, 0.8, 0.08), (0.7, 1.0, -0.1)], 0.025, g, 5)
    )


@solid("backpack", "bag", "school bag")
def _backpack(random: Random) -> Mesh:
    g = _g(random)
    mesh = prism(rounded(0.9, 0.45, 0.18), 1.1, g) + ellipsoid(0.45, 0.22, 0.2, g).moved(0, 0, 1.1)
    return (
        mesh
        + prism(rounded(0.65, 0.2, 0.08), 0.5, g * 0.8).moved(0, -0.28, 0.08)
        + tube(arc(0.12, 0, 180, "xz", 7), 0.03, g, 5).moved(0, 0, 1.28)
    )


@solid("handbag", "purse")
def _handbag(random: Random) -> Mesh:
    g = _g(random)
    return (
        box(1.1, 0.4, 0.7, g)
        + tube(arc(0.35, 0, 180, "xz", 10), 0.035, g, 6).moved(0, 0, 0.68)
        + box(0.15, 0.42, 0.12, 0.9).moved(0, 0, 0.5)
    )


@solid("suitcase", "briefcase", "luggage")
def _suitcase(random: Random) -> Mesh:
    g = _g(random)
    mesh = prism(rounded(1.2, 0.35, 0.06), 0.85, g) + tube(
        np.array([[-0.15, 0, 0], [-0.15, 0, 0.12], [0.15, 0, 0.12], [0.15, 0, 0]]), 0.03, 0.2, 5
    ).moved(0, 0, 0.85)
    return (
        mesh
        + box(0.08, 0.36, 0.86, _other(random, g)).moved(-0.35)
        + box(0.08, 0.36, 0.86, _other(random, g)).moved(0.35)
    )


@solid("wallet", "credit card", "card")
def _card(random: Random) -> Mesh:
    g, h = _g(random), _u(random, 0.01, 0.12)
    return _slab(1.2, 0.78, h, 0.06, g) + _decal(random, 1.0, 0.6, h, _other(random, g), 3)


@solid("paper", "sheet of paper", "envelope")
def _paper(random: Random) -> Mesh:
    mesh = box(0.85, 1.15, 0.01, _u(random, 0.8, 1))
    for k in range(int(random.integers(0, 8))):
        mesh = mesh + box(0.6 * _u(random, 0.4, 1), 0.03, 0.005, 0.2).moved(0, -0.4 + 0.11 * k, 0.01)
    return mesh


@solid("toothbrush")
def _toothbrush(random: Random) -> Mesh:
    mesh = tube(
        [(0, -1, 0), (0, 0, 0.05), (0, 0.5, 0), (0, 0.8, 0)], [0.07, 0.06, 0.035, 0.06], _g(random), 6
    )
    return mesh + box(0.1, 0.3, 0.13, 0.95).moved(0, 0.68, 0.03)


@solid("comb", "hairbrush")
def _comb(random: Random) -> Mesh:
    g = _g(random)
    mesh = box(1.4, 0.12, 0.06, g)
    for k in range(20):
        mesh = mesh + box(0.03, 0.25, 0.04, g).moved(-0.66 + 0.07 * k, -0.16, 0.01)
    return mesh


@solid("hair dryer", "hair drier")
def _hair_dryer(random: Random) -> Mesh:
    g = _g(random)
    return lathe(
        [(0, 0), (0.28, 0.02), (0.32, 0.25), (0.2, 0.6), (0.17, 1.0), (0.14, 0.98), (0, 0.8)],
        [0.3, g, g, g, 0.2, 0.1],
        16,
    ).turned("y", 90) + tube([(0.25, 0, -0.2), (0.2, 0, -0.9)], 0.11, g, 8)


@solid("spray bottle", "spray can", "soap dispenser")
def _spray(random: Random) -> Mesh:
    g = _g(random)
    mesh = lathe([(0, 0), (0.3, 0), (0.32, 0.5), (0.22, 0.8), (0.1, 0.95), (0.1, 1.05), (0, 1.05)], g, 16)
    return (
        mesh
        + box(0.5, 0.16, 0.18, _other(random, g)).moved(0.1, 0, 1.05)
        + tube([(0.2, 0, 1.05), (0.26, 0, 0.85)], 0.03, 0.2, 5)
    )


@solid("dumbbell", "barbell")
def _dumbbell(random: Random) -> Mesh:
    r = _u(random, 0.25, 0.4)
    return lathe(
        [(0, -0.8), (r, -0.8), (r, -0.45), (0.07, -0.42), (0.07, 0.42), (r, 0.45), (r, 0.8), (0, 0.8)],
        [0.2, 0.2, 0.3, 0.8, 0.3, 0.2, 0.2],
        14,
    ).turned("y", 90)


@solid("guitar", "acoustic guitar")
def _guitar(random: Random) -> Mesh:
    g = _g(random)
    body = lathe([(0, 0), (0.45, 0), (0.45, 0.18), (0, 0.18)], g, 20).moved(0, -0.7) + lathe(
        [(0, 0), (0.34, 0), (0.34, 0.18), (0, 0.18)], g, 20
    ).moved(0, -0.2)
    neck = box(0.11, 1.2, 0.06, _other(random, g)).moved(0, 0.6, 0.15) + box(
        0.18, 0.25, 0.05, _other(random, g)
    ).moved(0, 1.3, 0.15)
    return body + neck + lathe([(0, 0.185), (0.14, 0.185)], 0.05, 14).moved(0, -0.4, 0)


@solid("car", "toy car", "automobile")
def _car(random: Random) -> Mesh:
    g = _g(random)
    length = _u(random, 1.5, 1.9)
    profile = [
        (-length / 2, 0.15),
        (length / 2, 0.15),
        (length / 2, 0.4),
        (length * 0.25, 0.5),
        (length * 0.1, 0.78),
        (-length * 0.28, 0.78),
        (-length * 0.42, 0.5),
        (-length / 2, 0.45),
    ]
    body = prism(profile, 0.75, g).turned("x", 90).moved(0, 0.375, 0)
    window = (
        prism(
            [(-length * 0.35, 0.52), (length * 0.2, 0.52), (length * 0.08, 0.74), (-length * 0.26, 0.74)],
            0.76,
            _other(random, g),
        )
        .turned("x", 90)
        .moved(0, 0.38, 0)
    )
    wheel = lathe(
        [(0, 0), (0.1, 0), (0.19, 0), (0.19, 0.14), (0.1, 0.14), (0, 0.14)], [0.8, 0.1, 0.1, 0.1, 0.8], 14
    ).turned("x", 90)
    for x in (-length * 0.3, length * 0.3):
        body = body + wheel.moved(x, -0.28, 0.18) + wheel.moved(x, 0.42, 0.18)
    return body + window


@solid("truck", "lorry", "delivery truck", "van")
def _truck(random: Random) -> Mesh:
    g = _g(random)
    mesh = (
        box(1.2, 0.7, 0.8, g).moved(-0.3, 0, 0.2)
        + box(0.5, 0.68, 0.6, _g(random)).moved(0.6, 0, 0.2)
        + box(0.2, 0.69, 0.25, 0.1).moved(0.72, 0, 0.5)
    )
    wheel = lathe([(0, 0), (0.17, 0), (0.17, 0.12), (0, 0.12)], 0.1, 14).turned("x", 90)
    for x in (-0.6, -0.1, 0.55):
        mesh = mesh + wheel.moved(x, -0.3, 0.17) + wheel.moved(x, 0.4, 0.17)
    return mesh


@solid("bus")
def _bus(random: Random) -> Mesh:
    g = _g(random)
    mesh = box(2.0, 0.65, 0.75, g).moved(0, 0, 0.15)
    for k in range(6):
        mesh = mesh + box(0.25, 0.66, 0.25, _other(random, g)).moved(-0.8 + 0.32 * k, 0, 0.5)
    wheel = lathe([(0, 0), (0.16, 0), (0.16, 0.12), (0, 0.12)], 0.1, 14).turned("x", 90)
    for x in (-0.6, 0.6):
        mesh = mesh + wheel.moved(x, -0.27, 0.16) + wheel.moved(x, 0.39, 0.16)
    return mesh


@solid("airplane", "aeroplane", "toy airplane")
def _airplane(random: Random) -> Mesh:
    g = _u(random, 0.4, 1)
    body = lathe([(0, -1), (0.08, -0.9), (0.14, -0.5), (0.15, 0.5), (0.1, 0.85), (0, 1)], g, 12).turned(
        "y", 90
    )
    wing = prism([(0, -0.15), (0.35, 0), (0.1, 1.0), (-0.05, 1.0)], 0.03, g * 0.9)
    tail = prism([(0, 0), (0.2, 0), (0.05, 0.4), (-0.08, 0.4)], 0.03, g * 0.9)
    mesh = body + wing + wing.scaled(1, -1, 1) + (tail + tail.scaled(1, -1, 1)).moved(-0.95, 0, 0.05)
    return mesh + tail.turned("x", 90).moved(-0.95, 0, 0.08)


@solid("rocket", "missile")
def _rocket(random: Random) -> Mesh:
    g = _g(random)
    mesh = lathe(
        [(0, 0), (0.2, 0), (0.25, 0.5), (0.22, 1.1), (0.1, 1.4), (0, 1.5)],
        [0.2, g, g, _other(random, g), _other(random, g)],
        14,
    )
    for k in range(3):
        mesh = mesh + prism(
            [(0.2, -0.02), (0.5, -0.02), (0.5, 0.02), (0.2, 0.02)], 0.4, _other(random, g)
        ).moved(0, 0, -0.1).turned("z", 120 * k)
    return mesh


@solid("boat", "toy boat", "ship")
def _boat(random: Random) -> Mesh:
    g = _g(random)
    hull = prism([(-0.8, -0.3), (0.4, -0.3), (0.95, 0), (0.4, 0.3), (-0.8, 0.3)], 0.3, g)
    return (
        hull
        + box(0.6, 0.4, 0.3, _other(random, g)).moved(-0.2, 0, 0.3)
        + tube([(-0.2, 0, 0.6), (-0.2, 0, 1.0)], 0.07, _g(random), 6)
    )


@solid("house", "toy house")
def _house(random: Random) -> Mesh:
    g = _g(random)
    roof = (
        prism([(-0.55, 0), (0.55, 0), (0, 0.5)], 1.1, _other(random, g)).turned("x", 90).moved(0, 0.55, 0.7)
    )
    return (
        box(0.95, 1.0, 0.7, g)
        + roof
        + box(0.2, 1.02, 0.4, 0.2).moved(-0.2, 0, 0)
        + box(0.2, 1.02, 0.2, 0.9).moved(0.22, 0, 0.3)
    )


@solid("traffic cone", "cone")
def _cone(random: Random) -> Mesh:
    return box(0.9, 0.9, 0.06, _g(random)) + lathe(
        [(0.36, 0.06), (0.27, 0.4), (0.18, 0.75), (0.07, 1.15), (0, 1.15)], [0.4, 0.95, 0.4, 0.4], 16
    )


@solid("wheel", "tire", "tyre")
def _wheel(random: Random) -> Mesh:
    mesh = lathe(
        [(0.42, -0.15), (0.65, -0.18), (0.7, 0), (0.65, 0.18), (0.42, 0.15), (0.4, 0)],
        [0.15, 0.1, 0.1, 0.15, 0.3],
        22,
    )
    for k in range(5):
        mesh = mesh + box(0.42, 0.07, 0.06, 0.8).moved(0.21, 0, 0).turned("z", 72 * k)
    return mesh.turned("x", 90)


@solid("tree", "christmas tree", "pine tree")
def _tree(random: Random) -> Mesh:
    g = _u(random, 0.2, 0.6)
    return lathe(
        [(0.09, 0), (0.09, 0.3), (0.5, 0.3), (0.25, 0.7), (0.4, 0.7), (0.18, 1.1), (0.28, 1.1), (0, 1.6)],
        [0.3, g, g, g, g, g, g],
        10,
    )


def _limb(a: tuple[float, float, float], b: tuple[float, float, float], r: float, grey: float) -> Mesh:
    return tube([a, b], r, grey, 6)


@solid("person", "man", "human figure", "woman")
def _person(random: Random) -> Mesh:
    g, skin = _g(random), _u(random, 0.3, 0.9)
    mesh = ellipsoid(0.16, 0.18, 0.2, skin, 12).moved(0, 0, 1.75) + prism(
        rounded(0.5, 0.26, 0.1), 0.65, g
    ).moved(0, 0, 0.9)
    for side in (-1, 1):
        hand = (side * _u(random, 0.3, 0.8), _u(random, -0.4, 0.4), _u(random, 0.6, 1.6))
        mesh = (
            mesh
            + _limb((side * 0.27, 0, 1.45), hand, 0.07, g)
            + _limb(
                (side * 0.13, 0, 0.9),
                (side * _u(random, 0.1, 0.3), _u(random, -0.3, 0.3), 0),
                0.1,
                _g(random),
            )
        )
    return mesh


@solid("head", "face", "person's head", "person")
def _head(random: Random) -> Mesh:
    skin, hair = _u(random, 0.4, 0.95), _u(random, 0.05, 0.5)
    mesh = (
        ellipsoid(0.36, 0.42, 0.5, skin, 18)
        + ellipsoid(0.38, 0.42, 0.42, hair, 16).moved(0, 0.07, 0.13)
        + lathe([(0.15, -0.75), (0.15, -0.3)], skin, 10)
    )
    for x in (-0.14, 0.14):
        mesh = (
            mesh
            + ellipsoid(0.06, 0.03, 0.03, 0.1, 8).moved(x, -0.38, 0.02)
            + box(0.14, 0.02, 0.025, 0.1).moved(x, -0.4, 0.1)
        )
    mesh = (
        mesh
        + ellipsoid(0.05, 0.09, 0.09, skin * 0.9, 8).moved(0, -0.42, -0.09)
        + ellipsoid(0.12, 0.03, 0.025, 0.25, 8).moved(0, -0.37, -0.25)
    )
    return (
        mesh + ellipsoid(0.75, 0.3, 0.4, _g(random), 14).moved(0, 0.05, -1.0)
        if random.random() < 0.7
        else mesh
    )


@solid("hand", "human hand", "open hand")
def _hand(random: Random) -> Mesh:
    skin = _u(random, 0.3, 0.95)
    mesh = _slab(0.5, 0.55, 0.16, 0.1, skin) + tube([(0, -0.25, 0.08), (0, -1.0, 0.08)], [0.17, 0.2], skin, 8)
    curl = _u(random, -0.1, 0.5)
    for k, length in enumerate((0.4, 0.5, 0.48, 0.36)):
        x, spread = -0.19 + 0.128 * k, (k - 1.5) * _u(random, 0, 0.12)
        bend = float(np.clip(curl + random.normal(0, 0.12), 0, 0.7))
        mesh = mesh + tube(
            [
                (x, 0.25, 0.08),
                (x + spread * 0.5, 0.25 + length * 0.5, 0.08 + bend * 0.2),
                (x + spread, 0.25 + length * (1 - bend), 0.08 + bend * 0.5),
            ],
            [0.065, 0.062, 0.05],
            skin,
            6,
        )
    return mesh + tube(
        [(0.22, -0.1, 0.08), (0.42, 0.12, 0.1), (0.5, 0.3, 0.12)], [0.09, 0.075, 0.055], skin, 6
    )


def _animal(
    random: Random, body: float, leg: float, neck: float, head: float, snout: float, tail: float
) -> Mesh:
    g = _g(random)
    mesh = ellipsoid(body, 0.24, 0.26, g, 12).moved(0, 0, leg + 0.2)
    for x in (-0.7, 0.7):
        for y in (-0.12, 0.12):
            mesh = mesh + _limb((x * body, y, leg + 0.15), (x * body + _u(random, -0.2, 0.2), y, 0), 0.07, g)
    top = (body * 0.8 + neck * 0.5, 0.0, leg + 0.3 + neck)
    mesh = (
        mesh
        + tube([(body * 0.7, 0, leg + 0.3), top], [0.15, 0.1], g, 8)
        + ellipsoid(head * 1.2, head, head, g, 10).moved(*top)
    )
    mesh = mesh + ellipsoid(snout, head * 0.5, head * 0.5, g, 8).moved(top[0] + head, 0, top[2] - head * 0.2)
    for y in (-0.7, 0.7):
        mesh = mesh + ellipsoid(0.04, 0.05, 0.1, g * 0.7, 6).moved(
            top[0] - head * 0.4, y * head, top[2] + head
        )
    return mesh + _limb(
        (-body, 0, leg + 0.3), (-body - tail * 0.7, 0, leg + 0.3 + tail * _u(random, -0.6, 0.8)), 0.05, g
    )


@solid("dog", "puppy")
def _dog(random: Random) -> Mesh:
    return _animal(
        random,
        _u(random, 0.45, 0.6),
        _u(random, 0.3, 0.5),
        _u(random, 0.15, 0.3),
        0.18,
        0.15,
        _u(random, 0.2, 0.4),
    )


@solid("cat", "kitten")
def _cat(random: Random) -> Mesh:
    return _animal(
        random, _u(random, 0.42, 0.55), _u(random, 0.25, 0.35), 0.12, 0.19, 0.05, _u(random, 0.5, 0.7)
    )


@solid("horse", "pony")
def _horse(random: Random) -> Mesh:
    return _animal(random, _u(random, 0.6, 0.7), _u(random, 0.7, 0.9), _u(random, 0.5, 0.65), 0.17, 0.25, 0.4)
