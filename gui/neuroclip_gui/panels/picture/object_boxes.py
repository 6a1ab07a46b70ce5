"""Boxes around the things that are found, in the words' colors; click one to ask about it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QCursor, QImage, QPainter, QPainterPath, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import (
    QGraphicsObject,
    QLabel,
    QMenu,
    QStyleOptionGraphicsItem,
    QWidget,
    QWidgetAction,
)

from neuroclip_gui.panel_spec import Context
from neuroclip_gui.panels.teach.teach_commands import Teaching
from neuroclip_gui.style.palettes import ink_over
from neuroclip_gui.style.theme import font

if TYPE_CHECKING:
    from neuroclip_gui.panels.picture.event_view import EventView
    from neuroclip_gui.panels.prompts.prompts_panel import PromptsPanel
    from neuroclip_live.objects.found import FoundObject
    from neuroclip_live.recognition.prediction import Prediction

TRAIL = 40
"""Places of a thing that are kept for its trail."""
_FAR = 100_000.0
_ROWS = 6
_LINE = 2.0


class ObjectBoxes(QGraphicsObject):
    """An item of the picture: it zooms and pans with the events, its lines and words do not grow.

    Parameters
    ----------
    color : callable
        Gives the color of a label.
    """

    def __init__(self, color: Callable[[str], QColor]) -> None:
        super().__init__()
        self.setZValue(6)
        self._color = color
        self._trails: dict[int, deque[QPointF]] = {}
        self.found: tuple[FoundObject, ...] = ()
        self.asked: Callable[[FoundObject], None] = lambda found: None

    def show_objects(self, found: tuple[FoundObject, ...]) -> None:
        """Show these things and no others."""
        if found == self.found:
            return
        self.prepareGeometryChange()
        self.found = found
        ids = {one.id for one in found}
        self._trails = {key: trail for key, trail in self._trails.items() if key in ids}
        for one in found:
            if one.state == "seen":
                trail = self._trails.setdefault(one.id, deque(maxlen=TRAIL))
                trail.append(QPointF((one.box.left + one.box.right) / 2, (one.box.top + one.box.bottom) / 2))
        self.update()

    def boundingRect(self) -> QRectF:  # noqa: D102
        return QRectF(-_FAR, -_FAR, 2 * _FAR, 2 * _FAR) if self.found else QRectF()

    def shape(self) -> QPainterPath:
        """Return where a click is meant for a thing."""
        path = QPainterPath()
        for one in self.found:
            path.addRect(_rect(one))
        return path

    def at(self, place: QPointF) -> FoundObject | None:
        """Return the smallest thing at a place in sensor pixels."""
        there = [one for one in self.found if _rect(one).contains(place)]
        return min(there, key=lambda one: _rect(one).width() * _rect(one).height(), default=None)

    def mouseClickEvent(self, event: Any) -> None:
        """Tell which thing was clicked; called by pyqtgraph, which drags and zooms itself."""
        found = self.at(event.pos()) if event.button() == Qt.MouseButton.LeftButton else None
        if found is None or event.double():
            event.ignore()
            return
        event.accept()
        self.asked(found)

    def paint(  # noqa: D102
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        to_screen = painter.transform()
        painter.save()
        painter.resetTransform()
        painter.setFont(font(11, medium=True))
        metrics = painter.fontMetrics()
        for one in self.found:
            waits = one.state == "waiting"
            color = QColor(self._color(one.label)) if one.label else QColor(150, 150, 150)
            color.setAlpha(120 if waits else 255)
            trail = self._trails.get(one.id)
            if trail is not None and len(trail) > 1:
                faint = QColor(color)
                faint.setAlpha(90)
                painter.setPen(QPen(faint, _LINE))
                painter.drawPolyline(QPolygonF([to_screen.map(place) for place in trail]))
            area = to_screen.mapRect(_rect(one))
            painter.setPen(QPen(color, _LINE, Qt.PenStyle.DashLine if waits else Qt.PenStyle.SolidLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(area)
            text = words_of(one)
            width, height = metrics.horizontalAdvance(text) + 10, metrics.height() + 4
            above = area.top() - height
            tag = QRectF(area.left() - 1, above if above >= 0 else area.top(), width, height)
            painter.setPen(Qt.PenStyle.NoPen)
            color.setAlpha(255)  # what is written on it can be read whatever lies below
            painter.setBrush(color)
            painter.drawRect(tag)
            painter.setPen(QColor(ink_over(color.name())))
            painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, text)
        painter.restore()


class ObjectsShown:
    """Carries the things of each prediction to the picture, and answers a click on one.

    Parameters
    ----------
    context : Context
    view : EventView
        In which the boxes lie.
    prompts : PromptsPanel
    teaching : Teaching
    """

    def __init__(self, context: Context, view: EventView, prompts: PromptsPanel, teaching: Teaching) -> None:
        self._context, self._prompts, self._teaching = context, prompts, teaching
        self.boxes = ObjectBoxes(prompts.color)
        self.boxes.asked = self.ask
        self.menu: QMenu | None = None
        view.add_item(self.boxes)

    def show_prediction(self, prediction: Prediction | None) -> None:
        """Show what a prediction found, and count it in the list of words."""
        found = (prediction.objects or ()) if prediction is not None else ()
        self.boxes.show_objects(found)
        self._prompts.model.set_counts(Counter(one.label for one in found if one.label))

    def ask(self, found: FoundObject) -> None:
        """Show a thing's scores, and what can be done with it."""
        menu = self.menu = QMenu(self._context.parent)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(f"#{found.id}  {words_of(found)}, for {found.age_us / 1e6:.1f} s").setEnabled(False)
        if found.frames:
            menu.addAction(_frames_of(found, menu))
        for label, share in sorted(found.scores.items(), key=lambda item: -item[1])[:_ROWS]:
            menu.addAction(f"{label}  {share:.0%}").setEnabled(False)
        menu.addSeparator()
        nearest = self._nearest_words(found)
        if nearest:
            words = menu.addMenu("What is it?")
            for word, _ in nearest:
                words.addAction(word, partial(self._prompts.add, word))
        self._add_lessons(menu, found)
        menu.addAction("Only this", lambda: self.only(found))
        menu.popup(QCursor.pos())

    def _add_lessons(self, menu: QMenu, found: FoundObject) -> None:
        """Offer to teach what the thing is: its own word, or that it was another."""
        teaching, prompts = self._teaching, self._prompts.prompts
        own = found.label
        if own:
            menu.addAction(f"Teach this: “{own}”", lambda: teaching.learn_thing(found, own))
        was = menu.addMenu("It was …")
        for label in (p.label for p in prompts.enabled if not p.negative):
            if label != own:
                was.addAction(label, partial(teaching.learn_thing, found, label))
        typed = teaching.panel.entry.currentText().strip()
        if typed and typed not in prompts.labels:
            was.addAction(typed, lambda: teaching.learn_thing(found, typed))
        teacher = getattr(self._context.pipeline(), "teacher", None)
        if own and teacher is not None and own in dict(teacher.status().labels):
            was.addAction(f"no “{own}”", lambda: teaching.learn_thing(found, own, is_it=False))
        was.setEnabled(bool(was.actions()))

    def _nearest_words(self, found: FoundObject) -> list[tuple[str, float]] | None:
        """Return what a thing looks like, of the model's own nouns; None where it cannot tell."""
        pipeline = self._context.pipeline()
        backbone = pipeline.backbone if pipeline is not None else None
        if backbone is None or found.look is None or len(found.look) != backbone.info.embed_dim:
            return None  # of the model before
        words: list[tuple[str, float]] | None = backbone.nearest_words(found.look, _ROWS)
        return words

    def only(self, found: FoundObject) -> None:
        """Recognize the part around a thing alone."""
        from neuroclip_live.stream.box import Box

        left, top, right, bottom = found.box
        margin = max(8, (right - left) // 4, (bottom - top) // 4)
        self._context.doors.region(Box(left - margin, top - margin, right + margin, bottom + margin))


def _frames_of(found: FoundObject, menu: QMenu) -> QWidgetAction:
    """Return what was encoded of a thing at its newest slices, side by side."""
    rows = [frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=2) for frame in found.frames]
    strip = np.ascontiguousarray(np.concatenate(rows, axis=1))
    height, width = strip.shape[:2]
    image = QImage(strip.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    shown = QLabel()
    shown.setPixmap(QPixmap.fromImage(image))
    shown.setContentsMargins(12, 4, 12, 4)
    shown.setAccessibleName(f"The newest {len(rows)} looks at #{found.id}")
    action = QWidgetAction(menu)
    action.setDefaultWidget(shown)
    return action


def words_of(found: FoundObject) -> str:
    """Return a thing's word and percentage."""
    if not found.scores:
        return "…"
    return f"{found.label or 'none of these'} {found.probability:.0%}"


def _rect(found: FoundObject) -> QRectF:
    left, top, right, bottom = found.box
    return QRectF(left, top, right - left, bottom - top)
