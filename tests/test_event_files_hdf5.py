"""HDF5 files: what is their own. What all formats have in common is in ``test_event_files.py``."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import event_files as made
import numpy as np
import pytest

from neuroclip_drivers.files import isolated
from neuroclip_drivers.files.columns import to_packet
from neuroclip_drivers.files.ecf import decode_ecf
from neuroclip_drivers.files.event_file import FileOptions
from neuroclip_drivers.files.hdf5 import Hdf5File
from neuroclip_drivers.files.isolated import IsolatedReader, ReaderDied
from neuroclip_drivers.files.open_file import open_event_file
from neuroclip_drivers.files.shared_slots import SharedSlots
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE

N = np.arange(96)
ECF = {
    "rows, columns and polarities in 24 bits": (
        (N * 7 % 640, N * 13 % 480, 1000 + N * N * 5, N % 2),
        "ggEAAOgDAAAAAAAAAVH/AfnxAfPyAf3yAffzAfH0Afv0AfX1Af/1Afn2AfP3Af33Aff4AfH5Afv5AfX6Af/6Afn7AfP8Af38"
        "Aff9AfH+Afv+AfX/Af//Afnw8QHz8fEB/fHxAffy8QHx8/EB+/PxAfX08QH/9PEB+fXxAfP28QH99vEB9/fxAfH48QH7+PEB"
        "9fnxAf/58QH5+vEB8/vxAf378QH3/PEB8f3xAfv98QH1/vEB//7xAfn/8QHz8PIB/fDyAffx8gHx8vIB+/LyAfXz8gH/8/IB"
        "+fTyAfP18gH99fIB9/byAfH38gH79/IB9fjyAf/48gH5+fIB8/ryAf368gH3+/IB8fzyAfv88gH1/fIB//3yAfn+8gHz//IB"
        "/f/yAffw8wHx8fMB+/HzAfXy8wH/8vMB+fPzAfP08wH99PMB9/XzAfH28wH79vMB9ffzAf/38wH5+PMB8/nzAf358wH3+vMB"
        "8fvzAQ8AAAAcoNAAK3ACAUc4QANU4BAEY7AFBH9wgAaMIFAHm/AICLeowAnEYJAK0zAMC+/gAA38oNANC3EPDicYQRA04RER"
        "Q7ESEV9QgRNsIVEUe/EVFZeIwRakYZEXszEZGM/AARrcodEa63EcGwf4QR0U4hIAI7IBAD8wggJMIlIDW/IEBHdowgWEYpIG"
        "kzIIB6+gAgm8otIJy3ILCufYQgz04hINA7MODR8Qgw8sI1MQO/MREVdIwxJkY5MTczMVFI+AAxaco9MWq3MYF8e4QxnU4xMa"
        "47MbGv/wgxwMJFMdG/QAADcoxAFEZJQCUzQEA29gBAV8pNQFi3QHBqeYRAi05BQJw7QKCd/QhAvsJFQM+/QNDRcIwA4kYJAP"
        "MzAREA==",
    ),
    "columns and polarities in 12 bits": (
        (N * 29 % 640, N // 24 * 3, 5000 + N // 10 * 40_000, N // 3 % 2),
        "gQEAAIgTAAAAAAAACvD0/PkK8PT8+Qrw9Pz5CvD0/PkK8PT8+Qrw9Pz5CvD0/PkK8PT8+Qrw9Pz5BhgAeADYADgBCgB0A68A"
        "kw5cEpYRCx1FIH8igissL2czGzoUPU5Eg0j9TDdACgfkCh8BkxXMGQYSCyS1J+8igjKcNtczG0GERL5Eg09tA6cACg5UEY8R"
        "kxw8IHYiCyslLl8zgjkMPUdEG0j0Sy5AgwbdChcBChXEGP8RkyOsJ+YiCzKVNc8zgkB8RLdEG09kAp4Agw1NEYcR",
    ),
    "columns with masks": (
        (N % 32 * 2 + N // 32, N // 32 * 5, 70_000 + N // 32 * 300, N // 48),
        "gAEAAHARAQAAAAAADyAA/PLxDyAA/PLxDyAAHwAgAL8AIABfASAACgDKAIoBSgIKA8oDigRKBQoGygaIByoA6gCqAWoCKgPq"
        "A6oEagUqBuoGqAdKAAoBygGKAkoDCgTKBIoFSgYKB8gHMLA=",
    ),
}
"""Chunks made by the encoder that Prophesee publishes (hdf5_ecf), one for each of its packings."""


@pytest.mark.parametrize("packing", list(ECF))
def test_the_compression_of_prophesee(packing: str) -> None:
    (x, y, t, p), text = ECF[packing]
    chunk = base64.b64decode(text)
    pairs = decode_ecf(chunk)
    assert np.array_equal(pairs[:, 0], t)
    assert np.array_equal(pairs[:, 1], x | y << 16 | p << 32)
    dice = np.random.default_rng(0)
    for length in range(len(chunk) - 1):
        with pytest.raises(ValueError, match="chunk"):
            decode_ecf(chunk[:length])
    for _ in range(2000):
        bad = bytearray(chunk)
        for _ in range(int(dice.integers(1, 6))):
            bad[int(dice.integers(0, len(bad)))] = int(dice.integers(0, 256))
        try:
            decode_ecf(bytes(bad))
        except ValueError:
            pass


def test_a_file_that_is_compressed_so(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    dtype = np.dtype({"names": ["x", "y", "p", "t"], "formats": ["<u2", "<u2", "<i2", "<i8"], "itemsize": 16})
    columns = [np.concatenate([ECF[name][0][i] for name in ECF]) for i in range(4)]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((96,))
        plist.set_filter(0x8ECF, h5py.h5z.FLAG_OPTIONAL, ())
        group = file.create_group("CD")
        data = h5py.h5d.create(
            group.id, b"events", h5py.h5t.py_create(dtype), h5py.h5s.create_simple((288,)), plist
        )
        for number, (_, text) in enumerate(ECF.values()):
            data.write_direct_chunk((96 * number,), base64.b64decode(text))
    file = open_event_file(tmp_path / "a.h5")
    events = np.concatenate(list(file.read()))
    for name, column in zip("xytp", columns, strict=True):
        assert np.array_equal(events[name], column), name


def test_the_other_camera_of_a_stereo_file(tmp_path: Path) -> None:
    path = made.hdf5_file(tmp_path / "a.h5", made.scene(), "MVSEC")
    left, right = open_event_file(path), open_event_file(path, FileOptions(stream="right"))
    assert (sum(map(len, left.read())), sum(map(len, right.read()))) == (len(made.scene()), 100)
    assert "plays davis/left/events, not davis/right/events (choose with --stream)" in left.streams_note
    with pytest.raises(UserError, match="Choose with --stream: davis/left/events; davis/right/events"):
        open_event_file(path, FileOptions(stream="middle"))


def test_links_to_other_files_are_not_followed(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    made.hdf5_file(tmp_path / "secret.h5", made.scene(), "v2e")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["events"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/events")
        layout = h5py.VirtualLayout((100, 4), dtype="u4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "events", shape=(100, 4))
        file.create_virtual_dataset("more", layout)
        file.create_dataset("raw", (100, 4), "u4", external=str(tmp_path / "secret.h5"))
    with pytest.raises(UserError, match="holds no table of events"):
        open_event_file(tmp_path / "a.h5")


def test_a_reader_that_dies_costs_a_block(tmp_path: Path) -> None:
    path = made.hdf5_file(tmp_path / "a.h5", made.scene(count=200_000), "v2e")
    file = open_event_file(path)
    assert isinstance(file, Hdf5File)
    packets = file.read()
    first = next(packets)
    process = file._reader._process
    assert process is not None
    process.kill()
    process.wait()
    left = [first, *packets]
    assert sum(map(len, left)) == len(made.scene(count=200_000)) - (1 << 16)
    assert "1 damaged part was left out (about 65,536 events)" in file.losses
    file.close()


@pytest.mark.parametrize("layout", ["DSEC", "v2e"])
def test_without_shared_memory_the_pipe_brings_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    events = made.scene(count=200_000)
    path = made.hdf5_file(tmp_path / "a.h5", events, layout)
    shared = open_event_file(path)
    by_slots = [packet.tobytes() for packet in shared.read()]
    shared.close()
    monkeypatch.setattr(SharedSlots, "create", lambda: None)
    piped = open_event_file(path)
    assert [packet.tobytes() for packet in piped.read()] == by_slots
    assert sum(map(len, by_slots)) == len(events) * EVENT_DTYPE.itemsize
    piped.close()


def test_what_was_given_stays_when_the_slots_are_filled_again(tmp_path: Path) -> None:
    file = open_event_file(made.hdf5_file(tmp_path / "a.h5", made.scene(count=300_000), "DSEC"))
    packets, kept = [], []
    for packet in file.read():
        packets.append(packet)
        kept.append(packet.tobytes())
    file.close()
    assert [packet.tobytes() for packet in packets] == kept


@pytest.mark.parametrize("kind", ["<u2", "<i4", "<u4", "<i8", "<u8", "<f4"])
def test_coordinates_that_no_sensor_has_stay_outside(kind: str) -> None:
    top = np.finfo(kind).max if kind == "<f4" else np.iinfo(kind).max
    values = np.array([0, 32767, 32768, top], dtype=kind)
    packet, strange = to_packet({"t": N[:4], "x": values, "y": values[::-1], "p": N[:4] % 2}, "us")
    assert packet["x"][:2].tolist() == packet["y"][:1:-1].tolist() == [0, 32767]
    assert (packet["x"][2:] < 0).all()
    assert (packet["y"][:2] < 0).all()
    assert packet["p"].tolist() == [0, 1, 0, 1]
    assert strange == 0
    assert not packet.view(np.uint8).reshape(-1, 16)[:, 13:].any()  # the padding


def test_a_reader_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "ANSWER_S", 0.3)
    reader = IsolatedReader("json.tool", "-", {})  # it waits for the end of what it is given
    with pytest.raises(ReaderDied):
        reader.ask({})
    reader.close()
    with pytest.raises(ReaderDied):
        reader.ask({})


def test_without_the_package_its_install_line_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made.hdf5_file(tmp_path / "a.h5", made.scene(count=1000), "v2e")
    monkeypatch.setitem(sys.modules, "h5py", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        UserError, match=r'needs h5py, not installed here. .*pip install "neuroclip-live\[hdf5\]"'
    ):
        open_event_file(path)
