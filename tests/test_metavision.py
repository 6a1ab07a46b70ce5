"""Cameras through OpenEB, held against a stand-in with the calls of its Python bindings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from making import join, make_events, same

from neuroclip_drivers.cameras import CameraDriver, open_camera
from neuroclip_drivers.metavision.camera import MetavisionCamera, list_metavision
from neuroclip_drivers.opening import SourceSpec
from neuroclip_drivers.source import EventSource, SourceState
from neuroclip_live.errors import SourceAway, UserError
from neuroclip_live.events import Packet, Resolution

CD = np.dtype([("x", "<u2"), ("y", "<u2"), ("p", "<i2"), ("t", "<i8")])


class Bias:
    def __init__(self, low: int, high: int, modifiable: bool = True) -> None:
        self.range, self.modifiable = (low, high), modifiable

    def get_bias_range(self) -> tuple[int, int]:
        return self.range

    def is_modifiable(self) -> bool:
        return self.modifiable


class Device:
    """All facilities of a device in one."""

    def __init__(self) -> None:
        self.waiting: list[Packet] = []
        self.ended = self.started = False
        self.collect: Callable[[Any], None] = lambda events: None
        self.values = {"bias_diff_on": 0, "bias_diff": 77, "bias_fo": 5, "bias_hpf": 0}
        self.refuses = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("get_i_"):
            return lambda: self
        raise AttributeError(name)

    def get_width(self) -> int:
        return 320

    def get_height(self) -> int:
        return 320

    def start(self) -> None:
        self.started = True

    def add_event_buffer_callback(self, callback: Callable[[Any], None]) -> None:
        self.collect = callback

    def poll_buffer(self) -> int:
        return -1 if self.ended else len(self.waiting)

    def get_latest_raw_data(self) -> list[Packet]:
        taken, self.waiting = self.waiting, []
        return taken

    def decode(self, raw: list[Packet]) -> None:
        for part in raw:
            events = np.empty(len(part), dtype=CD)
            for name in "xypt":
                events[name] = part[name]
            self.collect(events)
            events[:] = 0  # the memory is used again

    def get_all_biases(self) -> dict[str, int]:
        return self.values

    def get_bias_info(self, name: str) -> Bias:
        return Bias(-35, 120, modifiable=name != "bias_hpf")

    def set(self, name: str, value: int) -> bool:
        self.values[name] = value
        return not self.refuses


class Hal:
    """Stands in for ``metavision_hal``."""

    def __init__(self, device: Device | None) -> None:
        self.DeviceDiscovery, self.device = self, device
        self.names = ["Prophesee:hal_plugin_genx320:00001423"]

    def list(self) -> list[str]:
        return self.names

    def open(self, serial: str) -> Device | None:
        assert serial == "00001423"
        return self.device


def open_one(hal: Hal, serial: str | None = None) -> MetavisionCamera:
    return MetavisionCamera(serial, api=hal, retry_s=0.01)


def test_events_come_through_in_memory_of_their_own() -> None:
    device = Device()
    source = open_one(Hal(device))
    assert isinstance(source, EventSource)
    assert (source.name, source.resolution) == ("Prophesee 00001423", Resolution(320, 320))
    assert device.started
    events = make_events(300)
    device.waiting = [events[:100], events[:0], events[100:]]
    assert same(join([next(source.packets())]), events)


def test_unplugged_and_back_with_what_was_set() -> None:
    device, back = Device(), Device()
    hal = Hal(device)
    source, packets = open_one(hal), None
    assert [(c.name, c.low, c.high) for c in source.controls()] == [
        ("bias_diff_on", -35, 120),
        ("bias_fo", -35, 120),  # hpf cannot be set, and diff keeps the sensor working
    ]
    source.set_control("bias_fo", 20)
    packets = source.packets()
    next(packets)
    assert device.values["bias_fo"] == 20
    device.ended, hal.names = True, []
    for _ in range(3):
        next(packets)
    assert source.status().state is SourceState.WAITING
    hal.device, hal.names = back, ["Prophesee:hal_plugin_genx320:00001423"]
    back.waiting = [make_events(20)]
    while not len(next(packets)):
        pass
    assert back.values["bias_fo"] == 20
    with pytest.raises(UserError, match="bias_fo goes from -35 to 120"):
        source.set_control("bias_fo", 121)


def test_a_bias_that_is_refused_stays(caplog: pytest.LogCaptureFixture) -> None:
    device = Device()
    source = open_one(Hal(device))
    device.refuses = True
    source.set_control("bias_fo", 20)
    next(source.packets())
    assert "could not be set to 20: the camera refuses it" in caplog.text
    assert {c.name: c.value for c in source.controls()}["bias_fo"] == 5


def test_behind_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    hal = Hal(Device())
    driver = CameraDriver("metavision_hal", lambda: list_metavision(hal), lambda s: open_one(hal, s))
    monkeypatch.setattr("neuroclip_drivers.cameras.find_spec", lambda name: name)
    assert open_camera(SourceSpec("camera", "00001423"), (driver,), list).name == "Prophesee 00001423"
    with pytest.raises(SourceAway, match="Connected: Prophesee 00001423"):
        open_camera(SourceSpec("camera", "9"), (driver,), list)
    with pytest.raises(SourceAway, match="cannot be opened: another program may hold it"):
        open_one(Hal(None))
    monkeypatch.undo()
    with pytest.raises(UserError, match=r"OpenEB's metavision_hal does not load"):
        MetavisionCamera()
