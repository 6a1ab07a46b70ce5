"""What can be set on cameras of neuromorphic-drivers: biases, a rate limit, exposure.

Biases keep the names of Prophesee's documentation, and their values are the package's: offsets from the
factory's on an EVK4, absolute elsewhere. A contrast threshold grows with the distance from ``bias_diff``, so
where values are absolute the OFF threshold grows as ``bias_diff_off`` falls.

No camera was at hand when this was written: the calls are held against the package's own configurations and a
stand-in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

from neuroclip_drivers.controls import Control, find
from neuroclip_drivers.inivation.camera_controls import READOUTS

_RELATIVE = ("prophesee_evk4", "lucid_triton")
"""Devices whose biases are offsets: there a higher ``diff_off`` is a higher threshold."""
_LOW_PASS = "Low-pass filter: how fast a change the pixels still follow, and with how much noise."
_HELP = {
    "diff_on": "Contrast threshold where it gets brighter. Higher: fewer events.",
    "diff_off": "Contrast threshold where it gets darker. {}: fewer events.",
    "fo": _LOW_PASS,
    "fo_p": _LOW_PASS,
    "hpf": "High-pass filter: slow changes give no events.",
    "refr": "How long a pixel rests after an event.",
    "on": "Contrast threshold where it gets brighter. Higher: fewer events.",
    "off": "Contrast threshold where it gets darker. Higher: fewer events.",
}
"""The biases that are meant to be set; the others keep the sensor working."""
_NAMES = {"on": "ON threshold", "off": "OFF threshold"}
_THRESHOLDS = ("diff_on", "diff_off", "on", "off")
_RATES = (0, 1, 2, 5, 10, 20, 50)
"""Millions of events a second; 0 is no limit."""
_PERIOD_US = 200
_PRESET_SHARE = 0.25
"""How far a preset goes from what the camera came with to a bias's end."""


@dataclass(frozen=True)
class _Knob:
    control: Control
    set: Callable[[Any, float], None]
    """Changes a configuration."""
    fewer: int = 0
    """The sign of a change that gives fewer events; 0 where presets leave it alone."""


class NeuromorphicControls:
    """What can be set on one device. Call :meth:`apply` from the thread that reads it.

    Parameters
    ----------
    device
        A device of the package; ``None`` has nothing to set.
    kind : module-like
        The package's module of that device, with its ``Configuration``.
    """

    def __init__(self, device: Any, kind: Any) -> None:
        self._configuration = kind.Configuration() if device is not None else None
        knobs = _knobs(device, kind, self._configuration) if device is not None else []
        self._knobs = {knob.control.name: knob for knob in knobs}

    def controls(self) -> list[Control]:
        """Return all of them with their values as last set."""
        return [knob.control for knob in self._knobs.values()]

    def checked(self, name: str, value: float) -> float:
        """Return the value if it may be set (UserError if not)."""
        return find(self.controls(), name).checked(value)

    def apply(self, device: Any, name: str, value: float) -> None:
        """Set one thing on the device; what the package throws is for the caller."""
        knob = self._knobs[name]
        knob.set(self._configuration, value)
        device.update_configuration(self._configuration)
        self._knobs[name] = replace(knob, control=replace(knob.control, value=value))

    def presets(self) -> dict[str, dict[str, float]]:
        """Return the presets this camera can follow."""
        default = {name: knob.control.default for name, knob in self._knobs.items()}
        if not any(knob.fewer for knob in self._knobs.values()):
            return {}
        presets = {"As the camera came": default}
        for preset, sign in (("Fewer events", 1), ("More events", -1)):
            moved = {n: _moved(k.control, sign * k.fewer) for n, k in self._knobs.items() if k.fewer}
            presets[preset] = {**default, **moved}
        return presets


def _moved(control: Control, sign: int) -> float:
    end = control.high if sign > 0 else control.low
    return float(round(control.default + _PRESET_SHARE * (end - control.default)))


def _knobs(device: Any, kind: Any, configuration: Any) -> list[_Knob]:
    there = {field.name for field in fields(configuration)}
    knobs = _biases(device, configuration)
    if "rate_limiter" in there:
        knobs.append(_rate_limit(kind))
    if "readout_frames_per_second" in there:
        knobs.append(_readout(kind, configuration))
    if "exposure_us" in there:
        time = "Time a frame gathers light."
        knobs.append(_milliseconds("Exposure", "exposure_us", 0.1, 100, time, configuration))
        time = "Time from frame to frame."
        knobs.append(_milliseconds("Frame interval", "frame_interval_us", 10, 1000, time, configuration))
    return knobs


def _biases(device: Any, configuration: Any) -> list[_Knob]:
    bounds, relative = device.biases_bounds(), configuration.type() in _RELATIVE
    falling = "diff_off" if not relative else ""
    knobs = []
    for field in fields(configuration.biases):
        limits = getattr(bounds, field.name, None)
        if field.name not in _HELP or limits is None or limits.minimum >= limits.maximum:
            continue
        name = field.name
        now, low, high = getattr(configuration.biases, name), limits.minimum, limits.maximum
        help_ = _HELP[name].format("Lower" if name == falling else "Higher")
        control = Control(_NAMES.get(name, f"bias_{name}"), "", low, high, now, help_, now)
        sign = 0 if name not in _THRESHOLDS else -1 if name == falling else 1
        knobs.append(_Knob(control, partial(_set_bias, name), sign))
    return knobs


def _set_bias(name: str, configuration: Any, value: float) -> None:
    setattr(configuration.biases, name, round(value))


def _rate_limit(kind: Any) -> _Knob:
    def put(configuration: Any, value: float) -> None:
        rate = _RATES[round(value)]
        configuration.rate_limiter = kind.RateLimiter(_PERIOD_US, rate * _PERIOD_US) if rate else None

    texts = tuple(f"{rate} Mev/s" if rate else "none" for rate in _RATES)
    why = "The camera drops events at random beyond this rate."
    return _Knob(Control("Rate limit", "", 0, len(_RATES) - 1, 0, why, 0, "choice", texts), put)


def _readout(kind: Any, configuration: Any) -> _Knob:
    at = float(configuration.readout_frames_per_second.value)
    why = "How often the sensor is read: faster dates events more finely and costs more transfer."
    texts = tuple(text for _, text in READOUTS)
    return _Knob(
        Control("Readout", "", 0, len(texts) - 1, at, why, at, "choice", texts),
        lambda c, v: setattr(c, "readout_frames_per_second", kind.ReadoutFramesPerSecond(round(v))),
    )


def _milliseconds(name: str, field: str, low: float, high: float, help_: str, configuration: Any) -> _Knob:
    now = getattr(configuration, field) / 1000
    return _Knob(
        Control(name, "ms", low, high, now, help_, now, step=0.1),
        lambda c, v: setattr(c, field, round(1000 * v)),
    )
