"""How ROS 2 shows itself on Zenoh: keys of topics, tokens of who is there, and what goes with each message.

Source: rmw_zenoh's design document, and what its tokens and attachments are seen to be. A message of a topic
has the key ``<domain>/<topic>/<type>/<hash of the type>``. Every node, publisher and subscription holds a
liveliness token, which says all there is to say about it and is what ``ros2 topic list`` reads. A message has
an attachment: a number that counts its publisher's messages, a time, and the publisher's identifier (GID).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import NamedTuple

import xxhash

ADMIN = "@ros2_lv"
PUBLISHER, SUBSCRIPTION, NODE = "MP", "MS", "NN"
QOS = "::,{depth}:,:,:,,"
"""Quality of service as ROS has it at first, but for how many messages are kept; empty fields say that."""
_ATTACHMENT = struct.Struct("<qqB16s")
_GID_BYTES = 16
_TYPE = re.compile(r"([A-Za-z]\w{0,80})::(msg|srv|action)::dds_::([A-Za-z]\w{0,80})_", re.ASCII)


class Sent(NamedTuple):
    """What goes with a message: its number, when it was published (nanoseconds, UNIX time), and by whom."""

    number: int
    time_ns: int
    gid: bytes


@dataclass(frozen=True)
class Node:
    """A node of ROS, in one Zenoh session.

    Attributes
    ----------
    domain : int
    session : str
        Zenoh's identifier of the session.
    namespace : str
        With a slash before it; "/" for none.
    name : str
    """

    domain: int
    session: str
    namespace: str
    name: str

    def token(self) -> str:
        """Return the key of the token that says that the node is there."""
        return self._token(0, NODE)

    def endpoint(self, number: int, kind: str, topic: str, type_name: str, type_hash: str, depth: int) -> str:
        """Return the token of a publisher or subscription of this node, the ``number``-th."""
        said = (_mangled(topic), dds_type(type_name), type_hash, QOS.format(depth=depth))
        return "/".join((self._token(number, kind), *said))

    def _token(self, number: int, kind: str) -> str:
        names = ("%", _mangled(self.namespace), self.name)  # the first is the enclave: none
        return "/".join((ADMIN, str(self.domain), self.session, "0", str(number), kind, *names))


def publishers_of(domain: int, topic: str) -> str:
    """Return the key expression of the tokens of all publishers of a topic."""
    return f"{ADMIN}/{domain}/*/*/*/{PUBLISHER}/*/*/*/{_mangled(topic)}/**"


def topic_key(domain: int, topic: str, type_name: str, type_hash: str) -> str:
    """Return the key of a topic's messages."""
    return f"{domain}/{topic.strip('/')}/{dds_type(type_name)}/{type_hash}"


def any_version(domain: int, topic: str, type_name: str) -> str:
    """Return the key expression of a topic's messages of a type, whatever its hash: older ROS has none."""
    return topic_key(domain, topic, type_name, "*")


def dds_type(name: str) -> str:
    """Return ``vision_msgs/msg/Detection2D`` as keys have it: ``vision_msgs::msg::dds_::Detection2D_``."""
    package, kind, message = name.split("/")
    return f"{package}::{kind}::dds_::{message}_"


def type_of_key(key: str) -> str:
    """Return the type in the key of a message as ROS writes it; empty where there is none."""
    parts = key.rsplit("/", 2)
    found = _TYPE.fullmatch(parts[1]) if len(parts) == 3 else None
    return "/".join(found.groups()) if found else ""


def type_of_token(token: str) -> str:
    """Return the type in the token of a publisher or subscription; empty where there is none."""
    return type_of_key("/".join(token.split("/")[9:12]))


def gid_of(token: str) -> bytes:
    """Return the identifier of who holds a token, as all who see the token work it out."""
    return xxhash.xxh3_128_intdigest(token.encode()).to_bytes(_GID_BYTES, "little")


def attachment(sent: Sent) -> bytes:
    """Return what goes with a message, as Zenoh's serializer writes it."""
    return _ATTACHMENT.pack(sent.number, sent.time_ns, _GID_BYTES, sent.gid)


def parse_attachment(data: bytes) -> Sent | None:
    """Read what came with a message; None where it is not as ROS has it."""
    if len(data) != _ATTACHMENT.size:
        return None
    number, time_ns, length, gid = _ATTACHMENT.unpack(data)
    return Sent(number, time_ns, gid) if length == _GID_BYTES else None


def _mangled(name: str) -> str:
    return name.replace("/", "%")
