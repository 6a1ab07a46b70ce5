"""Event rate, space and time, annotated pictures and films."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from gui_fakes import RES, ring_of_events
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from neuroclip_drivers.demo import demo_recording
from neuroclip_drivers.opening import SourceSpec, open_source
from neuroclip_gui.panels.export.film_file import Film
from neuroclip_gui.panels.export.film_making import FilmSettings, make_film
from neuroclip_gui.panels.picture.annotated import Notes, annotated, picture
from neuroclip_gui.panels.spacetime import projection
from neuroclip_gui.panels.spacetime.space_time_view import MOST, SpaceTimeView, load_projection
from neuroclip_gui.style.palettes import EVENT_COLORS
from neuroclip_gui.style.theme import Theme
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Resolution
from neuroclip_live.stream.filters import NONE
from neuroclip_live.stream.slicing import parse_slice

COLORS = EVENT_COLORS["dark"]


# ---- space and time


def painted(camera: projection.Camera, count: int = 20_000) -> np.ndarray:
    image = np.zeros((240, 320, 4), np.uint8)
    three = np.array([[0, 0, 0], [0, 0, 255], [255, 0, 0]], np.uint8)
    projection.paint(ring_of_events(1.0, count), RES, 33_000, camera, three, image)
    return image


def test_from_the_front_it_is_the_picture() -> None:
    """With no turn an event's place is its pixel, however old it is, but for the perspective."""
    image = painted(projection.Camera(0.0, 0.0))
    rows, columns = np.nonzero(image[..., :3].any(axis=2))
    events = ring_of_events(1.0, 20_000)
    assert abs(columns.mean() - 160) == pytest.approx(
        abs(events["x"].mean() - RES.width / 2) * np.ptp(columns) / np.ptp(events["x"]), abs=12
    )
    assert len(rows) > 500


def test_turning_shows_another_side_and_zoom_more_of_it() -> None:
    front, side = painted(projection.Camera(0, 0)), painted(projection.Camera(80, 0))
    assert (front != side).any()
    near = painted(projection.Camera(0, 0, 1.6))
    assert np.ptp(np.nonzero(near[..., 2])[1]) > np.ptp(np.nonzero(front[..., 2])[1])


def test_what_is_behind_the_eye_or_outside_harms_nobody() -> None:
    for yaw in range(-180, 181, 30):
        for pitch in (-89, 0, 89):
            painted(projection.Camera(yaw, pitch, 8.0), 500)


def test_a_camera_never_goes_over_the_top() -> None:
    camera = projection.Camera().turned(720, 500)
    assert camera.pitch == 89.0
    assert -180 <= camera.yaw < 180


def test_beside_the_view_the_seek_bar_can_still_be_hit(qtbot, window):
    window.actions_.by_name["space_time"].setChecked(True)
    qtbot.waitUntil(
        lambda: (
            window.panels["spacetime"].widget.isVisible() and window.panels["spacetime"].widget.width() >= 240
        )
    )
    qtbot.waitUntil(lambda: window.transport.seek_bar.width() >= 130)


def test_the_view_is_shown_turned_and_put_away(qtbot, window, pipeline):
    pipeline.make_events = lambda: ring_of_events(1.0)
    window.actions_.by_name["space_time"].setChecked(True)
    view = window.panels["spacetime"].widget
    qtbot.waitUntil(lambda: view.isVisible() and view._events is not None and view._camera is not None)
    before = view._camera
    middle = view.rect().center()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(view, middle + QPoint(40, 10))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=middle + QPoint(40, 10))
    assert view._camera.yaw != before.yaw
    view.setFocus()
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_Plus)
    assert view._camera.zoom > before.zoom
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_BracketRight)
    assert view.span_ms == 500
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_Home)
    assert view._camera == projection.Camera()
    image = view.grab().toImage()
    colors = {
        image.pixelColor(x, y).name() for x in range(0, image.width(), 3) for y in (image.height() // 2,)
    }
    assert len(colors) > 2
    window.actions_.by_name["space_time"].setChecked(False)
    assert not view.isVisible()


def test_a_hundred_thousand_events_are_painted_thirty_times_a_second(qapp) -> None:
    view = SpaceTimeView(Theme("dark"), lambda: EVENT_COLORS["dark"])
    view.resize(640, 480)
    view.use(load_projection())
    events = np.zeros(MOST, EVENT_DTYPE)
    rng = np.random.default_rng(4)
    events["t"] = np.arange(MOST)
    events["x"], events["y"] = rng.integers(640, size=MOST), rng.integers(480, size=MOST)
    events["p"] = rng.integers(2, size=MOST)
    view.span_ms = 100
    view.show_events(events, Resolution(640, 480))
    painted = QImage(view.size(), QImage.Format.Format_RGB32)
    took_s = []
    for turn in range(10):
        view.turn(float(turn), 0.0)
        begun = time.thread_time()  # of this thread: others may have the processor meanwhile
        view.render(painted)
        took_s.append(time.thread_time() - begun)
    assert sorted(took_s)[len(took_s) // 2] < 1 / 30
    assert len({painted.pixel(x, 240) for x in range(0, 640, 7)}) > 3  # it did paint


def test_the_middle_of_the_box_is_the_middle_of_the_view() -> None:
    assert projection.project(np.zeros((1, 3)), projection.Camera(), (320, 240)).tolist() == [[160.0, 120.0]]


# ---- the rate


def test_the_rate_is_drawn_on_and_off_apart(qtbot, window, pipeline):
    pipeline.make_events = lambda: ring_of_events(1.0)
    samples = window.panels["rate"].widget.samples
    qtbot.waitUntil(lambda: len(samples) > 1 and samples[-1].on_share is not None)
    newest = samples[-1]
    assert newest.rate_hz == 123_456.0
    assert 0 < newest.on_share < 1
    window.docks["rate"].show()
    window.docks["rate"].raise_()
    qtbot.waitUntil(window.panels["rate"].widget.isVisible)
    window.panels["rate"].widget.setFocus()
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_Minus)  # as a keyboard does: it is no word here
    assert window.panels["rate"].widget.span_s == 120.0
    assert not window.panels["rate"].widget.grab().isNull()
    for _ in range(5000):
        window.panels["rate"].widget.add(1.0, 1.0, None)
    assert len(window.panels["rate"].widget.samples) <= 1200


# ---- pictures


def test_a_saved_picture_says_what_it_is(qtbot, window, pipeline, tmp_path):
    pipeline.make_events = lambda: ring_of_events(1.0)
    pipeline.predict({"a mug": 0.9, "a phone": 0.05, "scissors": 0.05})
    qtbot.waitUntil(lambda: window.decided.label == "a mug" and window.view.frame is not None)
    bare, whole = window.view.snapshot(), window.pictures.picture()
    assert whole.width() == bare.width()
    assert whole.height() > bare.height()
    window.pictures.save()
    qtbot.waitUntil(lambda: "Saved" in window.banner.text)
    (path,) = tmp_path.glob("*.png")
    assert QImage(str(path)).size() == whole.size()


def test_a_picture_without_an_answer_has_no_head() -> None:
    frame = np.full((60, 80), 127, np.uint8)
    table = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
    image = picture(frame, table, 4)
    assert (image.width(), image.height()) == (320, 240)
    assert image.pixelColor(5, 5).red() == 127
    plain = annotated(image, Notes(), COLORS, 4)
    answered = annotated(image, Notes("a mug " * 40, 0.9), COLORS, 4)
    assert 240 < plain.height() < answered.height()


# ---- films


@pytest.mark.parametrize("ending", ["mp4", "gif"])
def test_a_stretch_becomes_a_film(qapp, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"dog.{ending}"
    settings = FilmSettings(path, 0.5, 1.5, COLORS, fps=10.0, width=256, labels=False)
    source = open_source(SourceSpec("demo", "dog", speed=None, end_s=1.5))
    told: list[float] = []
    assert make_film(settings, source, None, parse_slice("auto", 2), NONE, told.append, lambda: False) in (
        9,
        10,
    )
    assert told == sorted(told)
    assert told[-1] > 0.8
    film = cv2.VideoCapture(str(path))
    fine, first = film.read()
    assert fine
    assert first.shape[1] == 256
    assert first.std() > 5
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_film_that_is_stopped_leaves_nothing(qapp, tmp_path: Path) -> None:
    settings = FilmSettings(tmp_path / "dog.mp4", 0.0, 3.0, COLORS, labels=False)
    source = open_source(SourceSpec("demo", "dog", speed=None))
    seen: list[float] = []
    done = make_film(settings, source, None, parse_slice("auto", 2), NONE, seen.append, lambda: len(seen) > 3)
    assert done == 0
    assert not list(tmp_path.iterdir())


def test_films_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\.mp4 or \.gif"):
        Film(tmp_path / "film.avi", 25.0)


def test_a_film_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot write"), Film(tmp_path / "no" / "film.mp4", 25.0) as film:
        film.add(np.zeros((64, 64, 3), np.uint8))


def test_only_recordings_are_exported(qtbot, window, pipeline):
    window.export.ask()
    qtbot.waitUntil(lambda: "Only recordings" in window.banner.text)


def test_the_dialog_exports_with_the_windows_words(qtbot, make_window, tmp_path, monkeypatch):
    from neuroclip_gui.panels.export.export_dialog import ExportDialog

    source = open_source(SourceSpec("replay", demo_recording("dog"), hold_at_end=True))
    window = make_window(source)
    window.export.ask()
    (dialog,) = window.findChildren(ExportDialog)
    dialog.last.setValue(1.0)
    dialog.labels.setChecked(False)
    path = tmp_path / "film.gif"
    asking = []
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda parent, *args: asking.append(parent) or (str(path), "")
    )
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Exported" in window.banner.text)
    assert path.stat().st_size > 1000
    assert asking == [dialog]  # to which the keyboard returns: else Esc would be the window's
    dialog.close()
    source.close()
