"""A camera's clock that begins anew in the middle of a recording, in the formats of others."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from event_files import Table, aedat2_file, aedat3_file, hdf5_file
from making import SIZE, join, make_events, same

from neuroclip_drivers.aedat4 import reader
from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.files import clocks
from neuroclip_drivers.files.event_file import EventFile
from neuroclip_drivers.files.open_file import open_event_file
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.events import Packet


def text_file(path: Path, events: Table) -> Path:
    np.savetxt(path, events, fmt="%d", delimiter=",", header="x,y,t,p", comments="")
    return path


def npy_file(path: Path, events: Table) -> Path:
    np.save(path, structured(events))
    return path


def npz_file(path: Path, events: Table) -> Path:
    np.savez_compressed(path, events=structured(events))
    return path


def structured(events: Table) -> np.ndarray:
    rows = np.zeros(len(events), dtype=[("x", "<u2"), ("y", "<u2"), ("t", "<i8"), ("p", "u1")])
    for name, column in zip("xytp", events.T, strict=True):
        rows[name] = column
    return rows


def dat_file(path: Path, events: Table) -> Path:
    x, y, t, p = events.T
    words = np.stack([t, x | y << 14 | p << 28], axis=1).astype("<u4")
    path.write_bytes(b"% Version 2\n% Width 128\n% Height 128\n\x0c\x08" + words.tobytes())
    return path


WRITERS = {
    "a.csv": text_file,
    "a.npy": npy_file,
    "a.npz": npz_file,
    "a.h5": lambda path, events: hdf5_file(path, events, "columns"),
    "a.dat": dat_file,
    "jaer.aedat": aedat2_file,
    "caer.aedat": aedat3_file,
}
QUICK = ["a.npy", "a.dat", "caer.aedat"]

LAYOUTS = {
    "twice the same": [(0, 500, 3000), (0, 500, 3000)],
    "as of twenty minutes ago": [(1_200_000, 200, 2000), (50, 700, 3000)],
    "ever earlier": [(9_000, 300, 1000), (5_000, 300, 500), (1_000, 900, 3000)],
    "the first is short": [(0, 150, 100), (0, 900, 5000)],
}
"""Clocks: when each begins and how long it runs, in milliseconds, and how many events it has."""


def made(layout: list[tuple[int, int, int]], seed: int = 0) -> tuple[Table, np.ndarray]:
    """Return events, and the place of each from the first on."""
    dice = np.random.default_rng(seed)
    times = [
        (1000 * (start + length * np.linspace(0, 1, count))).astype(np.int64)
        for start, length, count in layout
    ]
    places, end = [], -1
    for part in times:
        places.append(part - part[0] + end + 1)
        end = int(places[-1][-1])
    t = np.concatenate(times)
    xy = dice.integers(0, 128, (len(t), 2))
    return np.column_stack([xy, t, dice.integers(0, 2, len(t))]), np.concatenate(places)


def same_as(packet: Packet, events: Table) -> bool:
    return len(packet) == len(events) and bool(
        (np.stack([packet["x"], packet["y"], packet["t"], packet["p"]], axis=1) == events).all()
    )


def played(path: Path, start_s: float = 0.0, end_s: float | None = None) -> Packet:
    with closing(ReplaySource(path, speed=None, start_s=start_s, end_s=end_s)) as source:
        return join(source.packets())


def opened(path: Path) -> closing[EventFile]:
    return closing(open_event_file(path))


@pytest.mark.parametrize("layout", list(LAYOUTS))
@pytest.mark.parametrize("name", list(WRITERS))
def test_every_place_of_any_format_is_reached(tmp_path: Path, name: str, layout: str) -> None:
    events, places = made(LAYOUTS[layout])
    path = WRITERS[name](tmp_path / name, events)
    with opened(path) as file:
        assert file.last_us - file.first_us == places[-1]
        histogram = file.rate_histogram(10)
        assert histogram.counts.sum() == len(events)
        assert histogram.counts[-1] > 0
        middle = file.first_us + int(places[-1] * 0.7)
        assert file.time_at(middle) == pytest.approx(
            events[np.argmax(places >= places[-1] * 0.7), 2], abs=10_000
        )
    assert same_as(played(path), events)
    for share in (0.1, 0.45, 0.55, 0.8):
        at_us = int(share * places[-1])
        assert same_as(played(path, at_us / 1e6), events[places >= at_us])
        assert same_as(played(path, 0.0, at_us / 1e6), events[places < at_us])


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("begins_anew_at", [20_000, 200_000, 285_000])
def test_a_clock_that_begins_anew_anywhere_in_a_large_file_is_found(
    tmp_path: Path, name: str, begins_anew_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "LOOKED_THROUGH", 1000)
    seconds = begins_anew_at // 100
    events, places = made([(0, seconds, begins_anew_at), (0, 3000 - seconds, 300_000 - begins_anew_at)])
    path = WRITERS[name](tmp_path / name, events)
    with opened(path) as file:
        assert file.last_us - file.first_us == places[-1]
    for share in (0.1, 0.8):
        at_us = int(share * places[-1])
        assert same_as(played(path, at_us / 1e6), events[places >= at_us])


@pytest.mark.parametrize("name", list(WRITERS))
@pytest.mark.parametrize("away_us", [-150_000, -999_000, 250_000, 3_600_000_000])
def test_strays_in_any_format_are_no_new_clock(tmp_path: Path, name: str, away_us: int) -> None:
    if away_us > 1 << 31 and name in ("a.dat", "jaer.aedat", "caer.aedat"):
        pytest.skip("its times have 31 or 32 bits")
    events, places = made([(2_000, 900, 6000)])
    for at in (0, 3, 700, 2999, 3000, 5200, 5999):
        events[at, 2] += away_us
    path = WRITERS[name](tmp_path / name, events)
    with opened(path) as file:
        near_us = (
            abs(away_us) if abs(away_us) < 1_000_000 else 0
        )  # an end may be so far off: there is no telling
        assert abs(file.last_us - file.first_us - places[-1]) < 2_000 + near_us
        assert file.time_at(file.last_us) == file.last_us
    assert same_as(played(path), events)


@pytest.mark.parametrize("at", [0, 20, 2980, 2999])
@pytest.mark.parametrize("away_us", [-3_600_000_000, -999_000, 3_600_000_000])
@pytest.mark.parametrize("by_index", [True, False])
def test_a_stray_in_the_first_or_last_packet_makes_no_recording_longer(
    tmp_path: Path, at: int, away_us: int, by_index: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (at, away_us) == (0, -999_000):
        pytest.skip("a first event, and nothing for a second: it may be right")
    monkeypatch.setattr(reader, "_LOOKED_THROUGH", 0 if by_index else 1 << 20)
    events = make_events(3000, 900_000)
    start_us = int(events["t"][0])
    events["t"][at] += away_us
    with Aedat4Writer(tmp_path / "a.aedat4", SIZE) as writer:
        for begin in range(0, len(events), 100):
            writer.write_events(0, events[begin : begin + 100])
    with closing(Recording(tmp_path / "a.aedat4")) as recording:
        assert abs(recording.first_us - start_us) < 1_000
        assert abs(recording.last_us - start_us - 900_000) < 1_000
        assert same(join(recording.read()), events)
