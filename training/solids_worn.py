"""Solids: what is worn and carried, and things of the house."""

from __future__ import annotations

import numpy as np

from training.mesh import Mesh, arc, box, ellipsoid, lathe, prism, rounded, tube
from training.solid_parts import Random, _decal, _g, _other, _slab, _u, _vessel, solid


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
    top = Mesh(np.maximum(crown.corners, np.array([-9, -9, 0], np.float32)), crown.normals, crown.gray)
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
