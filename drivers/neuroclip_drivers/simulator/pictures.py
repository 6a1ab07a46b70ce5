"""Reading a picture that may be anything: how large it is, is looked up before it is decoded."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError

MAX_PICTURE_BYTES = 1 << 26
MAX_PICTURE_PIXELS = 1 << 26
"""64 megapixels: a few hundred bytes of PNG can declare a thousand times as many."""


def read_picture(path: Path) -> npt.NDArray[Any]:
    """Return a picture as OpenCV decodes it, unchanged: (H, W) or (H, W, channels).

    Raises
    ------
    UserError
        When it cannot be read, is none of PNG, JPEG, WebP and BMP, or is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PICTURE_BYTES + 1)
    except OSError as error:
        raise UserError(f"cannot read the picture {path}: {error.strerror or error}") from None
    if len(data) > MAX_PICTURE_BYTES:
        raise UserError(f"{path} is larger than {MAX_PICTURE_BYTES >> 20} MiB; give a smaller picture")
    try:
        size = picture_size(data)
    except (struct.error, IndexError):
        size = None
    if size is None:
        raise UserError(f"{path} is not an image that can be read; give a PNG or JPEG")
    if not 0 < size[0] * size[1] <= MAX_PICTURE_PIXELS:
        raise UserError(
            f"{path} has {size[0]:,} × {size[1]:,} pixels; give one of at most {MAX_PICTURE_PIXELS:,} in all"
        )
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        picture = None
    if picture is None:
        raise UserError(f"{path} is not an image that can be read; give a PNG or JPEG")
    return np.asarray(picture)


def gray(picture: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return the gray values of a picture as OpenCV has it, (H, W) or (H, W, 3 or 4) uint8."""
    if picture.ndim == 3:
        picture = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_BGR2GRAY)
    return np.asarray(picture, dtype=np.uint8)


def is_picture(path: Path) -> bool:
    """Tell by a file's first bytes whether it is meant to be a picture of a kind that is read here."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return False
    return head.startswith((b"\x89PNG\r\n\x1a\n", b"BM", b"\xff\xd8")) or (
        head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    )


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) as the bytes of a picture declare it; None where they are no known picture.

    Raises
    ------
    struct.error or IndexError
        When they end too early.
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
        width, height = struct.unpack_from(">II", data, 16)
        return int(width), int(height)
    if data.startswith(b"BM"):
        width, height = struct.unpack_from("<ii", data, 18)
        return abs(int(width)), abs(int(height))
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp_size(data)
    return _jpeg_size(data) if data.startswith(b"\xff\xd8") else None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    position = 2
    while data[position] == 0xFF:
        kind = data[position + 1]
        if kind == 0xFF:  # padding
            position += 1
            continue
        length = int(struct.unpack_from(">H", data, position + 2)[0])
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):  # the start of a frame
            height, width = struct.unpack_from(">HH", data, position + 5)
            return int(width), int(height)
        position += 2 + length
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return int(width) & 0x3FFF, int(height) & 0x3FFF
    if kind == b"VP8L":
        bits = int(struct.unpack_from("<I", data, 21)[0])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return _three(data, 24) + 1, _three(data, 27) + 1
    return None


def _three(data: bytes, place: int) -> int:
    return data[place] | data[place + 1] << 8 | data[place + 2] << 16
