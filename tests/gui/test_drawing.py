"""Drawing the part of the sensor that is recognized."""

from __future__ import annotations

import pytest
from gui_fakes import RES, ring_of_events
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from neuroclip_live.stream.box import Box


@pytest.fixture
def seen(qtbot, window, pipeline):
    """A window with a picture in it."""
    pipeline.events = ring_of_events(1.0)
    qtbot.waitUntil(lambda: window.view.frame is not None and (window.view.frame != 127).any())
    qtbot.settle(window)
    return window


def point(window, x: float, y: float) -> QPoint:
    """Return where a sensor pixel is in the view."""
    whole = window.view.sensor_rect(QRectF(window.view.rect()))
    scale_x, scale_y = window.view.width() / whole.width(), window.view.height() / whole.height()
    return QPointF((x - whole.left()) * scale_x, (y - whole.top()) * scale_y).toPoint()


def draw(qtbot, window, first: tuple[float, float], last: tuple[float, float]) -> None:
    sheet = window.region.sheet
    qtbot.mousePress(sheet, Qt.MouseButton.LeftButton, pos=point(window, *first))
    qtbot.mouseMove(sheet, point(window, *last))
    qtbot.mouseRelease(sheet, Qt.MouseButton.LeftButton, pos=point(window, *last))


def near(box: Box, expected: Box) -> bool:
    return all(abs(a - b) <= 2 for a, b in zip(box, expected, strict=True))


def test_a_part_is_drawn_shown_and_cleared(qtbot, seen, pipeline):
    window = seen
    window.actions_.by_name["region"].trigger()
    assert window.region.drawing
    draw(qtbot, window, (60, 50), (200, 150))
    assert not window.region.drawing
    assert near(pipeline.region, Box(60, 50, 200, 150))
    assert window.region.button.isVisible()
    window.grab()
    qtbot.mouseClick(window.region.button, Qt.MouseButton.LeftButton)
    assert pipeline.region is None
    assert not window.region.button.isVisible()


def test_it_may_be_drawn_from_any_corner_and_beyond_the_sensor(qtbot, seen, pipeline):
    seen.actions_.by_name["region"].trigger()
    draw(qtbot, seen, (200, 150), (-60, -9))
    assert near(pipeline.region, Box(0, 0, 200, 150))


def test_a_zoomed_picture_gives_the_same_pixels(qtbot, seen, pipeline):
    seen.view._box.setRange(QRectF(100, 80, 100, 75), padding=0.0)
    seen.actions_.by_name["region"].trigger()
    draw(qtbot, seen, (120, 90), (180, 140))
    assert near(pipeline.region, Box(120, 90, 180, 140))


def test_escape_ends_drawing_first_and_then_clears(qtbot, seen, pipeline):
    pipeline.set_region(Box(10, 10, 60, 60))
    qtbot.waitUntil(seen.region.button.isVisible)
    seen.activateWindow()
    seen.view.setFocus()
    seen.actions_.by_name["region"].trigger()
    qtbot.keyClick(seen.view, Qt.Key.Key_Escape)
    assert not seen.region.drawing
    assert pipeline.region is not None
    qtbot.keyClick(seen.view, Qt.Key.Key_Escape)
    assert pipeline.region is None
    assert not seen.actions_.by_name["region_clear"].isEnabled()


def test_escape_in_the_line_of_prompts_clears_what_was_typed_and_nothing_else(qtbot, seen, pipeline):
    pipeline.set_region(Box(10, 10, 60, 60))
    qtbot.waitUntil(lambda: seen.actions_.by_name["region_clear"].isEnabled())
    seen.activateWindow()
    seen.prompts.entry.setFocus()
    qtbot.keyClicks(seen.prompts.entry, "a fo")
    qtbot.keyClick(seen.prompts.entry, Qt.Key.Key_Escape)
    assert seen.prompts.entry.text() == ""
    assert pipeline.region is not None


def test_a_click_is_too_small_and_the_whole_is_no_part(qtbot, seen, pipeline):
    seen.actions_.by_name["region"].trigger()
    draw(qtbot, seen, (50, 50), (51, 51))
    assert "too small" in seen.banner.text
    assert pipeline.region is None
    seen.actions_.by_name["region"].trigger()
    draw(qtbot, seen, (-40, -5), (RES.width + 40, RES.height + 5))
    assert pipeline.region is None


def test_asked_for_twice_draws_nothing(seen):
    action = seen.actions_.by_name["region"]
    action.trigger()
    seen.grab()
    action.trigger()
    assert not seen.region.drawing


@pytest.mark.parametrize("wheel", [0, -120], ids=["as large as it fits", "far away"])
def test_the_picture_cannot_be_dragged_out_of_sight(qtbot, seen, wheel):
    view = seen.view
    ground = view._graphics.viewport()
    middle = ground.rect().center()
    for _ in range(10 if wheel else 0):
        at = QPointF(middle)
        turned = QWheelEvent(
            at, QPointF(ground.mapToGlobal(middle)), QPoint(), QPoint(0, wheel), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(ground, turned)
    for _ in range(12):  # again and again, to the right and down
        QTest.mousePress(ground, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
        for part in range(1, 6):
            QTest.mouseMove(ground, QPoint(20, 20) + (middle - QPoint(20, 20)) * part / 2)
        QTest.mouseRelease(ground, Qt.MouseButton.LeftButton, pos=middle * 2)
    picture = QRectF(0, 0, *RES)
    shown = view.sensor_rect(QRectF(view.rect()))
    common = shown & picture
    assert common.width() * common.height() > 0.2 * min(
        picture.width() * picture.height(), shown.width() * shown.height()
    )
    assert (shown.center() - picture.center()).manhattanLength() > 100  # it did move
