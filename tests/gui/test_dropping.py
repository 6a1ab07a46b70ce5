"""Files dropped on the window: recordings are played, pictures shown to the simulated camera."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from neuroclip_gui.dropping import Dropped


def mime_of(*paths) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def drop(window, *paths) -> None:
    none, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    mime = mime_of(*paths)  # the event does not keep it
    window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, left, none))


@pytest.fixture
def pictures(tmp_path):
    paths = [tmp_path / name for name in ("cat.png", "DOG.JPG")]
    for path in paths:
        cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (60, 80), np.uint8))
    return paths


def test_pictures_are_shown_to_the_simulated_camera(qtbot, window, pipeline, pictures):
    drop(window, *pictures)
    qtbot.waitUntil(lambda: pipeline.source.name == "Simulated camera")
    assert [shown.name for shown in pipeline.source._pictures] == ["cat.png", "DOG.JPG"]
    qtbot.waitUntil(lambda: window.windowTitle().startswith("Simulated camera"))
    assert window.banner.text == ""
    pipeline.source.close()


def test_a_picture_that_is_none_is_said(qtbot, window, pipeline, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    drop(window, bad)
    qtbot.waitUntil(lambda: "bad.png" in window.banner.text)
    assert pipeline.source.name == "fake.aedat4"


def test_a_film_is_shown_to_the_simulated_camera(qtbot, window, pipeline, tmp_path):
    path = tmp_path / "clip.avi"
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (80, 60))
    for at in range(20):
        film.write(np.roll(np.eye(60, 80, dtype=np.uint8)[..., None] * np.full(3, 200, np.uint8), at, axis=1))
    film.release()
    drop(window, path, tmp_path / "other.mp4")
    assert "Films are played one at a time: 1 of those dropped is left out" in window.banner.text
    qtbot.waitUntil(lambda: "clip.avi" in pipeline.source.name)
    pipeline.source.close()


def test_a_film_that_is_none_is_said(qtbot, window, pipeline, tmp_path):
    bad = tmp_path / "clip.mp4"
    bad.write_bytes(b"no film")
    drop(window, bad)
    qtbot.waitUntil(lambda: "clip.mp4" in window.banner.text)
    assert window.banner.level == "error"
    assert pipeline.source.name == "fake.aedat4"


def test_a_drop_whose_files_did_not_come_is_said(window, pipeline):
    drop(window)
    assert "Nothing came with what was dropped" in window.banner.text
    assert pipeline.source.name == "fake.aedat4"


def test_several_recordings_become_a_list_without_what_is_none(window, monkeypatch):
    opened = []
    monkeypatch.setattr(window.sources, "open_files", opened.extend)
    drop(window, "/somewhere/a.aedat4", "/somewhere/b.raw", "/somewhere/cat.png")
    assert opened == ["/somewhere/a.aedat4", "/somewhere/b.raw"]
    assert window.banner.text == ""


@pytest.mark.parametrize(
    ("paths", "promised"),
    [
        (["/x/a.aedat4"], "Drop to play a.aedat4"),
        (["/x/a.aedat4", "/x/b.raw"], "Drop to play a.aedat4 and 1 more"),
        (["/x/cat.png"], "Drop to hold a simulated camera before cat.png"),
        (["/x/cat.png", "/x/dog.jpg", "/x/a.aedat4"], "before cat.png and 1 more"),
        (["/x/clip.mov"], "Drop to hold a simulated camera before clip.mov"),
        ([], ""),
    ],
)
def test_it_says_beforehand_what_dropping_does(qapp, paths, promised):
    said = Dropped.of(mime_of(*paths)).promise()
    assert promised in said
    assert bool(said) == bool(promised)
