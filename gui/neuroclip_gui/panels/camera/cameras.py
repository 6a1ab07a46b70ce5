"""Cameras of one window: found as they are plugged in, set, and remembered by name."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from neuroclip_gui.panel_spec import Context, Due, Presenter, Snapshot
from neuroclip_gui.panels.camera.camera_panel import CameraPanel
from neuroclip_live.errors import UserError
from neuroclip_live.stream.filters import NONE, Treatment

if TYPE_CHECKING:
    from neuroclip_drivers.usb import UsbCamera
    from neuroclip_live.recognition.pipeline_state import Status

_EVERY_S, _LOOK_S = 0.1, 2.0
REMEMBERED = 16


class Cameras(Presenter):
    """Between the camera panel, the source in use, and what is remembered.

    What is set on a live source is remembered under its name and set again when it is opened; recordings
    begin as they were recorded.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        self.panel = panel = CameraPanel(context.theme)
        super().__init__(panel)
        self._context, self._settings = context, context.settings
        self._look_due, self._due = Due(_EVERY_S), 0.0
        self._asked = False
        panel.open_asked.connect(self._open)
        panel.stream_asked.connect(context.doors.stream)
        panel.control_changed.connect(self.set_control)
        panel.preset_asked.connect(self.use_preset)
        panel.treatment_changed.connect(self.treat)
        panel.reset_asked.connect(self.reset)

    @property
    def _source(self) -> Any:
        pipeline = self._context.pipeline()
        return pipeline.source if pipeline is not None else None

    def update(self, snapshot: Snapshot) -> None:
        """Look ten times a second."""
        if snapshot.status is not None and self._look_due(snapshot.now_s):
            self.look(snapshot.status, snapshot.now_s)

    def look(self, status: Status, now: float) -> None:
        """Show how much is filtered, and look for cameras now and then while the panel is in view."""
        panel = self.panel
        if not panel.in_view:
            return
        panel.show_removed(status.removed_share)
        if now >= self._due and not self._asked:
            self._asked = True
            self._context.jobs.do(_connected, self._on_found, self._on_not_found)

    def _on_found(self, cameras: list[UsbCamera]) -> None:
        self._rest()
        self.panel.show_cameras(cameras)

    def _on_not_found(self, message: str) -> None:
        self._rest()
        self.panel.show_cameras([])
        self.panel.found.setText(message)

    def _rest(self) -> None:
        from time import monotonic

        self._asked, self._due = False, monotonic() + _LOOK_S

    def _open(self, serial: str) -> None:
        several = self.panel.cameras.count() > 1
        self._context.doors.camera(serial if several and serial else None)

    def source_changed(self, source: Any) -> None:
        """Show another source, and set on it what is remembered."""
        panel, pipeline = self.panel, self._context.pipeline()
        kept = self._settings.cameras.get(source.name, {}) if source.live else {}
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
        if pipeline is not None and pipeline.treatment != treatment:
            pipeline.treat(treatment)

    def set_control(self, name: str, value: float) -> None:
        """Set one thing on the source."""
        source = self._source
        try:
            source.set_control(name, value)
        except UserError as error:
            self._context.complain(str(error))
        self._remember("controls", {c.name: c.value for c in source.controls() if c.value != c.default})

    def use_preset(self, name: str) -> None:
        """Set what a preset says."""
        source = self._source
        for control, value in source.presets().get(name, {}).items():
            self.set_control(control, value)
        self.panel.show_values(source.controls())

    def treat(self, treatment: Treatment) -> None:
        """Filter, flip and turn from now on."""
        pipeline = self._context.pipeline()
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
            self.panel.show_values(source.controls())
        self.panel.presets.setCurrentIndex(-1)
        self.panel.show_treatment(NONE)
        pipeline = self._context.pipeline()
        if pipeline is not None:
            pipeline.treat(NONE)
        self._settings.cameras.pop(source.name, None)

    def _remember(self, key: str, value: Any) -> None:
        source, cameras = self._source, self._settings.cameras
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
