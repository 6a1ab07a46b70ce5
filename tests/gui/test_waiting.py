"""A camera or a server that is not there: the window opens, says how to get it, and goes on by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gui_fakes import FakeSource
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QGraphicsView, QLabel

from neuroclip_drivers.awaited import AwaitedSource
from neuroclip_drivers.opening import SourceSpec
from neuroclip_drivers.source import SourceState
from neuroclip_gui.panels.waiting import waiting
from neuroclip_live import session
from neuroclip_live.config import Config
from neuroclip_live.errors import SourceAway, UserError

AWAY = "Plug one in: it is opened as soon as it is there."


class Door:
    """Opens a camera once there is one, as a driver would."""

    def __init__(self) -> None:
        self.camera: FakeSource | None = None
        self.message = AWAY
        self.asked = 0

    def open(self) -> FakeSource:
        self.asked += 1
        if self.camera is None:
            raise SourceAway("there is no camera", "a camera", self.message)
        return self.camera


@pytest.fixture
def door(monkeypatch) -> Door:
    monkeypatch.setattr(waiting, "EVERY_S", 0.0)
    return Door()


@pytest.fixture
def waits(door, make_window):
    """A window that was started for a camera that is not there."""
    source = AwaitedSource(SourceAway("there is no camera", "a camera", AWAY), door.open)
    return make_window(source)


def test_it_says_what_it_waits_for_and_how_to_get_it(qtbot, waits, door):
    card = waits.waiting.card
    qtbot.waitUntil(lambda: card.isVisible() and card.title.text() == "Waiting for a camera")
    qtbot.waitUntil(lambda: waits.decision.words()[0] == "Waiting for a camera")
    assert card.advice.text() == AWAY
    assert waits.banner.text == ""
    assert "240" not in waits.status_line.fields["source"].text()  # nobody knows its size
    assert [b.text() for b in card.buttons] == ["Simulated camera", "Open recording…", "Connect to a stream…"]
    qtbot.waitUntil(lambda: door.asked > 2)
    door.message = "May not open the DVXplorer: install the udev rule"
    qtbot.waitUntil(lambda: card.advice.text() == door.message)
    assert waits.view.geometry().contains(card.geometry())


def test_it_goes_on_by_itself_when_the_camera_comes(qtbot, waits, door):
    waits.prompts.add("a tree")
    qtbot.waitUntil(lambda: waits.waiting.card.isVisible())
    camera = door.camera = FakeSource("DVXplorer 0001", live=True)
    qtbot.waitUntil(lambda: waits.pipeline.source is camera)
    qtbot.waitUntil(lambda: waits.windowTitle().startswith("DVXplorer 0001"))
    qtbot.waitUntil(lambda: waits.waiting.card.isHidden())
    assert "a tree" in waits.prompts.prompts.labels
    waits.pipeline.predict({"a mug": 0.9, "a phone": 0.1})
    qtbot.waitUntil(lambda: waits.decision.words()[0] == "a mug")
    asked = door.asked
    qtbot.settle(waits)
    assert door.asked == asked


def test_what_is_opened_meanwhile_is_not_taken_away(qtbot, waits, door):
    qtbot.waitUntil(lambda: waits.waiting.card.isVisible())
    waits.waiting.card.buttons[0].click()
    qtbot.waitUntil(lambda: waits.pipeline.source.name == "Simulated camera")
    qtbot.waitUntil(lambda: waits.waiting.card.isHidden())
    late = FakeSource("DVXplorer 0001", live=True)
    waits.waiting._come(late)  # an attempt that was under way
    assert late.state is SourceState.ENDED
    qtbot.settle(waits)
    assert waits.pipeline.source.name == "Simulated camera"
    waits.pipeline.source.close()


def test_by_keys_its_buttons_come_after_the_picture(qtbot, waits):
    qtbot.waitUntil(waits.waiting.card.isVisible)
    qtbot.waitUntil(waits.isActiveWindow)
    waits.do.focus_picture()
    for button in waits.waiting.card.buttons:
        while isinstance(QApplication.focusWidget(), QGraphicsView | QLabel):  # the advice can be selected
            QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        assert QApplication.focusWidget() is button
        QTest.keyClick(button, Qt.Key.Key_Tab)


def test_a_recording_asked_for_begins_with_the_camera(qtbot, waits, door, tmp_path, monkeypatch):
    begun = []
    monkeypatch.setattr(waits.pipeline, "record_next", lambda path: begun.append(path), raising=False)
    waits.recognition.take_up(Config(record=str(tmp_path / "a.aedat4")))
    qtbot.waitUntil(lambda: waits.waiting.card.isVisible())
    waits.actions_.by_name["record"].trigger()
    assert "nothing to record yet" in waits.banner.text
    qtbot.settle(waits)
    assert begun == []
    qtbot.waitUntil(lambda: not waits.actions_.by_name["record"].isChecked())
    door.camera = FakeSource("DVXplorer 0001", live=True)
    qtbot.waitUntil(lambda: begun == [str(tmp_path / "a.aedat4")])
    qtbot.waitUntil(lambda: waits.pipeline.source is door.camera)


def test_one_that_opens_and_cannot_be_used_is_said_and_asked_again(qtbot, waits, door):
    def refuse():
        raise UserError("DVXplorer 0001 gives no events")

    waits.pipeline.source._open = refuse
    qtbot.waitUntil(lambda: waits.waiting.card.advice.text() == "DVXplorer 0001 gives no events")


def test_a_camera_that_is_unplugged_is_waited_for_in_the_same_way(qtbot, make_window):
    source = FakeSource("DVXplorer 0001", live=True)
    window = make_window(source)
    qtbot.settle(window)
    assert window.waiting.card.isHidden()
    source.state, source.message = SourceState.WAITING, "DVXplorer 0001 is gone (unplugged)"
    window.pipeline.now = replace(window.pipeline.now, message=source.message)
    qtbot.waitUntil(lambda: window.waiting.card.isVisible())
    assert window.waiting.card.advice.text() == source.message
    source.state = SourceState.STREAMING
    qtbot.waitUntil(lambda: window.waiting.card.isHidden())


def test_only_what_may_come_is_waited_for():
    source = session.open_or_await(SourceSpec("network", "127.0.0.1:9"))
    assert isinstance(source, AwaitedSource)
    assert source.name == "127.0.0.1:9"
    assert "Nobody answers" in source.status().message
    assert source.come() is None
    source.close()
    assert list(source.packets()) == []
    with pytest.raises(UserError, match="--connect: 'nonsense' is not an address"):
        session.open_or_await(SourceSpec("network", "nonsense"))
    with pytest.raises(UserError, match="--replay"):
        session.open_or_await(SourceSpec("replay", "no.aedat4"))
