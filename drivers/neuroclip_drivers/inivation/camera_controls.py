"""Biases and exposure of iniVation's cameras, under names that say what they do.

A DVXplorer has two contrast thresholds, from 0 to 17. DAVIS and DVS128 have currents instead, and what users
want lies in ratios of these: the ON threshold grows with ``On``/``Diff``, the OFF threshold with
``Diff``/``Off``, bandwidth with the photoreceptor's currents, and the refractory period with the inverse of
``Refractory``. So, as in jAER, a control here is a deviation from the camera's own currents: 0 % is what the
camera came with, ±100 % four times more or less.

No camera was at hand when this was written: the calls are held against the installed dv-processing's
signatures and a stand-in that answers as it does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from neuroclip_drivers.controls import Control, find

_RATIO = 4.0
"""What ±100 % of a current's control means."""
READOUTS = (
    ("CONSTANT_100", "100/s"),
    ("CONSTANT_200", "200/s"),
    ("CONSTANT_500", "500/s"),
    ("CONSTANT_1000", "1,000/s"),
    ("CONSTANT_LOSSY_2000", "2,000/s, lossy"),
    ("CONSTANT_LOSSY_5000", "5,000/s, lossy"),
    ("CONSTANT_LOSSY_10000", "10,000/s, lossy"),
    ("VARIABLE_2000", "up to 2,000/s"),
    ("VARIABLE_5000", "up to 5,000/s"),
    ("VARIABLE_10000", "up to 10,000/s"),
    ("VARIABLE_15000", "up to 15,000/s"),
)
_ON, _OFF = "ON threshold", "OFF threshold"
_BANDWIDTH, _REFRACTORY = "Bandwidth", "Refractory period"
_FRAMES, _AUTO, _EXPOSURE, _INTERVAL = "Frames", "Auto exposure", "Exposure", "Frame interval"
_HELP = {
    _ON: "Higher: less noise and fewer events where it gets brighter.",
    _OFF: "Higher: less noise and fewer events where it gets darker.",
    _BANDWIDTH: "Higher: follows faster changes, with more noise; lower: quieter, and slower in the dark.",
    _REFRACTORY: "Higher: a pixel rests longer after an event, so busy scenes give fewer.",
}
_TWEAKS: Mapping[str, tuple[tuple[str, int], ...]] = {
    _ON: (("On", +1),),
    _OFF: (("Off", -1),),
    _BANDWIDTH: (("Photoreceptor", +1), ("PhotoreceptorSourceFollower", +1)),
    _REFRACTORY: (("Refractory", -1),),
}
_DVS128 = {
    "On": "DIFF_ON",
    "Off": "DIFF_OFF",
    "Photoreceptor": "PR",
    "PhotoreceptorSourceFollower": "FOLL",
    "Refractory": "REFR",
}


@dataclass(frozen=True)
class _Knob:
    control: Control
    set: Callable[[Any, float], None]


class CameraControls:
    """What can be set on one dv-processing camera. Call :meth:`apply` from the thread that reads it.

    Parameters
    ----------
    device
        A camera of ``dv_processing.io.camera``.
    """

    def __init__(self, device: Any) -> None:
        self._knobs = {knob.control.name: knob for knob in _knobs(device)}

    def controls(self) -> list[Control]:
        """Return all of them with their values as last set."""
        return [knob.control for knob in self._knobs.values()]

    def checked(self, name: str, value: float) -> float:
        """Return the value if it may be set (UserError if not)."""
        return find(self.controls(), name).checked(value)

    def apply(self, device: Any, name: str, value: float) -> None:
        """Set one thing on the device; what dv-processing throws is for the caller."""
        knob = self._knobs[name]
        knob.set(device, value)
        self._knobs[name] = replace(knob, control=replace(knob.control, value=value))

    def presets(self) -> dict[str, dict[str, float]]:
        """Return the presets this camera can follow."""
        controls = {c.name: c for c in self.controls()}
        if _ON not in controls:
            return {}
        on = controls[_ON]
        if on.unit == "%":
            wanted = {
                "Fewer events": {_ON: 50.0, _OFF: 50.0},
                "More events": {_ON: -40.0, _OFF: -40.0},
                "Quiet in the dark": {_ON: 30.0, _OFF: 30.0, _BANDWIDTH: -60.0},
                "Fast motion": {_BANDWIDTH: 60.0, _REFRACTORY: -50.0},
            }
        else:
            low = {n: max(controls[n].low, controls[n].default - 4) for n in (_ON, _OFF)}
            high = {n: min(controls[n].high, controls[n].default + 4) for n in (_ON, _OFF)}
            wanted = {"Fewer events": high, "More events": low}
        default = {name: c.default for name, c in controls.items()}
        return {"As the camera came": default, **{name: {**default, **v} for name, v in wanted.items()}}


def _knobs(device: Any) -> list[_Knob]:
    if hasattr(device, "setContrastThresholdOn"):
        return _dvxplorer(device)
    if hasattr(device, "setExposureDuration"):
        return [*_davis_biases(device), *_davis_frames(device)]
    if hasattr(device, "setBias"):
        return _dvs128(device)
    return []


def _dvxplorer(device: Any) -> list[_Knob]:
    knobs = []
    for name, end in ((_ON, "On"), (_OFF, "Off")):
        now = float(getattr(device, f"getContrastThreshold{end}")())
        setter = f"setContrastThreshold{end}"
        control = Control(name, "", 0, 17, now, _HELP[name], now)
        knobs.append(_Knob(control, partial(_set_whole, setter)))
    rates = type(device.getReadoutFPS())
    at = [key for key, _ in READOUTS].index(device.getReadoutFPS().name)
    knobs.append(
        _Knob(
            Control(
                "Readout",
                "",
                0,
                len(READOUTS) - 1,
                at,
                "How often the sensor is read: faster dates events more finely and costs more transfer.",
                at,
                "choice",
                tuple(text for _, text in READOUTS),
            ),
            lambda d, v: d.setReadoutFPS(getattr(rates, READOUTS[round(v)][0])),
        )
    )
    held = float(device.getGlobalHold())
    knobs.append(
        _Knob(
            Control(
                "Global hold", "", 0, 1, held, "Holds all pixels while they are read: sharper edges.", held,
                "switch",
            ),
            lambda d, v: d.setGlobalHold(bool(v)),
        )
    )  # fmt: skip
    return knobs


def _set_whole(setter: str, device: Any, value: float) -> None:
    getattr(device, setter)(round(value))


def _davis_biases(device: Any) -> list[_Knob]:
    kind = {"DAVIS240A": "Davis240", "DAVIS240B": "Davis240", "DAVIS240C": "Davis240", "CDAVIS": "CDavis"}
    family = kind.get(device.getSensorModel().name, "Davis346")
    biases = getattr(type(device), f"{family}BiasCF")
    read, write = f"get{family}BiasCoarseFine", f"set{family}BiasCoarseFine"

    def knob(name: str, parts: tuple[tuple[str, int], ...]) -> _Knob:
        begun = {part: getattr(device, read)(getattr(biases, part)) for part, _ in parts}

        def put(camera: Any, value: float) -> None:
            for part, sign in parts:
                before, factor = begun[part], _RATIO ** (sign * value / 100)
                coarse, fine = scale_bias(before[0], before[1], factor)
                getattr(camera, write)(getattr(biases, part), coarse, fine)

        return _Knob(Control(name, "%", -100, 100, 0, _HELP[name], 0, step=5), put)

    return [knob(name, parts) for name, parts in _TWEAKS.items()]


def scale_bias(coarse: int, fine: int, factor: float) -> tuple[int, int]:
    """Return coarse and fine values whose current is ``factor`` times as large, as near as can be.

    A coarse step is a factor of eight, and the fine value is linear from 0 to 255.
    """
    if factor == 1:
        return coarse, fine
    wanted = max(fine, 1) * factor
    while wanted > 255 and coarse < 7:
        coarse, wanted = coarse + 1, wanted / 8
    while wanted < 16 and coarse > 0:
        coarse, wanted = coarse - 1, wanted * 8
    return coarse, min(255, max(1, round(wanted)))


def _davis_frames(device: Any) -> list[_Knob]:
    running, auto = float(device.isFramesRunning()), float(device.getAutoExposure())
    exposure = device.getExposureDuration() / timedelta(milliseconds=1)
    interval = device.getFrameInterval() / timedelta(milliseconds=1)

    def expose(camera: Any, value: float) -> None:
        if camera.getAutoExposure():  # dv-processing refuses a time while it sets the time itself
            camera.setAutoExposure(False)
        camera.setExposureDuration(timedelta(milliseconds=value))

    return [
        _Knob(
            Control(_FRAMES, "", 0, 1, running, "Take intensity frames besides events.", running, "switch"),
            lambda d, v: d.setFramesRunning(bool(v)),
        ),
        _Knob(
            Control(_AUTO, "", 0, 1, auto, "Lets the camera choose the exposure of frames.", auto, "switch"),
            lambda d, v: d.setAutoExposure(bool(v)),
        ),
        _Knob(
            Control(
                _EXPOSURE, "ms", 0.1, 100, min(100.0, max(0.1, exposure)),
                "Time a frame gathers light; setting it ends auto exposure.", min(100.0, max(0.1, exposure)),
                step=0.1,
            ),
            expose,
        ),
        _Knob(
            Control(
                _INTERVAL, "ms", 10, 1000, min(1000.0, max(10.0, interval)), "Time from frame to frame.",
                min(1000.0, max(10.0, interval)),
            ),
            lambda d, v: d.setFrameInterval(timedelta(milliseconds=v)),
        ),
    ]  # fmt: skip


def _dvs128(device: Any) -> list[_Knob]:
    biases = type(device).Bias

    def knob(name: str, parts: tuple[tuple[str, int], ...]) -> _Knob:
        begun = {part: int(device.getBias(getattr(biases, _DVS128[part]))) for part, _ in parts}

        def put(camera: Any, value: float) -> None:
            for part, sign in parts:
                current = round(begun[part] * _RATIO ** (sign * value / 100))
                camera.setBias(getattr(biases, _DVS128[part]), min(max(current, 0), (1 << 24) - 1))

        return _Knob(Control(name, "%", -100, 100, 0, _HELP[name], 0, step=5), put)

    return [knob(name, parts) for name, parts in _TWEAKS.items()]
