"""What the network sees: frames as the encoder gets them, and the adapter's spikes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from gui_fakes import RES
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QDialog, QLabel

from neuroclip_gui.panels.spikes.spike_raster import SpikeDialog, raster_image
from neuroclip_live.model.preprocess import Preprocess


def frames(count: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(1)
    return tuple(rng.choice([0, 127, 255], RES[::-1]).astype(np.uint8) for _ in range(count))


@pytest.fixture
def spikes() -> np.ndarray:
    made = np.zeros((10, 64), np.uint8)
    made[:, :16] = 1
    made[9] = 1
    return made


def test_the_strip_shows_frames_at_the_encoders_resolution(qtbot, window, pipeline):
    fitted = []

    class Counting(Preprocess):
        def fitted(self, frame):
            fitted.append(1)
            return super().fitted(frame)

    pipeline.backbone = SimpleNamespace(info=pipeline.backbone.info, preprocess=Counting(size=96))
    some = frames(4)
    pipeline.predict({"a mug": 0.9}, frames=some[:3])
    qtbot.waitUntil(
        lambda: (
            window.panels["strip"].strip.fit is not None and window.panels["strip"].strip.frame(2) is not None
        )
    )
    qtbot.waitUntil(lambda: len(window.panels["strip"].strip._seen) == 3)
    assert all(f.shape == (96, 96) for f in window.panels["strip"].strip._seen.values())
    before = len(fitted)
    pipeline.predict({"a mug": 0.9}, frames=some[1:])
    qtbot.waitUntil(lambda: window.panels["strip"].strip.frame(2) is some[3])
    assert len(fitted) == before + 1  # only the frame that is new
    window.grab()
    window.panels["strip"].strip.opened.emit(2)
    dialog = window.findChild(QDialog)
    assert any("96 × 96, as the encoder gets it" in at.text() for at in dialog.findChildren(QLabel))
    dialog.close()


def test_without_a_model_frames_are_as_the_sensor_gave_them(qtbot, window, pipeline):
    pipeline.predict({"a mug": 0.9}, frames=frames(3))
    qtbot.waitUntil(lambda: window.panels["strip"].strip.frame(0) is not None)
    window.panels["strip"].strip.opened.emit(0)
    dialog = window.findChild(QDialog)
    assert any("as the sensor gave it" in at.text() for at in dialog.findChildren(QLabel))
    dialog.close()


def test_spikes_appear_with_an_adapter_and_go_with_it(qtbot, window, pipeline, spikes):
    assert not window.panels["strip"].raster.isVisible()
    pipeline.predict({"a mug": 0.9}, spikes=spikes)
    qtbot.waitUntil(window.panels["strip"].raster.isVisible)
    assert window.panels["strip"].raster.rate == pytest.approx((9 * 0.25 + 1) / 10)
    assert np.allclose(window.panels["strip"].raster.rates, [0.25] * 9 + [1.0])
    assert "32%" in window.panels["strip"].raster.accessibleDescription()
    pipeline.predict({}, state="no-motion")
    qtbot.waitUntil(lambda: window.decision.words()[0] == "No motion")
    qtbot.settle(window)
    assert window.panels["strip"].raster.isVisible()  # a rest is no other adapter
    pipeline.predict({"a mug": 0.9})
    qtbot.waitUntil(lambda: not window.panels["strip"].raster.isVisible())


def test_a_click_enlarges_the_spikes(qtbot, window, pipeline, spikes):
    pipeline.predict({"a mug": 0.9}, spikes=spikes)
    qtbot.waitUntil(window.panels["strip"].raster.isVisible)
    qtbot.mouseClick(window.panels["strip"].raster, Qt.MouseButton.LeftButton, pos=QPoint(40, 40))
    dialog = window.findChild(SpikeDialog)
    assert dialog is not None
    dialog.grab()
    dialog.close()


def test_the_raster_has_a_column_a_timestep_and_a_row_a_neuron(spikes):
    image = raster_image(spikes, QColor("#ff0000"))
    assert (image.width(), image.height()) == (10, 64)
    assert image.pixelColor(0, 0) == QColor("#ff0000")
    assert image.pixelColor(0, 63).alpha() == 0
    assert image.pixelColor(9, 63) == QColor("#ff0000")
