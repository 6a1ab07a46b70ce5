"""The camera panel with cameras that are not there: what it shows, and what reaches source and pipeline."""

from __future__ import annotations

import json
import threading

import pytest
from gui_fakes import FakeSource
from PySide6.QtCore import Qt

from neuroclip_drivers.controls import Control
from neuroclip_drivers.usb import UsbCamera
from neuroclip_gui.panels.camera import cameras
from neuroclip_gui.panels.camera.camera_panel import strength_of, support_us
from neuroclip_live.errors import UserError
from neuroclip_live.stream.filters import Treatment


def usb(serial: str, model: str = "DAVIS", accessible: bool = True) -> UsbCamera:
    return UsbCamera(model, serial, 0x152A, 0x841A, 1, int(serial), f"/dev/bus/usb/001/{serial}", accessible)


class FakeCamera(FakeSource):
    """A live source with something to set."""

    def __init__(self, name: str = "DAVIS346_1") -> None:
        super().__init__(name=name, live=True)
        self.values = {"ON threshold": 0.0, "Auto exposure": 1.0, "Readout": 0.0}

    def controls(self) -> list[Control]:
        v = self.values
        return [
            Control("ON threshold", "%", -100, 100, v["ON threshold"], "fewer events", 0.0, step=5),
            Control("Auto exposure", "", 0, 1, v["Auto exposure"], "by itself", 1.0, "switch"),
            Control("Readout", "", 0, 1, v["Readout"], "how often", 0.0, "choice", ("slow", "fast")),
        ]

    def set_control(self, name: str, value: float) -> None:
        if value > 100:
            raise UserError("too much")
        self.values[name] = value

    def presets(self) -> dict[str, dict[str, float]]:
        return {"Fewer events": {"ON threshold": 50.0}}


@pytest.fixture
def found(monkeypatch) -> list[UsbCamera]:
    cameras_: list[UsbCamera] = []
    monkeypatch.setattr(cameras, "_connected", lambda: list(cameras_))
    monkeypatch.setattr(cameras, "_LOOK_S", 0.05)
    return cameras_


@pytest.fixture
def camera_window(make_window, found):
    window = make_window(FakeCamera())
    window.docks["camera"].raise_()
    return window


def test_cameras_come_and_go(qtbot, camera_window, found):
    panel = camera_window.panels["camera"].widget
    qtbot.waitUntil(lambda: "No event camera" in panel.found.text())
    assert not panel.open.isVisible()
    found.extend([usb("7"), usb("8", "DVXplorer")])
    qtbot.waitUntil(lambda: panel.cameras.count() == 2, timeout=10_000)
    panel.cameras.setCurrentIndex(1)
    found.pop(0)
    qtbot.waitUntil(lambda: panel.cameras.count() == 1, timeout=10_000)
    assert panel.cameras.currentText() == "DVXplorer 8"


def test_a_camera_that_may_not_be_opened_is_said(qtbot, camera_window, found):
    found.append(usb("7", accessible=False))
    qtbot.waitUntil(
        lambda: "may not open" in camera_window.panels["camera"].widget.found.text(), timeout=10_000
    )


def test_a_camera_whose_driver_is_not_installed_says_how_to_get_it(qtbot, camera_window, found, monkeypatch):
    monkeypatch.setattr("neuroclip_drivers.usb.find_spec", lambda name: None)
    found.append(UsbCamera("Prophesee EVK", "", 0x04B4, 0x00F5, 1, 7, "/dev/bus/usb/001/007", True))
    text = camera_window.panels["camera"].widget.found.text
    qtbot.waitUntil(lambda: 'pip install "neuroclip-live[prophesee]"' in text(), timeout=10_000)


def test_the_camera_chosen_is_opened(qtbot, camera_window, found, monkeypatch):
    opened = []
    monkeypatch.setattr(camera_window.sources, "open_camera", opened.append)
    found.extend([usb("7"), usb("8")])
    panel = camera_window.panels["camera"].widget
    qtbot.waitUntil(lambda: panel.cameras.count() == 2, timeout=10_000)
    panel.cameras.setCurrentIndex(1)
    qtbot.mouseClick(panel.open, Qt.MouseButton.LeftButton)
    assert opened == ["8"]


def test_a_search_that_hangs_or_fails_does_not_hold_the_window(qtbot, camera_window, found, monkeypatch):
    gate = threading.Event()

    def hanging() -> list[UsbCamera]:
        gate.wait(10)
        raise UserError("USB is in a bad mood")

    monkeypatch.setattr(cameras, "_connected", hanging)
    number = camera_window.pulse.paint_hz
    qtbot.wait(200)
    camera_window.panels["camera"].widget.noise.setValue(30)  # answers meanwhile
    assert camera_window.pipeline.treatment.support_us > 0
    gate.set()
    qtbot.waitUntil(lambda: "bad mood" in camera_window.panels["camera"].widget.found.text(), timeout=10_000)
    assert number >= 0


def test_nothing_is_searched_while_the_panel_is_hidden(qtbot, make_window, monkeypatch):
    asked = []
    monkeypatch.setattr(cameras, "_connected", lambda: asked.append(1) or [])
    window = make_window(FakeCamera())

    def after_the_search_under_way() -> None:
        ended = []
        window.jobs.do(lambda: None, ended.append, ended.append)
        qtbot.waitUntil(lambda: bool(ended), timeout=30_000)

    window.docks["camera"].raise_()
    qtbot.waitUntil(lambda: bool(asked), timeout=30_000)
    window.docks["camera"].hide()
    after_the_search_under_way()
    asked.clear()
    window.panels["camera"].look(window.pipeline.status(), 1e12)  # long after the next one would be due
    after_the_search_under_way()
    assert not asked


def test_what_is_changed_reaches_the_source(camera_window):
    rows, source = camera_window.panels["camera"].widget.rows, camera_window.pipeline.source
    rows["ON threshold"].editor.setValue(150)
    rows["Auto exposure"].editor.setChecked(False)
    rows["Readout"].editor.setCurrentIndex(1)
    rows["Readout"].editor.activated.emit(1)
    assert source.values == {"ON threshold": 50.0, "Auto exposure": 0.0, "Readout": 1.0}
    assert rows["ON threshold"].text.text() == "50 %"
    assert rows["ON threshold"].editor.accessibleName() == "ON threshold"


def test_presets_and_reset(camera_window):
    panel, source = camera_window.panels["camera"].widget, camera_window.pipeline.source
    panel.preset_asked.emit("Fewer events")
    assert source.values["ON threshold"] == 50.0
    assert panel.rows["ON threshold"].text.text() == "50 %"
    panel.flip_h.setChecked(True)
    panel.reset.click()
    assert source.values["ON threshold"] == 0.0
    assert camera_window.pipeline.treatment == Treatment()
    assert not panel.flip_h.isChecked()
    assert camera_window.settings.cameras == {}


def test_noise_flips_and_turns_reach_the_pipeline(qtbot, camera_window):
    panel, pipeline = camera_window.panels["camera"].widget, camera_window.pipeline
    panel.noise.setValue(50)
    panel.flip_v.setChecked(True)
    panel.turn.setCurrentIndex(1)
    panel.turn.activated.emit(1)
    assert pipeline.treatment == Treatment(support_us(50), False, True, 1)
    assert panel.noise_text.text() == "3.2 ms"
    from dataclasses import replace

    pipeline.now = replace(pipeline.now, removed_share=0.31)
    qtbot.waitUntil(lambda: panel.removed.text() == "takes away 31% of the events")


def test_what_was_set_on_a_camera_is_set_again_but_not_on_another(make_window, found):
    first = make_window(FakeCamera())
    first.panels["camera"].widget.rows["ON threshold"].editor.setValue(150)
    first.panels["camera"].widget.flip_h.setChecked(True)
    first.close()
    again = make_window(FakeCamera())
    assert again.pipeline.source.values["ON threshold"] == 50.0
    assert again.pipeline.treatment.flip_horizontal
    assert again.panels["camera"].widget.flip_h.isChecked()
    again.pipeline.open(FakeCamera("DVXplorer_2"))
    again.source_changed()
    assert again.pipeline.source.values["ON threshold"] == 0.0
    assert again.pipeline.treatment == Treatment()


def test_a_recording_begins_as_it_was_recorded(make_window, found):
    window = make_window()
    window.panels["camera"].widget.flip_h.setChecked(True)
    assert window.pipeline.treatment.flip_horizontal
    assert window.settings.cameras == {}
    assert window.panels["camera"].widget.nothing.isVisibleTo(window.panels["camera"].widget)


@pytest.mark.parametrize(
    "kept",
    [{"controls": 3}, {"controls": {"ON threshold": "x"}}, {"controls": {"Gone": 1.0}}, {"quarter_turns": 9},
     {"support_us": "much"}, {"flip_horizontal": 1}],
)  # fmt: skip
def test_what_was_remembered_wrongly_is_left_out(make_window, tmp_path, found, kept):
    (tmp_path / "window.json").write_text(json.dumps({"version": 1, "cameras": {"DAVIS346_1": kept}}))
    window = make_window(FakeCamera())
    assert window.pipeline.source.values["ON threshold"] == 0.0
    assert window.pipeline.treatment == Treatment()


def test_an_address_typed_is_connected_to(qtbot, camera_window, monkeypatch):
    opened = []
    camera_window.panels["camera"].widget.stream_asked.connect(opened.append)
    monkeypatch.setattr(camera_window.sources, "_open", lambda *a, **k: None)
    camera_window.panels["camera"].widget.address.setText(" localhost:7777 ")
    qtbot.keyClick(camera_window.panels["camera"].widget.address, Qt.Key.Key_Return)
    assert opened == ["localhost:7777"]


def test_strengths_and_times_belong_together():
    assert [support_us(s) for s in (0, 1, 100)] == [0, 19276, 500]
    assert all(strength_of(support_us(s)) == s for s in range(101))


def test_the_simulated_camera_is_set_live_in_the_window(qtbot, make_window, found):
    window = make_window()
    window.actions_.by_name["simulator"].trigger()
    qtbot.waitUntil(lambda: "Noise" in window.panels["camera"].widget.rows, timeout=30_000)
    source = window.pipeline.source
    window.panels["camera"].widget.preset_asked.emit("Noisy")
    assert {c.name: c.value for c in source.controls()}["Noise"] == 10.0
    assert window.panels["camera"].widget.rows["Noise"].text.text() == "10 Hz"
    source.close()
