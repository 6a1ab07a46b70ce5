"""Files of bare words, of Prophesee's and jAER's formats, with some of them damaged."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import event_files as made
import numpy as np
import pytest
from event_files import Table
from hypothesis import given, settings
from hypothesis import strategies as st
from test_event_files import table

from neuroclip_drivers.files.open_file import open_event_file
from neuroclip_drivers.replay import ReplaySource

EVT3_HEADER = b"% evt 3.0\n% geometry 640x480\n% end\n"
EVT2_HEADER = b"% evt 2.0\n% geometry 640x480\n% end\n"


def ticking(seconds: float, start_us: int, step_us: int = 499) -> Table:
    """Events at even times, each somewhere else."""
    t = np.arange(start_us, start_us + round(seconds * 1e6), step_us, dtype=np.int64)
    n = np.arange(len(t))
    return np.stack([n * 7 % 640, n * 13 % 480, t, n & 1], axis=1)


def evt3_file(path: Path, events: Table) -> Path:
    """Write EVT3: a word of time whenever its upper part changes, and before every event its lower part."""
    words: list[int] = []
    high = None
    for x, y, t, p in events.tolist():
        if t >> 12 != high:
            high = t >> 12
            words.append(0x8000 | high & 0xFFF)
        words += [0x6000 | t & 0xFFF, y, 0x2000 | p << 11 | x]
    path.write_bytes(EVT3_HEADER + np.array(words, dtype="<u2").tobytes())
    return path


def evt2_file(path: Path, events: Table) -> Path:
    """Write EVT2: a word of time whenever its upper part changes."""
    words: list[int] = []
    high = None
    for x, y, t, p in events.tolist():
        if t >> 6 != high:
            high = t >> 6
            words.append(8 << 28 | high & 0xFFFFFFF)
        words.append(p << 28 | (t & 63) << 22 | x << 11 | y)
    path.write_bytes(EVT2_HEADER + np.array(words, dtype="<u4").tobytes())
    return path


ENCODINGS: dict[str, tuple[Callable[[Path, Table], Path], str, int, int, int]] = {
    # who writes it, what a word is, places of its kind and of its time, and a range of the clock
    "EVT2": (evt2_file, "<u4", 28, 0xFFFFFFF, 1 << 34),
    "EVT2.1": (made.evt21_file, "<u8", 60, 0xFFFFFFF << 32, 1 << 34),
    "EVT3": (evt3_file, "<u2", 12, 0xFFF, 1 << 24),
}


def changed_words(path: Path, word: str, changes: dict[int, int], shift: int) -> tuple[int, int]:
    """Put other bits into words of time, told by their number; return how many there are, and in all."""
    data = path.read_bytes()
    begin = data.index(b"% end\n") + 6
    words = np.frombuffer(data[begin:], dtype=word).copy()
    highs = np.flatnonzero(words >> shift == 8)
    for number, bits in changes.items():
        words[highs[number % len(highs)]] ^= np.array(bits, dtype=word)
    path.write_bytes(data[:begin] + words.tobytes())
    return len(highs), len(words)


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(max_examples=40, deadline=None)
@given(
    share=st.floats(0.02, 0.98),
    flipped=st.integers(1, (1 << 28) - 1),
    before_wrap_s=st.floats(0.2, 9.0),
)
def test_one_wrong_word_of_time_moves_no_later_event(
    encoding: str, share: float, flipped: int, before_wrap_s: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever it says, also near where the clock begins anew: events after it are when they were."""
    write, word, shift, mask, span = ENCODINGS[encoding]
    seconds = 10.0 if encoding == "EVT3" else 2.0
    events = ticking(seconds, span - round(before_wrap_s * seconds / 10 * 1e6), 997)
    path = write(tmp_path_factory.mktemp("raw") / "a.raw", events)
    intact = table(open_event_file(path).read())
    lowest = mask & -mask
    count, _ = changed_words(path, word, {}, shift)
    hit = round(share * count)
    changed_words(path, word, {hit: (flipped * lowest) & mask}, shift)
    file = open_event_file(path)
    left = table(file.read())
    assert np.array_equal(left[:, [0, 1, 3]], intact[:, [0, 1, 3]])
    moved = np.flatnonzero(left[:, 2] != intact[:, 2])
    per_word = -(-4096 // 997) + 1 if encoding == "EVT3" else 1
    assert len(moved) <= per_word  # of the events that the word counts for
    if len(moved):
        assert moved[-1] - moved[0] < per_word
        if not file.losses:
            assert abs(left[moved, 2] - intact[moved, 2]).max() <= 20_000 + 4096
        else:
            assert file.losses == "1 word of time was passed over, far from all around"
            assert abs(left[moved, 2] - intact[moved, 2]).max() <= 4096
    assert file.duration_us <= intact[-1, 2] - intact[0, 2] + 30_000
    at = int(intact[-1, 2]) - 300_000
    assert next(file.read(at))["t"][0] >= at


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_strays_among_many_new_beginnings_move_nothing(encoding: str, tmp_path: Path) -> None:
    """Words of time of several minutes, a hundred of them anything at all; reading begins anywhere."""
    write, word, shift, mask, span = ENCODINGS[encoding]
    events = ticking(200.0, span - 3_000_000, 4099)
    path = write(tmp_path / "a.raw", events)
    intact = table(open_event_file(path).read())
    assert np.array_equal(intact[:, 2] - intact[0, 2], events[:, 2] - events[0, 2])
    dice = np.random.default_rng(0)
    count, _ = changed_words(path, word, {}, shift)
    lowest = mask & -mask
    hits = {
        int(n): int(dice.integers(1, 1 << 12 if encoding == "EVT3" else 1 << 28)) * lowest & mask
        for n in np.arange(50, count - 50, count // 100) + dice.integers(0, 30)
    }
    changed_words(path, word, hits, shift)
    file = open_event_file(path)
    left = table(file.read())
    assert (left[:, 2] != intact[:, 2]).sum() <= 2 * len(hits)
    assert file.last_us == int(intact[-1, 2])
    assert "words of time were passed over" in file.losses
    for t_us in intact[[1000, len(intact) // 2, len(intact) - 300], 2].tolist():
        assert abs(int(next(file.read(t_us))["t"][0]) - t_us) < 25_000


def test_a_step_back_where_the_clock_begins_anew_is_one(tmp_path: Path) -> None:
    """The time just before a new beginning, just after it, is no second beginning."""
    for encoding in ("EVT2", "EVT3"):
        write, _, _, _, span = ENCODINGS[encoding]
        events = ticking(1.0, span - 500_000)
        late = int(np.flatnonzero(events[:, 2] >= span)[0])
        events[late + 1, 2] -= 1_500
        left = table(open_event_file(write(tmp_path / f"{encoding}.raw", events)).read())
        assert np.array_equal(left[:, 2] - left[0, 2], events[:, 2] - events[0, 2]), encoding


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_steps_and_silences_of_whole_files_are_kept(encoding: str, tmp_path: Path) -> None:
    """Jitter, silences of seconds, and a clock that begins anew: every time as it was written."""
    write, *_ = ENCODINGS[encoding]
    dice = np.random.default_rng(2)
    events = np.concatenate([ticking(1.0, 3_000_000), ticking(1.0, 9_000_000), ticking(1.0, 7_500_000)])
    events[:, 2] -= dice.integers(0, 15_000, len(events)) * (dice.random(len(events)) < 0.1)
    if encoding == "EVT2.1":
        events[:, 0] &= ~31  # an order of their own in a word
    file = open_event_file(write(tmp_path / "a.raw", events))
    assert np.array_equal(table(file.read()), events)
    assert file.losses == ""


def dat_file(path: Path, events: Table) -> Path:
    """Write DAT of version 2."""
    x, y, t, p = events.T
    words = np.stack([t, x | y << 14 | p << 28], axis=1).astype("<u4")
    path.write_bytes(b"% Version 2\n% Width 640\n% Height 480\n\x0c\x08" + words.tobytes())
    return path


WRITERS: dict[str, tuple[Callable[[Path, Table], Path], int, Table]] = {
    "EVT2": (evt2_file, 4, made.scene(count=40_000)),
    "EVT2.1": (made.evt21_file, 8, made.scene(count=40_000)),
    "EVT3": (evt3_file, 2, made.scene(count=40_000)),
    "DAT": (dat_file, 8, made.scene(count=40_000)),
    "AEDAT 2": (made.aedat2_file, 8, made.scene(made.DVS128, count=40_000)),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_hole_that_is_no_whole_word_is_told(name: str, tmp_path: Path) -> None:
    """What follows may be made up; a hole of whole words, and a whole file, say nothing of the kind."""
    write, word, events = WRITERS[name]
    path = write(tmp_path / ("a.aedat" if "AEDAT" in name else "a.dat" if name == "DAT" else "a.raw"), events)
    data = path.read_bytes()
    assert "made up" not in open_event_file(path).losses
    middle = len(data) // 2 // word * word
    data = data[:1_000] + b"\r\n" * word + data[1_000:]  # or it would be taken for a copy in text mode
    # half a record of AEDAT 2 is as like a whole one: an address has its zeros where a time has them
    for missing in [n for n in range(1, word) if (name, n) != ("AEDAT 2", 4)]:
        path.write_bytes(data[:middle] + data[middle + 8_000 + missing :])
        losses = open_event_file(path).losses
        assert "in the middle of a word" in losses, missing
    path.write_bytes(data[:middle] + data[middle + 8_000 :])
    assert "in the middle of a word" not in open_event_file(path).losses


RECORDS: dict[str, tuple[Callable[[Path, Table], Path], str, int]] = {
    # who writes it, what a record's numbers are, and which of the two is the time
    "a.dat": (dat_file, "<u4", 0),
    "a.aedat": (made.aedat2_file, ">u4", 1),
}


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("start_us", [5_000_000, (1 << 32) - 1_000_000], ids=["", "new beginning"])
@pytest.mark.parametrize("bit", [24, 29, 30, 31])
def test_one_wrong_time_of_a_record_moves_nothing_else(
    name: str, start_us: int, bit: int, tmp_path: Path
) -> None:
    """Wherever it lies, also where a block or the file begins or ends: what is sampled for seeking."""
    write, number, column = RECORDS[name]
    events = ticking(100.0, start_us)
    events[:, 0] %= 128
    events[:, 1] %= 128
    path = write(tmp_path / name, events)
    intact, whole = table(open_event_file(path).read()), path.read_bytes()
    begin = len(whole) - 8 * len(events)
    seconds = intact[:, 2] - intact[0, 2]
    for hit in (0, 1, 65_535, 65_536, 65_537, 131_072, 150_000, len(events) - 2, len(events) - 1):
        words = np.frombuffer(whole[begin:], dtype=number).reshape(-1, 2).copy()
        words[hit, column] ^= 1 << bit
        path.write_bytes(whole[:begin] + words.tobytes())
        file = open_event_file(path)
        left = table(file.read())
        others = np.arange(len(events)) != hit
        others[0] = False
        assert np.array_equal(left[others, 2] - left[2, 2], intact[others, 2] - intact[2, 2]), hit
        assert abs(file.duration_us - seconds[-1]) < 10_000, hit
        for at in (66_000, 140_000, len(events) - 500):
            with contextlib.closing(ReplaySource(path, speed=None, start_s=seconds[at] / 1e6)) as source:
                found = next(packet for packet in source.packets() if len(packet))["t"]
            assert abs(int(found[0]) - file.first_us - int(seconds[at])) < 10_000, (hit, at)
