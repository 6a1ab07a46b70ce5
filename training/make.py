"""Make event-nano from nothing but pictures: ``python -m training.make --images DIR --out DIR``.

Stages, each kept in ``--out`` and passed over when it is there already: pictures and names → the teacher's
vectors → image tower and text head on simulated events → looks of names and photographs → the image tower's
second half → text tower in four stages → simulated validation → calibration and export → evaluation. A run
that was interrupted goes on from its last checkpoint. ``--quick`` goes through all of it in a few minutes.
``training/README.md`` says where pictures, icons and fonts come from and how long it takes.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.logging import RichHandler
from torch import nn

from neuroclip_live.model.backbone import load_backbone
from training.bank import font_files
from training.distill_text import through_head
from training.evaluate_nano import TARGETS, real, validate
from training.export_nano import MOST_NAMES, export
from training.gathering import gather, important_names, name_things, names_of
from training.image_tower import build_tower, imagenet_classifier, widened
from training.joint import joint_targets, speaker
from training.lessons import HeadLesson, Lesson, LooksLesson
from training.measure_simulated import StandIns, encode_trials
from training.measure_text import text_lines
from training.measuring import write
from training.processes import train_in_processes
from training.settings import Settings, quick, seeded
from training.teacher import Teacher
from training.text_stages import train_text
from training.texts import Corpus
from training.train_image import load_averaged
from training.trials import load_trials, save_trials, simulated_trials
from training.vocabulary import concepts

log = logging.getLogger("training")

FACTS: dict[str, Any] = {
    "fit": "letterbox",
    "focus": True,
    "threshold": 0,
    "templates": ["{}"],
    "description": "things that move before an event camera: objects on a desk, people, animals, digits; "
    "small, open vocabulary",
    "slice_ms": 100,
    "timesteps": 10,
}
"""What the product is told about the model, beside the calibration."""


def make(
    images: Sequence[Path],
    out: Path,
    teacher: Teacher,
    settings: Settings | None = None,
    icons: Sequence[Path] = (),
    fonts: Sequence[Path] = (),
    corpus: Corpus | None = None,
    data: Path | None = None,
    classifier: nn.Module | None = None,
) -> Path:
    """Run every stage that is not done yet; return the folder of the exported model.

    Parameters
    ----------
    images : sequence of Path
        Folders, or zips, of images by class.
    out : Path
        Where everything goes; a second run goes on from what is there.
    teacher : callable
        Sentences → (N, 384) unit vectors.
    settings : Settings, optional
    icons : sequence of Path
        npm packages (``.tgz``) of icon sets.
    fonts : sequence of Path
        Font files for digits and letters.
    corpus : Corpus, optional
        Sentences for the text tower; built from ImageNet's lemmas and the pictures' names by default.
    data : Path, optional
        Folder of real recordings to measure the result on; they are never trained on.
    classifier : nn.Module, optional
        ImageNet's, for the looks; EfficientNet-Lite0 by default.
    """
    from safetensors.torch import load_file, save_file

    settings = settings or Settings()
    out.mkdir(parents=True, exist_ok=True)
    bank, aside, glyphs = gather(images, icons, fonts, out, settings)
    vocabulary = name_things(bank, teacher, out)
    plan, index = settings.plan, vocabulary.index()

    def first() -> Lesson:
        return HeadLesson(build_tower(plan.size, plan.imagenet), vocabulary, plan.candidates)

    train_in_processes(settings.processes, plan, first, bank, index, out / "image", "image tower, first half")
    half, head = load_averaged(out / "image" / "checkpoint.pt", plan.size)
    assert head is not None
    head_file = out / "text_head.safetensors"
    save_file({name: value.contiguous() for name, value in head.state_dict().items()}, head_file)
    classifier = classifier or imagenet_classifier()
    told = speaker(teacher, through_head(head_file), settings.held_out, classifier)
    targets = joint_targets(bank, vocabulary, told, out / "looks", classifier)

    def second() -> Lesson:
        wide = widened(half, plan.size, targets.classes.shape[1])
        shown = (targets.sentences, targets.photographs, targets.classes, targets.always)
        return LooksLesson(wide, vocabulary, *shown, settings.second.candidates)

    where = out / "image_second"
    train_in_processes(
        settings.processes, settings.second, second, bank, index, where, "image tower, second half"
    )
    tower, _ = load_averaged(where / "checkpoint.pt", settings.second.size)
    important = important_names(bank, settings.text.important)
    several = concepts(bank.nouns()).items()
    named = {
        text: look
        for (name, texts), look in zip(several, targets.named, strict=True)
        for text in (name, *texts)
    }
    text_file = train_text(
        out / "text", teacher, head_file, bank.nouns(), important, settings.text, corpus, told, named
    )
    if not (out / "trials").exists():
        log.info("filming simulated validation")
        size, scenes = settings.plan.size, settings.trial_scenes
        filmed = simulated_trials(aside, glyphs, size, scenes, solids=settings.solids)
        save_trials(filmed, out / "trials")
    names = names_of(bank)[:MOST_NAMES]
    words = {TARGETS: told}
    teachers = {"the teacher": teacher}
    return finish(out, tower.state_dict(), load_file(text_file), names, words, teachers, settings, data)


def finish(
    out: Path,
    image: dict[str, Any],
    text: dict[str, Any],
    names: Sequence[str],
    words: StandIns,
    teachers: StandIns,
    settings: Settings,
    data: Path | None,
) -> Path:
    """Export both towers, calibrate through the product's door, export again with that, and evaluate."""
    folder = out / "event_nano"
    facts = dict(FACTS)
    options: dict[str, Any] = {
        "image_size": settings.plan.size,
        "text_cfg": settings.text.cfg,
        "names": names,
        "name_features": words[TARGETS](names),
    }
    export(folder, image, text, facts=facts, **options)
    backbone = load_backbone(f"local-dir:{folder}", device="cpu", runtime="torch", focus=False)
    trials = load_trials(out / "trials")
    lines, found = validate(backbone, trials, encode_trials(backbone, trials), words)
    facts |= {"logit_scale": round(found.logit_scale, 2), "none_cosine": round(found.none_cosine, 4)}
    export(folder, image, text, facts=facts, **options)
    told = (found.logit_scale, found.ece, found.none_cosine)
    log.info("calibrated: scale %.1f, ECE %.3f, none of these below %.3f", *told)
    backbone = load_backbone(f"local-dir:{folder}", device="cpu", runtime="torch")
    if data is not None:
        lines += real(backbone, data, found.none_cosine, words)
    write([*lines, *text_lines(backbone, teachers)], out / "results")
    return folder


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Show what the stages tell, and append it to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = logging.FileHandler(path, encoding="utf-8")
    kept.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    handlers: tuple[logging.Handler, ...] = (kept, RichHandler(show_path=False))
    level = log.level
    log.setLevel(logging.INFO)
    for handler in handlers:
        log.addHandler(handler)
    try:
        yield
    finally:
        log.setLevel(level)
        for handler in handlers:
            log.removeHandler(handler)
            handler.close()


_PATH = click.Path(path_type=Path, exists=True)


@click.command(help=__doc__)
@click.option("--images", type=_PATH, multiple=True, required=True, help="Folder or zip of images by class.")
@click.option("--icons", type=_PATH, help="Folder of npm's @iconify-json packages (.tgz).")
@click.option("--fonts", type=_PATH, multiple=True, help="Folder of fonts (.ttf, .otf, .woff).")
@click.option("--data", type=_PATH, help="Folder of real recordings to measure the result on.")
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option(
    "--steps",
    default=Settings().plan.steps,
    show_default=True,
    help="Steps of the image tower's first half.",
)
@click.option("--processes", default=os.cpu_count() or 1, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--quick", "try_out", is_flag=True, help="Every stage in a few minutes, good for nothing.")
def main(
    images: tuple[Path, ...],
    icons: Path | None,
    fonts: tuple[Path, ...],
    data: Path | None,
    out: Path,
    steps: int,
    processes: int,
    seed: int,
    try_out: bool,
) -> None:
    """Run from the command line; the log goes to ``out/make.log`` too."""
    from training.teacher import MiniLM

    packages = sorted(icons.glob("*.tgz")) if icons else []
    settings = Settings(processes=processes)
    share = steps / settings.plan.steps
    plan = replace(settings.plan, steps=steps)
    second = replace(settings.second, steps=max(1, round(settings.second.steps * share)))
    settings = seeded(replace(settings, plan=plan, second=second), seed)
    if try_out:
        settings = quick(settings)
    try:
        with logged(out / "make.log"):
            log.info("%s", settings)
            folder = make(images, out, MiniLM(), settings, packages, font_files(fonts), data=data)
    except ImportError as error:
        message = f"{error}; the extra has what training needs: pip install 'neuroclip-live[training]'"
        raise click.ClickException(message) from error
    click.echo((out / "results" / "results.md").read_text(encoding="utf-8"))
    click.echo(f"event-nano is in {folder}: neuroclip-live --model local-dir:{folder}")


if __name__ == "__main__":
    main()
