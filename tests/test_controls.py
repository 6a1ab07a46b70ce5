"""What can be set on cameras, held against stand-ins with the calls of the installed dv-processing."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import dv_processing as dv
import pytest
from test_camera import FakeCamera

from neuroclip_drivers.controls import Controllable
from neuroclip_drivers.inivation.camera_controls import CameraControls, scale_bias
from neuroclip_drivers.simulator.source import SimulatorSource
from neuroclip_live.errors import UserError

CAMERA = dv.io.camera


class Stand:
    """Remembers what was set; refuses what dv-processing has no such call for."""

    real: Any = None

    def __init__(self, **values: Any) -> None:
        self.values = values
        self.said: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        if not hasattr(self.real, name):
            raise AttributeError(name)
        if name.startswith(("get", "is")):
            return lambda *args: self.values[(name, *args)] if args else self.values[name]
        return lambda *args: self.said.append((name, *args))


class Explorer(Stand):
    real = CAMERA.DVXplorer


class Davis(Stand):
    real = CAMERA.DAVIS
    Davis346BiasCF = CAMERA.DAVIS.Davis346BiasCF


class Dvs128(Stand):
    real = CAMERA.DVS128
    Bias = CAMERA.DVS128.Bias


def explorer() -> Explorer:
    return Explorer(
        getContrastThresholdOn=9,
        getContrastThresholdOff=8,
        getReadoutFPS=CAMERA.DVXplorer.ReadoutFPS.VARIABLE_5000,
        getGlobalHold=True,
    )


def davis(auto: bool = True) -> Davis:
    stand = Davis(
        getSensorModel=CAMERA.DAVIS.SensorModel.DAVIS346,
        isFramesRunning=True,
        getAutoExposure=auto,
        getExposureDuration=timedelta(milliseconds=8),
        getFrameInterval=timedelta(milliseconds=40),
    )
    for bias in Davis.Davis346BiasCF.__members__.values():
        stand.values[("getDavis346BiasCoarseFine", bias)] = (4, 100)
    return stand


def test_a_dvxplorer_has_thresholds_readout_and_hold() -> None:
    device = explorer()
    controls = CameraControls(device)
    shown = {c.name: c for c in controls.controls()}
    assert (shown["ON threshold"].low, shown["ON threshold"].high, shown["ON threshold"].value) == (0, 17, 9)
    assert shown["Readout"].choices[round(shown["Readout"].value)] == "up to 5,000/s"
    controls.apply(device, "OFF threshold", 12.0)
    controls.apply(device, "Readout", 0.0)
    controls.apply(device, "Global hold", 0.0)
    assert device.said == [
        ("setContrastThresholdOff", 12),
        ("setReadoutFPS", CAMERA.DVXplorer.ReadoutFPS.CONSTANT_100),
        ("setGlobalHold", False),
    ]
    assert {c.name: c.value for c in controls.controls()}["OFF threshold"] == 12.0


def test_a_davis_has_ratios_of_currents_and_exposure() -> None:
    device = davis()
    controls = CameraControls(device)
    assert [c.name for c in controls.controls()] == [
        "ON threshold", "OFF threshold", "Bandwidth", "Refractory period",
        "Frames", "Auto exposure", "Exposure", "Frame interval",
    ]  # fmt: skip
    controls.apply(device, "ON threshold", 50.0)
    controls.apply(device, "OFF threshold", 50.0)
    bias = Davis.Davis346BiasCF
    assert device.said == [
        ("setDavis346BiasCoarseFine", bias.On, 4, 200),
        ("setDavis346BiasCoarseFine", bias.Off, 4, 50),  # the OFF threshold grows as its current falls
    ]
    device.said.clear()
    controls.apply(device, "ON threshold", 0.0)
    assert device.said == [("setDavis346BiasCoarseFine", bias.On, 4, 100)]


def test_setting_an_exposure_ends_auto_exposure_first() -> None:
    device = davis(auto=True)
    CameraControls(device).apply(device, "Exposure", 5.0)
    assert device.said == [
        ("setAutoExposure", False),
        ("setExposureDuration", timedelta(milliseconds=5)),
    ]


def test_a_dvs128_scales_its_currents_within_24_bits() -> None:
    device = Dvs128()
    for bias in Dvs128.Bias.__members__.values():
        device.values[("getBias", bias)] = 16_000_000
    controls = CameraControls(device)
    controls.apply(device, "ON threshold", 100.0)
    controls.apply(device, "Refractory period", 100.0)
    assert device.said == [
        ("setBias", Dvs128.Bias.DIFF_ON, (1 << 24) - 1),
        ("setBias", Dvs128.Bias.REFR, 4_000_000),
    ]


@pytest.mark.parametrize("make", [explorer, davis])
def test_presets_set_only_what_is_there_and_within_range(make: Any) -> None:
    controls = CameraControls(make())
    assert "As the camera came" in controls.presets()
    for preset in controls.presets().values():
        for name, value in preset.items():
            controls.checked(name, value)


@pytest.mark.parametrize(
    ("coarse", "fine", "factor", "expected"),
    [(4, 100, 1.0, (4, 100)), (4, 200, 2.0, (5, 50)), (4, 20, 0.5, (3, 80)), (7, 255, 4, (7, 255)),
     (0, 16, 0.25, (0, 4)), (4, 0, 1.0, (4, 0))],
)  # fmt: skip
def test_a_bias_is_scaled_across_coarse_steps(coarse, fine, factor, expected) -> None:  # type: ignore[no-untyped-def]
    assert scale_bias(coarse, fine, factor) == expected


def test_a_camera_is_set_by_whoever_reads_it_and_again_after_unplugging() -> None:
    from neuroclip_drivers.inivation.camera import CameraSource

    class Settable(FakeCamera):
        def __init__(self) -> None:
            super().__init__("1")
            self.on = 9
            self.said: list[int] = []

        def getContrastThresholdOn(self) -> int:
            return self.on

        getContrastThresholdOff = getContrastThresholdOn

        def setContrastThresholdOn(self, value: int) -> None:
            self.said.append(value)

        def getReadoutFPS(self) -> Any:
            return CAMERA.DVXplorer.ReadoutFPS.VARIABLE_5000

        def getGlobalHold(self) -> bool:
            return True

    cameras = [Settable(), Settable()]
    opened: list[Settable] = []
    descriptor = SimpleNamespace(
        serialNumber="1", cameraModel=CAMERA.CameraModel.DVXPLORER, busNumber=1, devAddress=2
    )

    def open_one(_: Any) -> Settable:
        opened.append(cameras[len(opened)])
        return opened[-1]

    api = SimpleNamespace(discover=lambda: [descriptor], open=open_one)
    source = CameraSource(api=api, usb=list, retry_s=0.01)
    assert isinstance(source, Controllable)
    source.set_control("ON threshold", 13)
    assert {c.name: c.value for c in source.controls()}["ON threshold"] == 13
    assert not cameras[0].said  # only the thread that reads talks to the camera
    packets = source.packets()
    next(packets)
    assert cameras[0].said == [13]
    cameras[0].running = False
    for _ in range(200):
        next(packets)
        if cameras[1].said:
            break
    assert cameras[1].said == [13]
    with pytest.raises(UserError, match="goes from 0 to 17"):
        source.set_control("ON threshold", 18)
    with pytest.raises(UserError, match="nothing called"):
        source.set_control("Color", 1)
    source.close()


def test_a_camera_without_such_calls_has_nothing_to_set() -> None:
    assert CameraControls(FakeCamera("1")).controls() == []
    assert CameraControls(FakeCamera("1")).presets() == {}


def test_the_simulator_is_set_while_it_runs() -> None:
    source = SimulatorSource(realtime=False, duration_s=2.0, seed=4)
    assert isinstance(source, Controllable)
    packets, sizes = source.packets(), []
    for number, each in enumerate(packets):
        sizes.append(len(each))
        if number == 199:
            for name, value in source.presets()["Noisy"].items():
                source.set_control(name, value)
    assert sum(sizes[200:]) > 2 * sum(sizes[:200])
    with pytest.raises(UserError):
        source.set_control("Noise", -1)


def test_another_speed_does_not_make_the_picture_jump() -> None:
    source = SimulatorSource(realtime=False)
    packets = source.packets()
    for _ in range(137):
        next(packets)
    now = source.status().position_us or 0
    before = source.image_at(now).astype(int)
    source.set_control("Speed", 2.7)
    assert abs(source.image_at(now).astype(int) - before).mean() < 1.0
