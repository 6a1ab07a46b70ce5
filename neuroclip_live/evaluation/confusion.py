"""A confusion matrix as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_INK, _PAPER, _BLUE = (40, 40, 40), (255, 255, 255), np.array([150.0, 80.0, 20.0])  # BGR


def draw_confusion(matrix: npt.NDArray[Any], labels: Sequence[str], title: str) -> bytes:
    """Draw a confusion matrix, rows true and columns predicted, each row shaded by its own shares.

    Parameters
    ----------
    matrix : ndarray of int, shape (K, K)
    labels : sequence of str
    title : str

    Returns
    -------
    bytes
        A PNG.
    """
    classes = len(labels)
    cell = int(np.clip(900 // max(classes, 1), 6, 48))
    names = [_latin(label) for label in labels]
    side = 16 + max((_width(name, 0.4) for name in names), default=0)
    top, room = 60 + side, cell * classes
    image = np.full((top + room + 16, max(side + room + 16, _width(title, 0.55) + 32), 3), 255, np.uint8)
    cv2.putText(image, _latin(title), (16, 26), _FONT, 0.55, _INK, 1, cv2.LINE_AA)
    cv2.putText(image, "rows: true label, columns: predicted", (16, 46), _FONT, 0.4, _INK, 1, cv2.LINE_AA)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    for row in range(classes):
        y = top + row * cell
        if cell >= 12:
            cv2.putText(image, names[row], (8, y + cell // 2 + 4), _FONT, 0.4, _INK, 1, cv2.LINE_AA)
        for column in range(classes):
            x = side + column * cell
            share = float(shares[row, column])
            color = (1 - share) * np.array(_PAPER) + share * _BLUE
            cv2.rectangle(image, (x, y), (x + cell - 1, y + cell - 1), color.tolist(), -1)
            count = int(matrix[row, column])
            if count and cell >= 24:
                ink = _PAPER if share > 0.5 else _INK
                cv2.putText(image, str(count), (x + 3, y + cell // 2 + 4), _FONT, 0.38, ink, 1, cv2.LINE_AA)
    if cell >= 12:
        _column_names(image, names, side, top, cell)
    cv2.rectangle(image, (side, top), (side + room, top + room), _INK, 1)
    return bytes(cv2.imencode(".png", image)[1])


def _column_names(image: npt.NDArray[np.uint8], names: Sequence[str], left: int, top: int, cell: int) -> None:
    """Write the names upwards: drawn level, then turned."""
    height = top - 60
    level = np.full((cell * len(names), height, 3), 255, np.uint8)
    for k, name in enumerate(names):
        cv2.putText(level, name, (4, k * cell + cell // 2 + 4), _FONT, 0.4, _INK, 1, cv2.LINE_AA)
    image[60:top, left : left + cell * len(names)] = np.rot90(level)


def _width(text: str, scale: float) -> int:
    return int(cv2.getTextSize(_latin(text), _FONT, scale, 1)[0][0])


def _latin(text: str) -> str:
    """Return what the drawing font can show: it knows ASCII only."""
    shown = text.encode("ascii", "replace").decode()
    return shown if len(shown) <= 24 or " " not in shown or "%" in shown else shown[:23] + "."
