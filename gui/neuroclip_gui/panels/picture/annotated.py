"""A picture that can stand by itself: with the answer, the time, a scale and what its colors mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen

from neuroclip_gui.style.palettes import EventColors
from neuroclip_gui.style.theme import font

LEAST_WIDTH = 960
"""Pixels of a saved picture: sensor pixels are enlarged whole until it is at least so wide."""
_SCALES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True)
class Notes:
    """What is written beside a picture.

    Attributes
    ----------
    answer : str
        The label, or why there is none; "" leaves it out.
    probability : float or None
    time : str
        Where in the stream it is.
    made : str
        How events became a picture: "33 ms".
    source : str
    color : str
        Of the label, as #rrggbb.
    """

    answer: str = ""
    probability: float | None = None
    time: str = ""
    made: str = ""
    source: str = ""
    color: str = "#ffffff"


def enlargement(width: int, least_width: int = LEAST_WIDTH) -> int:
    """Return how many pixels a side a sensor pixel becomes."""
    return max(1, -(-least_width // width))


def picture(frame: npt.NDArray[np.uint8], table: npt.NDArray[np.uint8], factor: int) -> QImage:
    """Return a frame (H, W) uint8, colored by a table (256, 3) uint8 and enlarged by whole pixels."""
    large = np.ascontiguousarray(np.asarray(table, np.uint8)[frame].repeat(factor, 0).repeat(factor, 1))
    height, width = large.shape[:2]
    return QImage(large.data, width, height, 3 * width, QImage.Format.Format_RGB888).convertToFormat(
        QImage.Format.Format_RGB32
    )


def annotated(image: QImage, notes: Notes, colors: EventColors, factor: int) -> QImage:
    """Return an image with the answer above it, and a line of facts below.

    Parameters
    ----------
    image : QImage
        From :func:`picture`.
    notes : Notes
    colors : EventColors
        What the legend explains.
    factor : int
        Pixels of the image a side of a sensor pixel, for the scale.
    """
    width, height = image.width(), image.height()
    unit = max(12.0, width / 60)
    head, foot = round(3.2 * unit) if notes.answer else 0, round(2.2 * unit)
    dark = sum(colors.ground) < 380
    ink, quiet = (QColor("#f2f5f8"), QColor("#a7b2bf")) if dark else (QColor("#151b23"), QColor("#4f5b69"))
    out = QImage(width, _even(height + head + foot), QImage.Format.Format_RGB32)
    out.fill(QColor(*colors.ground))
    painter = QPainter(out)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.drawImage(0, head, image)
    if head:
        _paint_answer(painter, QRectF(unit, 0, width - 2 * unit, head), notes, ink, unit)
    painter.setPen(QPen(quiet, 1))
    painter.drawLine(QPointF(0, head + height + 0.5), QPointF(width, head + height + 0.5))
    line = QRectF(unit, head + height, width - 2 * unit, foot)
    left = _paint_legend(painter, line, colors, quiet, unit)
    right = _paint_scale(painter, line, factor, quiet, unit)
    facts = "   ·   ".join(part for part in (notes.source, notes.time, notes.made) if part)
    room = QRectF(left, line.top(), max(0.0, right - left), foot)
    text = QFontMetricsF(painter.font()).elidedText(facts, Qt.TextElideMode.ElideMiddle, room.width())
    painter.setPen(quiet)
    painter.drawText(room, Qt.AlignmentFlag.AlignCenter, text)
    painter.end()
    return out


def _paint_answer(painter: QPainter, area: QRectF, notes: Notes, ink: QColor, unit: float) -> None:
    middle = Qt.AlignmentFlag.AlignVCenter
    painter.setFont(font(1.7 * unit, bold=True))
    sure = f"{notes.probability:.0%}" if notes.probability is not None else ""
    metrics = QFontMetricsF(painter.font())
    right = metrics.horizontalAdvance("100%") + unit if sure else 0.0
    painter.setPen(ink)
    text = metrics.elidedText(notes.answer, Qt.TextElideMode.ElideRight, area.width() - right - 1.4 * unit)
    painter.drawText(area.adjusted(1.2 * unit, 0, 0, 0), middle | Qt.AlignmentFlag.AlignLeft, text)
    painter.drawText(area, middle | Qt.AlignmentFlag.AlignRight, sure)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(notes.color))
    bar = QRectF(area.left(), area.top() + 0.7 * unit, 0.35 * unit, area.height() - 1.4 * unit)
    painter.drawRoundedRect(bar, 2, 2)


def _paint_legend(painter: QPainter, line: QRectF, colors: EventColors, ink: QColor, unit: float) -> float:
    painter.setFont(font(0.95 * unit))
    x, metrics = line.left(), QFontMetricsF(painter.font())
    for text, color in (("ON brighter", colors.on), ("OFF darker", colors.off)):
        painter.setPen(QPen(ink, 1))
        painter.setBrush(QColor(*color))
        painter.drawEllipse(QPointF(x + 0.4 * unit, line.center().y()), 0.4 * unit, 0.4 * unit)
        x += 1.2 * unit
        painter.setPen(ink)
        painter.drawText(
            QRectF(x, line.top(), metrics.horizontalAdvance(text) + 2, line.height()),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
            text,
        )
        x += metrics.horizontalAdvance(text) + 1.2 * unit
    return x


def _paint_scale(painter: QPainter, line: QRectF, factor: int, ink: QColor, unit: float) -> float:
    """Draw a bar of so many sensor pixels; return where it begins."""
    most = line.width() / 6 / factor
    pixels = max((scale for scale in _SCALES if scale <= most), default=1)
    text = f"{pixels} px"
    wide = QFontMetricsF(painter.font()).horizontalAdvance(text) + 0.6 * unit
    left = line.right() - pixels * factor - wide
    y = line.center().y()
    painter.setPen(QPen(ink, 2))
    painter.drawLine(QPointF(left, y), QPointF(left + pixels * factor, y))
    for x in (left, left + pixels * factor):
        painter.drawLine(QPointF(x, y - 0.3 * unit), QPointF(x, y + 0.3 * unit))
    area = QRectF(line.right() - wide, line.top(), wide, line.height())
    painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
    return left - unit


def _even(pixels: int) -> int:
    """Return an even number: films need even sides."""
    return pixels + pixels % 2
