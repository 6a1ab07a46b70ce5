"""Make event-nano from nothing but pictures: ``python -m training.make --images DIR --out DIR``.

Steps, each kept in ``--out`` and passed over when it is there already: pictures and names → the teacher's
vectors → image tower and text head on simulated events → text tower distilled from teacher and head →
simulated validation → calibration and export. ``training/README.md`` says where pictures, icons and fonts
come from and how long it takes.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import socket
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from training.bank import Bank, load_glyphs, load_icons, load_photos
from training.distill_text import DistillSettings, Teacher, make_text_tower, through_head
from training.icons import read_set, render
from training.pictures import PictureSet
from training.solids import CATALOGUE
from training.text_tower import TEXT_CFG
from training.texts import Corpus, build_corpus, imagenet_lemmas
from training.train_image import Plan, load_averaged, train
from training.trials import load_trials, save_trials, simulated_trials
from training.vocabulary import Vocabulary, build_vocabulary, fix_articles

log = logging.getLogger("training")

HELD_OUT_CLASSES = (
    "ant", "brontosaurus", "cannon", "chandelier", "crayfish", "dalmatian", "emu", "gerenuk",
    "helicopter", "lobster", "metronome", "nautilus", "platypus", "revolver", "saxophone", "sea horse",
    "starfish", "stop sign", "strawberry", "trilobite",
)  # fmt: skip
"""Caltech classes that training never sees: drawn at random from those that are not everyday things."""


@dataclass(frozen=True)
class Settings:
    """How much of everything; the defaults make the bundled model."""

    plan: Plan = field(default_factory=Plan)
    text: DistillSettings = field(default_factory=DistillSettings)
    text_cfg: dict[str, int] = field(default_factory=lambda: dict(TEXT_CFG))
    processes: int = 2
    trial_scenes: int = 400
    held_out: tuple[str, ...] = HELD_OUT_CLASSES
    solids: bool = True


def make(
    images: Sequence[Path],
    out: Path,
    teacher: Teacher,
    settings: Settings | None = None,
    icons: Sequence[Path] = (),
    fonts: Sequence[Path] = (),
    corpus: Corpus | None = None,
) -> Path:
    """Run every step that is not done yet; return the folder of the exported model.

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
    """
    settings = settings or Settings()
    out.mkdir(parents=True, exist_ok=True)
    bank, aside, glyphs = gather(images, icons, fonts, out, settings)
    vocabulary = name(bank, teacher, out)
    checkpoint = out / "image" / "checkpoint.pt"
    train_in_processes(settings, bank, vocabulary, out / "image")
    tower, head, _ = load_averaged(checkpoint, settings.plan.size)
    from safetensors.torch import save_file

    save_file({k: v.contiguous() for k, v in head.state_dict().items()}, out / "text_head.safetensors")
    counted = Counter([*bank.photos.nouns, *bank.icons.nouns])
    names = [noun for noun, pictures in counted.most_common() if pictures > 1]
    if settings.solids:
        names = list(dict.fromkeys([*(n for _, several in CATALOGUE.values() for n in several), *names]))
    if not (out / "text" / "text_tower.safetensors").exists():
        corpus = corpus or build_corpus(extra=names)
        make_text_tower(
            out / "text",
            corpus,
            teacher,
            settings.text,
            cfg=settings.text_cfg,
            transform=through_head(out / "text_head.safetensors"),
        )
    if not (out / "trials").exists():
        save_trials(
            simulated_trials(aside, glyphs, settings.plan.size, settings.trial_scenes), out / "trials"
        )
    trained = through_head(out / "text_head.safetensors")(teacher(names))
    return finish(out, tower, settings, names, trained)


def gather(
    images: Sequence[Path], icons: Sequence[Path], fonts: Sequence[Path], out: Path, settings: Settings
) -> tuple[Bank, dict[str, PictureSet], PictureSet]:
    """Read all pictures; return the training bank, photographs set aside, and characters set aside."""
    photos, aside = load_photos(images, settings.held_out)
    drawn = PictureSet()
    if icons:
        if not (out / "icons.json").exists():
            _render_icons(icons, out)
        drawn = load_icons(out, settings.held_out)
    kept_fonts = [font for i, font in enumerate(fonts) if i % 9 != 4]
    spare = [font for i, font in enumerate(fonts) if i % 9 == 4]
    bank = Bank(photos, drawn, load_glyphs(kept_fonts), settings.solids)
    counted = (len(photos.images), len(drawn.images), len(bank.glyphs.images))
    log.info("%d photographs, %d icons, %d characters", *counted)
    if not any(counted):
        raise click.ClickException(
            f"no images in {', '.join(map(str, images))}: folders of images by class are needed"
        )
    return bank, aside, load_glyphs(spare)


def _render_icons(packages: Sequence[Path], out: Path) -> None:
    lemmas = frozenset(lemma.lower() for lemma in imagenet_lemmas())
    seen: Counter[tuple[str, str]] = Counter()
    chosen = []
    for package in packages:
        for icon in read_set(package, lemmas):
            seen[icon.prefix, icon.noun] += 1
            if seen[icon.prefix, icon.noun] <= 3:
                chosen.append(icon)
    nouns = Counter(icon.noun for icon in chosen)
    chosen = [
        icon for icon in chosen if icon.noun in lemmas or nouns[icon.noun] > 1 or "emoji" in icon.prefix
    ]
    planes = render(chosen)
    inked = (planes[:, 1] > 40).mean(axis=(1, 2))
    kept = np.flatnonzero((inked > 0.01) & (inked < 0.97))
    np.save(out / "icons.npy", planes[kept])
    (out / "icons.json").write_text(
        json.dumps([[chosen[i].noun, chosen[i].prefix, chosen[i].key] for i in kept])
    )


def name(bank: Bank, teacher: Teacher, out: Path) -> Vocabulary:
    """Build the vocabulary, or load it."""
    path = out / "vocabulary.pkl"
    if path.exists():
        vocabulary: Vocabulary = pickle.loads(path.read_bytes())
        return vocabulary

    def encode(sentences: Sequence[str]) -> Any:
        fixed = [fix_articles(sentence) for sentence in sentences]
        return np.concatenate([teacher(fixed[i : i + 4096]) for i in range(0, len(fixed), 4096)])

    groups = [names for _, names in CATALOGUE.values()] if bank.solids else []
    vocabulary = build_vocabulary(bank.nouns(), groups, encode, characters=True)
    path.write_bytes(pickle.dumps(vocabulary))
    log.info("%d names, %d sentences", len(vocabulary.names), len(vocabulary.vectors))
    return vocabulary


def train_in_processes(settings: Settings, bank: Bank, vocabulary: Vocabulary, folder: Path) -> None:
    """Train the image tower to the plan's last step, in as many processes as asked for."""
    if settings.processes == 1:
        _worker(0, 1, 0, settings.plan, bank, vocabulary, folder)
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = (settings.processes, port, settings.plan, bank, vocabulary, folder)
    torch.multiprocessing.start_processes(_worker, arguments, settings.processes, start_method="fork")


def _worker(
    rank: int, world: int, port: int, plan: Plan, bank: Bank, vocabulary: Vocabulary, folder: Path
) -> None:
    import cv2
    import torch.distributed as dist

    cv2.setNumThreads(1)
    if world > 1:
        torch.set_num_threads(1)
        os.environ["OMP_NUM_THREADS"] = "1"
        dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=world)
    columns = (
        TextColumn("image tower"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[facts]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, disable=rank != 0) as bar:
        task = bar.add_task("train", total=plan.steps, facts="")

        def report(step: int, facts: dict[str, Any]) -> None:
            told = f"loss {facts['loss']:.2f} accuracy {facts['accuracy']:.2f} {facts['images_per_s']:.0f}/s"
            bar.update(task, completed=step, facts=told)

        train(plan, bank, vocabulary, folder, rank, world, report=report)
    if world > 1:
        dist.destroy_process_group()


def finish(
    out: Path, tower: torch.nn.Module, settings: Settings, names: Sequence[str], trained: np.ndarray
) -> Path:
    """Export both towers, calibrate on simulated validation through the product's door, and export again."""
    from safetensors.torch import load_file

    from neuroclip_live.backbone import load_backbone
    from training.calibrate import calibrate
    from training.evaluate_nano import encode_trials, simulated
    from training.export_nano import MOST_NAMES, export

    folder = out / "event_nano"
    text = load_file(out / "text" / "text_tower.safetensors")
    facts: dict[str, Any] = {"fit": "letterbox", "focus": True, "threshold": 0, "description": DESCRIPTION}
    options: dict[str, Any] = {
        "image_size": settings.plan.size,
        "text_cfg": settings.text_cfg,
        "names": names[:MOST_NAMES],
        "name_features": trained[:MOST_NAMES],
    }
    export(folder, tower.state_dict(), text, facts=facts, **options)
    backbone = load_backbone(f"local-dir:{folder}", device="cpu", runtime="torch", focus=False)
    trials = load_trials(out / "trials")
    _, cosines = simulated(backbone, trials, encode_trials(backbone, trials), 1.0)
    found = calibrate(cosines)
    facts |= {"logit_scale": round(found.logit_scale, 2), "none_cosine": round(found.none_cosine, 4)}
    export(folder, tower.state_dict(), text, facts=facts, **options)
    log.info(
        "calibrated: scale %.1f, ECE %.3f, none below %.3f", found.logit_scale, found.ece, found.none_cosine
    )
    return folder


DESCRIPTION = "objects, animals, people and digits moving before an event camera; open vocabulary, small"
"""What the window and ``models`` say this model is good for."""

_PATH = click.Path(path_type=Path, exists=True)


@click.command(help=__doc__)
@click.option("--images", type=_PATH, multiple=True, required=True, help="Folder or zip of images by class.")
@click.option("--icons", type=_PATH, help="Folder of npm's @iconify-json packages (.tgz).")
@click.option("--fonts", type=_PATH, help="Folder of fonts (.ttf, .otf, .woff).")
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--steps", default=Plan.steps, show_default=True, help="Steps of the image tower.")
@click.option(
    "--text-steps", default=DistillSettings.steps, show_default=True, help="Steps of the text tower."
)
@click.option("--processes", default=os.cpu_count() or 1, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(
    images: tuple[Path, ...],
    icons: Path | None,
    fonts: Path | None,
    out: Path,
    steps: int,
    text_steps: int,
    processes: int,
    seed: int,
) -> None:
    """Run from the command line."""
    from training.teacher import MiniLM

    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[RichHandler(show_path=False)])
    packages = sorted(icons.glob("*.tgz")) if icons else []
    files = (
        sorted(f for f in fonts.rglob("*") if f.suffix.lower() in {".ttf", ".otf", ".woff"}) if fonts else []
    )
    settings = Settings(
        Plan(steps=steps, seed=seed), DistillSettings(steps=text_steps, seed=seed), processes=processes
    )
    folder = make(images, out, MiniLM(), settings, packages, files)
    click.echo(
        f"event-nano is in {folder}; measure it with python -m training.evaluate_nano --model {folder}"
    )


if __name__ == "__main__":
    main()
