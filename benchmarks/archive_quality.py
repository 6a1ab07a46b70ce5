"""How well an archive is searched: real recordings hidden among simulated ones, twenty words.

    python -m benchmarks.archive_quality --data ../shared/data --work FOLDER

Real recordings lie among short simulated ones of other things: photographs of Caltech-101 that training did
not see, moving before a simulated sensor of the same size. A word's average precision is over recordings,
each ranked by its best moment; relevant are those whose file, or photograph's class, it is the name of.
"Every window" scores each window of live recognition, unrounded. Nothing is tuned on any of it.
"""

from __future__ import annotations

import argparse
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table

from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.replay import SIMULATED, ReplaySource
from neuroclip_drivers.simulator.source import SimulatorSource
from neuroclip_live.archive.background import Background
from neuroclip_live.archive.index import Index
from neuroclip_live.archive.indexer import index as run_index
from neuroclip_live.archive.parts import Rows
from neuroclip_live.archive.query import Query
from neuroclip_live.archive.search import Scorer
from neuroclip_live.archive.settings import ArchiveSettings
from neuroclip_live.archive.store import Store
from neuroclip_live.console import console
from neuroclip_live.events import Resolution
from neuroclip_live.model.backbone import Backbone, load_backbone
from neuroclip_live.recognition.recognizer import Recognizer
from neuroclip_live.recognition.replay_all import Totals, slices_of
from training.bank import CLASS_NAMES, HELD_OUT_SHARE, is_held_out
from training.pictures import read_photographs

REAL = {
    "mug": "objects_dvs128/mug.aedat4",
    "phone": "objects_dvs128/phone.aedat4",
    "scissors": "objects_dvs128/scissors.aedat4",
    "computer mouse": "objects_dvs128/computer_mouse.aedat4",
    "box": "objects_dvs128/box.aedat4",
    "box cutter": "objects_dvs128/box_cutter.aedat4",
    "mechanical pencil": "objects_dvs128/mechanical_pencil.aedat4",
    "hand": "dvs128_hand.aedat4",
    "person": "dvxplorer_person.aedat4",
}
SAME = frozenset({"cellphone", "cup", "ewer", "scissors", "face"})
"""Photographs' classes that a real recording shows as well."""
CLASSES, WORDS, EACH = 30, 11, 5
RESOLUTION = Resolution(128, 128)
MOTIONS = ("shake", "orbit", "pan", "zoom")
SECONDS = 2.0

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Ranking:
    """How recordings are ranked for a word: the average precision of each way."""

    word: str
    relevant: int
    search: float
    windows: float
    cosine: float


def compose(data: Path, folder: Path, classes: int = CLASSES, each: int = EACH) -> dict[str, str]:
    """Make the archive in a folder, unless it is there; return what each recording shows, by its path."""
    truth_file = folder.parent / f"{folder.name}.json"
    if truth_file.exists():
        return {str(folder / name): noun for name, noun in json.loads(truth_file.read_text()).items()}
    folder.mkdir(parents=True, exist_ok=True)
    truth: dict[str, str] = {}
    for noun, place in REAL.items():
        name = f"{zlib.crc32(noun.encode()):08x}.aedat4"
        (folder / name).symlink_to((data / "recordings" / place).absolute())
        truth[name] = noun
    pictures: dict[str, list[npt.NDArray[np.uint8]]] = {}
    for image, shown, file in read_photographs(data / "images" / "caltech81.zip"):
        noun = CLASS_NAMES.get(shown, shown)
        if noun not in SAME and is_held_out(file, HELD_OUT_SHARE["caltech"]):
            pictures.setdefault(noun, []).append(image)
    nouns = sorted(noun for noun, found in pictures.items() if len(found) >= each)
    for noun in _evenly(nouns, classes):
        for number, picture in enumerate(pictures[noun][:each]):
            name = f"{zlib.crc32(f'{noun} {number}'.encode()):08x}.aedat4"
            _simulate(picture, folder / name, zlib.crc32(name.encode()))
            truth[name] = noun
    truth_file.write_text(json.dumps(truth, indent=1))
    return {str(folder / name): noun for name, noun in truth.items()}


def _evenly(items: list[str], count: int) -> list[str]:
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, count).astype(int))]


def _simulate(picture: npt.NDArray[np.uint8], path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    source = SimulatorSource(
        [picture],
        resolution=RESOLUTION,
        motion=random.choice(MOTIONS),
        frequency_hz=float(random.uniform(0.6, 1.6)),
        scale=float(random.uniform(0.7, 1.0)),
        seed=seed,
        duration_s=SECONDS,
        realtime=False,
    )
    with Aedat4Writer(path, RESOLUTION, SIMULATED) as writer:
        for packet in source.packets():
            writer.write(packet)


def windows_of(index: Index, backbone: Backbone, how: ArchiveSettings) -> tuple[Rows, npt.NDArray[np.int64]]:
    """Return a row for every window of every recording, unrounded, and which recording it is of."""
    features, owner = [], []
    for number, held in enumerate(index.recordings):
        source = ReplaySource(Path(held.path), speed=None)
        recognizer = Recognizer(backbone, None, how.recognizer())
        recognizer.begin(source.resolution)
        try:
            for piece in slices_of(source, how.slice_by(), Totals()):
                recognizer.update(piece)
                if recognizer.summary is not None:
                    features.append(recognizer.summary)
                    owner.append(number)
        finally:
            source.close()
    rows, count = np.stack(features), len(features)
    none = np.zeros(count, np.int64)
    background = Background(backbone).of(rows)  # type: ignore[arg-type]  # float32: nothing is rounded here
    box = np.zeros((count, 4), np.int16)
    made = Rows(none, none, none, none, none - 1, box, rows, background)  # type: ignore[arg-type]
    return made, np.array(owner, np.int64)


def average_precision(score: Floats, relevant: Bools) -> float:
    """Return the mean, over relevant recordings, of the share of relevant ones ranked down to it."""
    order = np.argsort(-score, kind="stable")
    hits = relevant[order]
    ranks = np.flatnonzero(hits) + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).mean()) if len(ranks) else 0.0


def best_of(score: Floats, owner: npt.NDArray[np.int64], count: int) -> Floats:
    """Return each recording's best score, -1 for one without rows."""
    best = np.full(count, -np.inf, np.float32)
    np.maximum.at(best, owner, score)
    return best


def measure(index: Index, truth: dict[str, str], words: list[str], windows: Index) -> list[Ranking]:
    """Rank the recordings for each word: by searching, and by every window."""
    shows = [truth[held.path] for held in index.recordings]
    place = {held.path: number for number, held in enumerate(index.recordings)}
    found = []
    for word in words:
        relevant = np.array([noun == word for noun in shows])
        told = index.search(f"a {word}", top=10_000, least=0.0).to_pylist()
        search = np.full(len(shows), -1, np.float32)
        for moment in told:
            number = place[moment["file"]]
            search[number] = max(search[number], moment["score"])
        scorer = Scorer(windows, Query(f"a {word}", least=0.0))
        exact = best_of(scorer.scores(np.arange(len(windows.rows))), windows.recording, len(shows))
        text = scorer.wanted[0]
        cosine = best_of(windows.rows.feature @ text, windows.recording, len(shows))
        found.append(
            Ranking(
                word,
                int(relevant.sum()),
                average_precision(search, relevant),
                average_precision(exact, relevant),
                average_precision(cosine, relevant),
            )
        )
    return found


def show(found: list[Ranking]) -> None:
    """Print a line for each word, and the means."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("word", "recordings", "search", "every window", "cosine alone"):
        table.add_column(name, justify="left" if name == "word" else "right")
    for each in found:
        table.add_row(
            each.word,
            str(each.relevant),
            *(f"{v:.3f}" for v in (each.search, each.windows, each.cosine)),
        )
    groups = {"mean of all": found}
    groups["mean of the real"] = [each for each in found if each.word in REAL]
    groups["mean of the simulated"] = [each for each in found if each.word not in REAL]
    for name, members in groups.items():
        values = [[m.search, m.windows, m.cosine] for m in members]
        table.add_row(name, "", *(f"{v:.3f}" for v in np.mean(values, axis=0)))
    console().print(table)


def main(arguments: list[str] | None = None) -> None:
    """Compose, index, search, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with recordings/ and images/")
    parser.add_argument("--work", type=Path, required=True, help="where the archive and its index are made")
    parser.add_argument("--each", type=int, default=EACH, help="simulated recordings of a class")
    parser.add_argument("--model", default="event-nano")
    asked = parser.parse_args(arguments)
    truth = compose(asked.data, asked.work.absolute().resolve() / "recordings", each=asked.each)
    simulated = sorted(set(truth.values()) - set(REAL))
    words = [*REAL, *_evenly(simulated, WORDS)]
    backbone, how = load_backbone(asked.model), ArchiveSettings()
    store = Store(asked.work / "index", make=True)
    report = run_index([asked.work / "recordings"], store, backbone, {"model": asked.model}, how)
    index = Index(asked.work / "index", backbone)
    facts: dict[str, Any] = {
        "recordings": len(index.recordings),
        "seconds": round(sum(held.facts.seconds for held in index.recordings)),
        "moments": len(index),
    }
    if report.seconds:
        facts["MB an hour"] = round(report.bytes / 1e6 / (report.seconds / 3600), 1)
        facts["times real time, as busy as the machine was"] = round(report.seconds / report.wall_s, 1)
    windows = Index(asked.work / "index", backbone)
    windows.rows, windows.recording = windows_of(index, backbone, how)
    facts["windows"] = len(windows)
    console().print(", ".join(f"{value} {name}" for name, value in facts.items()))
    show(measure(index, truth, words, windows))


if __name__ == "__main__":
    main()
