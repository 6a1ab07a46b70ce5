"""Solids that only training sees: cartons of all kinds, and people as far as a desk camera shows them.

They are no part of :data:`training.solid_parts.CATALOG`: simulated validation is filmed from that, and what
is added to it would make every earlier figure one of another set.
"""

from __future__ import annotations

from functools import reduce

import numpy as np

from training.hands import hand_mesh, head_mesh
from training.mesh import Mesh, box, ellipsoid, rotation, tube
from training.solid_parts import Builder, Random, _decal, _g, _other, _u

PEOPLE = ("bust", "bust_with_hand")
"""Keys of :data:`MORE` that face the camera."""


def _plates(*plates: Mesh) -> Mesh:
    return reduce(Mesh.__add__, plates)


def _printed(random: Random, mesh: Mesh, size: tuple[float, float, float], gray: float) -> Mesh:
    """Print on the lid and on two sides of a block of a width, depth and height."""
    w, d, h = size
    marks = int(random.integers(2, 7))
    ink = _other(random, gray)
    side = _decal(random, w, h, d / 2, ink, marks).turned("x", 90).moved(0, 0, h / 2)
    end = _decal(random, h, d, w / 2, ink, marks).turned("y", 90).moved(0, 0, h / 2)
    return _plates(mesh, _decal(random, w, d, h, ink, marks), side, end, end.turned("z", 180))


def _proportions(random: Random) -> tuple[float, float, float]:
    """Return a width, depth and height: from a flat parcel to a cube, a brick and a tall carton."""
    w, d, h = np.exp(random.uniform(np.log(0.18), 0.0, 3))
    return float(w), float(d), float(h)


def closed_carton(random: Random) -> Mesh:
    """Return a closed carton: taped along its lid, printed, with an open edge of its lid, or plain."""
    w, d, h = _proportions(random)
    g = _g(random)
    mesh = box(w, d, h, g)
    if random.random() < 0.5:  # tape along the lid and a little down the ends
        mesh = mesh + box(w * 1.006, d * _u(random, 0.06, 0.2), h * 1.006, _other(random, g))
    if random.random() < 0.6:
        mesh = _printed(random, mesh, (w, d, h), g)
    if random.random() < 0.4:  # a lid that is put on, or the slit between its flaps
        if random.random() < 0.5:
            mesh = mesh + box(w * 1.05, d * 1.05, h * 0.25, g * 0.9).moved(0, 0, h * 0.78)
        else:
            mesh = mesh + box(w * 1.002, d * 0.02, 0.004, 0.05).moved(0, 0, h)
    return mesh


def open_carton(random: Random) -> Mesh:
    """Return an open carton: four walls, a floor, and up to four flaps at any angle."""
    w, d, h = _proportions(random)
    g, thick = _g(random), 0.02
    inside = g * _u(random, 0.4, 0.8)
    mesh = box(w, d, thick, inside)
    for x in (-1, 1):
        mesh = mesh + box(thick, d, h, g).moved(x * w / 2, 0, 0)
        mesh = mesh + box(w, thick, h, g).moved(0, x * d / 2, 0)
    for quarter in range(4):
        if random.random() < 0.2:
            continue
        along, reach = (w, d) if quarter % 2 == 0 else (d, w)
        length = min(along, reach) / 2
        flap = box(along, length, thick, g * _u(random, 0.85, 1.1)).moved(0, length / 2, 0)
        flap = flap.turned("x", _u(random, -70, 165)).moved(0, reach / 2, h)
        mesh = mesh + flap.turned("z", 90.0 * quarter)
    if random.random() < 0.4:
        mesh = _printed(random, mesh, (w * 1.01, d * 1.01, 0.9 * h), g)
    return mesh


def bust(random: Random) -> Mesh:
    """Return head, neck, shoulders and chest, the face towards the camera: what a desk camera shows."""
    head = head_mesh(random).scaled(_u(random, 0.85, 1.0), 1.0, _u(random, 0.9, 1.1))
    cloth = _g(random)
    wide = _u(random, 0.85, 1.15)
    chest = ellipsoid(wide, 0.38, 0.4, cloth, 16).moved(0, 0.1, -1.15)
    chest = chest + ellipsoid(wide * 0.86, 0.4, 1.1, cloth, 14).moved(0, 0.1, -1.95)
    for side in (-1, 1):
        elbow = (side * wide * _u(random, 0.95, 1.25), _u(random, -0.3, 0.3), -2.2)
        chest = chest + tube([(side * wide * 0.85, 0.1, -1.15), elbow], [0.22, 0.18], cloth, 8)
    if random.random() < 0.5:  # a collar or a neckline
        ring = [(0.24 * np.cos(a), 0.08 - 0.3 * np.sin(a), -0.82) for a in np.linspace(0, np.pi, 8)]
        chest = chest + tube(ring, 0.04, _other(random, cloth), 5)
    if random.random() < 0.3:  # stripes or a print on the chest
        chest = chest + _decal(random, 0.8, 0.7, 0.36, _other(random, cloth), 4).turned("x", 90).moved(
            0, 0.02, -1.5
        )
    return head + chest


def bust_with_hand(random: Random) -> Mesh:
    """Return the same with a hand raised beside the face, as one who waves or drinks."""
    hand = hand_mesh(random, forearm=(0.6, 1.4)).scaled(_u(random, 0.45, 0.6)).turned("x", 90)
    hand = hand.turned("y", float(random.normal(0, 30)))
    place = (random.choice([-1, 1]) * _u(random, 0.55, 1.1), _u(random, -0.7, -0.3), _u(random, -0.9, 0.1))
    return bust(random) + hand.moved(*map(float, place))


_PERSON = ("person", "person", "man", "woman", "human figure")
_CARTON = ("box", "box", "cardboard box", "carton")

MORE: dict[str, tuple[Builder, tuple[str, ...]]] = {
    "closed_carton": (closed_carton, _CARTON),
    "open_carton": (open_carton, _CARTON),
    "bust": (bust, _PERSON),
    "bust_with_hand": (bust_with_hand, _PERSON),
}
"""Key → (builder, names), as in the catalog; a name that is there twice is said more often."""


def any_side(mesh: Mesh, random: Random) -> Mesh:
    """Return a thing that was turned over by hand: any side down, then any pose."""
    turn = rotation("x", float(random.choice([0, 90, 180, 270]))) @ rotation("y", float(random.normal(0, 25)))
    return Mesh(mesh.corners @ turn.T, mesh.normals @ turn.T, mesh.gray)
