"""The picture: events as they are now, at the sensor's own aspect, with zoom and pan.

The view is handed a finished frame of one byte a pixel; colors come from a table of 256, so changing them
costs nothing. Wheel zooms, drag pans, a double click fits the sensor again.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QGraphicsItem, QWidget

from neuroclip_gui.style.palettes import EVENT_COLORS, EventColors
from neuroclip_gui.style.theme import Theme, font

pg.setConfigOptions(imageAxisOrder="row-major", antialias=True)
_GAP = 8
"""Sensor pixels between the events and a camera's intensity frame beside them."""


class _Badge(QWidget):
    """A small rounded label over the picture."""

    def __init__(self, parent: QWidget, size: float = 12) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFont(font(size, medium=True))
        self._parts: tuple[tuple[str, QColor | None], ...] = ()
        self.ground = QColor(0, 0, 0, 150)
        self.ink = QColor("white")
        self.hide()

    def say(self, *parts: tuple[str, QColor | None]) -> None:
        """Show texts, each with a dot of its color before it where it has one; nothing hides the badge."""
        if parts == self._parts:
            return
        self._parts = parts
        self.setVisible(bool(parts))
        self.setAccessibleName(", ".join(text for text, _ in parts))
        self.resize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        width = sum(metrics.horizontalAdvance(text) + (16 if dot else 0) + 14 for text, dot in self._parts)
        return QSize(width + 6, metrics.height() + 10)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.ground)
        painter.drawRoundedRect(self.rect(), 7, 7)
        x, metrics = 10, painter.fontMetrics()
        for text, dot in self._parts:
            if dot is not None:
                painter.setBrush(dot)
                painter.setPen(QColor(128, 128, 128, 160))
                painter.drawEllipse(QRectF(x, self.height() / 2 - 5, 10, 10))
                x += 16
            painter.setPen(self.ink)
            painter.drawText(QPoint(x, (self.height() + metrics.ascent() - metrics.descent()) // 2), text)
            x += metrics.horizontalAdvance(text) + 14
        painter.end()


class _FocusRing(QWidget):
    """A line around the picture while it has the focus."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.ink = QColor("white")
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(QPen(self.ink, 2))
        painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()


class EventView(QWidget):
    """Shows event frames.

    Parameters
    ----------
    theme : Theme

    Attributes
    ----------
    resized : Signal()
    """

    resized = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName("Event view")
        self.setMinimumSize(240, 180)
        self._theme = theme
        self._colors = EVENT_COLORS["dark"]
        self._size = (0, 0)
        self._still = self._bare = False
        self.frame: npt.NDArray[np.uint8] | None = None
        self._graphics = pg.GraphicsView(self, useOpenGL=False)
        self._graphics.setFrameStyle(0)
        self._graphics.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._graphics.setAccessibleName("Events")
        self._graphics.installEventFilter(self)
        self.setFocusProxy(self._graphics)
        self._box = pg.ViewBox(lockAspect=True, invertY=True, enableMenu=False, defaultPadding=0.0)
        self._graphics.setCentralItem(self._box)
        self._image = pg.ImageItem()
        self._beside = pg.ImageItem()
        self._box.addItem(self._image)
        self._box.addItem(self._beside)
        self._beside.hide()
        self._graphics.mouseDoubleClickEvent = lambda event: self.fit()
        self._box.sigRangeChangedManually.connect(self._stay)
        self._legend = _Badge(self)
        self._facts = _Badge(self, 11)
        self._state = _Badge(self, 14)
        self._ring = _FocusRing(self)
        theme.changed.connect(self._restyle)
        self._restyle()

    def show_frame(self, frame: npt.NDArray[np.uint8]) -> None:
        """Paint a frame, (H, W) uint8; another size fits the view to it."""
        self.frame = frame
        # no levels: bytes then go into an indexed QImage as they are, and the table does the rest
        self._image.setImage(frame, autoLevels=False, levels=None)
        if frame.shape != self._size:
            self._size = frame.shape
            self.fit()

    def show_beside(self, image: npt.NDArray[np.uint8] | None) -> None:
        """Paint a camera's intensity frame beside the events; None takes it away."""
        if (image is None) == self._beside.isVisible():
            self._beside.setVisible(image is not None)
            self.fit()
        if image is not None:
            self._beside.setImage(image, autoLevels=False, levels=None)
            self._beside.setPos(self._size[1] + _GAP, 0)

    @property
    def beside(self) -> bool:
        """Whether an intensity frame stands beside the events."""
        return bool(self._beside.isVisible())

    def set_colors(self, colors: EventColors, table: npt.NDArray[np.uint8]) -> None:
        """Color ON, OFF and the ground; ``table`` is (256, 3) uint8."""
        self._colors = colors
        self._image.setLookupTable(table)
        self._restyle()

    def set_state(self, text: str, still: bool) -> None:
        """Say something over the picture, and dim it while nothing moves."""
        self._state.say(*([(text, None)] if text else []))
        if still != self._still:
            self._still = still
            self._image.setOpacity(0.4 if still else 1.0)
        self._place()

    def set_facts(self, text: str) -> None:
        """Say how the picture is made, in its corner."""
        self._facts.say((text, None))
        self._facts.setVisible(not self._bare)
        self._place()

    def set_bare(self, bare: bool) -> None:
        """Show nothing but the picture, without what explains it."""
        self._bare = bare
        for badge in (self._legend, self._facts):
            badge.setVisible(not bare)
        self._ring.setVisible(not bare and self._graphics.hasFocus())

    def fit(self) -> None:
        """Show the whole sensor."""
        height, width = self._size
        if not height:
            return
        if self._beside.isVisible():
            width = 2 * width + _GAP
        self._box.setRange(QRectF(0, 0, width, height), padding=0.0)

    def _stay(self) -> None:
        """Let a drag or the wheel take the picture no farther than to its edge: else nothing may be seen."""
        height, width = self._size
        seen = self._box.viewRect()
        x = min(max(seen.center().x(), 0.0), 2.0 * width + _GAP if self.beside else float(width))
        y = min(max(seen.center().y(), 0.0), float(height))
        if width and QPointF(x, y) != seen.center():
            seen.moveCenter(QPointF(x, y))
            self._box.setRange(seen, padding=0.0)

    def add_item(self, item: QGraphicsItem) -> None:
        """Put an item into the picture, in sensor pixels; it does not change what is shown."""
        self._box.addItem(item, ignoreBounds=True)

    def sensor_rect(self, area: QRectF) -> QRectF:
        """Return a rectangle of this widget in sensor pixels."""
        to_scene = self._graphics.mapToScene
        corners = (area.topLeft().toPoint(), area.bottomRight().toPoint())
        first, last = (self._box.mapSceneToView(to_scene(corner)) for corner in corners)
        return QRectF(first, last).normalized()

    def snapshot(self, least_width: int = 960) -> QImage | None:
        """Return the picture without the badges, whole sensor pixels enlarged; None before the first."""
        if self.frame is None:
            return None
        height, width = self.frame.shape
        image = QImage(
            np.ascontiguousarray(self.frame).data, width, height, width, QImage.Format.Format_Indexed8
        )
        table = np.asarray(self._image.lut)
        image.setColorTable([QColor(*map(int, row)).rgb() for row in table])
        factor = max(1, -(-least_width // width))
        return image.convertToFormat(QImage.Format.Format_RGB32).scaled(width * factor, height * factor)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show by a ring that the picture has the focus: keys of one character are commands then."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self._ring.setVisible(event.type() == QEvent.Type.FocusIn and not self._bare)
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102
        self._graphics.setGeometry(self.rect())
        self._ring.setGeometry(self.rect())
        super().resizeEvent(event)
        self._place()
        self.resized.emit()

    def _place(self) -> None:
        margin = 12
        legend, facts, bottom = self._legend, self._facts, self.height() - margin
        legend.move(margin, bottom - legend.height())
        left = self.width() - facts.width() - margin
        if left < legend.geometry().right() + margin:  # a narrow picture: above it
            bottom = legend.y() - margin // 2
        facts.move(left, bottom - facts.height())
        self._state.move((self.width() - self._state.width()) // 2, margin)

    def _restyle(self) -> None:
        self._graphics.setBackground(self._theme.palette.sunken)
        ground = QColor(self._theme.palette.panel)
        ground.setAlpha(225)
        self._ring.ink = QColor(self._theme.palette.accent)
        self._ring.update()
        for badge in (self._legend, self._facts, self._state):
            badge.ground, badge.ink = ground, QColor(self._theme.palette.text)
            badge.update()
        self._legend.say(
            ("ON  brighter", QColor(*self._colors.on)), ("OFF  darker", QColor(*self._colors.off))
        )
        self._legend.setVisible(not self._bare)
        self._place()
