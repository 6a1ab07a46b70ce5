"""The last moment of events as a cloud in a box of x, y and time, which a drag turns.

What jAER's users open first: a thing that moves is a sheet in the box, a flicker a pillar, noise is dust.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent

from neuroclip_gui.style.palettes import EventColors
from neuroclip_gui.style.panel import Panel
from neuroclip_gui.style.theme import Theme, font
from neuroclip_live.events import Packet, Resolution

MOST = 100_000
"""Events shown: the newest. More would hide each other."""
PREPARING = "Preparing space and time…"
"""Said while what projects is imported and compiled: seconds, the first time."""
SPANS_MS = (50, 100, 200, 500, 1000, 2000)
_CORNERS = np.array([(x, y, t) for t in (0, 1) for y in (0, 1) for x in (0, 1)], np.float64)
_EDGES = ((0, 1), (2, 3), (0, 2), (1, 3), (4, 5), (6, 7), (4, 6), (5, 7), (0, 4), (1, 5), (2, 6), (3, 7))
_KEYS = (
    Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Plus, Qt.Key.Key_Equal,
    Qt.Key.Key_Minus, Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight, Qt.Key.Key_Home,
)  # fmt: skip
_FRONT = 4
"""The first edges: of the newest side, which is the picture as it is now."""


class SpaceTimeView(Panel):
    """Paints events in space and time.

    Parameters
    ----------
    theme : Theme
    colors : callable
        The colors of events in use.
    """

    own_keys = _KEYS
    """Keys that are no words while it has the focus."""

    def __init__(self, theme: Theme, colors: Callable[[], EventColors]) -> None:
        super().__init__()
        self.setAccessibleName("Space and time")
        self.setAccessibleDescription(
            "A drag or the arrows turn it, the wheel or plus and minus zoom, [ and ] change the time shown, "
            "Home looks from the front again"
        )
        self.setToolTip(
            "The newest events as points of x, y and time; the brighter frame is now. Drag to turn, wheel to "
            "zoom, Ctrl and wheel for more time or less, double click for the first view."
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(160, 120)
        self._theme, self._colors = theme, colors
        self._projection: Any = None
        self._events: Packet | None = None
        self._resolution = Resolution(1, 1)
        self._camera: Any = None
        self._grip: QPointF | None = None
        self._image = np.zeros((0, 0, 4), np.uint8)
        self.span_ms = SPANS_MS[2]
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(420, 320)

    def use(self, projection: Any) -> None:
        """Take the module that projects, once it is imported and compiled; it takes too long for here."""
        self._projection, self._camera = projection, projection.Camera()
        self.update()

    @property
    def wants_us(self) -> int:
        """How far back it shows events; 0 while it is out of view."""
        return self.span_ms * 1000 if self._projection is not None and self.in_view else 0

    def show_events(self, events: Packet, resolution: Resolution) -> None:
        """Show events, in order of time; the newest of them where there are too many."""
        self._events, self._resolution = events[-MOST:], resolution
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        super().paintEvent(event)
        painter = QPainter(self)
        colors = self._colors()
        area = self.rect().adjusted(2, 2, -2, -2)
        ground, on, off = (np.array(c[::-1], np.uint8) for c in (colors.ground, colors.on, colors.off))
        ink = self._theme.ink_on(colors.ground)
        if self._projection is not None and area.width() > 8 and area.height() > 8:
            ratio = self.devicePixelRatioF()
            size = round(area.width() * ratio), round(area.height() * ratio)
            if self._image.shape[:2] != size[::-1]:
                self._image = np.empty((size[1], size[0], 4), np.uint8)
            self._image[..., :3], self._image[..., 3] = ground, 255
            if self._events is not None:
                self._projection.paint(
                    self._events, self._resolution, self.span_ms * 1000, self._camera,
                    np.stack([ground, on, off]), self._image,
                )  # fmt: skip
            image = QImage(self._image.data, *size, size[0] * 4, QImage.Format.Format_RGB32)
            image.setDevicePixelRatio(ratio)
            painter.drawImage(area.topLeft(), image)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.translate(area.topLeft())
            self._paint_box(painter, (area.width(), area.height()), ink)
        else:
            painter.setPen(self._theme.color("muted"))
            painter.setFont(font(12))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, PREPARING)
        painter.end()

    def _paint_box(self, painter: QPainter, size: tuple[int, int], ink: Any) -> None:
        """Draw the edges of the box, and what its axes are."""
        width, height = self._resolution
        side = max(width, height)
        half = np.array([width / side / 2, height / side / 2, self._projection.DEPTH / 2])
        points = self._projection.project((2 * _CORNERS - 1) * half, self._camera, size)
        places = [QPointF(x, y) for x, y in points]
        for number, (first, last) in enumerate(_EDGES):
            painter.setPen(QPen(ink, 1.6 if number < _FRONT else 0.7))
            painter.drawLine(places[first], places[last])
        painter.setFont(font(11))
        for text, first, last in (("x", 2, 3), ("y", 0, 2)):
            middle = (places[first] + places[last]) / 2
            beside = QPointF(-10 if text == "y" else 0, 14 if text == "x" else 0)
            _write(painter, middle + beside, text, size)
        span = f"−{self.span_ms} ms" if self.span_ms < 1000 else f"−{self.span_ms / 1000:g} s"
        _write(painter, places[7] + QPointF(4, 14), span, size)
        _write(painter, places[3] + QPointF(4, 14), "now", size)
        painter.drawText(
            QRectF(0, 0, size[0] - 8, size[1] - 4),
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom,
            f"{0 if self._events is None else len(self._events):,} events",
        )

    # ---- what the user does

    def turn(self, yaw: float, pitch: float) -> None:
        """Look from elsewhere, in degrees."""
        if self._camera is not None:
            self._camera = self._camera.turned(yaw, pitch)
            self.update()

    def zoom(self, factor: float) -> None:
        """Go nearer, or farther."""
        if self._camera is not None:
            self._camera = self._camera.zoomed(factor)
            self.update()

    def show_span(self, by: int) -> None:
        """Show more time (+1), or less (-1)."""
        place = SPANS_MS.index(self.span_ms) + by
        self.span_ms = SPANS_MS[min(max(place, 0), len(SPANS_MS) - 1)]
        self.update()

    def reset(self) -> None:
        """Look from where it was looked at first."""
        if self._projection is not None:
            self._camera = self._projection.Camera()
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        self._grip = event.position() if event.button() == Qt.MouseButton.LeftButton else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        if self._grip is not None:
            moved = event.position() - self._grip
            self._grip = event.position()
            self.turn(moved.x() * 0.4, -moved.y() * 0.4)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        self._grip = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        self.reset()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: D102
        up = event.angleDelta().y() > 0
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.show_span(-1 if up else 1)
        else:
            self.zoom(1.15 if up else 1 / 1.15)

    def event(self, event: QEvent) -> bool:  # noqa: D102
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            if event.key() in _KEYS and not event.modifiers():
                event.accept()  # while it has the focus they turn it, whatever they do elsewhere
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        key = Qt.Key
        turns = {key.Key_Left: (-6, 0), key.Key_Right: (6, 0), key.Key_Up: (0, 6), key.Key_Down: (0, -6)}
        pressed = Qt.Key(event.key())
        if pressed in turns:
            self.turn(*turns[pressed])
        elif pressed in (key.Key_Plus, key.Key_Equal, key.Key_Minus):
            self.zoom(1 / 1.15 if pressed == key.Key_Minus else 1.15)
        elif pressed in (key.Key_BracketLeft, key.Key_BracketRight):
            self.show_span(-1 if pressed == key.Key_BracketLeft else 1)
        elif pressed == key.Key_Home:
            self.reset()
        else:
            super().keyPressEvent(event)


def _write(painter: QPainter, place: QPointF, text: str, size: tuple[int, int]) -> None:
    """Write a text at a place, or as near to it as is inside of the view."""
    metrics = painter.fontMetrics()
    x = max(2.0, min(place.x(), size[0] - metrics.horizontalAdvance(text) - 4))
    y = max(float(metrics.ascent()), min(place.y(), size[1] - metrics.descent() - 2))
    painter.drawText(QPointF(x, y), text)


def load_projection() -> Any:
    """Import and compile what projects; slow the first time, so not in the window's thread."""
    from neuroclip_gui.panels.spacetime import projection

    projection.warm_up()
    return projection
