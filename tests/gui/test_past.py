"""The last minute: scored anew when prompts change, and looked at by pointing."""

from __future__ import annotations

import time

import numpy as np
import pytest
from fakes import FakeBackbone, ScriptedSource, packet
from gui_fakes import place_of
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from neuroclip_gui.panels.timeline.moments import KEPT as KEPT_MOMENTS
from neuroclip_gui.panels.timeline.moments import Moment
from neuroclip_gui.panels.timeline.thumbnails import KEPT, LONGEST, Thumbnails, shrunk
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.history import Rescored
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings
from neuroclip_live.stream.slicing import parse_slice


def point_at_newest(timeline) -> None:
    """Move the mouse there; QTest leaves out moves to where the mouse is already."""
    at = QPointF(place_of(timeline, timeline.moments[-1]), 40)
    left, none = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(timeline, QMouseEvent(QEvent.Type.MouseMove, at, at, left, left, none))


def rescored(numbers: list[int], labels: tuple[str, ...], rows: list[list[float]], decided) -> Rescored:
    return Rescored(np.array(numbers), labels, np.array(rows, np.float32), tuple(decided))


def test_other_prompts_change_the_past(qtbot, window, pipeline):
    for _ in range(3):
        pipeline.predict({"a mug": 0.9, "a phone": 0.1})
    qtbot.waitUntil(lambda: len(window.panels["timeline"].widget.moments) == 3)
    pipeline.past = rescored([1, 2], ("a mug", "a fox"), [[0.2, 0.8], [0.6, 0.4]], ("a fox", None))
    pipeline.table = object()
    qtbot.waitUntil(lambda: "a fox" in window.panels["timeline"].widget.moments[0].scores)
    first, second, third = window.panels["timeline"].widget.moments
    assert first.label == "a fox"
    assert dict(first.scores) == pytest.approx({"a mug": 0.2, "a fox": 0.8})
    assert second.label == ""
    assert third.scores == {"a mug": 0.9, "a phone": 0.1}  # made after the question: it knew the answer
    window.grab()


def test_a_past_of_another_source_is_left_alone(qtbot, window, pipeline):
    pipeline.predict({"a mug": 0.9})
    qtbot.waitUntil(lambda: len(window.panels["timeline"].widget.moments) == 1)
    window.panels["timeline"].widget.rescore(rescored([7], ("a fox",), [[1.0]], ("a fox",)))
    window.panels["timeline"].widget.rescore(rescored([], ("a fox",), np.zeros((0, 1)), ()))
    assert window.panels["timeline"].widget.moments[0].label == "a mug"


def test_a_full_timeline_is_scored_anew_within_a_frame(window):
    timeline = window.panels["timeline"].widget
    count = timeline.moments.maxlen
    for number in range(count):
        timeline.add(Moment(0.0, number, "a mug", {"a mug": 1.0}, number))
    past = rescored(list(range(count)), ("a mug", "a fox"), np.full((count, 2), 0.5), ["a fox"] * count)
    times = []
    for _ in range(5):
        begin = time.thread_time()  # of this thread alone: others may have the processor meanwhile
        timeline.rescore(past)
        times.append(time.thread_time() - begin)
    assert timeline.moments[0].label == "a fox"
    assert len(timeline.moments) == count
    assert min(times) < 0.2  # a few milliseconds on a quick machine


def test_a_word_typed_now_is_asked_of_the_real_past(qtbot, make_window):
    source = ScriptedSource([packet(i * 20_000, 400, step_us=50) for i in range(60)], live=False)
    settings = PipelineSettings(slice_by=parse_slice("40ms"), wait_for_model=True)
    pipeline = Pipeline(source, lambda progress: FakeBackbone(), parse_prompts("a mug"), settings)
    window = make_window(attach=False)
    window.attach(pipeline)
    qtbot.waitUntil(lambda: pipeline.status().state.value == "ended", timeout=30_000)
    before = len(pipeline.predictions())
    assert before
    qtbot.waitUntil(lambda: len(window.panels["timeline"].widget.moments) >= before)
    window.prompts.entry.setText("a tree")
    window.prompts.entry.returnPressed.emit()
    qtbot.waitUntil(lambda: any("a tree" in m.scores for m in window.panels["timeline"].widget.moments))


def test_the_wheel_shows_more_time_or_less(qtbot, window):
    timeline = window.panels["timeline"].widget
    at = QPointF(timeline.width() / 2, 40)

    def turn(by: int) -> None:
        none = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
        event = QWheelEvent(at, timeline.mapToGlobal(at), QPoint(), QPoint(0, by), *none, False)
        QApplication.sendEvent(timeline, event)

    assert timeline.span_s == 60.0
    for _ in range(9):
        turn(-120)
    assert timeline.span_s == 300.0
    timeline.grab()
    for _ in range(9):
        turn(120)
    assert timeline.span_s == 15.0
    timeline.grab()


def test_five_minutes_are_kept_at_any_rate_in_bounded_memory(window):
    timeline = window.panels["timeline"].widget
    for number in range(60_000):  # 200 a second
        timeline.add(Moment(number / 200, number, "a mug", {"a mug": 1.0}, number))
    times = np.array([m.at_s for m in timeline.moments])
    assert len(times) <= KEPT_MOMENTS
    assert times[0] < 1.0
    gaps = np.diff(times)
    assert gaps.min() > 0
    assert gaps.max() < 0.5
    assert gaps[times[1:] > times[-1] - 50].max() < 0.1


# ---- pointing at a moment


def test_pointing_at_a_moment_shows_the_frame_of_it(qtbot, window, pipeline):
    frame = np.full((240, 320), 127, np.uint8)
    frame[100:140, 100:200] = 0
    pipeline.predict({"a mug": 0.9, "a phone": 0.1}, frames=(frame,))
    qtbot.waitUntil(
        lambda: (
            len(window.panels["timeline"].widget.moments) == 1
            and len(window.panels["timeline"].widget.thumbnails) == 1
        )
    )
    window.docks["timeline"].raise_()
    point_at_newest(window.panels["timeline"].widget)
    qtbot.waitUntil(
        lambda: (
            window.panels["timeline"].widget.card is not None
            and window.panels["timeline"].widget.card.isVisible()
        )
    )
    card = window.panels["timeline"].widget.card
    assert card.image is not None
    assert max(card.image.width(), card.image.height()) <= LONGEST
    assert "a mug 90%" in card.accessibleName()
    assert window.rect().contains(card.geometry())
    window.grab()
    window.docks["health"].raise_()
    qtbot.waitUntil(lambda: not card.isVisible())


def test_a_still_moment_says_so_and_has_no_picture(qtbot, window, pipeline):
    pipeline.predict({}, state="no-motion")
    qtbot.waitUntil(lambda: len(window.panels["timeline"].widget.moments) == 1)
    window.docks["timeline"].raise_()
    point_at_newest(window.panels["timeline"].widget)
    qtbot.waitUntil(
        lambda: (
            window.panels["timeline"].widget.card is not None
            and window.panels["timeline"].widget.card.isVisible()
        )
    )
    assert window.panels["timeline"].widget.card.image is None
    window.source_changed()
    assert not window.panels["timeline"].widget.card.isVisible()
    assert not window.panels["timeline"].widget.moments


def test_thumbnails_are_bounded_and_found_by_time():
    pictures = Thumbnails(kept=5)
    for k in range(20):
        pictures.add(k * 0.2, np.full((480, 640), 127 if k % 2 else 0, np.uint8))
        pictures.add(k * 0.2 + 0.01, np.full((480, 640), 255, np.uint8))  # too soon after it
    assert len(pictures) == 5
    assert pictures.near(0.0) is None
    assert (pictures.near(18 * 0.2 + 0.05) == 0).all()
    assert KEPT * shrunk(np.zeros((480, 640), np.uint8)).nbytes < 6e6


def test_a_thin_line_stays_visible_when_it_is_made_small():
    frame = np.full((480, 640), 127, np.uint8)
    frame[200] = 0
    frame[300, ::5] = 255
    small = shrunk(frame)
    assert small.shape == (68, 91)
    assert (small == 0).any(axis=1).sum() == 1
    assert (small == 255).any(axis=1).sum() == 1
    tiny = np.zeros((24, 32), np.uint8)
    assert shrunk(tiny) is not tiny
