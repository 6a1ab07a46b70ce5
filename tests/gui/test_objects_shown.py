"""Boxes around things: shown, followed, and asked about."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from gui_fakes import ring_of_events
from PySide6.QtCore import QPointF, QRectF, Qt

from neuroclip_live.objects.found import FoundObject
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.stream.box import Box

MUG = FoundObject(3, Box(40, 30, 120, 110), "a mug", 0.8, {"a mug": 0.8, "a phone": 0.2}, "seen", 900_000)
PHONE = FoundObject(4, Box(200, 100, 260, 180), "a phone", 0.7, {"a phone": 0.7}, "waiting", 500_000)


@pytest.fixture
def seen(qtbot, window, pipeline):
    """A window with a picture and two things in it."""
    pipeline.events = ring_of_events(1.0)
    qtbot.waitUntil(lambda: window.view.frame is not None and (window.view.frame != 127).any())
    pipeline.latest = Prediction(1_000_000, 1, "ok", objects=(MUG, PHONE))
    qtbot.waitUntil(lambda: len(window.things.boxes.found) == 2)
    qtbot.settle(window)
    return window


def test_boxes_follow_the_newest_prediction_and_go_with_it(qtbot, seen, pipeline):
    boxes = seen.things.boxes
    assert boxes.at(QPointF(80, 60)) is MUG
    assert boxes.at(QPointF(230, 140)) is PHONE
    assert boxes.at(QPointF(160, 20)) is None
    without = seen.view.grab().toImage()
    moved = replace(MUG, box=Box(60, 30, 140, 110))
    pipeline.latest = Prediction(1_050_000, 2, "ok", objects=(moved,))
    qtbot.waitUntil(lambda: boxes.found == (moved,))
    assert seen.view.grab().toImage() != without
    pipeline.latest = Prediction(1_100_000, 3, "ok")
    qtbot.waitUntil(lambda: boxes.found == ())
    assert boxes.boundingRect().isEmpty()


def test_a_click_on_a_box_shows_its_scores_and_can_keep_to_it(qtbot, seen, pipeline):
    whole = seen.view.sensor_rect(QRectF(seen.view.rect()))
    scale = seen.view.width() / whole.width(), seen.view.height() / whole.height()
    place = QPointF((80 - whole.left()) * scale[0], (60 - whole.top()) * scale[1]).toPoint()
    qtbot.mouseClick(seen.view._graphics.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: seen.things.menu is not None)
    texts = [action.text() for action in seen.things.menu.actions()]
    assert any("a mug 80%" in text for text in texts)
    assert "a phone  20%" in texts
    only = next(action for action in seen.things.menu.actions() if action.text() == "Only this")
    only.trigger()
    seen.things.menu.close()
    assert pipeline.region == Box(20, 10, 140, 130)


def test_what_is_it_gives_words_to_add(qtbot, seen, pipeline, monkeypatch):
    model = SimpleNamespace(
        info=SimpleNamespace(embed_dim=4), nearest_words=lambda look, k: [("teapot", 0.31)]
    )
    monkeypatch.setattr(pipeline, "backbone", model, raising=False)
    seen.things.ask(replace(MUG, look=np.ones(4, np.float32)))
    asked = next(action.menu() for action in seen.things.menu.actions() if action.menu() is not None)
    asked.actions()[0].trigger()
    seen.things.menu.close()
    assert "teapot" in pipeline.prompts.labels
