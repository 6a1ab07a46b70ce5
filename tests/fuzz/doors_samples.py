"""Doors that data sets, adapters and lessons come in by."""

from __future__ import annotations

import contextlib
import io
import json
import struct
from collections.abc import Callable, Sequence
from functools import cache, partial

import numpy as np

from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE

from .dice import Dice, mutate
from .doors_recordings import in_order
from .json_values import JSON_TOKENS, bad_value
from .places import file, folder


def sample(decode: str, name: str = "input.bin", **options: object) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        from neuroclip_live.datasets import formats

        with contextlib.suppress(formats.UnreadableSample):
            packet = formats.read_sample(file(data, name), partial(getattr(formats, decode), **options))
            assert packet.dtype == EVENT_DTYPE
            assert in_order(packet)

    return run


gesture = sample("read_gesture", span_us=(2, 40_000))


def frame_sample(data: bytes) -> None:
    from neuroclip_live.datasets.formats import UnreadableSample, read_frames_npz

    with contextlib.suppress(UnreadableSample):
        assert read_frames_npz(file(data, "input.npz")).ndim == 4


@cache
def atis_seeds() -> list[bytes]:
    rng = np.random.default_rng(0)
    return [rng.bytes(5 * count) for count in (1, 8, 60)] + [bytes([9, 240, 0, 0, 7] * 6)]


@cache
def dat_seeds() -> list[bytes]:
    return [b"% Data\n% Width 304\n\x0c\x08" + np.random.default_rng(0).bytes(8 * n) for n in (1, 9)]


@cache
def aedat_seeds() -> list[bytes]:
    return [b"#!AER-DAT2.0\r\n# a\r\n" + bytes(range(8 * n)) for n in (1, 9)]


@cache
def text_seeds() -> list[bytes]:
    return [b"".join(b"%d %d 0.%06d %d\n" % (n, n, 9 * n, n % 2) for n in range(rows)) for rows in (1, 9)]


@cache
def npy_seeds() -> list[bytes]:
    made = []
    for array in (np.arange(24.0).reshape(6, 4), np.arange(16, dtype=np.int32).reshape(4, 4)):
        stream = io.BytesIO()
        np.save(stream, array)
        made.append(stream.getvalue())
    return made


@cache
def mat_seeds() -> list[bytes]:
    from scipy.io import savemat

    made = []
    for packed in (False, True):
        stream = io.BytesIO()
        columns = {name: np.arange(6).reshape(-1, 1) for name in ("ts", "x", "y", "pol")}
        savemat(stream, columns, do_compression=packed)
        made.append(stream.getvalue())
    return made


@cache
def gesture_seeds() -> list[bytes]:
    head = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n"
    words = np.stack([1 | np.arange(9) << 2 | np.arange(9) << 17, np.arange(9) * 1000], axis=1)
    packet = struct.pack("<hhiiiiii", 1, 1, 8, 4, 0, 9, 9, 9) + words.astype("<u4").tobytes()
    return [head + packet, head + 3 * packet]


@cache
def npz_seeds() -> list[bytes]:
    made = []
    for arrays in (
        {name: np.arange(6) for name in "txyp"},
        {"pos": np.arange(9).reshape(3, 3), "neg": np.arange(6).reshape(2, 3)},
        {"frames": np.zeros((2, 2, 3, 3))},
    ):
        for save in (np.savez, np.savez_compressed):
            stream = io.BytesIO()
            save(stream, **arrays)
            made.append(stream.getvalue())
    return made


def adapter(data: bytes) -> None:
    from neuroclip_live.learning.adapter import load_adapter

    try:
        loaded = load_adapter(file(data, "input.safetensors"))
    except UserError:
        return
    features = np.ones((loaded.info.timesteps, loaded.info.embed_dim), dtype=np.float32)
    with np.errstate(all="ignore"):  # weights may be anything, and their products too
        assert loaded(features[:4]).shape == features[:4].shape
        assert loaded(features).shape == features.shape
    loaded.info.to_json()


@cache
def _adapter_seeds() -> list[bytes]:
    import torch

    from neuroclip_live.learning.adapter import Adapter, AdapterInfo
    from neuroclip_live.learning.adapter_network import AdapterNetwork

    made = []
    for kind, weights in (("snn", None), ("ann", (0.5, 1.5))):
        torch.manual_seed(0)
        info = AdapterInfo(
            "event-nano", 16, 2, ("a", "b"), ("{}",), {"a": 1}, kind=kind, timestep_weights=weights
        )
        path = folder() / "seed.safetensors"
        Adapter(info, AdapterNetwork(16, kind=kind)).save(path)
        made.append(path.read_bytes())
    return made


def bad_adapter(dice: Dice) -> bytes:
    """Damage an adapter anywhere, or write other values into its description."""
    return _bad_safetensors(dice, _adapter_seeds())


def _bad_safetensors(dice: Dice, seeds: Sequence[bytes]) -> bytes:
    data = dice.choose(seeds)
    if dice.one_in(3):
        return mutate(data, dice, JSON_TOKENS, seeds)
    size = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    about = json.loads(header["__metadata__"]["neuroclip_live"])
    for _ in range(1 + dice.small(3)):
        about[dice.choose(list(about))] = bad_value(dice)
    text = json.dumps(about)
    if dice.one_in(3):
        text = mutate(text.encode(), dice, JSON_TOKENS).decode("utf-8", "replace")
    header["__metadata__"]["neuroclip_live"] = text
    raw = json.dumps(header).encode()
    if dice.one_in(4):
        raw = mutate(raw, dice, JSON_TOKENS)
    return len(raw).to_bytes(8, "little") + raw + body


def lessons(data: bytes) -> None:
    from neuroclip_live.learning.lesson_file import read_lessons

    with contextlib.suppress(UserError):
        book = read_lessons(file(data, "input.safetensors"), "event-nano", 16, 2)
        for label in book.labels:
            assert book.shots(label).shape[1:] == (2, 16)
        assert book.counter_examples is not None


@cache
def _lesson_seeds() -> list[bytes]:
    from neuroclip_live.learning.lesson_file import write_lessons
    from neuroclip_live.learning.shotbook import Lesson, ShotBook

    shots = np.ones((3, 2, 16), dtype=np.float32)
    book = (
        ShotBook()
        .add(Lesson("a mug", shots))
        .add(Lesson("a mug", shots, False))
        .add(Lesson(None, shots, False))
    )
    path = folder() / "seed.safetensors"
    write_lessons(path, book, "event-nano", 16, 2)
    return [path.read_bytes()]


def bad_lessons(dice: Dice) -> bytes:
    """Damage lessons as :func:`bad_adapter` does."""
    return _bad_safetensors(dice, _lesson_seeds())
