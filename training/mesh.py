"""Solid shapes from triangles, and a small renderer: everyday objects from all sides.

A :class:`Mesh` is a soup of triangles with a gray value each and a normal for each corner, so that round
things shade smoothly. Units are arbitrary; z points up, the object stands on or around the origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.compiled import njit

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Mesh:
    """Triangles: ``corners`` (F, 3, 3), unit ``normals`` (F, 3, 3), ``gray`` (F,) reflectance 0..1."""

    corners: Array
    normals: Array
    gray: Array

    def __add__(self, other: Mesh) -> Mesh:
        return Mesh(
            np.concatenate([self.corners, other.corners]),
            np.concatenate([self.normals, other.normals]),
            np.concatenate([self.gray, other.gray]),
        )

    def moved(self, x: float = 0, y: float = 0, z: float = 0) -> Mesh:
        """Return a copy shifted by (x, y, z)."""
        return Mesh(self.corners + np.array([x, y, z], np.float32), self.normals, self.gray)

    def turned(self, axis: str, degrees: float) -> Mesh:
        """Return a copy turned about an axis through the origin."""
        matrix = rotation(axis, degrees)
        return Mesh(self.corners @ matrix.T, self.normals @ matrix.T, self.gray)

    def scaled(self, x: float, y: float | None = None, z: float | None = None) -> Mesh:
        """Return a copy stretched along the axes; one number scales all three."""
        factors = np.array([x, x if y is None else y, x if z is None else z], np.float32)
        normals = self.normals / factors
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
        return Mesh(self.corners * factors, normals, self.gray)


def rotation(axis: str, degrees: float) -> Array:
    """Return the 3 x 3 matrix of a turn about ``"x"``, ``"y"`` or ``"z"``."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rows = {"x": [[1, 0, 0], [0, c, -s], [0, s, c]], "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]]}
    return np.array(rows.get(axis, [[c, -s, 0], [s, c, 0], [0, 0, 1]]), np.float32)


def from_quads(quads: Any, gray: float | Sequence[float], normals: Any = None) -> Mesh:
    """Make a mesh of four-cornered faces (Q, 4, 3); flat unless corner normals (Q, 4, 3) are given."""
    quads = np.asarray(quads, np.float32)
    corners = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    if normals is None:
        flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
        face_normals = np.repeat(flat[:, None], 3, axis=1)
    else:
        normals = np.asarray(normals, np.float32)
        face_normals = np.concatenate([normals[:, [0, 1, 2]], normals[:, [0, 2, 3]]])
    values = np.broadcast_to(np.asarray(gray, np.float32), len(quads))
    return Mesh(corners, face_normals.astype(np.float32), np.concatenate([values, values]))


def box(width: float, depth: float, height: float, gray: float = 0.6) -> Mesh:
    """Return a block on the ground, centerd in x and y."""
    return prism(
        [(-width / 2, -depth / 2), (width / 2, -depth / 2), (width / 2, depth / 2), (-width / 2, depth / 2)],
        height,
        gray,
    )


def prism(
    outline: Sequence[tuple[float, float]], height: float, gray: float = 0.6, top: float | None = None
) -> Mesh:
    """Extrude a star-shaped outline (counter-clockwise, x and y) from the ground up."""
    points = np.asarray(outline, np.float32)
    following = np.roll(points, -1, axis=0)
    n = len(points)

    def at(plane: Array, z: float) -> Array:
        return np.concatenate([plane, np.full((n, 1), z, np.float32)], axis=1)

    sides = np.stack([at(points, 0), at(following, 0), at(following, height), at(points, height)], axis=1)
    middle = np.repeat(points.mean(axis=0, keepdims=True), n, axis=0)
    lid = np.stack(
        [at(points, height), at(following, height), at(middle, height), at(middle, height)], axis=1
    )
    floor = np.stack([at(following, 0), at(points, 0), at(middle, 0), at(middle, 0)], axis=1)
    return from_quads(
        np.concatenate([sides, lid, floor]), [gray] * n + [gray if top is None else top] * n + [gray] * n
    )


def rounded(width: float, depth: float, radius: float, steps: int = 4) -> list[tuple[float, float]]:
    """Return the outline of a rectangle with rounded corners, counter-clockwise."""
    radius = min(radius, width / 2, depth / 2)
    outline = []
    for quarter, (sx, sy) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        for angle in np.linspace(quarter * np.pi / 2, (quarter + 1) * np.pi / 2, steps):
            outline.append(
                (
                    float(sx * (width / 2 - radius) + radius * np.cos(angle)),
                    float(sy * (depth / 2 - radius) + radius * np.sin(angle)),
                )
            )
    return outline


def lathe(
    profile: Sequence[tuple[float, float]], gray: float | Sequence[float] = 0.6, segments: int = 20
) -> Mesh:
    """Turn a profile of (radius, z) about the z axis; ``gray`` may be given for each piece of the profile.

    Corners of the profile stay sharp: each piece shades as a cone of its own.
    """
    points = np.asarray(profile, np.float32)
    angles = np.linspace(0, 2 * np.pi, segments + 1)
    c, s = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    pieces = len(points) - 1
    values = np.broadcast_to(np.asarray(gray, np.float32), pieces)
    quads, normals, shades = [], [], []
    for k in range(pieces):
        (r0, z0), (r1, z1) = points[k], points[k + 1]
        out, up = z1 - z0, r0 - r1
        length = max(float(np.hypot(out, up)), 1e-9)
        ring0 = np.stack([r0 * c, r0 * s, np.full_like(c, z0)], axis=1)
        ring1 = np.stack([r1 * c, r1 * s, np.full_like(c, z1)], axis=1)
        normal = np.stack([out / length * c, out / length * s, np.full_like(c, up / length)], axis=1)
        quads.append(np.stack([ring0[:-1], ring0[1:], ring1[1:], ring1[:-1]], axis=1))
        normals.append(np.stack([normal[:-1], normal[1:], normal[1:], normal[:-1]], axis=1))
        shades.append(np.full(segments, values[k], np.float32))
    return from_quads(np.concatenate(quads), np.concatenate(shades), np.concatenate(normals))


def tube(path: Any, radius: float | Sequence[float], gray: float = 0.6, sides: int = 8) -> Mesh:
    """Return a bent rod along a path (P, 3) of points, with one radius or one for each point."""
    path = np.asarray(path, np.float32)
    radii = np.broadcast_to(np.asarray(radius, np.float32), len(path))
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    helper = np.eye(3, dtype=np.float32)[int(np.argmin(np.abs(along).max(axis=0)))]
    u = np.cross(along, helper)
    u /= np.maximum(np.linalg.norm(u, axis=1, keepdims=True), 1e-9)
    v = np.cross(along, u)
    angles = np.linspace(0, 2 * np.pi, sides + 1)
    normal = u[:, None] * np.cos(angles)[None, :, None] + v[:, None] * np.sin(angles)[None, :, None]
    ring = path[:, None] + radii[:, None, None] * normal

    def faces(a: Any) -> Any:
        return np.stack([a[:-1, :-1], a[:-1, 1:], a[1:, 1:], a[1:, :-1]], axis=2).reshape(-1, 4, 3)

    body = from_quads(faces(ring), gray, faces(normal.astype(np.float32)))
    for end in (0, -1):
        tip = np.repeat(path[end][None], sides, axis=0)
        body = body + from_quads(np.stack([ring[end][:-1], ring[end][1:], tip, tip], axis=1), gray)
    return body


def arc(radius: float, start: float, end: float, plane: str = "xz", steps: int = 10) -> Array:
    """Return points (steps, 3) on a circle between two angles in degrees; planes are "xy", "xz" and "yz"."""
    angles = np.radians(np.linspace(start, end, steps))
    points = np.zeros((steps, 3), np.float32)
    points[:, "xyz".index(plane[0])] = radius * np.cos(angles)
    points[:, "xyz".index(plane[1])] = radius * np.sin(angles)
    return points


def ellipsoid(x: float, y: float, z: float, gray: float = 0.6, segments: int = 16) -> Mesh:
    """Return an ellipsoid around the origin with half axes x, y, z."""
    angles = np.linspace(-np.pi / 2, np.pi / 2, segments // 2 + 1)
    profile = [(float(np.cos(a)), float(np.sin(a))) for a in angles]
    ball = lathe(profile, gray, segments)
    smooth = ball.corners / np.maximum(np.linalg.norm(ball.corners, axis=-1, keepdims=True), 1e-9)
    return Mesh(ball.corners, smooth, ball.gray).scaled(x, y, z)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _raster(points: Any, shades: Any, image: Any, depth: Any) -> None:
    """Fill triangles (F, 3, [x, y, depth]) with interpolated ``shades`` (F, 3) into (H, W) arrays."""
    height, width = image.shape
    for f in range(len(points)):
        x0, y0, x1, y1, x2, y2 = (
            points[f, 0, 0], points[f, 0, 1], points[f, 1, 0],
            points[f, 1, 1], points[f, 2, 0], points[f, 2, 1],
        )  # fmt: skip
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if abs(area) < 1e-6:
            continue
        left, right = max(0, int(np.floor(min(x0, x1, x2)))), min(width - 1, int(np.ceil(max(x0, x1, x2))))
        top, bottom = max(0, int(np.floor(min(y0, y1, y2)))), min(height - 1, int(np.ceil(max(y0, y1, y2))))
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                w1 = ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) / area
                w2 = ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) / area
                w0 = 1 - w1 - w2
                if w0 < -1e-4 or w1 < -1e-4 or w2 < -1e-4:
                    continue
                z = w0 * points[f, 0, 2] + w1 * points[f, 1, 2] + w2 * points[f, 2, 2]
                if z < depth[y, x]:
                    depth[y, x] = z
                    image[y, x] = w0 * shades[f, 0] + w1 * shades[f, 1] + w2 * shades[f, 2]


def render(
    mesh: Mesh,
    pose: Array,
    light: Array,
    canvas: Array,
    depth: Array,
    size: float,
    center: tuple[float, float],
) -> None:
    """Draw a mesh of about unit size over ``canvas`` (H, W), in place, in gray values 0..255.

    Parameters
    ----------
    mesh : Mesh
    pose : ndarray (3, 3)
        Rotation from the object to the camera; the camera looks along +y, z is up.
    light : ndarray (3,)
        Direction to the light in the camera's frame.
    canvas, depth : ndarray (H, W)
        The picture and its depth; depth starts at infinity.
    size : float
        Pixels per unit at the object's center.
    center : (float, float)
        Where the object's origin appears, in pixels.
    """
    points = mesh.corners @ pose.T
    normals = mesh.normals @ pose.T
    normals = np.where(normals[..., 1:2] > 0, -normals, normals)  # both sides of a face are lit
    shade = np.clip(0.45 + 0.55 * np.maximum(normals @ light, 0), 0, 1)
    shades = (mesh.gray[:, None] * shade * 255).astype(np.float32)
    away = 4.0 / (4.0 + points[..., 1])
    projected = np.empty_like(points)
    projected[..., 0] = center[0] + size * points[..., 0] * away
    projected[..., 1] = center[1] - size * points[..., 2] * away
    projected[..., 2] = points[..., 1]
    _raster(projected, shades, canvas, depth)


def normalized(mesh: Mesh) -> Mesh:
    """Return the mesh centerd at the origin and scaled so that its farthest corner lies at distance 1."""
    low, high = mesh.corners.min(axis=(0, 1)), mesh.corners.max(axis=(0, 1))
    middle = (low + high) / 2
    reach = float(np.linalg.norm(mesh.corners - middle, axis=-1).max())
    return mesh.moved(*(-middle)).scaled(1 / max(reach, 1e-6))
