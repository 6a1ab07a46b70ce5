"""Tiny files in each data set's official format, read back through SpikingJelly's decoders."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from event_files import aedat3_file

from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_live.datasets import SPECS, EventDataset, UnreadableSample, open_dataset
from neuroclip_live.datasets.matlab import read_mat
from neuroclip_live.datasets.samples import has_samples, open_samples
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution
from neuroclip_live.stream.frames import discriminate


def events(
    size: int = 60, width: int = 34, height: int = 34, seed: int = 0, last_us: int = 300_000
) -> Packet:
    random = np.random.default_rng(seed)
    packet = np.zeros(size, dtype=EVENT_DTYPE)
    packet["t"] = np.sort(random.integers(0, last_us, size))
    packet["x"], packet["y"] = random.integers(0, width, size), random.integers(0, height, size)
    packet["p"] = random.integers(0, 2, size)
    return packet


def write_atis(path: Path, packet: Packet) -> None:
    x, y, p, t = (packet[k].astype(np.uint32) for k in "xypt")
    rows = np.stack([x, y, p << 7 | t >> 16, t >> 8 & 255, t & 255], axis=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(rows.astype(np.uint8).tobytes())


def write_cifar_aedat(path: Path, packet: Packet) -> None:
    """AEDAT 2, jAER's DVS128 addresses; the data set shows the sensor turned and polarity 1 for OFF."""
    x, y, p = (packet[k].astype(np.uint32) for k in "xyp")
    address = (127 - y) << 1 | (127 - x) << 8 | (1 - p)
    words = np.stack([address, packet["t"].astype(np.uint32)], axis=1).astype(">u4")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"#!AER-DAT2.0\r\n# This is a raw AE data file\r\n" + words.tobytes())


def write_es_npz(path: Path, packet: Packet) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.stack([packet["y"], packet["x"], packet["t"]], axis=1).astype(np.uint16)
    np.savez(path, pos=rows[packet["p"] == 1], neg=rows[packet["p"] == 0])


def write_dat(path: Path, packet: Packet) -> None:
    x, y, p, t = (packet[k].astype(np.uint32) for k in "xypt")
    words = np.stack([t, x | y << 14 | p << 28], axis=1).astype("<u4")
    path.parent.mkdir(parents=True, exist_ok=True)
    header = b"% Data file containing CD events.\n% Version 2\n% Height 100\n% Width 120\n"
    path.write_bytes(header + bytes([12, 8]) + words.tobytes())


def lay_out_n_mnist(root: Path) -> None:
    for part, count in (("Train", 3), ("Test", 2)):
        for digit in (0, 1, 7):
            for k in range(count):
                write_atis(root / part / str(digit) / f"{k:05}.bin", events(seed=digit * 10 + k))


def lay_out_cifar10_dvs(root: Path) -> None:
    for name in ("airplane", "frog"):
        for k in range(4):
            write_cifar_aedat(root / name / f"cifar10_{name}_{k}.aedat", events(80, 128, 128, k))


def lay_out_es_imagenet(root: Path) -> None:
    inner = root / "ES-imagenet-0.18"
    for k in (0, 2, 10):
        for n in range(2):
            write_es_npz(inner / "train" / f"class{k}" / f"n{k}_{n}.npz", events(90, 224, 224, k + n, 8))
    write_es_npz(inner / "val" / "ILSVRC2012_val_1.npz", events(90, 224, 224, 5, 8))
    (inner / "vallabel.txt").write_text("ILSVRC2012_val_1.npz 10 224 224\n")


def lay_out_n_cars(root: Path) -> None:
    for part, count in (("train", 2), ("test", 1)):
        for name in ("cars", "background"):
            for k in range(count):
                write_dat(root / f"n-cars_{part}" / name / f"obj_{k:06}_td.dat", events(70, 120, 100, k))


def lay_out_n_caltech101(root: Path) -> None:
    for name in ("airplanes", "cougar_face", "BACKGROUND_Google"):
        for k in range(5):
            write_atis(root / "Caltech101" / name / f"image_{k:04}.bin", events(70, 240, 180, k))


def write_text(path: Path, packet: Packet, car: bool) -> None:
    """Write as rpg_asynet and AEGNN read N-Cars: x, y, seconds, polarity of -1 and 1; a file says of what."""
    path.mkdir(parents=True)
    rows = np.stack([packet["x"], packet["y"], packet["t"] / 1e6, packet["p"] * 2.0 - 1], axis=1)
    np.savetxt(path / "events.txt", rows, fmt=("%d", "%d", "%.6f", "%d"))
    (path / "is_car.txt").write_text(f"{int(car)}\n")


def write_npy(path: Path, packet: Packet) -> None:
    """Write as rpg_event_representation_learning reads N-Caltech101: float32 of x, y, seconds, -1 or 1."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.stack([packet["x"], packet["y"], packet["t"] / 1e6, packet["p"] * 2.0 - 1], axis=1)
    np.save(path, rows.astype(np.float32))


def write_mat(path: Path, packet: Packet) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    x, y = 239 - packet["x"].astype(np.int64), 179 - packet["y"].astype(np.int64)
    columns = {"ts": packet["t"], "x": x, "y": y, "pol": packet["p"]}
    scipy.io.savemat(path, {name: c.reshape(-1, 1) for name, c in columns.items()}, do_compression=True)


def lay_out_dvs128_gesture(root: Path) -> None:
    """Two recordings, of 3 and 2 gestures of which one comes twice, with others' events between them."""
    for part, name, numbers in (("train", "user01_led", (1, 8, 1)), ("test", "user24_led", (8, 1))):
        recorded, rows = [], ["class,startTime_usec,endTime_usec"]
        for k, number in enumerate(numbers):
            begin = 1_000_000 * (k + 1)
            trial, between = events(200, 128, 128, k), events(40, 128, 128, 9 + k, 400_000)
            trial["t"] += begin
            between["t"] += begin + 400_000
            recorded += [trial, between]
            rows.append(f"{number},{begin},{begin + 300_000}")
        table = np.stack([np.concatenate([p[n] for p in recorded]).astype(np.int64) for n in "xytp"], axis=1)
        aedat3_file(root / f"{name}.aedat", table, packet=90)
        (root / f"{name}_labels.csv").write_text("\n".join([*rows, ""]))
        (root / f"trials_to_{part}.txt").write_text(f"{name}.aedat\n\n")


def lay_out_asl_dvs(root: Path) -> None:
    for letter in "ay":
        for k in range(5):
            write_mat(root / letter / f"{letter}_{k:04}.mat", events(70, 240, 180, k))


LAYOUTS: dict[str, tuple[Callable[[Path], None], tuple[str, ...], int, int, int]] = {
    "n-mnist": (lay_out_n_mnist, ("0", "1", "7"), 9, 6, 60),
    "cifar10-dvs": (lay_out_cifar10_dvs, ("airplane", "frog"), 6, 2, 80),
    "es-imagenet": (lay_out_es_imagenet, ("tench", "great white shark", "brambling"), 6, 1, 90),
    "n-cars": (lay_out_n_cars, ("background", "car"), 4, 2, 70),
    "n-caltech101": (lay_out_n_caltech101, ("airplanes", "cougar face"), 8, 2, 70),
    "dvs128-gesture": (lay_out_dvs128_gesture, ("arm roll", "hand clapping"), 3, 2, 200),
    "asl-dvs": (lay_out_asl_dvs, ("A", "Y"), 8, 2, 70),
}


@pytest.mark.parametrize("key", SPECS)
def test_official_layout_reads_back(key: str, tmp_path: Path) -> None:
    write, labels, train, test, size = LAYOUTS[key]
    write(tmp_path)
    data = open_dataset(key, tmp_path)
    assert data.labels == labels
    assert (len(data.train), len(data.test)) == (train, test)
    assert not {s.name for s in data.train} & {s.name for s in data.test}
    assert {s.label for s in data.train} == set(range(len(labels)))
    for sample in (*data.train, *data.test):
        packet = data.events(sample)
        assert packet.dtype == EVENT_DTYPE
        assert len(packet) == size
    counts = data.counts(data.train[0], 5, "number")
    assert counts.shape == (5, 2, data.spec.resolution.height, data.spec.resolution.width)
    assert counts.sum() == size


def test_values_survive_every_format(tmp_path: Path) -> None:
    written = {
        "n-mnist": (write_atis, "Train/3/a.bin", events(40)),
        "cifar10-dvs": (write_cifar_aedat, "cat/a.aedat", events(40, 128, 128)),
        "n-cars": (write_dat, "n-cars_train/cars/a.dat", events(40, 120, 100)),
        "es-imagenet": (write_es_npz, "train/class4/a.npz", events(40, 224, 224, last_us=8)),
        "n-caltech101": (write_npy, "training/ant/a.npy", events(40, 240, 180)),
        "asl-dvs": (write_mat, "b/a.mat", events(40, 240, 180)),
    }
    for key, (write, place, packet) in written.items():
        write(tmp_path / key / place, packet)
        data = open_dataset(key, tmp_path / key)
        back = data.events(data.train[0])
        order = ["t", "x", "y", "p"]
        np.testing.assert_array_equal(np.sort(back, order=order), np.sort(packet, order=order), err_msg=key)


def test_n_cars_as_text(tmp_path: Path) -> None:
    places = ("train/sequence_0", "val/sequence_1", "test/sequence_9")
    packets = {f"N-Cars/{place}": events(50, 120, 100, k) for k, place in enumerate(places)}
    for number, (place, packet) in enumerate(packets.items()):
        write_text(tmp_path / place, packet, car=number != 1)
    (tmp_path / "N-Cars/train/sequence_7").mkdir()  # without events
    data = open_dataset("n-cars", tmp_path)
    assert data.labels == ("background", "car")
    assert [sample.label for sample in (*data.train, *data.test)] == [1, 0, 1]
    for sample in (*data.train, *data.test):
        written = packets[str(Path(sample.name).parent)]
        for name in ("t", "x", "y", "p"):
            np.testing.assert_array_equal(data.events(sample)[name], written[name])


@pytest.mark.parametrize("packed", [False, True])
def test_mat_is_read_as_scipy_reads_it(tmp_path: Path, packed: bool) -> None:
    dice, arrays = np.random.default_rng(3), {}
    for number, kind in enumerate(("u1", "i1", "<u2", "<i4", ">i4", "<i8", "<f4", "<f8")):
        arrays[f"a_name_of_some_length_{number}"] = dice.integers(0, 100, (number + 1, 3)).astype(kind)
    stored = {**arrays, "text": "no numbers", "cells": np.array([{}, "a"], dtype=object)}
    scipy.io.savemat(tmp_path / "a.mat", stored, do_compression=packed)
    read = read_mat(tmp_path / "a.mat")
    assert read.keys() == arrays.keys()
    for name, array in scipy.io.loadmat(tmp_path / "a.mat", variable_names=list(arrays)).items():
        if name in arrays:
            np.testing.assert_array_equal(read[name], array.ravel(order="F"))


def test_n_caltech101_as_arrays_keeps_its_parts(tmp_path: Path) -> None:
    for part, count in (("training", 3), ("validation", 1), ("testing", 2)):
        for k in range(count):
            write_npy(tmp_path / "N-Caltech101" / part / "cougar_face" / f"{k}.npy", events(50, 240, 180, k))
            write_npy(tmp_path / "N-Caltech101" / part / "BACKGROUND_Google" / f"{k}.npy", events(50))
    data = open_dataset("n-caltech101", tmp_path)
    assert (data.labels, len(data.train), len(data.test)) == (("cougar face",), 4, 2)
    assert all("testing" in sample.name for sample in data.test)


def test_gestures_are_those_that_spikingjelly_cuts_out(tmp_path: Path) -> None:
    from spikingjelly.datasets.dvs128_gesture import _split_aedat_files_to_np

    lay_out_dvs128_gesture(tmp_path)
    for number in range(11):
        (tmp_path / "cut" / str(number)).mkdir(parents=True)
    for name in ("user01_led", "user24_led"):
        csv = tmp_path / f"{name}_labels.csv"
        _split_aedat_files_to_np(name, tmp_path / f"{name}.aedat", csv, tmp_path / "cut")
    data = open_dataset("dvs128-gesture", tmp_path)
    names = [sample.name for sample in (*data.train, *data.test)]
    assert names[:3] == ["user01_led.aedat@1000000", "user01_led.aedat@2000000", "user01_led.aedat@3000000"]
    cut = ["0/user01_led_0", "7/user01_led_0", "0/user01_led_1", "7/user24_led_0", "0/user24_led_0"]
    for sample, theirs in zip((*data.train, *data.test), cut, strict=True):
        ours = data.events(sample)
        with np.load(tmp_path / "cut" / f"{theirs}.npz") as stored:
            for field in ("t", "x", "y", "p"):
                np.testing.assert_array_equal(ours[field], stored[field])


def test_letters_are_turned_as_spikingjelly_turns_them(tmp_path: Path) -> None:
    from spikingjelly.datasets.asl_dvs import _read_mat_save_to_np

    lay_out_asl_dvs(tmp_path)
    data = open_dataset("asl-dvs", tmp_path)
    sample = data.train[0]
    _read_mat_save_to_np(sample.path, tmp_path / "theirs.npz")
    with np.load(tmp_path / "theirs.npz") as stored:
        for field in ("t", "x", "y", "p"):
            np.testing.assert_array_equal(data.events(sample)[field], stored[field])


@pytest.mark.parametrize(
    ("file", "text", "say"),
    [
        ("trials_to_test.txt", "../../etc/passwd\n", "not a file of its folder"),
        ("user01_led_labels.csv", "class,a,b\n1,x,2\n", "not a gesture's number"),
        ("user01_led_labels.csv", "class,a,b\n12,1,2\n", "not one of 1 to 11"),
    ],
)
def test_lists_of_gestures_that_make_no_sense(tmp_path: Path, file: str, text: str, say: str) -> None:
    lay_out_dvs128_gesture(tmp_path)
    (tmp_path / file).write_text(text)
    with pytest.raises(UserError, match=say):
        open_dataset("dvs128-gesture", tmp_path)


@pytest.mark.parametrize("split", ["number", "time"])
def test_n_mnist_through_spikingjellys_own_folders(tmp_path: Path, split: str) -> None:
    """What SpikingJelly itself makes of the official files gives the very same frames."""
    from spikingjelly.datasets.n_mnist import NMNIST

    lay_out_n_mnist(tmp_path / "extract")
    for folder in ("download", "events_np"):
        (tmp_path / folder).mkdir()
    official = open_dataset("n-mnist", tmp_path)
    NMNIST.create_raw_from_extracted(tmp_path / "extract", tmp_path / "events_np")
    made = NMNIST(str(tmp_path), train=True, data_type="frame", frames_number=4, split_by=split)
    assert len(made) == 9
    raw = tmp_path / "extract"
    raw.rename(tmp_path / "gone")
    processed = open_dataset("n-mnist", tmp_path)
    (tmp_path / "events_np").rename(tmp_path / "gone too")
    frames = open_dataset("n-mnist", tmp_path, timesteps=4, split=split)  # type: ignore[arg-type]
    (tmp_path / "gone").rename(raw)
    (tmp_path / "gone too").rename(tmp_path / "events_np")
    assert (official.form, processed.form, frames.form) == ("official", "events", "frames")
    for a, b, c in zip(official.train, processed.train, frames.train, strict=True):
        first = official.counts(a, 4, "number")
        np.testing.assert_array_equal(first, processed.counts(b, 4, "number"))
        if split == "number":
            np.testing.assert_array_equal(first, frames.counts(c, 4, "number"))
        assert a.label == b.label == c.label


def test_nothing_is_written_under_the_root(tmp_path: Path) -> None:
    lay_out_cifar10_dvs(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    data = open_dataset("cifar10-dvs", tmp_path)
    data.counts(data.train[0], 3, "time")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("suffix", [".aedat4", ".aedat"])
def test_cifar10_dvs_as_aedat_4_whatever_it_is_called(tmp_path: Path, suffix: str) -> None:
    for name in ("airplane", "frog"):
        (tmp_path / name).mkdir()
        for k in range(2):
            given = events(80, 128, 128, k)
            write_aedat4(tmp_path / name / f"cifar10_{name}_{k}{suffix}", [given], Resolution(128, 128))
    data = open_dataset("cifar10-dvs", tmp_path)
    assert len(data.train) + len(data.test) == 4
    for sample in (*data.train, *data.test):
        wanted = events(80, 128, 128, int(Path(sample.path).stem[-1]))
        assert int(data.counts(sample, 4, "number").sum()) == len(wanted)


def test_half_a_recording_of_cifar10_dvs_is_not_scored_unseen(tmp_path: Path) -> None:
    path = tmp_path / "cat" / "a.aedat4"
    path.parent.mkdir()
    many = [events(80, 128, 128, 1) for _ in range(20)]
    write_aedat4(path, many, Resolution(128, 128))
    data = open_dataset("cifar10-dvs", tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(UnreadableSample, match="lost"):
        data.counts(data.train[0], 4, "number")


@pytest.mark.parametrize("version", ["1.0", "3.1", "5.0"])
def test_cifar10_dvs_in_another_version_is_refused_by_name(tmp_path: Path, version: str) -> None:
    path = tmp_path / "cat" / "a.aedat"
    path.parent.mkdir()
    path.write_bytes(f"#!AER-DAT{version}\r\n#!END-HEADER\r\n".encode() + bytes(range(64)) * 4)
    data = open_dataset("cifar10-dvs", tmp_path)
    with pytest.raises(UnreadableSample, match=f"AEDAT {version}, not 2 or 4"):
        data.counts(data.train[0], 4, "number")


def test_the_split_is_the_same_every_time_and_moves_with_the_seed(tmp_path: Path) -> None:
    for k in range(20):
        write_atis(tmp_path / "Train" / "4" / f"{k}.bin", events(seed=k))
    one, again, other = (open_dataset("n-mnist", tmp_path, seed=s) for s in (0, 0, 1))
    assert one.test == again.test
    assert one.test != other.test
    assert len(one.test) == 10


def _one_bad(tmp_path: Path, content: bytes) -> EventDataset:
    bad = tmp_path / "Train" / "0" / "bad.bin"
    bad.parent.mkdir(parents=True)
    bad.write_bytes(content)
    return open_dataset("n-mnist", tmp_path)


@pytest.mark.parametrize(
    ("content", "say"), [(b"", "no events"), (b"1234567", "whole records"), (b"12345" * 3, "3 events for 10")]
)
def test_unreadable_samples_say_why(tmp_path: Path, content: bytes, say: str) -> None:
    data = _one_bad(tmp_path, content)
    with pytest.raises(UnreadableSample, match=say):
        data.counts(data.train[0], 10, "number")


def npy_bytes(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def mat_bytes(**arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    scipy.io.savemat(out, arrays)
    return out.getvalue()


@pytest.mark.parametrize(
    ("key", "place", "content"),
    [
        ("cifar10-dvs", "cat/a.aedat", b"not an aedat file"),
        ("cifar10-dvs", "cat/a.aedat", b"#!AER-DAT2.0\r\n\x00\x01\x02"),
        ("es-imagenet", "train/class1/a.npz", b"PK\x03\x04 no zip"),
        ("es-imagenet", "train/class1/a.npz", b""),
        ("n-cars", "n-cars_train/cars/a.dat", b"% a header without end"),
        ("n-cars", "n-cars_train/cars/a.dat", b"% Version 2\n\x0c\x08" + struct.pack("<IIH", 1, 2, 3)),
        ("n-cars", "n-cars_train/cars/a.dat", b""),
        ("n-caltech101", "train/ant/a.npy", b"\x93NUMPY"),
        ("n-caltech101", "train/ant/a.npy", npy_bytes(np.zeros((5, 3)))),
        ("n-caltech101", "train/ant/a.npy", npy_bytes(np.full((5, 4), np.nan))),
        ("n-caltech101", "train/ant/a.npy", npy_bytes(np.zeros((5, 4)))[:-9]),
        ("n-caltech101", "train/ant/a.npy", npy_bytes(np.array([{}], dtype=object))),
        ("asl-dvs", "a/a.mat", b"MATLAB 5.0 MAT-file, not"),
        ("asl-dvs", "a/a.mat", b""),
        ("asl-dvs", "a/a.mat", mat_bytes(ts=np.arange(3), x=np.arange(3), y=np.arange(3))),
        ("asl-dvs", "a/a.mat", mat_bytes(ts=np.arange(4), x=np.arange(3), y=np.arange(3), pol=np.arange(3))),
        ("asl-dvs", "a/a.mat", mat_bytes(ts=np.arange(300))[:-60]),
    ],
)
def test_damaged_files_of_other_formats(tmp_path: Path, key: str, place: str, content: bytes) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    data = open_dataset(key, tmp_path)
    with pytest.raises(UnreadableSample):
        data.events(data.train[0])


def test_clock_wraps_of_atis_are_no_events(tmp_path: Path) -> None:
    packet = events(20, last_us=8000)
    packet["y"][10] = 240
    write_atis(tmp_path / "Train" / "0" / "a.bin", packet)
    data = open_dataset("n-mnist", tmp_path)
    back = data.events(data.train[0])
    assert len(back) == 19
    np.testing.assert_array_equal(back["t"][10:], packet["t"][11:] + 8192)


@pytest.mark.parametrize("key", SPECS)
def test_a_wrong_layout_says_what_was_expected_and_where_to_get_it(key: str, tmp_path: Path) -> None:
    (tmp_path / "something else").mkdir()
    with pytest.raises(UserError, match="does not look like") as error:
        open_dataset(key, tmp_path)
    assert SPECS[key].expected in str(error.value)
    assert "https://" in str(error.value)


def test_archives_still_packed(tmp_path: Path) -> None:
    (tmp_path / "Train.zip").touch()
    with pytest.raises(UserError, match=r"unpack Train\.zip, so that there is Train/<digit>"):
        open_dataset("n-mnist", tmp_path)


def test_no_such_root_and_no_such_data_set(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no folder"):
        open_dataset("n-mnist", tmp_path / "nowhere")
    with pytest.raises(UserError, match="no data set is called 'mnist'; choose folder, n-mnist"):
        open_dataset("mnist", tmp_path)


def test_spikingjelly_was_interrupted(tmp_path: Path) -> None:
    (tmp_path / "events_np" / "train" / "0").mkdir(parents=True)
    (tmp_path / "events_np.building").touch()
    with pytest.raises(UserError, match="did not finish"):
        open_dataset("n-mnist", tmp_path)


def test_real_n_mnist(data_dir: Path) -> None:
    data = open_dataset("n-mnist", data_dir / "nmnist")
    assert data.labels == tuple("0123456789")
    assert len(data.train) + len(data.test) == 1000
    frame = discriminate(data.counts(data.train[0], 10, "number")[0])
    assert set(np.unique(frame)) == {0, 127, 255}


def test_a_folder_of_bare_samples(tmp_path: Path) -> None:
    for name in ("left_hand", "right_hand"):
        for k in range(5):
            write_atis(tmp_path / name / f"{k}.bin", events(70, 120, 100, k))
    assert has_samples(tmp_path)
    data = open_samples(tmp_path)
    assert data.labels == ("left hand", "right hand")
    assert (len(data.train), len(data.test)) == (8, 2)
    assert data.spec.resolution == (128, 128)
    assert data.counts(data.test[0], 4, "number").sum() == 70
    assert not data.spec.flip


def test_a_folder_of_bare_samples_that_is_split(tmp_path: Path) -> None:
    for part, count in (("train", 3), ("test", 2)):
        for name in ("a", "b"):
            for k in range(count):
                write_atis(tmp_path / part / name / f"{k}.bin", events(70, seed=k))
    data = open_samples(tmp_path)
    assert (len(data.train), len(data.test)) == (6, 4)
    assert data.spec.resolution == (34, 34)


def test_a_folder_of_samples_that_cannot_be_read(tmp_path: Path) -> None:
    assert not has_samples(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "0.bin").write_bytes(b"abc")
    with pytest.raises(UserError, match=r"no .bin sample that can be read \(.*0.bin: 3 bytes"):
        open_samples(tmp_path)
