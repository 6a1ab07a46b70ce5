"""Real recordings, which training never saw: things on a desk, N-MNIST, a person.

Events are counted, discriminated, focused and fitted by ``neuroclip_live.stream.frames`` and encoded by
``neuroclip_live.model.backbone``, as live.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, join_packets
from neuroclip_live.model.backbone import Backbone
from neuroclip_live.stream.frames import event_frame
from training.measure_simulated import StandIns
from training.measuring import ENSEMBLE, Line, encode, share, texts, unit
from training.pictures import DIGIT_WORDS

WINDOW_US = 100_000
PERSON_NAMES = ("person", "face", "dog", "cat", "car", "chair", "tree", "bottle", "airplane", "house")
NMNIST_TEMPLATE = 'A black and white photo of the Arabic numeral number: "{}".'


def read_recording(path: Path) -> tuple[Packet, Resolution]:
    """Read all events of a recording."""
    from neuroclip_drivers.replay import ReplaySource

    source = ReplaySource(path, speed=None)
    packets = [packet for packet in source.packets() if len(packet)]
    source.close()
    return join_packets(packets), source.resolution


def windows(
    events: Packet, resolution: Resolution, width_us: int = WINDOW_US, step_us: int = WINDOW_US
) -> list[Any]:
    """Return one event frame for each window of a recording, whole windows only."""
    start, end = int(events["t"][0]), int(events["t"][-1])
    edges = np.arange(start, end - width_us + 1, step_us)
    first = np.searchsorted(events["t"], edges)
    last = np.searchsorted(events["t"], edges + width_us)
    return [event_frame(events[a:b], resolution) for a, b in zip(first, last, strict=True)]


def objects(
    backbone: Backbone, folder: Path, none_cosine: float, stand_ins: StandIns | None = None
) -> list[Line]:
    """Measure the desk recordings: seven names, one frame of 100 ms each."""
    files = sorted(folder.glob("*.aedat4"))
    names = [file.stem.replace("_", " ") for file in files]
    features = [encode(backbone, windows(*read_recording(file))) for file in files]
    lines = []
    for note, templates in (("by name", ("{}",)), ("template ensemble", ENSEMBLE)):
        words = texts(backbone, names, templates)
        hits = [(f @ words.T).argmax(1) == i for i, f in enumerate(features)]
        whole = [int((f.mean(0) @ words.T).argmax()) == i for i, f in enumerate(features)]
        each = ", ".join(f"{name} {h.mean():.2f}" for name, h in zip(names, hits, strict=True))
        lines.append(
            share(f"real DVS128 objects, per 100 ms window, {note}", np.concatenate(hits), "1/7", each)
        )
        if templates == ("{}",):
            last10 = [
                np.array(
                    [(f[max(0, i - 9) : i + 1].mean(0) @ words.T).argmax() == k for i in range(9, len(f))]
                )
                for k, f in enumerate(features)
            ]
            lines.append(share("… averaged over the last 10 windows, by name", np.concatenate(last10), "1/7"))
            inside = np.concatenate([(f @ words.T).max(1) for f in features])
            outside = np.concatenate([(f @ np.delete(words, i, 0).T).max(1) for i, f in enumerate(features)])
            lines.append(
                share("… 'none of these' rejects when the label is not listed", outside < none_cosine)
            )
            lines.append(
                share("… 'none of these' stays away when the label is listed", inside >= none_cosine)
            )
        wrong = ", ".join(name for name, ok in zip(names, whole, strict=True) if not ok)
        lines.append(
            share(f"… per whole recording, {note}", whole, "1/7", f"missed: {wrong}" if wrong else "")
        )
    for name, stand_in in (stand_ins or {}).items():
        words = unit(stand_in(names))
        hits = [(f @ words.T).argmax(1) == i for i, f in enumerate(features)]
        lines.append(
            share(f"… per 100 ms window, with {name} for the text tower", np.concatenate(hits), "1/7")
        )
    return lines


def read_nmnist(path: Path) -> Packet:
    """Read one N-MNIST sample in the data set's 40-bit layout."""
    raw = np.fromfile(path, np.uint8).reshape(-1, 5).astype(np.int64)
    events = np.empty(len(raw), EVENT_DTYPE)
    events["x"], events["y"], events["p"] = raw[:, 0], raw[:, 1], raw[:, 2] >> 7
    events["t"] = ((raw[:, 2] & 127) << 16) | (raw[:, 3] << 8) | raw[:, 4]
    return events


def nmnist(backbone: Backbone, folder: Path, slices: int = 10) -> list[Line]:
    """Measure N-MNIST: ten slices of equal counts, as the reference cuts."""
    frames, truths = [], []
    for digit in range(10):
        for file in sorted((folder / str(digit)).glob("*.bin")):
            events = read_nmnist(file)
            edges = [k * len(events) // slices for k in range(slices + 1)]
            frames += [event_frame(events[a:b], Resolution(34, 34)) for a, b in pairwise(edges)]
            truths.append(digit)
    features = encode(backbone, frames).reshape(len(truths), slices, -1)
    y = np.array(truths)
    lines = []
    spoken = texts(backbone, [f"the number {word}" for word in DIGIT_WORDS])
    published = texts(backbone, [NMNIST_TEMPLATE.format(d) for d in range(10)])
    for note, words in (('"the number seven"', spoken), ("the reference's template", published)):
        lines.append(
            share(
                f"real N-MNIST, T = {slices} by count, {note}",
                (features.mean(1) @ words.T).argmax(1) == y,
                "0.10",
            )
        )
    one = (features @ spoken.T).argmax(2) == y[:, None]
    lines.append(share('… one slice of a tenth, "the number seven"', one.ravel(), "0.10"))
    return lines


def person(backbone: Backbone, file: Path) -> list[Line]:
    """Measure the head and shoulders among ten names."""
    features = encode(backbone, windows(*read_recording(file), step_us=WINDOW_US // 2))
    words = texts(backbone, PERSON_NAMES)
    mean = features.mean(0) @ words.T
    order = [f"{PERSON_NAMES[i]} {mean[i]:.3f}" for i in np.argsort(-mean)[:4]]
    return [
        share(
            "real person (DVXplorer), windows of 100 ms, 10 names",
            (features @ words.T).argmax(1) == 0,
            "0.10",
            ", ".join(order),
        )
    ]
