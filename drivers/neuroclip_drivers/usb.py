"""Event cameras on the USB bus as the operating system sees them, whether or not this user may open them.

Drivers say little or nothing of a camera that they may not open, and that is what users meet first. Linux
tells all through ``/sys/bus/usb``, without opening anything; on other systems nothing is reported.
"""

from __future__ import annotations

import os
from collections.abc import Container
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple


class Maker(NamedTuple):
    """Cameras that share a vendor's number, a driver and a udev rule; ``models`` names some by product."""

    vendor: int
    products: Container[int]
    models: dict[int, str]
    needs: str
    rule_file: str
    rule: str


def _rule(vendor: int, products: str) -> str:
    match = f'ATTR{{idVendor}}=="{vendor:04x}", ATTR{{idProduct}}=="{products}"'
    return f'SUBSYSTEM=="usb", {match}, MODE="0666", TAG+="uaccess"'


_INIVATION = "/etc/udev/rules.d/65-inivation.rules"
_OTHERS = "/etc/udev/rules.d/65-neuromorphic-drivers.rules"
NEUROMORPHIC = "neuromorphic_drivers"
"""The module that opens the cameras of others than iniVation."""
METAVISION = "metavision_hal"
"""OpenEB's, which opens them as well."""
MAKERS = (
    # iniVation shares its number with sound devices, hence the range
    Maker(
        0x152A,
        range(0x8400, 0x8420),
        {0x8400: "DVS128", 0x8419: "DVXplorer", 0x841A: "DAVIS", 0x841B: "DAVIS"},
        "dv_processing",
        _INIVATION,
        _rule(0x152A, "84[0-1]?"),
    ),
    # EVK3 and EVK4 cannot be told apart without opening them
    Maker(
        0x04B4,
        range(0x00F4, 0x00F6),
        dict.fromkeys((0x00F4, 0x00F5), "Prophesee EVK"),
        NEUROMORPHIC,
        _OTHERS,
        _rule(0x04B4, "00f[4-5]"),
    ),
    Maker(
        0x31F7,
        range(0x0003, 0x0005),
        dict.fromkeys((0x0003, 0x0004), "CenturyArks SilkyEvCam"),
        NEUROMORPHIC,
        _OTHERS,
        _rule(0x31F7, "000[3-4]"),
    ),
    Maker(0x1409, (0x8E00,), {0x8E00: "IDS uEye XCP-E"}, NEUROMORPHIC, _OTHERS, _rule(0x1409, "8e00")),
)
RULE_FILES = tuple(dict.fromkeys(maker.rule_file for maker in MAKERS))


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

    @property
    def maker(self) -> Maker:
        """Whose camera it is; iniVation's where the numbers are not told."""
        return next((m for m in MAKERS if self.vendor == m.vendor and self.product in m.products), MAKERS[0])

    @property
    def missing_driver(self) -> str:
        """Which package it needs, and how to get that; empty where it is installed."""
        if self.maker.needs != NEUROMORPHIC or find_spec(NEUROMORPHIC) or find_spec(METAVISION):
            return ""
        return (
            f'{self} needs neuromorphic-drivers, not installed here: pip install "neuroclip-live[prophesee]"'
        )

    def __str__(self) -> str:
        return f"{self.model} {self.serial}".strip()


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
        if vendor is None or product is None or bus is None or address is None:
            continue
        maker = next((m for m in MAKERS if vendor == m.vendor and product in m.products), None)
        if maker is None:
            continue
        node = Path(devfs) / "bus" / "usb" / f"{bus:03d}" / f"{address:03d}"
        found.append(
            UsbCamera(
                model=maker.models.get(product) or _text(device / "product") or "event camera",
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


def udev_commands(maker: Maker = MAKERS[0]) -> str:
    """Return the shell commands that let every user open the cameras of a maker, and of all in its file."""
    rules = [m.rule for m in MAKERS if m.rule_file == maker.rule_file]
    lines = " ".join(f"'{rule}'" for rule in rules)
    write = f"printf '%s\\n' {lines} | sudo tee {maker.rule_file}"
    return f"{write} && sudo udevadm control --reload && sudo udevadm trigger"


def no_permission(camera: UsbCamera) -> str:
    """Return what a user who may not open a camera is told."""
    return (
        f"May not open the {camera.model} at {camera.node}: permission denied. Install the udev rule in "
        f"{camera.maker.rule_file} and plug the camera in again: {udev_commands(camera.maker)}"
    )


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
