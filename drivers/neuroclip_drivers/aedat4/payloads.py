"""What packets beside the events hold, in dv-processing's layout: frames, inertial samples, triggers.

A *payload* is a packet's body before compression: a size-prefixed flatbuffer. Frames of any depth and color,
with what else is known of them, pass through the program as payloads, so that a recording holds what came in
and not what was made of it to be shown.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.flatbuffer import FormatError, Table, Tables, vector_of_tables
from neuroclip_drivers.aedat4.format import locate_events
from neuroclip_drivers.source import GrayFrame

IMU_DTYPE = np.dtype(
    [
        ("t", "<i8"),
        ("temperature", "<f4"),
        ("accelerometer", "<f4", 3),
        ("gyroscope", "<f4", 3),
        ("magnetometer", "<f4", 3),
    ]
)
"""An inertial sample: microseconds, °C, g, °/s, µT; x, y and z each."""

TRIGGER_DTYPE = np.dtype([("t", "<i8"), ("kind", "i1")])
"""A trigger: microseconds, and its kind as dv-processing numbers them (1: rising edge at the input)."""

_PIXEL_TYPES: dict[int, np.dtype[Any]] = {0: np.dtype(np.uint8), 2: np.dtype("<u2")}
"""OpenCV's depths that are read; its type of a picture is ``depth + 8 * (channels - 1)``."""

_IMU_TABLE = np.dtype(
    {
        "names": ["vtable", "temperature", "t", "accelerometer", "gyroscope", "magnetometer"],
        "formats": ["<i4", "<f4", "<i8", ("<f4", 3), ("<f4", 3), ("<f4", 3)],
        "offsets": [0, 4, 8, 16, 28, 40],
        "itemsize": 56,
    }
)
_IMU_SLOTS = (8, 4, *range(16, 52, 4))
_TRIGGER_TABLE = np.dtype(
    {"names": ["vtable", "kind", "t"], "formats": ["<i4", "i1", "<i8"], "offsets": [0, 4, 8], "itemsize": 16}
)
_TRIGGER_SLOTS = (8, 4)


class UnknownFrameFormat(FormatError):
    """A frame that is whole, in pixels that are not known here."""


def frame_payload(
    t_us: int,
    image: npt.NDArray[Any],
    *,
    exposure_us: int = 0,
    corner: tuple[int, int] = (0, 0),
    source: int = 0,
) -> bytes:
    """Return a frame as a payload.

    Parameters
    ----------
    t_us : int
        Its timestamp, in microseconds.
    image : (H, W) or (H, W, C) array of uint8 or uint16, 1 <= C <= 4
        Colors in OpenCV's order: blue, green, red.
    exposure_us : int
    corner : tuple of int
        Where on the sensor its left upper corner lies.
    source : int
        Where it comes from, as dv-processing numbers it (1: the sensor).

    Raises
    ------
    ValueError
        For an image of another type or shape.
    """
    depth = {np.dtype(np.uint8): 0, np.dtype(np.uint16): 2}.get(image.dtype)
    if depth is None or image.ndim not in (2, 3) or (image.ndim == 3 and not 1 <= image.shape[2] <= 4):
        raise ValueError(f"a frame is (H, W[, C]) of uint8 or uint16, not {image.shape} {image.dtype}")
    channels = 1 if image.ndim == 2 else image.shape[2]
    height, width = image.shape[:2]
    pixels = np.ascontiguousarray(image).tobytes()
    # the table's fields: five times, kind of pixels, width, height, corner, pixels, exposure, source
    slots = (8, 16, 24, 32, 40, 64, 56, 58, 60, 62, 68, 48, 65)
    table_at = 48  # counted from the size prefix; times must lie on multiples of eight
    head = struct.pack("<I4s", table_at - 4, b"FRME") + struct.pack("<15H", 30, 72, *slots)
    head += b"\0" * (table_at - 4 - len(head))
    begin = t_us - exposure_us // 2
    head += struct.pack("<i4x5q", table_at - 12, t_us, begin, begin + exposure_us, begin, begin + exposure_us)
    head += struct.pack(
        "<q4h2b2xI", exposure_us, width, height, *corner, depth + 8 * (channels - 1), source, 4
    )
    body = head + struct.pack("<I", len(pixels)) + pixels
    body += b"\0" * (-(len(body) + 4) % 8)
    return struct.pack("<I", len(body)) + body


def imu_payload(samples: npt.NDArray[Any]) -> bytes:
    """Return inertial samples, (N,) array of ``IMU_DTYPE``, as a payload."""
    rows = np.zeros(len(samples), dtype=_IMU_TABLE)
    for field in IMU_DTYPE.names or ():
        rows[field] = samples[field]
    return vector_of_tables(b"IMUS", rows, _IMU_SLOTS)


def trigger_payload(triggers: npt.NDArray[Any]) -> bytes:
    """Return triggers, (N,) array of ``TRIGGER_DTYPE``, as a payload."""
    rows = np.zeros(len(triggers), dtype=_TRIGGER_TABLE)
    rows["t"], rows["kind"] = triggers["t"], triggers["kind"]
    return vector_of_tables(b"TRIG", rows, _TRIGGER_SLOTS)


def parse_imu(data: bytes) -> npt.NDArray[Any]:
    """Return the inertial samples of a payload, (N,) array of ``IMU_DTYPE``; raises FormatError."""
    tables = Tables(data, b"IMUS", len(data) // 8)
    samples = np.zeros(tables.count, dtype=IMU_DTYPE)
    samples["t"], samples["temperature"] = tables.column(0, "<i8"), tables.column(1, "<f4")
    for first, field in ((2, "accelerometer"), (5, "gyroscope"), (8, "magnetometer")):
        for axis in range(3):
            samples[field][:, axis] = tables.column(first + axis, "<f4")
    return samples


def parse_triggers(data: bytes) -> npt.NDArray[Any]:
    """Return the triggers of a payload, (N,) array of ``TRIGGER_DTYPE``; raises FormatError."""
    tables = Tables(data, b"TRIG", len(data) // 8)
    triggers = np.zeros(tables.count, dtype=TRIGGER_DTYPE)
    triggers["t"], triggers["kind"] = tables.column(0, "<i8"), tables.column(1, "i1")
    return triggers


def parse_frame(data: bytes) -> GrayFrame:
    """Return the picture of a decompressed frame packet: colors averaged, of 16 bits the upper 8.

    Raises
    ------
    UnknownFrameFormat
        When the pixels are stored in a way that is not known.
    FormatError
        When the packet is not a frame, or its size and its pixels disagree.
    """
    table = Table.root(data, prefixed=True, identifier=b"FRME")
    code = table.number(5, "b", 0)
    depth, dtype = (code >> 3) + 1, _PIXEL_TYPES.get(code & 7)
    width, height = table.number(6, "h", 0), table.number(7, "h", 0)
    start, count = table.vector(10, 1)
    if dtype is None or depth not in (1, 3, 4):
        raise UnknownFrameFormat(f"frames of OpenCV's type {code}")
    if width <= 0 or height <= 0 or count != width * height * depth * dtype.itemsize:
        raise FormatError("a frame's size and its pixels disagree")
    pixels = np.frombuffer(data, dtype=dtype, count=count // dtype.itemsize, offset=start)
    return GrayFrame(table.number(0, "q", 0), gray(pixels.reshape(height, width, depth)))


def gray(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return a picture to be shown, (H, W): colors averaged, of 16 bits the upper 8.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array of uint8 or uint16
        Of four channels the last, opacity, plays no part.
    """
    if image.dtype.itemsize == 2:
        image = (image >> 8).astype(np.uint8)
    if image.ndim == 3:
        image = image[:, :, 0] if image.shape[2] == 1 else image[:, :, :3].mean(axis=2).astype(np.uint8)
    return np.array(image)


def extent(data: bytes, type_id: str) -> tuple[int, int, int]:
    """Return (count, first time, last time) of what a decompressed packet of any stream holds.

    Times in microseconds; of a type that is not known the count is 0.

    Raises
    ------
    FormatError
        When the packet is not of this type, or its parts do not lie inside it.
    """
    if type_id == "EVTS":
        position, count = locate_events(data)
        if not count:
            return 0, 0, 0
        first, last = (struct.unpack_from("<q", data, position + 16 * i)[0] for i in (0, count - 1))
        return count, int(first), int(last)
    table = Table.root(data, prefixed=True, identifier=type_id.encode("ascii", "replace"))
    if type_id == "FRME":
        table.vector(10, 1)
        t_us = table.number(0, "q", 0)
        return 1, t_us, t_us
    if type_id not in ("IMUS", "TRIG"):
        return 0, 0, 0
    position, count = table.vector(0, 4)
    if not count:
        return 0, 0, 0
    places = (position, position + 4 * (count - 1))
    first, last = (
        Table(data, at + int(struct.unpack_from("<I", data, at)[0])).number(0, "q", 0) for at in places
    )
    return count, first, last
