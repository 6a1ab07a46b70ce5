"""Event cameras on the USB bus as the operating system sees them, whether or not this user may open them.

dv-processing says nothing of a camera that it may not open, and that is what users meet first. Linux tells
all through ``/sys/bus/usb``, without opening anything; on other systems nothing is reported.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

VENDOR = 0x152A
"""iniVation's cameras share this number with sound devices, hence the range of products below."""
PRODUCTS = range(0x8400, 0x8420)
_MODELS = {
    0x8400: "DVS128",
    0x8419: "DVXplorer",
    0x841A: "DAVIS",
    0x841B: "DAVIS",
}
RULE_FILE = "/etc/udev/rules.d/65-inivation.rules"
_RULE = 'SUBSYSTEM=="usb", ATTR{idVendor}=="152a", ATTR{idProduct}=="84[0-1]?", MODE="0666", TAG+="uaccess"'


@dataclass(frozen=True)
class UsbCamera:
    """A camera on the bus.

    ``accessible`` tells whether this user may open ``node``; ``model`` and ``serial`` may be empty.
    """

    model: str
    serial: str
    vendor: int
    product: int
    bus: int
    address: int
    node: str
    accessible: bool


def usb_cameras(
    sysfs: str | os.PathLike[str] = "/sys", devfs: str | os.PathLike[str] = "/dev"
) -> list[UsbCamera]:
    """Return the event cameras on USB, by bus and address; none where there is no ``/sys/bus/usb``."""
    found = []
    folder = Path(sysfs) / "bus" / "usb" / "devices"
    try:
        devices = sorted(folder.iterdir())
    except OSError:
        return []
    for device in devices:
        vendor, product = _number(device / "idVendor", 16), _number(device / "idProduct", 16)
        bus, address = _number(device / "busnum", 10), _number(device / "devnum", 10)
        if vendor != VENDOR or product is None or product not in PRODUCTS or bus is None or address is None:
            continue
        node = Path(devfs) / "bus" / "usb" / f"{bus:03d}" / f"{address:03d}"
        found.append(
            UsbCamera(
                model=_MODELS.get(product, _text(device / "product") or "event camera"),
                serial=_text(device / "serial"),
                vendor=vendor,
                product=product,
                bus=bus,
                address=address,
                node=str(node),
                accessible=os.access(node, os.R_OK | os.W_OK),
            )
        )
    return sorted(found, key=lambda camera: (camera.bus, camera.address))


def udev_rule() -> str:
    """Return the udev rule that lets every user open the cameras."""
    return _RULE


def udev_commands() -> str:
    """Return the shell commands that install the rule."""
    return f"echo '{_RULE}' | sudo tee {RULE_FILE} && sudo udevadm control --reload && sudo udevadm trigger"


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path, base: int) -> int | None:
    try:
        return int(_text(path), base)
    except ValueError:
        return None
