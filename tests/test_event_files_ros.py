"""Bags and MCAP: what is their own. What all formats have in common is in ``test_event_files.py``."""

from __future__ import annotations

from pathlib import Path

import event_files as made
import numpy as np
import pytest

from neuroclip_drivers.files.event_file import FileOptions
from neuroclip_drivers.files.open_file import open_event_file
from neuroclip_drivers.files.ros_messages import BadMessage, MessageDecoder
from neuroclip_live.errors import UserError


def count(path: Path, options: FileOptions | None = None) -> int:
    file = open_event_file(path, options)
    events = sum(map(len, file.read()))
    file.close()
    return events


def test_a_bag_whose_recorder_was_killed(tmp_path: Path) -> None:
    """It has chunks, and neither the index nor the list of connections at its end: rosbags refuses it."""
    path = made.bag_file(tmp_path / "a.bag", made.scene(count=20_000), "ros1")
    whole = count(path)
    data = bytearray(path.read_bytes())
    data[data.index(b"index_pos=") + 10 :][:8] = bytes(8)
    end = data.rindex(b"op=\x05")  # in the last chunk
    path.write_bytes(data[: end + 200])
    file = open_event_file(path)
    left = sum(map(len, file.read()))
    assert 0.5 * whole < left < whole
    assert "cut off" in file.losses
    from rosbags.rosbag1 import Reader, ReaderError

    with pytest.raises(ReaderError), Reader(path):
        pass


def test_an_mcap_of_small_chunks_loses_those_that_are_damaged(tmp_path: Path) -> None:
    writer_of = pytest.importorskip("mcap.writer")
    source = made.bag_file(tmp_path / "a.bag", made.scene(count=20_000), "ros1")
    from rosbags.rosbag1 import Reader

    path = tmp_path / "a.mcap"
    with path.open("wb") as stream, Reader(source) as bag:
        writer = writer_of.Writer(stream, chunk_size=20_000)
        writer.start()
        schema = writer.register_schema("dvs_msgs/EventArray", "ros1msg", b"")
        channel = writer.register_channel("/dvs/events", "ros1", schema)
        for connection, when, raw in bag.messages():
            if connection.topic == "/dvs/events":
                writer.add_message(channel, when, raw, when)
        writer.finish()
    whole = count(path)
    assert whole == count(source)
    data = path.read_bytes()
    for length in (len(data) // 3, len(data) // 2, len(data) - 20):
        path.write_bytes(data[:length])
        file = open_event_file(path)
        assert sum(map(len, file.read())) > 0.7 * whole * length / len(data)
        assert "cut off" in file.losses
    bad = bytearray(data)
    bad[len(bad) // 2 : len(bad) // 2 + 50] = bytes(50)
    path.write_bytes(bad)
    file = open_event_file(path)
    assert 0.9 * whole < sum(map(len, file.read())) < whole
    assert "damaged part" in file.losses


def test_the_folder_of_a_bag_of_ros_2(tmp_path: Path) -> None:
    path = made.bag_file(tmp_path / "bag", made.scene(count=5_000), "db3")
    assert path.is_dir()
    assert count(path) == len(made.scene(count=5_000))
    (tmp_path / "other").mkdir()
    with pytest.raises(UserError, match="is a directory"):
        open_event_file(tmp_path / "other")
    (tmp_path / "other" / "metadata.yaml").write_text("rosbag2_bagfile_information:\n")
    with pytest.raises(UserError, match=r"holds no \.db3 and no \.mcap"):
        open_event_file(tmp_path / "other")


def test_a_topic_that_is_not_there(tmp_path: Path) -> None:
    path = made.bag_file(tmp_path / "a.bag", made.scene(count=2_000), "ros1")
    assert count(path, FileOptions(stream="/dvs/events")) == count(path)
    with pytest.raises(UserError, match=r"no event topic '/cam'. Choose with --stream: /dvs/events"):
        open_event_file(path, FileOptions(stream="/cam"))


@pytest.mark.parametrize("kind", ["dvs_msgs/EventArray", "event_camera_msgs/EventPacket"])
@pytest.mark.parametrize("cdr", [False, True])
def test_messages_of_any_bytes_are_borne(kind: str, cdr: bool) -> None:
    dice = np.random.default_rng(0)
    for length in [*range(64), *range(64, 400, 7)]:
        for _ in range(4):
            data = bytearray(dice.integers(0, 256, length, dtype=np.uint8).tobytes())
            small = dice.integers(0, length + 1, size=4)
            for place, value in zip((16, 20, 24, 40), small, strict=True):  # lengths that may be true
                data[place : place + 4] = int(value).to_bytes(4, "little")[: max(0, len(data) - place)]
            if cdr:
                data[:4] = b"\0\1\0\0"
            try:
                MessageDecoder(kind, cdr).decode(bytes(data[:length]))
            except BadMessage:
                pass
