"""docs/formats.md and the tests say the same: every format has its row, and every test it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_event_files import FILES, PEERS

from neuroclip_drivers.files.registry import BUILT_IN

TESTS = Path(__file__).resolve().parent
TEXT = (TESTS.parent / "docs" / "formats.md").read_text(encoding="utf-8")
TABLE = [line.strip("|").split("|") for line in TEXT.splitlines() if line.startswith("|")]
HEAD, ROWS = TABLE[0], {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in TABLE[2:]}
KINDS = {
    "evt": "Prophesee EVT",
    "dat": "Prophesee DAT",
    "aedat2": "AEDAT 2",
    "aedat3": "AEDAT 3",
    "npy": "NumPy",
    "npz": "NumPy archive",
    "hdf5": "HDF5",
    "rosbag": "ROS 1 bag",
    "rosbag2": "ROS 2 bag",
    "mcap": "MCAP",
    "text": "text",
}
"""What a file of :data:`FILES` is called that is of a format, or how that begins."""
PEER_WORDS = {
    "evt": "EVT2|EVT3",
    "dat": "DAT of",
    "aedat2": "AEDAT 2",
    "aedat3": "AEDAT 3.1",
    "npy": "npy",
    "npz": "npz",
    "hdf5": "HDF5",
    "rosbag": "ROS 1 bag",
    "rosbag2": "ROS 2 bag",
    "mcap": "MCAP",
    "text": "text|CSV",
}


def test_every_format_has_a_row_in_its_order() -> None:
    assert list(ROWS) == ["aedat4", *KINDS]
    assert {*ROWS} == {each.name for each in BUILT_IN}
    assert all(len(cells) == len(HEAD) - 1 and all(cells) for cells in ROWS.values())


@pytest.mark.parametrize("name", list(KINDS))
def test_the_tests_of_a_column_run_on_files_of_every_row(name: str) -> None:
    begins = KINDS[name]
    exact = name in ("npy", "text")  # "NumPy" begins the archive's name, too
    kinds = [kind for kind, _, _ in FILES.values() if (kind == begins if exact else kind.startswith(begins))]
    assert kinds


@pytest.mark.parametrize("name", list(PEER_WORDS))
def test_every_reader_that_is_named_is_compared(name: str) -> None:
    of_row = " ".join(peer for peer in PEERS if re.search(PEER_WORDS[name], peer))
    told = re.findall(r"EventCV|faery|expelliarmus|evlib|tonic|NumPy|h5py|rosbags|csv", ROWS[name][-1])
    assert told
    for reader in told:
        assert re.search(rf"(by|and) .*{reader}", of_row, re.IGNORECASE), reader


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`(test_\w+\.py(?:::test_\w+)?)`", TEXT))))
def test_every_test_that_is_named_is_there(named: str) -> None:
    file, _, function = named.partition("::")
    text = (TESTS / file).read_text(encoding="utf-8")
    assert not function or f"def {function}(" in text
