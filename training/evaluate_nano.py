"""Measure event-nano: ``python -m training.evaluate_nano --model DIR --data DATA --trials DIR --out DIR``.

Everything goes through the product's own path: events are counted, discriminated, focused and fitted by
``neuroclip_live.frames`` and encoded by ``neuroclip_live.backbone``. Real recordings are read, never learned
from. Writes ``results.csv`` and ``results.md``, every figure with its 95 % interval (Wilson; windows of one
recording are strongly correlated, so the true interval there is wider).
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from neuroclip_live.backbone import Backbone, load_backbone
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, join_packets
from neuroclip_live.frames import event_frame
from training.calibrate import calibrate, expected_calibration_error, softmax
from training.pictures import DIGIT_WORDS
from training.trials import Trial, load_trials, scene_means

Array = npt.NDArray[np.float32]

WINDOW_US = 100_000
PERSON_NAMES = ("person", "face", "dog", "cat", "car", "chair", "tree", "bottle", "airplane", "house")
ENSEMBLE = ("{}", "a {}", "the outline of a {}", "an event camera image of a {}", "a photo of a {}")
NMNIST_TEMPLATE = 'A black and white photo of the Arabic numeral number: "{}".'


@dataclass(frozen=True)
class Line:
    """One row of the table."""

    measured_on: str
    value: float
    low: float
    high: float
    n: int
    chance: str = ""
    note: str = ""


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the Wilson interval of a share."""
    if n == 0:
        return 0.0, 1.0
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return max(0.0, middle - half), min(1.0, middle + half)


def share(name: str, right: Any, chance: str = "", note: str = "") -> Line:
    """Make a row of a list of hits."""
    right = np.asarray(right, bool)
    return Line(name, float(right.mean()), *wilson(int(right.sum()), len(right)), len(right), chance, note)


def unit(vectors: Array) -> Array:
    """Scale rows to length one."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9), np.float32)


def encode(backbone: Backbone, frames: Sequence[npt.NDArray[np.uint8]]) -> Array:
    """Return unit features of frames of one size."""
    parts = [backbone.encode_frames(np.stack(frames[i : i + 32])) for i in range(0, len(frames), 32)]
    return unit(np.concatenate(parts))


def texts(backbone: Backbone, names: Sequence[str], templates: Sequence[str] = ("{}",)) -> Array:
    """Return unit features of names, averaged over templates."""
    total = sum(backbone.encode_texts([t.format(name) for name in names]) for t in templates)
    return unit(np.asarray(total))


def read_recording(path: Path) -> tuple[Packet, Resolution]:
    """Read all events of a recording."""
    from drivers.replay import ReplaySource

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


def objects(backbone: Backbone, folder: Path, none_cosine: float) -> list[Line]:
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


def simulated(
    backbone: Backbone, trials: Sequence[Trial], encoded: Sequence[Array], scale: float
) -> tuple[list[Line], list[tuple[Any, Any]]]:
    """Measure simulated validation, ``encoded`` by :func:`encode_trials`.

    Returns rows of the table, and each trial's (cosines, truths) for calibration.
    """
    lines, cosines = [], []
    for trial, features in zip(trials, encoded, strict=True):
        words = texts(backbone, trial.labels)
        means = scene_means(features, trial.scenes) @ words.T
        each = (features @ words.T).argmax(1) == trial.truths[trial.scenes]
        lines.append(
            share(
                f"simulated, {trial.name}: {len(trial.labels)}-way, one slice",
                each,
                f"{1 / len(trial.labels):.3f}",
            )
        )
        ensemble = texts(backbone, trial.labels, ENSEMBLE)
        lines.append(share("… mean of 3 slices", means.argmax(1) == trial.truths))
        if trial.name != "digits":
            right = (scene_means(features, trial.scenes) @ ensemble.T).argmax(1) == trial.truths
            lines.append(share("… mean of 3 slices, template ensemble", right))
        ece = expected_calibration_error(softmax(scale * means), trial.truths)
        lines.append(Line("… ECE", ece, ece, ece, len(means)))
        cosines.append((means, trial.truths))
        if trial.name == "cifar10":
            dogs = means_for(backbone, features, trial, "dog", ("dog", "puppy", "car"))
            lines.append(
                share('… dogs: "dog" and "puppy" both above "car"', (dogs[:, :2] > dogs[:, 2:]).all(1), "1/3")
            )
    return lines, cosines


def encode_trials(backbone: Backbone, trials: Sequence[Trial]) -> list[Array]:
    """Return unit features of trials' frames, which are focused and fitted already.

    ``backbone`` must have been loaded with ``focus=False``, or they would be cropped twice.
    """
    return [encode(backbone, list(trial.frames)) for trial in trials]


def means_for(backbone: Backbone, features: Array, trial: Trial, label: str, names: Sequence[str]) -> Array:
    """Return the cosines of one label's scenes with other names."""
    mine = trial.truths == trial.labels.index(label)
    return np.asarray((scene_means(features, trial.scenes) @ texts(backbone, names).T)[mine])


def speed(backbone: Backbone, runs: int = 200) -> Line:
    """Time one slice, batch 1, from a 128 x 128 frame to its feature."""
    frame = np.full((1, 128, 128), 127, np.uint8)
    frame[0, 40:80, 30:90] = 255
    for _ in range(20):
        backbone.encode_frames(frame)
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        backbone.encode_frames(frame)
        times.append(time.perf_counter() - start)
    per_second = 1 / np.array(times)
    low, high = np.percentile(per_second, [2.5, 97.5])
    return Line(
        f"slices a second, batch 1, {backbone.info.runtime}",
        float(np.median(per_second)),
        float(low),
        float(high),
        runs,
    )


def write(lines: Sequence[Line], out: Path) -> None:
    """Write the table as CSV and as Markdown."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / "results.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["measured_on", "value", "low95", "high95", "n", "chance", "note"])
        for line in lines:
            rows.writerow(
                [
                    line.measured_on,
                    f"{line.value:.4f}",
                    f"{line.low:.4f}",
                    f"{line.high:.4f}",
                    line.n,
                    line.chance,
                    line.note,
                ]
            )
    with (out / "results.md").open("w") as file:
        file.write("| measured on | value | 95 % | n | chance | note |\n|---|---|---|---|---|---|\n")
        for line in lines:
            file.write(
                f"| {line.measured_on} | {line.value:.3f} | {line.low:.3f} – {line.high:.3f} "
                f"| {line.n} | {line.chance} | {line.note} |\n"
            )


@click.command(help=__doc__)
@click.option("--model", default="event-nano", show_default=True, help="A model folder, or a name.")
@click.option(
    "--data", type=click.Path(path_type=Path, exists=True), required=True, help="Folder of real recordings."
)
@click.option(
    "--trials", type=click.Path(path_type=Path, exists=True), required=True, help="Simulated validation."
)
@click.option("--text-metrics", type=click.Path(path_type=Path, exists=True), help="JSON of {name: value}.")
@click.option("--facts", type=click.Path(path_type=Path), help="Write the calibration here, for the export.")
@click.option("--runtime", default="auto", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(
    model: str,
    data: Path,
    trials: Path,
    text_metrics: Path | None,
    facts: Path | None,
    runtime: str,
    out: Path,
) -> None:
    """Run from the command line."""
    backbone = load_backbone(model, runtime=runtime)  # type: ignore[arg-type]
    kept = load_trials(trials)
    encoded = encode_trials(load_backbone(model, runtime=runtime, focus=False), kept)  # type: ignore[arg-type]
    _, cosines = simulated(backbone, kept, encoded, 1.0)
    found = calibrate(cosines)
    lines, _ = simulated(backbone, kept, encoded, found.logit_scale)
    lines += objects(backbone, data / "recordings" / "objects_dvs128", found.none_cosine)
    lines += nmnist(backbone, data / "nmnist" / "Train")
    lines += person(backbone, data / "recordings" / "dvxplorer_person.aedat4")
    lines.append(
        Line(
            "ECE, ten-way label sets of simulated validation",
            found.ece,
            found.ece,
            found.ece,
            0,
            "",
            f"logit scale {found.logit_scale:.2f}, NLL {found.nll:.3f}",
        )
    )
    lines.append(
        Line(
            "'none of these', balanced accuracy, simulated",
            found.none_accuracy,
            found.none_accuracy,
            found.none_accuracy,
            0,
            "0.50",
            f"cosine {found.none_cosine:.3f}",
        )
    )
    if text_metrics:
        for name, value in json.loads(text_metrics.read_text()).items():
            lines.append(Line(f"text: {name}", float(value), float(value), float(value), 0))
    lines.append(speed(backbone))
    write(lines, out)
    if facts:
        facts.write_text(
            json.dumps(
                {"logit_scale": round(found.logit_scale, 2), "none_cosine": round(found.none_cosine, 4)}
            )
        )
    click.echo((out / "results.md").read_text())


if __name__ == "__main__":
    main()
