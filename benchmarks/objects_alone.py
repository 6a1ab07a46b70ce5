"""One thing: what objects cost and say where one is there: ``python -m benchmarks.objects_alone RECORDINGS``.

Each recording of a folder (its name is the word) or file goes through the recognizer as ``--headless --speed
max`` does, without objects and with them, turn by turn. The whole picture's answers must be the same. Told
are windows, how often the whole picture and the thing are right (where the folder's names are the words), how
many encodings a window needs, and the processor's time with objects over that without.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.results import show, write_table
from benchmarks.timing import load
from neuroclip_drivers.demo import DEMO_PROMPTS
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.model.backbone import Backbone, load_backbone
from neuroclip_live.objects.found import ObjectsSettings
from neuroclip_live.prompting.prompts import PromptEncoder, PromptTable, parse_prompts
from neuroclip_live.recognition.recognizer import Recognizer, RecognizerSettings
from neuroclip_live.recognition.replay_all import Totals, recognize_all
from neuroclip_live.stream.slicing import SliceBy


class Counted:
    """A model whose encodings are counted."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self.encoded = 0

    def encode_frames(self, frames: Any) -> Any:
        """Encode, and count."""
        self.encoded += len(frames)
        return self._backbone.encode_frames(frames)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backbone, name)


def told(path: Path, backbone: Any, table: PromptTable, objects: bool) -> tuple[list[Any], float]:
    """Return the predictions of a recording, and the processor's seconds they took."""
    settings = RecognizerSettings(objects=ObjectsSettings(objects, budget_ms=float("inf")))
    recognizer = Recognizer(backbone, table, settings)
    recognizer.warm_up()
    source = ReplaySource(path, speed=None)
    begin = time.process_time()
    predictions = list(recognize_all(source, recognizer, SliceBy(), Totals()))
    took = time.process_time() - begin
    source.close()
    return predictions, took


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    root = options.recordings
    files = sorted(root.glob("*.aedat4")) if root.is_dir() else [root]
    words = [path.stem.replace("_", " ") for path in files]
    backbone = Counted(load_backbone())
    asked = ", ".join(words) if len(words) > 1 else DEMO_PROMPTS
    table = PromptEncoder(backbone).encode(parse_prompts(asked))  # type: ignore[arg-type]
    told(files[0], backbone, table, True)  # what is compiled is compiled
    rows = []
    for path, word in zip(files, words, strict=True):
        ratios = []
        for _ in range(options.repeats):
            plain, without = told(path, backbone, table, False)
            before = backbone.encoded
            found, taken = told(path, backbone, table, True)
            encoded = backbone.encoded - before
            ratios.append(taken / without)
            same = [(p.scores, p.decision) for p in plain] == [(p.scores, p.decision) for p in found]
            if not same:
                raise SystemExit(f"{path.name}: with objects the whole picture's answers are others")
        scored = [p for p in found if p.scores and p.objects]
        things = [max(p.objects, key=lambda one: (one.state == "seen", one.age_us)) for p in scored]
        rows.append(
            {
                "recording": path.name,
                "windows": len(found),
                "one_thing": round(sum(len(p.objects or ()) == 1 for p in found) / max(len(found), 1), 3),
                "whole_right": round(statistics.mean(p.decision.label == word for p in scored), 3),
                "thing_right": round(statistics.mean(one.label == word for one in things), 3),
                "encodings_a_window": round(encoded / len(found), 3),
                "time_ratio": round(statistics.median(ratios), 3),
                "load": load(),
            }
        )
        show(rows[-1])
    write_table(options.out, rows)


if __name__ == "__main__":
    main()
