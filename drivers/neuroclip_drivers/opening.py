"""One function that opens any source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from neuroclip_drivers.demo import demo_recording
from neuroclip_drivers.source import EventSource
from neuroclip_live.errors import UserError
from neuroclip_live.events import Resolution

if TYPE_CHECKING:
    from neuroclip_drivers.network.tls import Tls

Kind = Literal["replay", "camera", "network", "simulator", "demo"]


@dataclass(frozen=True)
class SourceSpec:
    """What to open.

    Attributes
    ----------
    kind : str
        "replay" (``target``: path of a recording), "demo" (``target``: name of a bundled recording, or None),
        "camera" (``target``: serial number, or None for the first), "network" (``target``: HOST:PORT or the
        path of a UNIX socket), or "simulator" (``target``: path of a picture, or None for
        those that ship with the program).
    speed : float or None
        For recordings: times real time; ``None`` is as fast as can be, also for the simulator.
    loop, start_s, end_s
        For recordings: begin again at the end; part to play, in seconds from the first event. The simulator
        ends at ``end_s``.
    hold_at_end : bool
        For recordings: pause at the end instead of ending (what a window wants).
    stream : str or None
        For recordings with several event streams: the number or name of one, or of its camera.
    sensor, time_unit
        For recordings that do not tell them: the sensor's size, and "s", "ms", "us" or "ns".
    tls : Tls or None
        For streams: with which certificates; None is a connection without TLS.
    """

    kind: Kind
    target: str | None = None
    speed: float | None = 1.0
    loop: bool = False
    start_s: float = 0.0
    end_s: float | None = None
    hold_at_end: bool = False
    stream: str | None = None
    sensor: Resolution | None = None
    time_unit: str | None = None
    tls: Tls | None = None


def open_source(spec: SourceSpec) -> EventSource:
    """Open what ``spec`` describes; drivers are imported only when asked for.

    Raises
    ------
    UserError
        When it cannot be opened: the message says why and what to do.
    """
    if spec.kind in ("replay", "demo"):
        from neuroclip_drivers.replay import ReplaySource

        if spec.kind == "demo":
            path = demo_recording(spec.target)
        elif spec.target:
            path = spec.target
        else:
            raise UserError("No recording was named. Give the path of a file.")
        return ReplaySource(
            path,
            speed=spec.speed,
            loop=spec.loop,
            start_s=spec.start_s,
            end_s=spec.end_s,
            hold_at_end=spec.hold_at_end,
            stream=spec.stream,
            sensor=spec.sensor,
            time_unit=spec.time_unit,
        )
    if spec.kind == "camera":
        from neuroclip_drivers.inivation.camera import CameraSource

        return CameraSource(spec.target)
    if spec.kind == "network":
        from neuroclip_drivers.network.source import NetworkSource

        if not spec.target:
            raise UserError("No address was given. Give HOST:PORT or the path of a UNIX socket.")
        return NetworkSource(spec.target, tls=spec.tls)
    if spec.kind == "simulator":
        from neuroclip_drivers.simulator.source import SimulatorSource

        pictures = [spec.target] if spec.target else []
        return SimulatorSource(pictures, realtime=spec.speed is not None, duration_s=spec.end_s)
    raise UserError(
        f"There is no source of kind {spec.kind!r}. Choose replay, camera, network, simulator or demo."
    )
