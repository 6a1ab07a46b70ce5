"""Boxes around things: shown, followed, and asked about."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from gui_fakes import ring_of_events
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidgetAction

from neuroclip_gui.panels.prompts.prompt_model import ROW
from neuroclip_gui.style.palettes import PALETTES, contrast
from neuroclip_live.objects.found import FoundObject
from neuroclip_live.recognition.prediction import Decision, Prediction
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


@pytest.mark.parametrize("theme", PALETTES)
def test_a_tag_can_be_read_in_every_color_of_every_theme(qtbot, seen, theme):
    seen.do.set_theme(theme)
    boxes, view = seen.things.boxes, seen.view
    for color in PALETTES[theme].series:
        boxes._color = lambda _, color=color: QColor(color)
        boxes.update()
        picture = view.grab().toImage()
        whole = view.sensor_rect(QRectF(view.rect()))
        scale = view.width() / whole.width(), view.height() / whole.height()
        for thing in (MUG, PHONE):  # one is seen, one is waited for
            left = round((thing.box.left - whole.left()) * scale[0])
            top = round((thing.box.top - whole.top()) * scale[1])
            tag = [
                picture.pixelColor(left + x, top - 8 + y).name() for x in range(4, 60) for y in range(-4, 4)
            ]
            ground = Counter(tag).most_common(1)[0][0]
            assert ground == color
            assert max(contrast(each, ground) for each in tag) >= 4.5, (theme, color)


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
        info=SimpleNamespace(embed_dim=4, name="fake", none_logit=None, templates=()),
        nearest_words=lambda look, k: [("teapot", 0.31)],
    )
    monkeypatch.setattr(pipeline, "backbone", model, raising=False)
    seen.things.ask(replace(MUG, look=np.ones(4, np.float32)))
    asked = next(action.menu() for action in seen.things.menu.actions() if action.menu() is not None)
    asked.actions()[0].trigger()
    seen.things.menu.close()
    assert "teapot" in pipeline.prompts.labels


def entries(menu) -> dict:
    """Return a menu's actions, and those of its submenus, by text."""
    found = {}
    for action in menu.actions():
        found[action.text()] = action
        if action.menu() is not None:
            found |= {f"{action.text()} {each.text()}": each for each in action.menu().actions()}
    return found


def test_a_thing_is_taught_and_corrected_by_its_own_looks(qtbot, seen, pipeline):
    windows = tuple(np.ones((10, 4), np.float32) for _ in range(5))
    mug = replace(MUG, windows=windows, frames=(np.full((48, 48), 127, np.uint8),) * 3)
    seen.things.ask(mug)
    shown = entries(seen.things.menu)
    shown["Teach this: “a mug”"].trigger()
    assert pipeline.teacher.books[-1] == {"a mug": 5}
    shown["It was … a phone"].trigger()
    assert pipeline.teacher.books[-1] == {"a mug": 5, "a phone": 5}
    assert (pipeline.notes[-1]["label"], pipeline.notes[-1]["is_it"]) == ("a phone", True)
    seen.things.menu.close()
    seen.things.ask(mug)  # a mug is taught by now, so that it is none can be taught too
    entries(seen.things.menu)["It was … no “a mug”"].trigger()
    assert pipeline.teacher.against == {"a mug": 5}
    seen.things.menu.close()
    assert "is not “a mug” (5 shots)" in seen.banner.text


def test_a_thing_seen_too_briefly_is_not_taught(qtbot, seen, pipeline):
    seen.things.ask(MUG)
    entries(seen.things.menu)["Teach this: “a mug”"].trigger()
    seen.things.menu.close()
    assert pipeline.teacher.books == [{}]
    assert "too briefly" in seen.banner.text


def test_the_newest_looks_at_a_thing_are_shown(qtbot, seen):
    frames = (np.zeros((48, 48), np.uint8), np.full((48, 48, 3), 255, np.uint8))
    seen.things.ask(replace(MUG, frames=frames))
    (strip,) = [a for a in seen.things.menu.actions() if isinstance(a, QWidgetAction)]
    image = strip.defaultWidget().pixmap().toImage()
    assert (image.width(), image.height()) == (96, 48)
    assert (image.pixelColor(10, 10).lightness(), image.pixelColor(60, 10).lightness()) == (0, 255)
    seen.things.menu.close()


def test_words_say_how_many_there_are_of_them(qtbot, seen, pipeline):
    model = seen.prompts.model
    row = model.index(model.row_of("a mug"))
    assert row.data(ROW).count == 1
    alone = seen.prompts.list.grab().toImage()
    pipeline.latest = Prediction(1_050_000, 2, "ok", objects=(MUG, replace(MUG, id=9), PHONE))
    qtbot.waitUntil(lambda: row.data(ROW).count == 2)
    assert "2 of them" in row.data(Qt.ItemDataRole.AccessibleTextRole)
    qtbot.settle(seen)
    assert seen.prompts.list.grab().toImage() != alone
    pipeline.latest = Prediction(1_100_000, 3, "ok")
    qtbot.waitUntil(lambda: row.data(ROW).count == 0)


def test_a_camera_that_moves_is_said_beside_the_answer(qtbot, seen, pipeline):
    answer = Decision("label", "a mug", 0.8)
    pipeline.latest = Prediction(1_050_000, 2, "ok", objects=(), camera_moves=True, decision=answer)
    qtbot.waitUntil(lambda: "the camera moves" in seen.decision.words()[1])
    assert seen.decision.words()[0] == "a mug"
    pipeline.latest = Prediction(1_100_000, 3, "ok", objects=(), decision=answer)
    qtbot.waitUntil(lambda: "the camera moves" not in seen.decision.words()[1])


def test_several_things_are_looked_for_or_not_and_that_is_kept(window, pipeline):
    action = window.actions_.by_name["objects"]
    assert not action.isChecked()
    assert not pipeline.settings.recognizer.objects.enabled
    action.trigger()
    assert pipeline.settings.recognizer.objects.enabled
    assert window.settings.objects is True
    window.do.reset_settings()
    assert not action.isChecked()
    assert not pipeline.settings.recognizer.objects.enabled


def test_things_are_shown_when_they_were_looked_at_and_the_answer_before(qtbot, seen, pipeline, monkeypatch):
    answer = Prediction(1_050_000, 2, "ok", decision=Decision("label", "a phone", 0.9, {"a phone": 0.9}))
    whole, boxes = pipeline.latest, seen.things.boxes
    monkeypatch.setattr(pipeline, "prediction", lambda *, early=False: answer if early else whole)
    qtbot.waitUntil(lambda: seen.decided.label == "a phone")
    assert boxes.found == (MUG, PHONE)
    whole = replace(answer, objects=(PHONE,))
    qtbot.waitUntil(lambda: boxes.found == (PHONE,))
