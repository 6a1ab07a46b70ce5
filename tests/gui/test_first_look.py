"""What is seen first: the window fits its screen, the best word is in view, messages move nothing."""

from __future__ import annotations

import pytest
from gui_fakes import FakeSource
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QToolButton

from neuroclip_gui import layout
from neuroclip_live.prompting.prompts import parse_prompts


@pytest.mark.parametrize("size", [(1024, 600), (1024, 700), (1280, 760), (1366, 728)])
def test_everything_fits_a_small_screen(qtbot, window, size):
    window.resize(*size)
    qtbot.waitUntil(lambda: (window.width(), window.height()) == size)
    inside = QRect(0, 0, *size)
    for widget in (window.status_line, window.transport, window.tool_bar, window.prompts.entry, window.strip):
        corner = widget.mapTo(window, widget.rect().topLeft())
        assert inside.contains(QRect(corner, widget.size())), widget.accessibleName()


def test_a_window_larger_than_its_screen_is_made_smaller(qtbot, window):
    free = window.screen().availableGeometry()
    window.resize(free.width() + 300, free.height() + 300)
    window.move(free.left() + 100, free.top() + 100)
    layout.fit_to_screen(window)
    qtbot.waitUntil(lambda: free.contains(window.frameGeometry()))


def test_a_short_tool_bar_has_a_button_for_the_rest(qtbot, window):
    window.resize(800, 700)
    more = window.tool_bar.findChild(QToolButton, "qt_toolbar_ext_button")
    qtbot.waitUntil(more.isVisible)
    assert not more.icon().isNull()
    assert more.width() >= 20


def test_more_than_five_words_are_in_view(qtbot, window):
    window.want_prompts(parse_prompts(", ".join(f"thing {i}" for i in range(30))))
    window.resize(1280, 770)
    layout.arrange(window)
    words = window.prompts.list
    qtbot.waitUntil(lambda: words.viewport().height() > 5 * words.sizeHintForRow(0))


def test_the_best_word_is_always_in_view(qtbot, window, pipeline):
    words, labels = window.prompts.list, [f"thing {i}" for i in range(40)]
    window.want_prompts(parse_prompts(", ".join(labels)))
    pipeline.predict({label: 0.9 if label == "thing 37" else 0.002 for label in labels})
    qtbot.waitUntil(words.pinned.isVisible)
    assert words.pinned.y() > words.height() // 2  # it is below: pinned to the lower edge
    words.scrollToBottom()
    qtbot.waitUntil(lambda: not words.pinned.isVisible())
    pipeline.predict({label: 0.9 if label == "thing 1" else 0.002 for label in labels})
    qtbot.waitUntil(words.pinned.isVisible)
    assert words.pinned.y() < words.height() // 2
    qtbot.mouseClick(words.pinned, Qt.MouseButton.LeftButton)
    assert not words.pinned.isVisible()
    area = words.viewport().rect()
    assert area.contains(words.visualRect(window.prompts.model.index(1)))


def test_none_of_these_has_its_row_and_percentage(qtbot, window, pipeline):
    row = window.prompts.none
    pipeline.predict({"a mug": 0.2, "a phone": 0.1, "scissors": 0.1})
    qtbot.waitUntil(lambda: row.isEnabled() and window.decided.kind != "waiting")
    assert row.share is None
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton)
    assert pipeline.prompts.none_of_these
    pipeline.predict({"a mug": 0.2, "a phone": 0.1, "scissors": 0.1})
    qtbot.waitUntil(lambda: row.share == 0.6)
    assert "60%" in row.accessibleDescription()


def test_a_message_lies_over_the_picture_and_moves_nothing(qtbot, window):
    before = window.view.geometry()
    window.banner.say("A message that is long enough to need a second line on a narrow picture. " * 3, "warn")
    qtbot.waitUntil(window.banner.isVisible)
    assert window.view.geometry() == before
    assert before.contains(window.banner.geometry())
    window.resize(900, 600)
    qtbot.waitUntil(lambda: window.view.geometry().contains(window.banner.geometry()))


def test_the_title_says_what_is_shown(qtbot, make_window):
    window = make_window(FakeSource("Simulated camera", live=True, shows="a teapot"))
    qtbot.waitUntil(lambda: window.windowTitle() == "Simulated camera: a teapot – neuroclip-live")
