"""Event frames for whoever looks from afar: painted and compressed once, however many look."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

FASTEST_FPS = 60.0
WIDEST = 640
"""Pixels across; a wider sensor is halved until it fits, so that a phone's link is enough."""
FORMATS = {"jpeg": ".jpg", "png": ".png", "webp": ".webp"}
_QUALITY = {
    "jpeg": [cv2.IMWRITE_JPEG_QUALITY, 80],
    "png": [cv2.IMWRITE_PNG_COMPRESSION, 1],
    "webp": [cv2.IMWRITE_WEBP_QUALITY, 80],
}


@dataclass(frozen=True)
class Encoded:
    """One picture.

    Attributes
    ----------
    data : bytes
        A whole file of that format.
    number : int
        Counts the pictures made.
    """

    data: bytes
    number: int


def encode(frame: Image, form: str) -> bytes:
    """Return a picture file of an event frame (H, W) uint8."""
    while frame.shape[1] > WIDEST:
        frame = cv2.resize(frame, (frame.shape[1] // 2, frame.shape[0] // 2), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(FORMATS[form], frame, _QUALITY[form])
    return bytes(data)


class Pictures:
    """The newest picture in each format, made when somebody asks and the last one is too old.

    Parameters
    ----------
    paint : callable
        Returns the event frame of now, (H, W) uint8. Called in a thread: it may take milliseconds.
    """

    def __init__(self, paint: Callable[[], Image]) -> None:
        self._paint = paint
        self._made: dict[str, tuple[float, Encoded]] = {}
        self._making: dict[str, asyncio.Future[Any]] = {}
        self._number = 0

    async def newest(self, form: str, fps: float) -> Encoded:
        """Return a picture at most ``1 / fps`` seconds old; those who ask at the same time share one."""
        at, made = self._made.get(form, (0.0, None))
        if made is not None and monotonic() - at < 0.9 / min(fps, FASTEST_FPS):
            return made
        making = self._making.get(form)
        if making is None:
            making = asyncio.ensure_future(self._make(form))
            self._making[form] = making
            making.add_done_callback(lambda _: self._making.pop(form, None))
        encoded: Encoded = await asyncio.shield(making)
        return encoded

    async def _make(self, form: str) -> Encoded:
        begin = monotonic()
        data = await asyncio.to_thread(lambda: encode(self._paint(), form))
        self._number += 1
        encoded = Encoded(data, self._number)
        self._made[form] = (begin, encoded)
        return encoded
