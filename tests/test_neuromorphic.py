"""Cameras through neuromorphic-drivers, held against stand-ins made of the package's own classes.

The package opens devices in compiled code, so the stand-ins answer in its place: its names, configurations,
bounds and packets are the real ones, and the arrays have the types its documentation gives.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import dv_processing as dv
import neuromorphic_drivers as nd
import numpy as np
import pytest
from fakes import pipelines, wait_for
from making import dv_events, join, make_events, same
from neuromorphic_drivers.generated import unions
from test_camera import FakeApi, FakeCamera
from test_camera import open_camera as open_inivation

from neuroclip_drivers.camera_info import CameraInfo
from neuroclip_drivers.cameras import CameraDriver, list_cameras, open_camera
from neuroclip_drivers.controls import Controllable
from neuroclip_drivers.inivation.devices import list_cameras as list_inivation
from neuroclip_drivers.neuromorphic.camera import NeuromorphicCamera
from neuroclip_drivers.neuromorphic.devices import list_neuromorphic
from neuroclip_drivers.neuromorphic.packets import POLARITY_EVENTS, events_of
from neuroclip_drivers.opening import SOURCES, SourceSpec, open_source
from neuroclip_drivers.source import MAX_WAIT_S, EventSource, SourceState
from neuroclip_drivers.usb import MAKERS, UsbCamera, udev_commands, usb_cameras
from neuroclip_live.errors import SourceAway, UserError
from neuroclip_live.events import Packet, Resolution

TRIGGERS = np.dtype([("t", "<u8"), ("id", "<u1"), ("rising", "?")])
IMU = np.dtype(
    [
        ("t", "<u8"),
        *((f"{kind}_{axis}", "<f4") for kind in ("accelerometer", "gyroscope") for axis in "xyz"),
        ("temperature", "<f4"),
    ]
)
DAVIS_TRIGGERS = np.dtype([("t", "<u8"), ("id", "<u1"), ("polarity", "<u1")])
UNPLUGGED = RuntimeError("Usb(NoDevice)")
EVK4_USB = UsbCamera("Prophesee EVK", "", 0x04B4, 0x00F5, 2, 4, "/dev/bus/usb/002/004", True)


def packet_of(events: Packet | None = None, kind: type = nd.packet.Evt3Packet, **more: Any) -> Any:
    """Return a packet as the package gives it: what is not there is None."""
    packet = kind()
    for name in kind.__annotations__:
        setattr(packet, name, [] if name == "frames" else None)
    if events is not None:
        packet.polarity_events = np.empty(len(events), dtype=POLARITY_EVENTS)
        for name in "txy":
            packet.polarity_events[name] = events[name]
        packet.polarity_events["on"] = events["p"] == 1
    for name, value in more.items():
        assert name in kind.__annotations__, name
        setattr(packet, name, value)
    return packet


class StandIn:
    """Answers as the package's Device does."""

    def __init__(
        self,
        serial: str = "00050423",
        model: nd.Name = nd.Name.PROPHESEE_EVK4,
        waited: Callable[[], None] = lambda: None,
    ) -> None:
        self._serial, self.model, self.waited = serial, model, waited
        self.kind: ModuleType = getattr(nd, model.name.lower())
        self.packets: deque[Any] = deque()
        self.fails: Exception | None = None
        self.said: list[Any] = []

    def name(self) -> nd.Name:
        return self.model

    def serial(self) -> str:
        return self._serial

    def properties(self) -> Any:
        return self.kind.Properties()

    def biases_bounds(self) -> Any:
        bounds = self.kind.BiasesBounds()
        low, high = (-50, 100) if self.kind.Biases().diff_on == 0 else (0, 2000)
        return type(bounds)(**{name: self.kind.Bounds(low, high) for name in type(bounds).__annotations__})

    def update_configuration(self, configuration: Any) -> None:
        assert configuration.type() == self.model.name.lower()
        data = configuration.serialize()  # the package refuses here what it cannot send
        self.said.append(unions.deserialize_configuration(self.model, data))

    def __next__(self) -> tuple[Any, Any]:
        if self.fails:
            raise self.fails
        if not self.packets:
            self.waited()
            return nd.status.Status(system_time=0.0, ring=None), None
        ring = nd.status.RingStatus(0.0, 0, 1, False, 0, 0)
        return nd.status.Status(system_time=0.0, ring=ring), self.packets.popleft()


class Explorer(StandIn):
    """A DVXplorer, whose biases have other names."""

    def __init__(self) -> None:
        super().__init__("DXA1", nd.Name.INIVATION_DVXPLORER)

    def biases_bounds(self) -> Any:
        bounds = nd.inivation_dvxplorer.Bounds(0, 17)
        return nd.inivation_dvxplorer.BiasesBounds(on=bounds, off=bounds)


class Package:
    """Stands in for ``neuromorphic_drivers``; what it has no word of its own for is the package's."""

    def __init__(self, *devices: StandIn) -> None:
        self.devices = list(devices)
        self.fails: Exception | None = None
        self.opened: list[tuple[Any, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(nd, name)

    def list_devices(self) -> list[Any]:
        if self.fails:
            raise self.fails
        usb = nd.Connection.USB_SUPER
        return [nd.ListedDevice(d.model, usb, "", d._serial or None, None) for d in self.devices]

    def open(self, *, serial: str | None, iterator_timeout: float) -> StandIn:
        if self.fails:
            raise self.fails
        self.opened.append((serial, iterator_timeout))
        return next(d for d in self.devices if serial in (None, d._serial))


def open_one(package: Package, serial: str | None = None, usb: Any = list) -> NeuromorphicCamera:
    return NeuromorphicCamera(serial, api=package, usb=usb, retry_s=0.01)


def device_events(count: int, seed: int = 0) -> Packet:
    """Return events as a camera dates them: from its start on."""
    events = make_events(count, 300_000, seed=seed)
    events["t"] -= int(events["t"][0]) - 1_000
    return events


def test_events_come_through() -> None:
    device = StandIn()
    source = open_one(package := Package(device))
    assert isinstance(source, EventSource)
    assert isinstance(source, Controllable)
    assert (source.live, source.resolution, source.serial) == (True, Resolution(1280, 720), "00050423")
    assert source.name == "Prophesee EVK4 00050423"
    (serial, timeout), events = package.opened[0], device_events(300)
    assert serial == "00050423"
    assert 0 < timeout < MAX_WAIT_S
    device.packets.extend([packet_of(events[:100]), packet_of(), packet_of(events[100:])])
    given: list[Packet] = []
    for packet in source.packets():
        given.append(packet)
        if sum(map(len, given)) == 300:
            break
    assert same(join(given), events)
    assert source.status().position_us == events["t"][-1]
    source.close()
    assert source.status().state is SourceState.ENDED


def test_pixels_that_no_sensor_has_are_outside_of_it() -> None:
    packet = packet_of(device_events(3))
    packet.polarity_events["x"][1] = 40_000
    events = events_of(packet)
    assert events is not None
    assert (events["x"][1], events["y"][1]) == (-1, -1)
    assert events["x"][2] == packet.polarity_events["x"][2]


def test_a_stream_that_ends_is_a_camera_that_is_gone() -> None:
    device = StandIn()
    source = open_one(package := Package(device))
    device.fails = StopIteration()
    package.devices = []
    packets = source.packets()
    next(packets)
    assert source.status().state is SourceState.WAITING
    assert "is gone (its stream ended)" in source.status().message


def test_silence_gives_an_empty_packet_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    package = Package()

    def waited() -> None:
        now[0] += package.opened[0][1]

    package.devices.append(StandIn(waited=waited))
    monkeypatch.setattr("neuroclip_drivers.live_camera.time", SimpleNamespace(monotonic=lambda: now[0]))
    source = open_one(package)
    assert len(next(source.packets())) == 0
    assert 0 < now[0] - 1000.0 <= 2 * MAX_WAIT_S


def test_which_camera() -> None:
    package = Package(StandIn("1"), StandIn("2", nd.Name.PROPHESEE_EVK3_HD))
    assert list_neuromorphic(package) == [
        CameraInfo("1", "Prophesee EVK4"),
        CameraInfo("2", "Prophesee EVK3 HD"),
    ]
    assert open_one(package).serial == "1"
    assert open_one(package, "2").name == "Prophesee EVK3 HD 2"
    with pytest.raises(SourceAway, match=r"number 9\. Connected: Prophesee EVK4 1, Prophesee EVK3 HD 2"):
        open_one(package, "9")


def test_unplugged_and_back_with_what_was_set() -> None:
    device, back, other = StandIn("1"), StandIn("1"), StandIn("2")
    source = open_one(package := Package(device))
    source.set_control("bias_diff_on", 20)
    packets = source.packets()
    next(packets)
    assert [c.biases.diff_on for c in device.said] == [20]
    package.devices, device.fails = [other], UNPLUGGED
    for _ in range(5):
        next(packets)
    status = source.status()
    assert status.state is SourceState.WAITING
    assert status.message == (
        "Prophesee EVK4 1 is gone (Usb(NoDevice)); waiting for it to be plugged in again"
    )
    assert not status.lost
    package.fails = RuntimeError("Input/Output Error")  # while the bus is looked through
    for _ in range(5):
        next(packets)
    package.devices, package.fails = [other, back], None
    back.packets.append(packet_of(events := device_events(40)))
    while not len(packet := next(packets)):
        pass
    assert same(packet, events)
    assert (source.status().state, source.status().message) == (SourceState.STREAMING, "")
    assert [c.biases.diff_on for c in back.said] == [20]
    assert not other.said


def test_recorded_and_marked_with_the_camera(tmp_path: Path) -> None:
    events, second = device_events(2_000), device_events(1_000, seed=1)
    edges = np.array([(1_500, 0, True), (2_500, 0, False)], dtype=TRIGGERS)
    device = StandIn()
    with pipelines() as start:
        pipeline = start(open_one(Package(device)))
        wait_for(lambda: pipeline.status().state.value == "running")
        pipeline.start_recording(tmp_path / "evk4.aedat4")
        device.packets.append(packet_of(events, trigger_events=edges))
        wait_for(lambda: pipeline.status().total_events == 2_000)
        device.packets.append(packet_of(second))  # its clock began anew
        wait_for(lambda: pipeline.status().total_events == 3_000)
        report = pipeline.stop_recording()
    assert (report.whole, report.events, report.dropped_events) == (True, 3_000, 0)
    recording = dv.io.MonoCameraRecording(str(report.path))
    assert recording.getCameraName() == "Prophesee EVK4 00050423"
    assert recording.getEventResolution() == (1280, 720)
    kinds = [edge.type.value for edge in recording.getNextTriggerBatch()]
    assert kinds == [1, 2]  # rising, falling
    assert same(dv_events(report.path), join([events, second]))


def test_gaps_are_told_once_and_at_ten_times_as_many() -> None:
    device = StandIn()
    source = open_one(Package(device))
    packets, events = source.packets(), device_events(10)

    def gaps(count: int) -> str:
        at = np.arange(count, dtype=np.uint64) if count else None
        device.packets.append(packet_of(events, polarity_events_overflow_indices=at))
        next(packets)
        return source.status().message

    assert gaps(0) == ""
    assert gaps(1).startswith("Prophesee EVK4 00050423: 1 gap in its events, as this computer was too slow")
    assert "1 gap " in gaps(8)
    assert "10 gaps " in gaps(1)
    assert source.status().lost


@pytest.mark.parametrize(
    "model",
    [nd.Name.PROPHESEE_EVK4, nd.Name.PROPHESEE_EVK3_HD, nd.Name.CENTURYARKS_VGA, nd.Name.LUCID_TRITON],
)
def test_biases_and_rate_are_sent_as_the_package_takes_them(model: nd.Name) -> None:
    device = StandIn("1", model)
    source = open_one(Package(device))
    names = [c.name for c in source.controls()]
    assert {"bias_diff_on", "bias_diff_off", "bias_hpf", "bias_refr"} <= {*names}
    assert "bias_diff" not in names  # keeps the sensor working
    assert ("Rate limit" in names) == hasattr(device.kind, "RateLimiter")
    for control in source.controls():
        source.set_control(control.name, control.low if control.kind == "number" else control.high)
    next(packets := source.packets())
    last, bounds = device.said[-1], device.biases_bounds()
    assert last.biases.diff_on == bounds.diff_on.minimum
    assert last.biases.diff == device.kind.Biases().diff
    if "Rate limit" in names:
        limit = last.rate_limiter
        assert limit.maximum_events_per_period == 50 * limit.reference_period_us  # 50 Mev/s
        source.set_control("Rate limit", 0)
        next(packets)
        assert device.said[-1].rate_limiter is None
    with pytest.raises(UserError, match="bias_diff_on goes from"):
        source.set_control("bias_diff_on", 1e6)


@pytest.mark.parametrize(("model", "sign"), [(nd.Name.PROPHESEE_EVK4, 1), (nd.Name.PROPHESEE_EVK3_HD, -1)])
def test_presets_move_thresholds_the_way_that_sensor_counts(model: nd.Name, sign: int) -> None:
    source = open_one(Package(StandIn("1", model)))
    presets, defaults = source.presets(), {c.name: c.default for c in source.controls()}
    assert presets["As the camera came"] == defaults
    assert presets["Fewer events"]["bias_diff_on"] > defaults["bias_diff_on"]
    assert sign * (presets["Fewer events"]["bias_diff_off"] - defaults["bias_diff_off"]) > 0
    assert sign * (presets["More events"]["bias_diff_off"] - defaults["bias_diff_off"]) < 0
    for preset in presets.values():
        for name, value in preset.items():
            source.set_control(name, value)


def test_a_dvxplorer_and_its_readout() -> None:
    device = Explorer()
    source = open_one(Package(device))
    assert [c.name for c in source.controls()] == ["ON threshold", "OFF threshold", "Readout"]
    source.set_control("Readout", 9)
    next(source.packets())
    assert device.said[-1].readout_frames_per_second.name == "VARIABLE10000"


def test_a_davis_sends_frames_samples_and_triggers() -> None:
    device = StandIn("1", nd.Name.INIVATION_DAVIS346)
    device.biases_bounds = nd.inivation_davis346.BiasesBounds  # type: ignore[method-assign]
    source = open_one(Package(device))
    assert [c.name for c in source.controls()] == ["Exposure", "Frame interval"]
    side = source.side_streams()
    assert [stream.type_id for stream in side.streams] == ["FRME", "IMUS", "TRIG"]
    side.want(True)
    frame = nd.packet.Frame()
    frame.t, frame.pixels = 5_000, np.full((260, 346), 0x8000, dtype=np.uint16)
    samples = np.zeros(2, dtype=IMU)
    samples["t"], samples["accelerometer_y"], samples["gyroscope_z"] = (10, 20), -9.80665, np.pi
    samples["temperature"] = 31.5
    edges = np.array([(30, 0, 0), (40, 0, 1), (50, 0, 2)], dtype=DAVIS_TRIGGERS)
    packet = packet_of(
        device_events(10), nd.packet.Davis346Packet, frames=[frame], imu_events=samples, trigger_events=edges
    )
    device.packets.append(packet)
    next(source.packets())
    shown = source.latest_frame()
    assert shown is not None
    assert (shown.t_us, shown.image[0, 0], shown.image.shape) == (5_000, 0x80, (260, 346))
    from neuroclip_drivers.aedat4.payloads import parse_imu, parse_triggers

    taken = {side.streams[p.stream].type_id: p for p in side.take()[0]}
    imu = parse_imu(taken["IMUS"].payload)
    assert imu["t"].tolist() == [10, 20]
    np.testing.assert_allclose(imu["accelerometer"][0], (0, -1, 0), atol=1e-6)
    np.testing.assert_allclose(imu["gyroscope"][1], (0, 0, 180), atol=1e-4)
    assert parse_triggers(taken["TRIG"].payload)["kind"].tolist() == [2, 1, 3]


# ---- both drivers behind --camera


def drivers(api: FakeApi, package: Package) -> tuple[CameraDriver, ...]:
    return (
        CameraDriver("dv_processing", lambda: list_inivation(api), lambda s: open_inivation(api, s)),
        CameraDriver(
            "neuromorphic_drivers", lambda: list_neuromorphic(package), lambda s: open_one(package, s)
        ),
    )


def spec(serial: str | None = None) -> SourceSpec:
    return SourceSpec("camera", serial)


def test_cameras_of_both_drivers_are_listed_and_opened() -> None:
    shared = StandIn("0001", nd.Name.INIVATION_DAVIS346)
    both = drivers(FakeApi(FakeCamera("0001")), Package(shared, StandIn("00050423")))
    assert list(map(str, list_cameras(both))) == ["DAVIS 0001", "Prophesee EVK4 00050423"]
    assert open_camera(spec(), both, list).name == "DAVIS346_0001"
    assert open_camera(spec("0001"), both, list).name == "DAVIS346_0001"
    assert open_camera(spec("00050423"), both, list).name == "Prophesee EVK4 00050423"
    with pytest.raises(SourceAway, match="Connected: DAVIS 0001, Prophesee EVK4 00050423"):
        open_camera(spec("9"), both, list)
    for serial in ("00050423", ""):  # some tell none
        package = Package(StandIn(serial))
        assert open_camera(spec(), drivers(FakeApi(), package), list).name.startswith("Prophesee EVK4")
    with pytest.raises(SourceAway, match=r"No event camera was found\. Plug one in"):
        open_camera(spec(), drivers(FakeApi(), Package()), list)


def test_a_driver_that_cannot_look_keeps_nobody_from_the_other() -> None:
    package = Package()
    package.fails = RuntimeError("Input/Output Error")
    assert open_camera(spec(), drivers(FakeApi(FakeCamera("1")), package), list).name == "DAVIS346_1"
    assert [c.serial for c in list_cameras(drivers(FakeApi(FakeCamera("1")), package))] == ["1"]
    line = "USB cannot be searched for cameras of Prophesee: Input/Output Error"
    with pytest.raises(SourceAway, match=line):
        open_camera(spec(), drivers(FakeApi(), package), list)
    with pytest.raises(UserError, match=line):
        list_cameras(drivers(FakeApi(), package))


def test_a_camera_in_use_or_not_allowed_says_so() -> None:
    package = Package()
    trouble = nd.ListedDevice(nd.Name.PROPHESEE_EVK4, nd.Connection.USB_SUPER, "", None, "Resource busy")
    package.list_devices = lambda: [trouble]  # type: ignore[method-assign]
    both = drivers(FakeApi(), package)
    with pytest.raises(SourceAway, match=r"Prophesee EVK4 cannot be opened: Resource busy"):
        open_camera(spec(), both, list)
    locked = UsbCamera(**{**vars(EVK4_USB), "accessible": False})
    with pytest.raises(SourceAway, match=r"May not open the Prophesee EVK at /dev/bus/usb/002/004") as caught:
        open_camera(spec(), both, lambda: [locked])
    assert MAKERS[1].rule in str(caught.value)
    package = Package(StandIn())
    source_usb = [locked]
    package.open = lambda **_: (_ for _ in ()).throw(RuntimeError("Access denied"))  # type: ignore[method-assign]
    with pytest.raises(SourceAway, match="permission denied"):
        open_one(package, usb=lambda: source_usb)
    source_usb.clear()
    with pytest.raises(SourceAway, match=r"cannot be opened: Access denied\. Close other programs"):
        open_one(package, usb=lambda: source_usb)


def test_without_the_package_the_camera_on_usb_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    find = __import__("importlib.util").util.find_spec
    absent = ("neuromorphic_drivers", "metavision_hal")
    gone = lambda name: None if name in absent else find(name)  # noqa: E731
    monkeypatch.setattr("neuroclip_drivers.usb.find_spec", gone)
    monkeypatch.setattr("neuroclip_drivers.cameras.find_spec", gone)
    both = drivers(FakeApi(), Package(StandIn()))
    line = r'Prophesee EVK needs neuromorphic-drivers, not installed here: pip install "neuroclip-live\[proph'
    with pytest.raises(SourceAway, match=line):
        open_camera(spec(), both, lambda: [EVK4_USB])
    assert list_cameras(both) == []
    monkeypatch.setitem(sys.modules, "neuromorphic_drivers", ModuleType("neuromorphic_drivers"))
    with pytest.raises(UserError, match=r"too old: `pip install"):
        NeuromorphicCamera("1")
    monkeypatch.setitem(sys.modules, "neuromorphic_drivers", None)
    with pytest.raises(UserError, match=r'pip install "neuroclip-live\[prophesee\]"'):
        NeuromorphicCamera("1")


def test_the_real_package_finds_none_here() -> None:
    try:
        devices = nd.list_devices()
    except RuntimeError:
        devices = []  # a machine without USB
    if devices:
        pytest.skip("an event camera is plugged in")
    for kind in ("camera", "neuromorphic"):
        assert not SOURCES.find(kind).missing
        with pytest.raises(UserError):
            open_source(SourceSpec(kind, "no-such-serial"))


def test_usb_tells_whose_cameras_they_are(tmp_path: Path) -> None:
    from test_camera import usb_device

    usb_device(tmp_path, "2-1", "04b4", "00f5", 2, 4)
    usb_device(tmp_path, "2-2", "31f7", "0003", 2, 5)
    usb_device(tmp_path, "2-3", "1409", "8e00", 2, 6)
    usb_device(tmp_path, "2-4", "04b4", "1234", 2, 7)  # another device with a Cypress chip
    seen = usb_cameras(tmp_path / "sys", tmp_path / "dev")
    assert list(map(str, seen)) == ["Prophesee EVK", "CenturyArks SilkyEvCam", "IDS uEye XCP-E"]
    commands = udev_commands(seen[0].maker)
    assert all(camera.maker.rule in commands for camera in seen)  # one file for all of them
    assert "/etc/udev/rules.d/65-neuromorphic-drivers.rules" in commands
    assert MAKERS[0].rule not in commands
