"""Bytes that are missing, twice or too many anywhere in a recording hide no packet that is whole."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import numpy as np
import pytest
from making import join, make_events, packet_places
from test_event_streams import recorded, stream

from neuroclip_drivers.aedat4.format import Compression, parse_header
from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet

CASES = 25


def as_set(events: Packet) -> set[bytes]:
    return set(map(bytes, np.ascontiguousarray(events).view(np.uint8).reshape(len(events), -1)))


@pytest.mark.parametrize("compression", list(Compression))
@pytest.mark.parametrize("damage", ["missing", "inserted", "twice"])
def test_what_is_whole_is_played_wherever_bytes_are_missing_or_too_many(
    tmp_path: Path, compression: Compression, damage: str
) -> None:
    """A packet's head then promises more than is left of it, which reaches into the next ones."""
    path = tmp_path / "a.aedat4"
    for case in range(CASES):
        dice = random.Random(case)
        streams, size = dice.randrange(1, 4), dice.randrange(2, 300)
        parts: list[tuple[int, Packet]] = []
        for number in range(12 * streams):
            events = make_events(size, 50_000, seed=number)
            events["t"] += 50_000 * (number // streams)
            parts.append((number % streams, events))
        recorded(path, parts, [stream(n, name=f"events_{n}") for n in range(streams)], compression)
        places, data = packet_places(path), bytearray(path.read_bytes())
        packets = [bytes(data[at : at + 8 + length]) for at, _, length in places]
        index_at = parse_header(bytes(data)).index_position
        where, length = dice.randrange(places[0][0], index_at), dice.choice([1, 7, 16, 100, 512, 4096])
        if dice.random() < 0.5:
            del data[index_at:]
        if damage == "missing":
            del data[where : where + length]
        elif damage == "inserted":
            data[where:where] = dice.randbytes(length)
        else:
            data[where:where] = data[where : where + length]
        path.write_bytes(data)
        for number in range(streams):
            whole = [
                part[1] for part, raw in zip(parts, packets, strict=True) if part[0] == number and raw in data
            ]
            try:
                with contextlib.closing(Recording(path, str(number))) as recording:
                    given = as_set(join(recording.read()))
            except UserError:
                given = set()
            lost = [n for n, events in enumerate(whole) if not as_set(events) <= given]
            assert not lost, f"case {case}, stream {number}: {length} bytes at {where}"
