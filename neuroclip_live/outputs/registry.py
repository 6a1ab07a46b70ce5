"""Which outputs there are, and how they are asked for: ``NAME`` or ``NAME:ARGUMENT``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from neuroclip_live.errors import UserError
from neuroclip_live.extras import FOXGLOVE, MQTT, OSC, ROS2
from neuroclip_live.outputs.apart import Apart, Guarded
from neuroclip_live.outputs.output import Output
from neuroclip_live.registry import Entry, Registry, lacking

OUTPUTS = Registry(
    "output",
    "neuroclip_live.outputs",
    (
        Entry(
            "jsonl",
            "JSON lines, to a file or standard output",
            f"{__package__}.jsonl:JsonLines",
            "FILE|-",
        ),
        Entry(
            "table",
            "a live table on the terminal",
            f"{__package__}.table:TableOutput",
            capabilities=frozenset({"terminal"}),
        ),
        Entry(
            "mqtt",
            "to an MQTT broker, below a topic",
            f"{__package__}.mqtt:MqttOutput",
            "//[USER@]HOST[:PORT][/TOPIC]",
            ("paho",),
            MQTT,
        ),
        Entry(
            "mqtts",
            "the same over TLS",
            f"{__package__}.mqtt:SecureMqttOutput",
            "//[USER@]HOST[:PORT][/TOPIC][?ca=FILE]",
            ("paho",),
            MQTT,
        ),
        Entry("udp", "small JSON objects as datagrams", f"{__package__}.udp:UdpOutput", "HOST:PORT"),
        Entry(
            "osc",
            "Open Sound Control, for sound and light",
            f"{__package__}.osc:OscOutput",
            "HOST:PORT",
            ("pythonosc",),
            OSC,
        ),
        Entry(
            "foxglove",
            "Foxglove on this machine, live",
            f"{__package__}.foxglove_outputs:FoxgloveOutput",
            "[PORT]",
            ("foxglove",),
            FOXGLOVE,
        ),
        Entry(
            "mcap",
            "an MCAP file for Foxglove",
            f"{__package__}.foxglove_outputs:McapOutput",
            "FILE",
            ("foxglove",),
            FOXGLOVE,
        ),
        Entry(
            "ros2",
            "detections and images for ROS 2, through a Zenoh router",
            f"{__package__}.ros2:Ros2Output",
            "[//HOST[:PORT]][/NAMESPACE]",
            ("zenoh", "rosbags", "xxhash"),
            ROS2,
        ),
    ),
    Entry,
)
"""A factory gets what follows the colon, or "", and returns an output.

Capability ``terminal``: it writes to the terminal, and is not used beside another one that does. An output
that is given ``-`` does so, too.
"""


def takes_terminal(spec: str) -> bool:
    """Tell whether an output, as it is asked for, writes to standard output."""
    name, _, argument = spec.partition(":")
    return argument == "-" or "terminal" in OUTPUTS.find(name).capabilities


def make_outputs(specs: Sequence[str], *, live: bool = False) -> list[Output]:
    """Make what is asked for.

    Parameters
    ----------
    specs : sequence of str
        Each ``NAME`` or ``NAME:ARGUMENT``.
    live : bool
        The run waits for nobody: outputs of other packages get a thread of their own.

    Raises
    ------
    UserError
        When there is no such output, it cannot be had, or two want the terminal. Those made before are
        closed.
    """
    first, *others = [spec for spec in specs if takes_terminal(spec)] or [""]
    if others:
        raise UserError(f"{first} and {others[0]} both write to the terminal: give one of them a file")
    made: list[Output] = []
    with closed_if_unused(made) as unused:
        for spec in specs:
            name, _, argument = spec.partition(":")
            output = OUTPUTS.make(name, argument)
            lacks = lacking(output, Output)
            if lacks:
                raise UserError(f"the output {name} cannot be used: it has no {lacks}")
            if OUTPUTS.find(name) not in OUTPUTS.built_in:
                guarded = Guarded(name, output)
                output = Apart(guarded) if live else guarded
            made.append(output)
            unused.append(output)
        unused.clear()
    return made


@contextmanager
def closed_if_unused(outputs: Sequence[Output]) -> Iterator[list[Output]]:
    """Close outputs that nobody came to use; whoever takes them over clears the list that is given."""
    unused = list(outputs)
    try:
        yield unused
    finally:
        for output in unused:
            output.close(None)
