"""Reading one sample of a data set: SpikingJelly's decoders, with the checks they leave out.

SpikingJelly decodes ATIS ``.bin`` (N-MNIST, N-Caltech101), CIFAR10-DVS ``.aedat`` and ES-ImageNet ``.npz``.
N-Cars, ASL-DVS, DVS128 Gesture and N-Caltech101 as arrays are read here: it has none of the first, and makes
files of its own of the others before the first sample can be had. Whatever the file, a packet of the
project's layout comes out.
"""

from __future__ import annotations

import re
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_drivers.files.columns import guess_unit, to_microseconds
from neuroclip_drivers.files.open_file import open_event_file
from neuroclip_live.datasets.limits import UnreadableSample, check_npy, check_npz, check_size
from neuroclip_live.datasets.matlab import read_mat
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, join_packets

Fields = Mapping[str, npt.NDArray[Any]]
Decode = Callable[..., Packet]
"""Given a file, and by the name ``span_us`` what stretch of it, where a file holds several samples."""

_ASL_NAMES = {"t": "ts", "x": "x", "y": "y", "p": "pol"}
ATIS_RECORD = 5
ATIS_OVERFLOW_Y = 240
"""An ATIS record with this row is no event: it says that the 13-bit clock wrapped round."""
ATIS_WRAP_US = 1 << 13


def packet_of(events: Fields) -> Packet:
    """Turn arrays ``t``, ``x``, ``y``, ``p`` of any number type into a packet in order of time."""
    size = len(events["t"])
    if not size:
        raise UnreadableSample("no events")
    packet = np.zeros(size, dtype=EVENT_DTYPE)
    for name in ("t", "x", "y", "p"):
        if len(events[name]) != size:
            raise UnreadableSample("fields of different lengths")
        packet[name] = events[name]
    if (np.diff(packet["t"]) < 0).any():
        packet = packet[np.argsort(packet["t"], kind="stable")]
    return packet


def read_atis(path: Path) -> Packet:
    """Read 40-bit big-endian records: x 8, y 8, polarity 1, time 23 bits."""
    from spikingjelly.datasets.utils import load_ATIS_bin

    size = path.stat().st_size
    if size % ATIS_RECORD:
        raise UnreadableSample(f"{size} bytes are not whole records of {ATIS_RECORD}")
    events = {name: np.asarray(values, dtype=np.int64) for name, values in load_ATIS_bin(path).items()}
    wraps = events["y"] == ATIS_OVERFLOW_Y
    if wraps.any():
        events["t"] = events["t"] + np.cumsum(wraps) * ATIS_WRAP_US
        events = {name: values[~wraps] for name, values in events.items()}
    return packet_of(events)


def read_cifar10_dvs(path: Path) -> Packet:
    """Read a file of CIFAR10-DVS: AEDAT 2, turned upright as SpikingJelly turns it, or AEDAT 4 as it is.

    The data set is handed out in both, and the name does not tell: its first line does.
    """
    from spikingjelly.datasets import cifar10_dvs

    with path.open("rb") as stream:
        first = stream.readline(64)
    version = re.match(rb"#!AER-DAT(\d+(?:\.\d+)?)", first)
    if version is None:
        raise UnreadableSample("no line that says which version of AEDAT it is")
    if version[1].startswith(b"4"):
        return _read_aedat4(path)
    if not version[1].startswith(b"2"):
        raise UnreadableSample(f"AEDAT {version[1].decode()}, not 2 or 4: convert it with DV (dv-gui) first")
    events: Fields = cifar10_dvs._load_origin_data(path)
    return packet_of({name: np.asarray(values, dtype=np.int64) for name, values in events.items()})


def _read_aedat4(path: Path) -> Packet:
    try:
        recording = Recording(path)
    except UserError as error:
        raise UnreadableSample(str(error)) from error
    try:
        packets = list(recording.read())
        if recording.losses:  # as in the other formats: half a sample is not to be scored unseen
            raise UnreadableSample(f"{recording.losses} ({recording.remedy})")
    finally:
        recording.close()
    return packet_of({name: np.concatenate([p[name] for p in packets]) for name in ("t", "x", "y", "p")})


def read_es_imagenet(path: Path) -> Packet:
    """Read an ES-ImageNet ``.npz``: arrays ``pos`` and ``neg`` of (x, y, frame number)."""
    from spikingjelly.datasets import es_imagenet

    check_npz(path)  # it calls np.load, whose default is not to unpickle
    return packet_of(es_imagenet._load_events(path))


def read_events_npz(path: Path) -> Packet:
    """Read a sample of SpikingJelly's own ``events_np`` folder."""
    check_npz(path)
    with np.load(path, allow_pickle=False) as stored:
        return packet_of({name: stored[name] for name in ("t", "x", "y", "p")})


def read_frames_npz(path: Path) -> npt.NDArray[np.uint16]:
    """Read a sample of SpikingJelly's frame folders: counts (T, 2, H, W)."""
    try:
        check_npz(path)
        with np.load(path, allow_pickle=False) as stored:
            counts = stored["frames"]
    except _DAMAGE as error:
        raise UnreadableSample(str(error)) from error
    if counts.ndim != 4 or counts.shape[1] != 2:
        raise UnreadableSample(f"frames of shape {counts.shape}, not (T, 2, H, W)")
    return np.asarray(np.minimum(counts, 65535), dtype=np.uint16)


def read_dat(path: Path) -> Packet:
    """Read a Prophesee ``.dat`` (N-Cars): text lines that begin with %, two bytes, records of 8 bytes.

    A record is time (u32 µs) and an address: x in bits 0-13, y in 14-27, polarity in 28.
    """
    data = path.read_bytes()
    start = 0
    while data[start : start + 1] == b"%":
        end = data.find(b"\n", start)
        if end < 0:
            raise UnreadableSample("a header without end")
        start = end + 1
    if start == 0:
        raise UnreadableSample("no .dat header")
    record = data[start + 1] if start + 1 < len(data) else 0
    if record != 8:
        raise UnreadableSample(f"records of {record} bytes, not 8")
    body = data[start + 2 :]
    if len(body) % record:
        raise UnreadableSample(f"{len(body)} bytes are not whole records of {record}")
    words = np.frombuffer(body, dtype="<u4").reshape(-1, 2)
    address = words[:, 1].astype(np.int64)
    return packet_of(
        {
            "t": words[:, 0],
            "x": address & 0x3FFF,
            "y": (address >> 14) & 0x3FFF,
            "p": (address >> 28) & 1,
        }
    )


def read_n_cars(path: Path) -> Packet:
    """Read N-Cars as its makers publish it, ``.dat``, or as text: x, y, seconds and polarity in a line."""
    if path.suffix.lower() != ".txt":
        return read_dat(path)
    lines = [line for line in path.read_text(encoding="ascii").splitlines() if line.strip()]
    if not lines:
        raise UnreadableSample("no events")
    return _packet_of_rows(np.loadtxt(lines, ndmin=2, comments=None))


def read_n_caltech101(path: Path) -> Packet:
    """Read N-Caltech101 as its makers publish it, ``.bin``, or as an ``.npy`` of x, y, seconds, polarity."""
    if path.suffix.lower() != ".npy":
        return read_atis(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of headers that Python 2 wrote, and of old names of types
        check_npy(path)
        return _packet_of_rows(np.load(path, allow_pickle=False))


def _packet_of_rows(rows: npt.NDArray[Any]) -> Packet:
    """Turn rows of x, y, time and polarity (0 or -1, and 1) into a packet."""
    if rows.ndim != 2 or rows.shape[1] != 4:
        raise UnreadableSample(f"an array of shape {rows.shape}, not (N, 4)")
    x, y, t, p = rows.T
    if not np.isfinite(rows).all() or (np.abs(rows) >= 2.0**53).any() or (np.abs(rows[:, :2]) > 32767).any():
        raise UnreadableSample("numbers that are no times or pixels")
    return packet_of({"t": to_microseconds(t, guess_unit(t)), "x": x, "y": y, "p": p > 0})


def read_asl(path: Path) -> Packet:
    """Read a ``.mat`` of ASL-DVS: ts, x, y, pol.

    Turned upright by half a turn, as SpikingJelly has it; tonic turns y alone, which would mirror the hand.
    """
    stored = read_mat(path)
    events = {name: _whole(stored[theirs]) for name, theirs in _ASL_NAMES.items()}
    return packet_of({**events, "x": 239 - events["x"], "y": 179 - events["y"]})


def _whole(numbers: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return numbers of any type as whole ones."""
    if not np.isfinite(numbers).all() or (np.abs(numbers.astype(np.float64)) >= 2.0**53).any():
        raise UnreadableSample("numbers that are no times or pixels")
    return numbers.astype(np.int64)


def read_gesture(path: Path, *, span_us: tuple[int, int]) -> Packet:
    """Read a trial of a file of DVS128 Gesture: AEDAT 3.1, of which the rest is not decoded."""
    begin_us, end_us = span_us
    try:
        recording = open_event_file(path)
    except UserError as error:
        raise UnreadableSample(str(error)) from error
    packets = []
    try:
        for packet in recording.read(begin_us):
            packets.append(packet[(packet["t"] >= begin_us) & (packet["t"] < end_us)])
            if packet["t"][0] >= end_us:
                break
        if recording.losses:
            raise UnreadableSample(recording.losses)
    finally:
        recording.close()
    events = join_packets(packets)
    return packet_of({name: events[name] for name in "txyp"})


_DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    IndexError,
    EOFError,
    ArithmeticError,
    NotImplementedError,  # compressed in a way that zipfile does not know
    RuntimeError,  # encrypted
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
    SyntaxError,  # what NumPy makes of some damaged headers
    TypeError,
    tokenize.TokenError,
)


def read_sample(path: Path, decode: Decode) -> Packet:
    """Read a file with ``decode``.

    Raises
    ------
    UnreadableSample
        Whatever is wrong with it.
    """
    try:
        check_size(path)
        return decode(path)
    except _DAMAGE as error:
        raise UnreadableSample(" ".join(str(error).split()) or type(error).__name__) from error
