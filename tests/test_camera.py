from __future__ import annotations

import os
import threading
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dv_processing as dv
import numpy as np
import pytest
from making import SIZE, join, make_events, same, store_of

from neuroclip_drivers.camera_info import CameraInfo
from neuroclip_drivers.inivation.camera import CameraSource
from neuroclip_drivers.inivation.devices import list_cameras
from neuroclip_drivers.source import MAX_WAIT_S, EventSource, SourceState
from neuroclip_drivers.usb import MAKERS, UsbCamera, usb_cameras
from neuroclip_live.errors import UserError

DV_STACK = (
    "/project/include/dv-processing/io/camera/usb_device.hpp(88): void open()()\n"
    "RuntimeError: Failed to open USB device. This usually happens due to permissions.\n"
    "Stacktrace:\n 0# 0x00000000003ABBDA in dv_processing.so\n"
)


class FakeCamera:
    """Answers as dv-processing's camera classes do."""

    def __init__(
        self, serial: str, *, frames: bool = False, size: tuple[int, int] | None = tuple(SIZE)
    ) -> None:
        self.serial, self.size, self.has_frames = serial, size, frames
        self.events: deque[Any] = deque()
        self.frames: deque[Any] = deque()
        self.imu_reads = 0
        self.running = True
        self.fails: Exception | None = None

    def getCameraName(self) -> str:
        return f"DAVIS346_{self.serial}"

    def getEventResolution(self) -> tuple[int, int] | None:
        return self.size

    def isRunning(self) -> bool:
        return self.running

    def isFrameStreamAvailable(self) -> bool:
        return self.has_frames

    def isImuStreamAvailable(self) -> bool:
        return True

    def isTriggerStreamAvailable(self) -> bool:
        return False

    def getNextImuBatch(self) -> None:
        self.imu_reads += 1

    def getNextFrame(self) -> Any:
        return self.frames.popleft() if self.frames else None

    def getNextEventBatch(self) -> Any:
        if self.fails:
            raise self.fails
        return self.events.popleft() if self.events else None


class FakeApi:
    """Stands in for ``dv_processing.io.camera``."""

    def __init__(self, *cameras: FakeCamera) -> None:
        self.cameras = list(cameras)
        self.fails: Exception | None = None

    def discover(self) -> list[Any]:
        return [
            SimpleNamespace(
                serialNumber=camera.serial,
                cameraModel=SimpleNamespace(name="DAVIS"),
                busNumber=2,
                devAddress=4 + number,
            )
            for number, camera in enumerate(self.cameras)
        ]

    def open(self, descriptor: Any) -> FakeCamera:
        if self.fails:
            raise self.fails
        camera = next(c for c in self.cameras if c.serial == descriptor.serialNumber)
        camera.running = True
        return camera


def no_usb() -> list[UsbCamera]:
    return []


def open_camera(api: FakeApi, serial: str | None = None, usb: Any = no_usb) -> CameraSource:
    return CameraSource(serial, api=api, usb=usb, retry_s=0.02)


def test_events_come_through() -> None:
    camera = FakeCamera("0001")
    source = open_camera(FakeApi(camera))
    assert isinstance(source, EventSource)
    assert source.live
    assert source.resolution == SIZE
    assert source.name == "DAVIS346_0001"
    events = make_events(300)
    camera.events.extend([store_of(events[:100]), dv.EventStore(), store_of(events[100:])])
    packets = source.packets()
    given = []
    while sum(map(len, given)) < 300:
        given.append(next(packets))
    assert same(join(given), events)
    assert all(packet.flags.owndata for packet in given)
    assert source.status().position_us == events["t"][-1]
    assert camera.imu_reads > 0


class Clock(threading.Event):
    """A source's clock, and the event it waits for: time passes only by waiting."""

    def __init__(self, source: CameraSource, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.now = 1000.0
        monkeypatch.setattr("neuroclip_drivers.live_camera.time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(source, "_closed", self)

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        return self.is_set()


def test_silence_gives_an_empty_packet_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_camera(FakeApi(FakeCamera("0001")))
    clock = Clock(source, monkeypatch)
    assert len(next(source.packets())) == 0
    assert 0 < clock.now - 1000.0 < MAX_WAIT_S + 0.01


def test_which_camera() -> None:
    api = FakeApi(FakeCamera("0001"), FakeCamera("0002"))
    assert list_cameras(api) == [CameraInfo("0001", "DAVIS", 2, 4), CameraInfo("0002", "DAVIS", 2, 5)]
    assert open_camera(api).serial == "0001"
    assert open_camera(api, "0002").serial == "0002"
    with pytest.raises(
        UserError, match=r"No camera has the serial number 9. Connected: DAVIS 0001, DAVIS 0002"
    ):
        open_camera(api, "9")


def test_frames_of_a_davis() -> None:
    camera = FakeCamera("0001", frames=True)
    source = open_camera(FakeApi(camera))
    assert source.latest_frame() is None
    for value in (10, 20):
        camera.frames.append(dv.Frame(1000 * value, np.full((48, 64), value, dtype=np.uint8)))
    next(source.packets())
    frame = source.latest_frame()
    assert frame is not None
    assert frame.t_us == 20_000
    assert (frame.image == 20).all()


@pytest.mark.parametrize("how", ["stops", "throws"])
def test_unplugged_and_back(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = FakeCamera("0001")
    api = FakeApi(camera)
    source = open_camera(api)
    clock = Clock(source, monkeypatch)
    packets = source.packets()
    next(packets)
    api.cameras = []
    if how == "stops":
        camera.running = False
    else:
        camera.fails = RuntimeError(DV_STACK)
    while source.status().state is not SourceState.WAITING:
        next(packets)
    message = source.status().message
    assert "DAVIS346_0001 is gone" in message
    assert "Stacktrace" not in message
    for _ in range(5):
        begin = clock.now
        assert len(next(packets)) == 0
        assert clock.now - begin < MAX_WAIT_S + 0.01
    assert source.status().state is SourceState.WAITING

    other, back = FakeCamera("0007"), FakeCamera("0001")
    api.cameras = [other]
    for _ in range(5):
        next(packets)
    assert source.status().state is SourceState.WAITING  # another camera is not the one that was chosen
    api.cameras, api.fails = [other, back], RuntimeError(DV_STACK)
    for _ in range(5):
        next(packets)
    assert source.status().state is SourceState.WAITING
    api.fails = None
    events = make_events(50)
    back.events.append(store_of(events))
    while not len(packet := next(packets)):
        pass
    assert same(packet, events)
    assert source.status().state is SourceState.STREAMING
    assert source.status().message == ""


def test_closing_ends_it() -> None:
    source = open_camera(FakeApi(FakeCamera("0001")))
    packets = source.packets()
    next(packets)
    source.close()
    source.close()
    assert list(packets) == []
    assert source.status().state is SourceState.ENDED


def test_no_camera() -> None:
    with pytest.raises(UserError, match=r"No event camera was found\. Plug one in"):
        open_camera(FakeApi())


def test_dv_processing_itself_finds_none_here() -> None:
    if dv.io.camera.discover():
        pytest.skip("an event camera is plugged in")
    assert list_cameras() == []
    with pytest.raises(UserError, match="No event camera was found"):
        CameraSource(usb=no_usb)


@pytest.mark.parametrize("listed", [True, False])
def test_no_permission_names_the_rule(listed: bool) -> None:
    seen = UsbCamera("DAVIS", "0001", 0x152A, 0x841A, 2, 4, "/dev/bus/usb/002/004", accessible=False)
    api = FakeApi(FakeCamera("0001")) if listed else FakeApi()
    api.fails = RuntimeError(DV_STACK)
    with pytest.raises(UserError) as caught:
        open_camera(api, usb=lambda: [seen])
    message = str(caught.value)
    assert "/dev/bus/usb/002/004: permission denied" in message
    assert MAKERS[0].rule in message
    assert "/etc/udev/rules.d/65-inivation.rules" in message
    assert "\n" not in message


def test_in_use_by_another_program() -> None:
    seen = UsbCamera("DAVIS", "0001", 0x152A, 0x841A, 2, 4, "/dev/bus/usb/002/004", accessible=True)
    api = FakeApi(FakeCamera("0001"))
    api.fails = RuntimeError(DV_STACK)
    with pytest.raises(UserError, match="another program holds it"):
        open_camera(api, usb=lambda: [seen])


def test_old_firmware_is_said_in_one_line() -> None:
    api = FakeApi(FakeCamera("0001"))
    api.fails = RuntimeError(
        "/project/x.hpp(1): void f()()\nDevice firmware version incorrect.\nStacktrace:\n 0# x"
    )
    with pytest.raises(UserError) as caught:
        open_camera(api)
    assert str(caught.value) == "DAVIS 0001 cannot be opened: Device firmware version incorrect"


def test_a_camera_without_events() -> None:
    with pytest.raises(UserError, match="gives no events"):
        open_camera(FakeApi(FakeCamera("0001", size=None)))


def usb_device(
    root: Path, name: str, vendor: str, product: str, bus: int, address: int, serial: str = ""
) -> Path:
    folder = root / "sys/bus/usb/devices" / name
    folder.mkdir(parents=True)
    for file, text in (("idVendor", vendor), ("idProduct", product), ("busnum", bus), ("devnum", address)):
        (folder / file).write_text(f"{text}\n")
    if serial:
        (folder / "serial").write_text(serial + "\n")
    node = root / f"dev/bus/usb/{bus:03d}/{address:03d}"
    node.parent.mkdir(parents=True, exist_ok=True)
    node.touch()
    return node


def test_usb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usb_device(tmp_path, "2-1", "152a", "841a", 2, 4, serial="84010023")
    locked = usb_device(tmp_path, "1-1", "152a", "8419", 1, 7)
    usb_device(tmp_path, "3-1", "152a", "8750", 3, 1)  # a sound device of the same vendor number
    usb_device(tmp_path, "3-2", "046d", "c52b", 3, 2)
    (tmp_path / "sys/bus/usb/devices/usb1").mkdir()
    access = os.access
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != locked and access(path, mode))
    assert usb_cameras(tmp_path / "sys", tmp_path / "dev") == [
        UsbCamera("DVXplorer", "", 0x152A, 0x8419, 1, 7, str(locked), False),
        UsbCamera("DAVIS", "84010023", 0x152A, 0x841A, 2, 4, str(tmp_path / "dev/bus/usb/002/004"), True),
    ]


def test_usb_where_there_is_none(tmp_path: Path) -> None:
    assert usb_cameras(tmp_path / "sys", tmp_path / "dev") == []
