"""The parts without a window: themes, settings, painting, deciding, jobs."""

from __future__ import annotations

import json
import threading
import weakref

import numpy as np
import pytest
from gui_fakes import RES, ring_of_events
from PySide6.QtWidgets import QWidget
from shiboken6 import delete

from neuroclip_gui.jobs import Jobs
from neuroclip_gui.panels.health import health_panel
from neuroclip_gui.panels.health.health_panel import amount
from neuroclip_gui.panels.picture import painting
from neuroclip_gui.panels.playback.seek_bar import clock
from neuroclip_gui.settings import VERSION, SettingsStore, WindowSettings
from neuroclip_gui.style.palettes import EVENT_COLORS, PALETTES, contrast
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, empty_packet
from neuroclip_live.stream.frames import event_frame

# ---- health


def test_memory_on_a_gpu_is_told_where_one_is_used(monkeypatch):
    assert "+" not in health_panel._memory()
    monkeypatch.setattr(health_panel, "gpu_memory", lambda: 812_000_000)
    assert health_panel._memory().endswith(" + 0.8 GB")


# ---- themes


@pytest.mark.parametrize("palette", PALETTES.values(), ids=list(PALETTES))
def test_text_can_be_read(palette):
    for ground in (palette.window, palette.panel, palette.raised, palette.sunken):
        assert contrast(palette.text, ground) >= 7
        for role in ("muted", "accent", "good", "warn", "bad", "record"):
            assert contrast(getattr(palette, role), ground) >= 4.5, (role, ground)
    assert contrast(palette.on_accent, palette.accent) >= 4.5
    for color in palette.series:
        assert contrast(color, palette.panel) >= 3, color


@pytest.mark.parametrize("colors", EVENT_COLORS.values(), ids=list(EVENT_COLORS))
def test_events_stand_out_from_the_ground_and_from_each_other(colors):
    table = painting.color_table(colors).astype(int)
    assert tuple(table[127]) == colors.ground
    assert tuple(table[0]) == colors.on
    assert tuple(table[255]) == colors.off
    for one, other in ((0, 127), (255, 127), (0, 255)):
        assert np.abs(table[one] - table[other]).sum() > 120


# ---- painting


def test_what_is_shown_is_what_is_recognized():
    events = ring_of_events(0.5)
    assert np.array_equal(painting.plain_frame(events, RES), event_frame(events, RES))


def test_fading_keeps_the_newest_and_lets_the_old_go():
    events = np.zeros(4, dtype=EVENT_DTYPE)
    events["t"] = [0, 90_000, 100_000, 100_000]
    events["x"] = [1, 2, 3, 9999]
    events["p"] = [1, 1, 0, 1]
    frame = painting.fading_frame(events, RES, 10_000)
    assert frame[0, 1] == 127
    assert frame[0, 2] == pytest.approx(127 * (1 - np.exp(-1)), abs=2)
    assert frame[0, 3] == 255
    assert (painting.fading_frame(empty_packet(), RES, 10_000) == 127).all()


# ---- settings


def test_settings_survive_a_round_trip(tmp_path):
    store = SettingsStore(tmp_path / "deep" / "window.json")
    assert store.load() == WindowSettings()
    settings = WindowSettings(theme="light", accumulate="count", accumulate_events=2000, recent=["/a"])
    store.save(settings)
    assert SettingsStore(store.path).load() == settings
    assert json.loads(store.path.read_text())["version"] == VERSION


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00\x01", '"theme"'])
def test_a_broken_file_never_blocks_and_is_kept(tmp_path, text):
    path = tmp_path / "window.json"
    path.write_text(text)
    store = SettingsStore(path)
    assert store.load() == WindowSettings()
    assert store.complaint
    assert (tmp_path / "window.broken.json").read_text() == text
    store.save(WindowSettings(theme="safe"))
    assert SettingsStore(path).load().theme == "safe"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theme", "pink"),
        ("theme", 7),
        ("accumulate_ms", -1),
        ("accumulate_ms", True),
        ("accumulate_ms", "33"),
        ("threshold", 9.0),
        ("smoothing_s", None),
        ("recent", [1, 2]),
        ("recent", "x"),
        ("loop", 1),
        ("event_colors", "no such"),
    ],
)
def test_one_bad_value_becomes_its_default_and_the_rest_stays(tmp_path, name, value):
    path = tmp_path / "window.json"
    path.write_text(json.dumps({"version": VERSION, "accumulate_events": 2000, name: value}))
    settings = SettingsStore(path).load()
    assert getattr(settings, name) == getattr(WindowSettings(), name)
    assert settings.accumulate_events == 2000


def test_a_file_from_a_newer_version_is_left_alone(tmp_path):
    path = tmp_path / "window.json"
    text = json.dumps({"version": VERSION + 1, "theme": "light", "new": {}})
    path.write_text(text)
    store = SettingsStore(path)
    assert store.load().theme == "light"
    store.save(WindowSettings())
    assert path.read_text() == text


def test_a_place_that_cannot_be_written_harms_nobody(tmp_path):
    (tmp_path / "file").write_text("")
    SettingsStore(tmp_path / "file" / "window.json").save(WindowSettings())


def test_recent_files_are_few_and_newest_first():
    settings = WindowSettings()
    for name in [*"abcdefghij", "c"]:
        settings.remember(name)
    assert settings.recent == ["c", "j", "i", "h", "g", "f", "e", "d"]


# ---- jobs


def test_jobs_report_where_they_are_collected():
    jobs, told = Jobs(), []
    threads = []

    def work():
        threads.append(threading.current_thread())
        return 7

    def user_error():
        raise UserError("plain words")

    jobs.do(work, told.append, told.append)
    jobs.do(user_error, told.append, told.append)
    jobs.do(lambda: 1 / 0, told.append, told.append)
    deadline = threading.Event()
    while len(told) < 3 and not deadline.wait(0.01):
        jobs.collect()
    assert told == [7, "plain words", "ZeroDivisionError: division by zero"]
    assert threads[0] is not threading.current_thread()
    assert jobs.close()


def test_a_job_that_hangs_does_not_hold_up_closing():
    jobs, begun, free = Jobs(), threading.Event(), threading.Event()
    jobs.do(lambda: (begun.set(), free.wait()), lambda _: None, lambda _: None)
    assert begun.wait(60)
    assert not jobs.close(0.05)
    free.set()
    assert jobs.close(60.0)


def test_closing_lets_go_of_the_call_backs_here_although_the_thread_goes_on():
    class Panel:
        def told(self, _: object) -> None:
            return

    jobs, begun, free, panel = Jobs(), threading.Event(), threading.Event(), Panel()
    gone = weakref.ref(panel)
    jobs.do(lambda: (begun.set(), free.wait(120)), panel.told, panel.told)
    del panel
    assert begun.wait(120)
    assert not jobs.close(0.05)
    assert gone() is None
    free.set()
    assert jobs.close(120.0)


def test_a_widget_that_qt_has_destroyed_is_not_told(qtbot):
    said = []

    class Dialog(QWidget):
        def told(self, what: object) -> None:
            said.append((what, self.isVisible()))

    jobs, free, dialog = Jobs(), threading.Event(), Dialog()
    jobs.do(lambda: free.wait(120), dialog.told, dialog.told)
    jobs.do(lambda: "afterwards", said.append, said.append)
    delete(dialog)
    free.set()
    while not said:
        jobs.collect()
        qtbot.wait(1)
    assert said == ["afterwards"]
    assert jobs.close(120.0)


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (950, "950"), (12_345, "12.3 k"), (4.56e6, "4.56 M")])
def test_amounts_are_short(number, text):
    assert amount(number) == text


def test_clock():
    assert [clock(s) for s in (0, 59.94, 83.2, -1)] == ["0:00.0", "0:59.9", "1:23.2", "0:00.0"]
