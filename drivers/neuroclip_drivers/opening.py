"""Which sources there are, and one function that opens any of them.

A source is a file with a factory in it and an entry in :data:`SOURCES`, or a file of another package and an
entry point::

    [project.entry-points."neuroclip_live.sources"]
    my-camera = "my_package.my_camera:MyCamera"

The factory is given a :class:`SourceSpec`, of which ``target`` is what follows the colon of
``--source my-camera:TARGET``, and returns a :class:`neuroclip_drivers.source.EventSource`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from neuroclip_drivers.source import EventSource
from neuroclip_live.errors import UserError
from neuroclip_live.events import Resolution
from neuroclip_live.registry import Entry, Registry, lacking

if TYPE_CHECKING:
    from neuroclip_drivers.network.tls import Tls


@dataclass(frozen=True)
class SourceSpec:
    """What to open.

    Attributes
    ----------
    kind : str
        A name in :data:`SOURCES`: "replay" (``target``: path of a recording), "demo" (``target``: name of a
        bundled recording, or None),
        "camera" and "neuromorphic" (``target``: serial number, or None for the first), "network"
        (``target``: HOST:PORT or the path of a UNIX socket), "simulator" (``target``: path of a picture, a
        folder of pictures or a film, or None for those that ship with the program), "webcam" (``target``:
        its number, or None for the first), or one of another package.
    more : tuple of str
        For the simulator before a picture: others that are shown after it, in turn.
    speed : float or None
        For recordings: times real time; ``None`` is as fast as can be, also for the simulator.
    loop, start_s, end_s
        For recordings: begin again at the end; part to play, in seconds from the first event. The simulator
        ends at ``end_s``; its films loop.
    hold_at_end : bool
        For recordings: pause at the end instead of ending (what a window wants).
    stream : str or None
        For recordings and servers with several event streams: the number or name of one, or of its camera.
    sensor, time_unit
        For recordings that do not tell them: the sensor's size, and "s", "ms", "us" or "ns".
    tls : Tls or None
        For streams: with which certificates; None is a connection without TLS.
    """

    kind: str
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
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceEntry(Entry):
    """A kind of source.

    Attributes
    ----------
    option : str
        The option of the command line that asks for it.
    """

    option: str = "--source"


SOURCES = Registry(
    "source",
    "neuroclip_live.sources",
    (
        SourceEntry(
            "replay",
            "a recording, played back",
            "neuroclip_drivers.playing:open_replay",
            "FILE",
            capabilities=frozenset({"recording"}),
            option="--replay",
        ),
        SourceEntry(
            "demo",
            "a recording that ships with the program",
            "neuroclip_drivers.playing:open_demo",
            "NAME",
            capabilities=frozenset({"recording"}),
            option="--replay",
        ),
        SourceEntry(
            "camera",
            "a connected camera, of iniVation or, with neuromorphic-drivers, of Prophesee",
            "neuroclip_drivers.cameras:open_camera",
            "[SERIAL]",
            option="--camera",
        ),
        SourceEntry(
            "neuromorphic",
            "a camera through neuromorphic-drivers: Prophesee EVK, SilkyEvCam, DVXplorer, DAVIS346",
            "neuroclip_drivers.neuromorphic.camera:open_neuromorphic",
            "[SERIAL]",
            requires=("neuromorphic_drivers",),
            install="neuroclip-live[prophesee]",
        ),
        SourceEntry(
            "network",
            "a network stream of dv-processing",
            "neuroclip_drivers.network.source:open_network",
            "HOST:PORT",
            option="--connect",
        ),
        SourceEntry(
            "jaer",
            "jAER's stream of datagrams (AEUnicast)",
            "neuroclip_drivers.network.jaer:open_jaer",
            "[[HOST:]PORT/]WIDTHxHEIGHT",
        ),
        SourceEntry(
            "ros2",
            "a topic of ROS 2 with events, through a Zenoh router",
            "neuroclip_drivers.ros2.source:open_ros2",
            "[//HOST[:PORT]/]TOPIC",
            requires=("zenoh", "rosbags", "xxhash"),
            install="neuroclip-live[ros2]",
        ),
        SourceEntry(
            "simulator",
            "a simulated camera before a moving picture, a folder of pictures, or a film",
            "neuroclip_drivers.simulating:open_simulator",
            "[FILE|FOLDER]",
            option="--simulate",
        ),
        SourceEntry(
            "webcam",
            "a webcam, whose pictures are turned into simulated events",
            "neuroclip_drivers.film.source:open_webcam",
            "[N]",
            option="--webcam",
        ),
    ),
    SourceEntry,
)
"""A factory gets a :class:`SourceSpec`. Capability ``recording``: it can be played from and to a time, at any
speed, and again."""


def open_source(spec: SourceSpec) -> EventSource:
    """Open what ``spec`` describes; drivers are imported only when asked for.

    Raises
    ------
    UserError
        When it cannot be opened: the message says why and what to do.
    """
    source: EventSource = SOURCES.make(spec.kind, spec)
    lacks = lacking(source, EventSource)
    if lacks:
        raise UserError(f"the source {spec.kind} cannot be used: what it opens has no {lacks}")
    if not isinstance(source.resolution, Resolution):
        raise UserError(
            f"the source {spec.kind} cannot be used: its resolution is {source.resolution!r}, "
            "no neuroclip_live.events.Resolution"
        )
    return source
