"""A part of the sensor, drawn with the mouse: only what happens there is recognized.

While drawing, a sheet over the picture takes the mouse, so that dragging does not pan. The part itself is an
item of the picture: it zooms and pans with the events, and what lies around it is dimmed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QGraphicsPathItem, QPushButton, QWidget

from neuroclip_gui.panel_spec import Context
from neuroclip_gui.style.theme import Theme, font
from neuroclip_live.errors import UserError

if TYPE_CHECKING:
    from neuroclip_gui.panels.picture.event_view import EventView
    from neuroclip_live.stream.box import Box

_FAR = 100_000.0


class Sheet(QWidget):
    """Takes the mouse while a rectangle is drawn.

    Parameters
    ----------
    view : EventView
        Over which it lies.
    theme : Theme

    Attributes
    ----------
    drawn : Signal(QRectF)
        The rectangle, in the sheet's pixels.
    """

    drawn = Signal(QRectF)

    def __init__(self, view: EventView, theme: Theme) -> None:
        super().__init__(view)
        self.setAccessibleName("Draw the part to recognize")
        self.setCursor(Qt.CursorShape.CrossCursor)
        self._view, self._theme = view, theme
        self._from: QPointF | None = None
        self._to = QPointF()
        self.hide()

    @property
    def rectangle(self) -> QRectF:
        """What is drawn so far, in pixels."""
        return QRectF(self._from, self._to).normalized() if self._from is not None else QRectF()

    def begin(self) -> None:
        """Cover the picture and wait for the mouse."""
        self._from = None
        self.setGeometry(self._view.rect())
        self.show()
        self.raise_()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        if event.button() == Qt.MouseButton.LeftButton:
            self._from = self._to = event.position()
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        if self._from is not None:
            self._to = event.position()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        if self._from is not None:
            self._to = event.position()
            rectangle, self._from = self.rectangle, None
            self.drawn.emit(rectangle)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("sunken", 90))
        area = self.rectangle
        if not area.isEmpty():
            painter.setPen(QPen(self._theme.color("accent"), 1.6))
            painter.setBrush(self._theme.color("accent", 30))
            painter.drawRect(area)
            painter.setFont(font(12, medium=True))
            painter.setPen(self._theme.color("text"))
            size = self._view.sensor_rect(area)
            text = f"{size.width():.0f} × {size.height():.0f}"
            painter.drawText(area.adjusted(6, 4, 200, 200), Qt.AlignmentFlag.AlignLeft, text)
        else:
            painter.setFont(font(14, medium=True))
            painter.setPen(self._theme.color("text"))
            text = "Draw a rectangle around what is to be recognized"
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text)
        painter.end()


class Region:
    """Draws, shows and clears the part that is recognized.

    Parameters
    ----------
    context : Context
    view : EventView
        Over which it is drawn.
    """

    def __init__(self, context: Context, view: EventView) -> None:
        self._context, self._view, theme = context, view, context.theme
        self._shown: Box | None = None
        self.sheet = Sheet(view, theme)
        self.sheet.drawn.connect(self._on_drawn)
        self.button = QPushButton("Whole sensor", view)
        self.button.setToolTip("Recognize everything again  (Esc)")
        self.button.setAccessibleName("Recognize the whole sensor")
        self.button.setCursor(Qt.CursorShape.PointingHandCursor)
        self.button.clicked.connect(self.clear)
        self.button.hide()
        self._around = QGraphicsPathItem()
        self._around.setZValue(5)
        self._around.hide()
        view.add_item(self._around)
        view.resized.connect(self._place)
        theme.changed.connect(self._restyle)
        self._restyle()

    @property
    def drawing(self) -> bool:
        """Whether the mouse draws."""
        return self.sheet.isVisible()

    def ask(self) -> None:
        """Let the mouse draw a part; asked for again, draw nothing after all."""
        if self.drawing:
            self.sheet.hide()
        else:
            self.sheet.begin()
        self.look()

    def clear(self) -> None:
        """Recognize the whole sensor, or draw nothing after all."""
        if self.drawing:
            self.sheet.hide()
            self.look()
        else:
            self.use(None)

    def use(self, box: Box | None) -> None:
        """Recognize a part alone, or with None all of the sensor; say why where that cannot be."""
        pipeline = self._context.pipeline()
        if pipeline is not None:
            try:
                pipeline.set_region(box)
            except UserError as error:  # of a picture of another size, say
                self._context.complain(str(error))
        self.look()

    def look(self) -> None:
        """Show which part the pipeline recognizes; ten times a second."""
        pipeline = self._context.pipeline()
        region = pipeline.region if pipeline is not None else None
        leaves = region is not None or self.drawing or bool(self._context.parent.property("desk"))
        self._context.action("region_clear").setEnabled(leaves)
        if region == self._shown:
            return
        self._shown = region
        self.button.setVisible(region is not None)
        self._around.setVisible(region is not None)
        if region is not None:
            path = QPainterPath()
            path.addRect(QRectF(-_FAR, -_FAR, 2 * _FAR, 2 * _FAR))
            path.addRect(
                QRectF(region.left, region.top, region.right - region.left, region.bottom - region.top)
            )
            self._around.setPath(path)
        self._place()

    def _on_drawn(self, rectangle: QRectF) -> None:
        from neuroclip_live.stream.box import Box

        self.sheet.hide()
        area = self._view.sensor_rect(rectangle)
        self.use(Box(round(area.left()), round(area.top()), round(area.right()), round(area.bottom())))

    def _place(self) -> None:
        view = self._view
        self.button.adjustSize()
        self.button.move(view.width() - self.button.width() - 12, 12)
        if self.drawing:
            self.sheet.setGeometry(view.rect())

    def _restyle(self) -> None:
        theme = self._context.theme
        pen = QPen(theme.color("accent"), 1.6)
        pen.setCosmetic(True)
        self._around.setPen(pen)
        shade = QColor(theme.palette.sunken)
        shade.setAlpha(150)
        self._around.setBrush(shade)
