"""Packages that only some uses need, and the line that installs them.

The bundled model runs without torch. Models of open_clip, teaching, training and the data sets need it: it
comes with ``neuroclip-live[all]``, as everything here does. Archives need Arrow, which comes with
``neuroclip-live[archive]``, and outputs the library of their protocol, which comes with an extra of its own.
Who needs one of them asks here first, so that its absence is one line.
"""

from __future__ import annotations

from importlib.util import find_spec

from neuroclip_live.errors import UserError

PROGRAM = "neuroclip-live"
ALL = f"{PROGRAM}[all]"
ARCHIVE = f"{PROGRAM}[archive]"
FOXGLOVE = f"{PROGRAM}[foxglove]"
MQTT = f"{PROGRAM}[mqtt]"
OSC = f"{PROGRAM}[osc]"
PROPHESEE = f"{PROGRAM}[prophesee]"
RAY = f"{PROGRAM}[ray]"
ROS2 = f"{PROGRAM}[ros2]"

PACKAGES = {
    "torch": ("torch", ALL),
    "torchvision": ("torchvision", ALL),
    "open_clip": ("open_clip_torch", ALL),
    "timm": ("timm", ALL),
    "spikingjelly": ("spikingjelly", ALL),
    "pyarrow": ("pyarrow", ARCHIVE),
    "fsspec": ("fsspec", ARCHIVE),
    "ray": ("ray", RAY),
    "foxglove": ("foxglove-sdk", FOXGLOVE),
    "paho": ("paho-mqtt", MQTT),
    "pythonosc": ("python-osc", OSC),
    "zenoh": ("eclipse-zenoh", ROS2),
    "rosbags": ("rosbags", ROS2),
    "xxhash": ("xxhash", ROS2),
    "neuromorphic_drivers": ("neuromorphic-drivers", PROPHESEE),
}
"""Module to package, and what brings it."""


def have(module: str) -> bool:
    """Tell whether a module is installed, without importing it."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def need(what: str, *modules: str) -> None:
    """Raise UserError where ``what``, as a sentence begins with it, cannot be had for want of a module."""
    absent = [module for module in modules if not have(module)]
    if absent:
        raise UserError(_line(what, absent[0]))


def explained(error: ImportError) -> UserError | None:
    """Return the one line about one of :data:`PACKAGES` that an import has missed, else None."""
    module = (error.name or "").partition(".")[0]
    return UserError(_line("this", module)) if module in PACKAGES and not have(module) else None


def _line(what: str, module: str) -> str:
    package, extra = PACKAGES.get(module, (module, ALL))
    return f'{what} needs {package}, not installed here: pip install "{extra}"'
