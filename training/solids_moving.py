"""Solids: vehicles, houses and living beings."""

from __future__ import annotations

from training.hands import hand_mesh, head_mesh
from training.mesh import Mesh, box, ellipsoid, lathe, prism, rounded, tube
from training.solid_parts import Random, _g, _other, _u, solid


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


def _limb(a: tuple[float, float, float], b: tuple[float, float, float], r: float, gray: float) -> Mesh:
    return tube([a, b], r, gray, 6)


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
    return head_mesh(random)


@solid("hand", "human hand", "open hand")
def _hand(random: Random) -> Mesh:
    mesh = hand_mesh(random)
    # half of them upright, palm or back to the camera, as a hand is shown or waved
    return mesh.turned("x", 90 + float(random.normal(0, 15))) if random.random() < 0.5 else mesh


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
