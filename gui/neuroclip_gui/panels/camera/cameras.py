"""Cameras of one window: found as they are plugged in, set, and remembered by name."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from neuroclip_live.errors import UserError
from neuroclip_live.stream.filters import NONE, Treatment

if TYPE_CHECKING:
    from neuroclip_drivers.usb import UsbCamera
    from neuroclip_gui.main_window import MainWindow
    from neuroclip_live.recognition.pipeline_state import Status

_LOOK_S = 2.0
REMEMBERED = 16


class Cameras:
    """Between the camera panel, the source in use, and what is remembered.

    What is set on a live source is remembered under its name and set again when it is opened; recordings
    begin as they were recorded.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._due = 0.0
        self._asked = False
        panel = window.camera_panel
        panel.open_asked.connect(self._open)
        panel.stream_asked.connect(window.sources.open_stream)
        panel.control_changed.connect(self.set_control)
        panel.preset_asked.connect(self.use_preset)
        panel.treatment_changed.connect(self.treat)
        panel.reset_asked.connect(self.reset)

    @property
    def _source(self) -> Any:
        pipeline = self._window.pipeline
        return pipeline.source if pipeline is not None else None

    def look(self, status: Status, now: float) -> None:
        """Show how much is filtered, and look for cameras now and then while the panel is in view."""
        panel = self._window.camera_panel
        if not panel.in_view:
            return
        panel.show_removed(status.removed_share)
        if now >= self._due and not self._asked:
            self._asked = True
            self._window.jobs.do(_connected, self._on_found, self._on_not_found)

    def _on_found(self, cameras: list[UsbCamera]) -> None:
        self._rest()
        self._window.camera_panel.show_cameras(cameras)

    def _on_not_found(self, message: str) -> None:
        self._rest()
        self._window.camera_panel.show_cameras([])
        self._window.camera_panel.found.setText(message)

    def _rest(self) -> None:
        from time import monotonic

        self._asked, self._due = False, monotonic() + _LOOK_S

    def _open(self, serial: str) -> None:
        several = self._window.camera_panel.cameras.count() > 1
        self._window.sources.open_camera(serial if several and serial else None)

    def source_changed(self) -> None:
        """Show another source, and set on it what is remembered."""
        source, panel = self._source, self._window.camera_panel
        kept = self._window.settings.cameras.get(source.name, {}) if source.live else {}
        for name, value in _numbers(kept.get("controls")).items():
            try:
                source.set_control(name, value)
            except (UserError, AttributeError):
                continue  # another firmware, or a file written by hand: the camera stays as it is
        controls = source.controls() if hasattr(source, "controls") else []
        presets = source.presets() if controls and hasattr(source, "presets") else {}  # a film has none
        panel.show_controls(source.name, controls, presets)
        treatment = _treatment(kept)
        panel.show_treatment(treatment)
        if self._window.pipeline is not None and self._window.pipeline.treatment != treatment:
            self._window.pipeline.treat(treatment)

    def set_control(self, name: str, value: float) -> None:
        """Set one thing on the source."""
        source = self._source
        try:
            source.set_control(name, value)
        except UserError as error:
            self._window.complain(str(error))
        self._remember("controls", {c.name: c.value for c in source.controls() if c.value != c.default})

    def use_preset(self, name: str) -> None:
        """Set what a preset says."""
        source = self._source
        for control, value in source.presets().get(name, {}).items():
            self.set_control(control, value)
        self._window.camera_panel.show_values(source.controls())

    def treat(self, treatment: Treatment) -> None:
        """Filter, flip and turn from now on."""
        pipeline = self._window.pipeline
        if pipeline is not None:
            pipeline.treat(treatment)
            for field, value in asdict(treatment).items():
                self._remember(field, value)

    def reset(self) -> None:
        """Put everything back as it came."""
        source = self._source
        if source is None:
            return
        if hasattr(source, "controls"):
            for control in source.controls():
                if control.value != control.default:
                    source.set_control(control.name, control.default)
            self._window.camera_panel.show_values(source.controls())
        self._window.camera_panel.presets.setCurrentIndex(-1)
        self._window.camera_panel.show_treatment(NONE)
        if self._window.pipeline is not None:
            self._window.pipeline.treat(NONE)
        self._window.settings.cameras.pop(source.name, None)

    def _remember(self, key: str, value: Any) -> None:
        source, cameras = self._source, self._window.settings.cameras
        if source is None or not source.live:
            return
        kept = cameras.pop(source.name, {})
        cameras[source.name] = {**kept, key: value}
        while len(cameras) > REMEMBERED:
            cameras.pop(next(iter(cameras)))


def _numbers(kept: object) -> dict[str, float]:
    if not isinstance(kept, dict):
        return {}
    return {name: float(v) for name, v in kept.items() if isinstance(v, int | float)}


def _treatment(kept: dict[str, Any]) -> Treatment:
    """Return the treatment remembered; none where it makes no sense."""
    defaults = asdict(NONE)
    values = {f.name: kept.get(f.name, defaults[f.name]) for f in fields(Treatment)}
    if any(type(value) is not type(defaults[name]) for name, value in values.items()):
        return NONE
    try:
        return Treatment(**values)
    except ValueError:
        return NONE


def _connected() -> list[UsbCamera]:
    from neuroclip_drivers.cameras import connected_cameras

    return connected_cameras()
