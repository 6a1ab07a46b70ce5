"""Nothing stays open: a recording that nobody closed is closed with its last user."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import event_files as made
import pytest
from making import SIZE, make_events
from test_damaged_words import dat_file, evt3_file

from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_drivers.files.open_file import open_event_file

DESCRIPTORS = Path("/proc/self/fd")
pytestmark = pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="needs /proc to count descriptors")


def aedat4_file(path: Path, events: made.Table) -> None:
    write_aedat4(path, [make_events(len(events))], SIZE)


def ros1_file(path: Path, events: made.Table) -> None:
    made.bag_file(path, events, "ros1")


WRITERS: dict[str, Callable[[Path, made.Table], Any]] = {
    "a.aedat4": aedat4_file,
    "a.dat": dat_file,
    "a.aedat": made.aedat2_file,
    "a.raw": evt3_file,
    "a.bag": ros1_file,
}


def held(path: Path) -> int:
    gc.collect()
    links = [DESCRIPTORS / name for name in os.listdir(DESCRIPTORS)]
    return sum(os.path.realpath(link) == os.path.realpath(path) for link in links)


@pytest.mark.parametrize("name", WRITERS)
def test_a_recording_that_nobody_closes_is_closed_with_its_last_user(name: str, tmp_path: Path) -> None:
    """Above 1,024 descriptors ``select`` fails, in a client of MQTT for one."""
    path = tmp_path / name
    WRITERS[name](path, made.scene(made.DVS128, count=2_000))
    files = [open_event_file(path) for _ in range(5)]
    assert held(path) == 5
    reading = files[0].read()
    next(reading)
    del files
    assert held(path) == 1
    del reading
    assert held(path) == 0
