"""The messages of ROS 2 that are spoken here: definitions, and the hash by which ROS tells versions apart.

The definitions are those of the packages vision_msgs 4, event_camera_msgs and dvs_msgs; the others, and what
turns them into CDR, come with ``rosbags``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from rosbags.typesys import Stores, get_types_from_msg, get_typestore

DETECTIONS = "vision_msgs/msg/Detection2DArray"
IMAGE = "sensor_msgs/msg/Image"
EVENT_PACKET = "event_camera_msgs/msg/EventPacket"

_EVENT_ARRAY = "std_msgs/Header header\nuint32 height\nuint32 width\nEvent[] events\n"
_EVENT = "uint16 x\nuint16 y\nbuiltin_interfaces/Time ts\nbool polarity\n"
_EVENT_PACKET = (
    "std_msgs/Header header\nuint32 height\nuint32 width\nuint64 seq\nuint64 time_base\nstring encoding\n"
    "bool is_bigendian\nuint8[] events\n"
)
DEFINITIONS = {
    "vision_msgs/msg/Point2D": "float64 x\nfloat64 y\n",
    "vision_msgs/msg/Pose2D": "vision_msgs/Point2D position\nfloat64 theta\n",
    "vision_msgs/msg/BoundingBox2D": "vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y\n",
    "vision_msgs/msg/ObjectHypothesis": "string class_id\nfloat64 score\n",
    "vision_msgs/msg/ObjectHypothesisWithPose": (
        "vision_msgs/ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose\n"
    ),
    "vision_msgs/msg/Detection2D": (
        "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n"
        "vision_msgs/BoundingBox2D bbox\nstring id\n"
    ),
    DETECTIONS: "std_msgs/Header header\nvision_msgs/Detection2D[] detections\n",
    EVENT_PACKET: _EVENT_PACKET,
    "event_array_msgs/msg/EventArray": _EVENT_PACKET,
    "dvs_msgs/msg/Event": _EVENT,
    "dvs_msgs/msg/EventArray": _EVENT_ARRAY,
    "prophesee_event_msgs/msg/Event": _EVENT,
    "prophesee_event_msgs/msg/EventArray": _EVENT_ARRAY,
}


@cache
def typestore() -> Any:
    """Return the types of ROS 2 and those above, as rosbags has them; takes a second at first."""
    store = get_typestore(Stores.ROS2_JAZZY)
    types: dict[str, Any] = {}
    for name, text in DEFINITIONS.items():
        types.update(get_types_from_msg(text, name))
    store.register(types)
    return store


@cache
def type_hash(name: str) -> str:
    """Return a type's hash as its topics' keys have it: ``RIHS01_`` and 64 hexadecimal digits."""
    said: str = typestore().hash_rihs01(name)
    return said
