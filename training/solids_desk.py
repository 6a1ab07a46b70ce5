"""Solids: boxes, books, and the electronics of a desk."""

from __future__ import annotations

import numpy as np

from training.mesh import Mesh, arc, box, ellipsoid, lathe, prism, rounded, tube
from training.solid_parts import Random, _decal, _g, _other, _slab, _u, solid


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
        mesh.gray,
    )
    square = np.clip(flat.corners[..., :2] * 1.25, -np.array([w / 2, d / 2]), np.array([w / 2, d / 2]))
    flat = Mesh(
        np.concatenate([square, flat.corners[..., 2:]], -1).astype(np.float32), flat.normals, flat.gray
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
