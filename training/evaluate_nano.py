"""Measure event-nano: ``python -m training.evaluate_nano --model DIR --data DATA --trials DIR --out DIR``.

Everything goes through the product's own path: events are counted, discriminated, focused and fitted by
``neuroclip_live.stream.frames`` and encoded by ``neuroclip_live.model.backbone``. Real recordings are read,
never learned from. Writes ``results.csv`` and ``results.md``, every figure with its 95 % interval
(Wilson for shares, the bootstrap over scenes for others; windows of one recording are
strongly correlated, so the true interval there is wider).

With the ``[training]`` extra installed the text tower is measured against its teacher, and simulated
validation is asked with the teacher's words too, which shows what the text tower costs.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from neuroclip_live.model.backbone import Backbone, load_backbone
from training.calibrate import Calibration, calibrate
from training.distill_text import through_head
from training.joint import speaker
from training.measure_real import nmnist, objects, person
from training.measure_simulated import StandIns, calibration_lines, encode_trials, simulated
from training.measure_speed import beside_a_clip
from training.measure_text import Words, text_lines
from training.measuring import Array, Line, write
from training.settings import HELD_OUT_CLASSES
from training.trials import Trial, load_trials

log = logging.getLogger("training")

TARGETS = "its targets"
"""What the text tower was taught: words and looks joined."""


def validate(
    backbone: Backbone, trials: Sequence[Trial], encoded: Sequence[Array], stand_ins: StandIns | None = None
) -> tuple[list[Line], Calibration]:
    """Measure simulated validation at the scale fitted on it."""
    _, every = simulated(backbone, trials, encoded, 1.0)
    cosines = [each for each, trial in zip(every, trials, strict=True) if not trial.extra]
    found = calibrate(cosines)
    lines, _ = simulated(backbone, trials, encoded, found.logit_scale, stand_ins)
    return [*lines, *calibration_lines(cosines, found)], found


def real(backbone: Backbone, data: Path, none_cosine: float, stand_ins: StandIns | None = None) -> list[Line]:
    """Measure the real recordings in a folder, those that are there."""
    lines = []
    for path, measure in (
        (data / "recordings" / "objects_dvs128", lambda p: objects(backbone, p, none_cosine, stand_ins)),
        (data / "nmnist" / "Train", lambda p: nmnist(backbone, p)),
        (data / "recordings" / "dvxplorer_person.aedat4", lambda p: person(backbone, p)),
    ):
        if path.exists():
            lines += measure(path)
        else:
            log.warning("%s is not there: passed over", path)
    return lines


def minilm() -> Words | None:
    """Return the teacher, or nothing without the ``[training]`` extra."""
    from training.teacher import MiniLM

    try:
        return MiniLM(bfloat16=False)
    except ImportError as error:  # transformers, or the teacher's own package
        log.warning("no comparison with the teacher: %s", error)
        return None


_DIR = click.Path(path_type=Path, exists=True)


@click.command(help=__doc__)
@click.option("--model", default="event-nano", show_default=True, help="A model folder, or a name.")
@click.option("--data", type=_DIR, help="Folder of real recordings.")
@click.option("--trials", "trials_path", type=_DIR, required=True, help="Simulated validation.")
@click.option("--head", type=_DIR, help="The text head of training: its words are measured too.")
@click.option("--facts", type=click.Path(path_type=Path), help="Write the calibration here, for the export.")
@click.option("--runtime", default="auto", show_default=True)
@click.option("--speed/--no-speed", default=True, help="Time single slices, beside a ViT-B/32.")
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(
    model: str,
    data: Path | None,
    trials_path: Path,
    head: Path | None,
    facts: Path | None,
    runtime: Any,
    speed: bool,
    out: Path,
) -> None:
    """Run from the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    backbone = load_backbone(model, runtime=runtime)
    trials = load_trials(trials_path)
    teacher = minilm()
    words: dict[str, Words] = {}
    if teacher and head:
        words[TARGETS] = speaker(teacher, through_head(head), HELD_OUT_CLASSES)
    encoded = encode_trials(load_backbone(model, runtime=runtime, focus=False), trials)
    lines, found = validate(backbone, trials, encoded, words)
    if data:
        lines += real(backbone, data, found.none_cosine, words)
    lines += text_lines(backbone, {"the teacher": teacher} if teacher else {})
    if speed:
        lines += beside_a_clip(model)
    write(lines, out)
    if facts:
        rounded = {"logit_scale": round(found.logit_scale, 2), "none_cosine": round(found.none_cosine, 4)}
        facts.write_text(json.dumps(rounded))
    click.echo((out / "results.md").read_text())


if __name__ == "__main__":
    main()
