"""Names, sentences and numbers of any length make no panel wider, and the window never wider than it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gui_fakes import FakeSource
from PySide6.QtWidgets import QApplication

from neuroclip_gui.style.elided import in_menu

LONG = "a very long name of a thing " * 9


def _big_numbers(window, pipeline):
    pipeline.now = replace(
        pipeline.now,
        skipped_windows=33_240,
        windows=40_000,
        event_rate_hz=123_456_789.0,
        stray_events=123_456,
        outside_events=123_456,
        dropped_events=12_345_678,
        ring_fill=1.0,
    )


def _long_word(window, pipeline):
    window.want_prompts(pipeline.prompts.add(LONG.strip()))
    pipeline.predict({"a mug": 0.1, LONG.strip(): 0.9})


def _long_recording(window, pipeline):
    pipeline.open(FakeSource(name=LONG.replace(" ", "_") + ".aedat4"))
    window.source_changed()


def _long_camera(window, pipeline):
    pipeline.open(FakeSource(name=LONG.replace(" ", "_"), live=True))
    window.source_changed()


HAPPENS = {
    "numbers grow": _big_numbers,
    "a word": _long_word,
    "a sentence": lambda w, p: w.want_prompts(p.prompts.with_templates((LONG + "{}",))),
    "a lesson": lambda w, p: (w.panels["teach"].widget.entry.setCurrentText(LONG), w.panels["teach"].last()),
    "a recording": _long_recording,
    "a camera": _long_camera,
    "a model": lambda w, p: setattr(p, "now", replace(p.now, model=LONG * 2, device="cuda:0")),
    "recording begins": lambda w, p: w.recording.toggle(),
    "a message": lambda w, p: setattr(p, "now", replace(p.now, message=LONG * 4)),
    "a banner": lambda w, p: w.banner.say(LONG * 4, "error"),
}


@pytest.mark.parametrize("what", HAPPENS)
def test_nothing_becomes_wider(qtbot, window, pipeline, what):
    for name in ("prompts", "timeline"):
        window.docks[name].raise_()
    qtbot.settle(window)
    before = {name: dock.width() for name, dock in window.docks.items() if not dock.isHidden()}
    least = window.minimumSizeHint().width()
    HAPPENS[what](window, pipeline)
    qtbot.settle(window)
    QApplication.sendPostedEvents()
    assert {name: dock.width() for name, dock in window.docks.items() if not dock.isHidden()} == before
    assert window.minimumSizeHint().width() <= least


def test_every_number_of_health_has_room(qtbot, window, pipeline):
    window.docks["health"].raise_()
    _big_numbers(window, pipeline)
    qtbot.waitUntil(lambda: window.panels["health"].panel.values["dropped"].text() == "12.3 M")
    window.panels["health"].panel.values["paint"].setText("60/s · 999 ms")
    for key, value in window.panels["health"].panel.values.items():
        assert value.fontMetrics().horizontalAdvance(value.text()) <= value.width(), key


def test_a_name_that_is_cut_is_told_whole_when_pointed_at(qtbot, window, pipeline):
    _long_recording(window, pipeline)
    field = window.status_line.fields["source"]
    qtbot.waitUntil(lambda: pipeline.source.name in field.toolTip())
    assert field.fontMetrics().horizontalAdvance(field.text()) > field.width()


def test_a_name_in_a_menu_is_short_and_holds_no_key():
    assert in_menu("mug & phone.aedat4") == "mug && phone.aedat4"
    assert len(in_menu(LONG + ".aedat4")) == 60
    assert in_menu(LONG + ".aedat4").endswith(".aedat4")


@pytest.mark.parametrize("times", [1, 3])
def test_leaving_the_demo_desk_brings_every_panel_back_as_wide_as_it_was(qtbot, window, pipeline, times):
    window.docks["health"].raise_()
    qtbot.settle(window)
    before = {name: dock.width() for name, dock in window.docks.items() if not dock.isHidden()}
    for _ in range(times):
        window.actions_.by_name["desk"].trigger()
        _big_numbers(window, pipeline)
        qtbot.settle(window)
        window.actions_.by_name["desk"].trigger()
        qtbot.settle(window)
    assert {name: dock.width() for name, dock in window.docks.items() if not dock.isHidden()} == before
