"""Sizes that files declare are looked at before they are believed; names in files lead nowhere else."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from neuroclip_drivers.simulator.pictures import MAX_PICTURE_BYTES, picture_size, read_picture
from neuroclip_drivers.simulator.source import SimulatorSource
from neuroclip_gui.settings import SettingsStore, WindowSettings
from neuroclip_live.bounded import MAX_PROMPTS_BYTES, MAX_SETTINGS_BYTES, parse_json, read_bounded
from neuroclip_live.config import read_saved
from neuroclip_live.datasets import open_dataset
from neuroclip_live.datasets.formats import read_events_npz, read_frames_npz, read_sample
from neuroclip_live.datasets.limits import MAX_SAMPLE_BYTES, UnreadableSample, inside
from neuroclip_live.errors import UserError
from neuroclip_live.learning.adapter import load_adapter
from neuroclip_live.prompting.prompts import read_prompts

DEEP = "[" * 100_000

# ---- small files


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 10)
    assert read_bounded(path, 10) == b"x" * 10
    with pytest.raises(OSError, match="larger than 9 bytes"):
        read_bounded(path, 9)
    with pytest.raises(OSError, match="larger"):
        read_bounded(Path("/dev/zero"), 1000)  # has no size and no end


def test_deep_json_is_an_error_like_any_other() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json(DEEP)


@pytest.mark.parametrize("endless", [True, False])
def test_prompt_files(tmp_path: Path, endless: bool) -> None:
    path = Path("/dev/zero") if endless else tmp_path / "words.txt"
    if not endless:
        path.write_text("mug\n" * (MAX_PROMPTS_BYTES // 4 + 1))
    with pytest.raises(UserError, match="larger than"):
        read_prompts(path)


@pytest.mark.parametrize("text", ["{" + " " * MAX_SETTINGS_BYTES + "}", DEEP], ids=["large", "deep"])
def test_settings_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "window.json"
    path.write_text(text)
    with pytest.raises(UserError, match="--config"):
        read_saved(path)
    store = SettingsStore(path)
    assert store.load() == WindowSettings()
    assert "could not be read" in store.complaint
    assert path.with_suffix(".broken.json").read_text() == text  # kept for its owner


# ---- safetensors


def test_an_adapter_that_asks_for_a_terabyte(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    about = {
        "format": "neuroclip-live adapter 1",
        "model": "event-nano",
        "embed_dim": 1 << 20,
        "timesteps": 10,
        "labels": ["a", "b"],
    }
    path = tmp_path / "a.safetensors"
    weights = {"squeeze.2.weight": np.zeros((2, 16), np.float32)}
    save_file(weights, path, metadata={"neuroclip_live": json.dumps(about)})
    with pytest.raises(UserError, match="not an adapter"):
        load_adapter(path)


# ---- samples of data sets


def npz(path: Path, **arrays: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in arrays.items():
            archive.writestr(f"{name}.npy", data)
    return path


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def claiming(shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    header = {"descr": "<i8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + b"\0" * 64


def refused(path: Path, words: str) -> None:
    with pytest.raises(UnreadableSample, match=words):
        read_sample(path, read_events_npz)
    with pytest.raises(UnreadableSample, match=words):
        read_frames_npz(path)


def test_archives_of_arrays(tmp_path: Path) -> None:
    good = {name: npy(np.arange(5)) for name in "txyp"}
    assert len(read_sample(npz(tmp_path / "good.npz", **good), read_events_npz)) == 5
    refused(npz(tmp_path / "claim.npz", **{**good, "t": claiming((1 << 40,))}), "claims to be larger")
    refused(
        npz(tmp_path / "claim2.npz", **{**good, "t": claiming((1 << 62, 1 << 62))}), "claims to be larger"
    )
    refused(npz(tmp_path / "object.npz", **{**good, "p": npy(np.array([{}], object))}), "pickled objects")
    bomb = npz(tmp_path / "bomb.npz", t=b"\0" * 1000)
    data = bytearray(bomb.read_bytes())
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):  # 1,000 bytes that claim to be 3 GiB
        struct.pack_into("<I", data, data.index(signature) + place, 3 << 30)
    bomb.write_bytes(data)
    refused(bomb, "unpacks to more")


def test_a_sample_larger_than_any(tmp_path: Path) -> None:
    path = tmp_path / "large.npz"
    with path.open("wb") as file:
        file.truncate(MAX_SAMPLE_BYTES + 1)  # takes no room on the disk
    refused(path, "too many for one sample")


# ---- names in files


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a", "b/../../a", "/etc/passwd", "a\0b", "link", "folder/../../x"]
)
def test_names_that_lead_out(tmp_path: Path, name: str) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    home.mkdir()
    out.write_text("secret")
    (home / "link").symlink_to(out)
    assert inside(home, name) is None


def test_names_that_stay_inside(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    linked = tmp_path / "linked"
    linked.symlink_to(tmp_path / "real")  # where the folder itself lies is its owner's business
    assert inside(linked, "a.npz") == linked / "a.npz"
    assert inside(linked, "b/c.npz") == linked / "b/c.npz"


@pytest.mark.parametrize("name", ["../../secret.npz", "{}/secret.npz", "link.npz"])
def test_the_listing_of_es_imagenet_names_only_its_own_files(tmp_path: Path, name: str) -> None:
    root = tmp_path / "ES-imagenet-0.18"
    (root / "train" / "class0").mkdir(parents=True)
    (root / "val").mkdir()
    sample = npz(tmp_path / "secret.npz", pos=npy(np.ones((3, 3))), neg=npy(np.ones((3, 3))))
    (root / "train" / "class0" / "a.npz").write_bytes(sample.read_bytes())
    (root / "val" / "good.npz").write_bytes(sample.read_bytes())
    (root / "val" / "link.npz").symlink_to(sample)
    listing = root / "vallabel.txt"
    listing.write_text("good.npz 0\n")
    assert [each.path.name for each in open_dataset("es-imagenet", tmp_path).test] == ["good.npz"]
    listing.write_text(f"good.npz 0\n{name.format(tmp_path)} 0\n")
    with pytest.raises(UserError, match="not a file of its folder val"):
        open_dataset("es-imagenet", tmp_path)


# ---- pictures


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp"])
def test_a_pictures_size_is_known_before_it_is_decoded(tmp_path: Path, suffix: str) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (37, 53, 3), dtype=np.uint8)
    path = tmp_path / f"a{suffix}"
    assert cv2.imwrite(str(path), picture)
    assert picture_size(path.read_bytes()) == (53, 37)
    assert read_picture(path).shape == (37, 53, 3)
    data = path.read_bytes()
    for cut in range(0, min(len(data), 60)):
        path.write_bytes(data[:cut])
        with pytest.raises(UserError, match="is not an image"):
            read_picture(path)


def test_pictures_that_declare_too_much(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png_of(100_000, 100_000))
    with pytest.raises(UserError, match="100,000 × 100,000 pixels"):
        SimulatorSource([path])
    path.write_bytes(png_of(0, 5))
    with pytest.raises(UserError, match="pixels"):
        read_picture(path)
    with path.open("wb") as file:
        file.truncate(MAX_PICTURE_BYTES + 1)
    with pytest.raises(UserError, match="larger than"):
        read_picture(path)
    path.unlink()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="there is no picture"):
        SimulatorSource([tmp_path / "pipe"])  # is not opened: that would wait for somebody who writes
