"""The text tower's stages: the teacher alone, then through the head, the pictures' names; words and looks.

Each is kept in a folder of its own and passed over when it is done; the teacher's vectors are kept once for
all of them.
"""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.distill_text import by_head, make_text_tower
from training.distillation import DistillSettings
from training.joint import Speaker
from training.phrases import EVENT_TEMPLATES, PHOTO_TEMPLATES, articled
from training.processes import told
from training.settings import TextPlan
from training.teacher import Teacher
from training.texts import Corpus, HoldOut, build_corpus, imagenet_definitions, imagenet_lemmas
from training.visual_prototypes import join
from training.vocabulary import TEMPLATES, concepts

log = logging.getLogger("training")

TOWER_FILE = "text_tower.safetensors"


def train_text(
    folder: Path,
    teacher: Teacher,
    head: Path,
    nouns: Sequence[str],
    important: Sequence[str],
    plan: TextPlan,
    corpus: Corpus | None = None,
    speaker: Speaker | None = None,
    named: dict[str, np.ndarray] | None = None,
) -> Path:
    """Run the stages that are not done yet; return the file of the last one's tower.

    Parameters
    ----------
    head : Path
        The image side's text head.
    nouns, important : sequence of str
        What all pictures are called, and the names to show more often in the last stage.
    corpus : Corpus, optional
        Texts for the first two stages; built from ImageNet's lemmas, WordNet and so on by default.
    speaker : Speaker, optional
        Adds the last stage, in which the tower learns how things look too.
    named : dict of str to ndarray (256,), optional
        The looks of the pictures' names, for that stage.
    """
    pictures = [sentence for several in concepts(nouns).values() for sentence in several]
    general = corpus or build_corpus(limit=plan.limit)
    wider = corpus or build_corpus(extra=pictures, limit=plan.limit)
    last = polishing(wider, pictures, important, plan)
    through = by_head(head)
    start = None
    stages: list[tuple[str, Corpus, DistillSettings, Any]] = [
        ("1_plain", general, plan.plain, None),
        ("2_through_head", wider, plan.through_head, through),
        ("3_names", last, plan.polish, through),
    ]
    if speaker is not None:
        shown = looking(last, wider, plan)
        stages.append(("4_looks", shown, plan.looks, joined(speaker, named or {}, shown)))
    for name, texts, settings, transform in stages:
        done = folder / name / TOWER_FILE
        if not done.exists():
            log.info("text tower, %s: %d texts, %d shown again", name, len(texts.texts), len(texts.again))
            with told(f"text tower, {name}", settings.steps) as tell:
                scores = make_text_tower(
                    folder / name,
                    texts,
                    teacher,
                    settings,
                    cfg=plan.cfg,
                    transform=transform,
                    start=start,
                    cache=folder / "cache",
                    progress=lambda step, loss, tell=tell: tell(step, f"loss {loss:.3f}"),  # type: ignore[misc]
                )
            log.info(
                "held-out lemmas: cosine %.3f, %d-way %.3f", scores.cosine, scores.ways, scores.retrieval
            )
        start = done
    return done


def looking(last: Corpus, wider: Corpus, plan: TextPlan) -> Corpus:
    """Return the texts of the stage of looks: the last stage's, ImageNet's lemmas bare and in a sentence."""
    guard, random_ = HoldOut(wider.held_out), random.Random(4)
    lemmas = [lemma for lemma in imagenet_lemmas()[: plan.lemmas] if not guard.contains(lemma)]
    around = [articled(random_.choice(PHOTO_TEMPLATES + EVENT_TEMPLATES).format(lemma)) for lemma in lemmas]
    texts = dict.fromkeys([*last.texts, *lemmas, *around])
    return Corpus(tuple(texts), wider.held_out, {"lemmas": len(lemmas)}, last.again)


def joined(
    speaker: Speaker, named: dict[str, np.ndarray], shown: Corpus
) -> Callable[[Sequence[str], np.ndarray], np.ndarray]:
    """Return what turns texts and the teacher's vectors into joined targets.

    A text that is a name, or a sentence made around one, looks like the name; a definition like what it
    defines; any other like the names it is closest to.
    """

    def transform(texts: Sequence[str], vectors: np.ndarray) -> np.ndarray:
        lemmas = [lemma for lemma in imagenet_lemmas() if lemma in wanted and lemma not in named]
        known = dict(named) | dict(zip(lemmas, speaker.looks_of(lemmas), strict=True))
        looks = speaker.looks.by_name(vectors.astype(np.float32))
        defined = [i for i, text in enumerate(texts) if text in definitions]
        if defined:
            looks[defined] = speaker.looks.by_definition(vectors[defined].astype(np.float32))
        for i, text in enumerate(texts):
            look = known.get(inside(text))
            if look is not None:
                looks[i] = look
        return join(speaker.through_head(vectors.astype(np.float32)), looks)

    wanted, definitions = set(shown.texts), set(imagenet_definitions())
    return transform


def inside(sentence: str) -> str:
    """Return the name that a sentence of our templates was made around; the text itself if it is none."""
    for pattern in _AROUND:
        found = pattern.fullmatch(sentence)
        if found:
            return found.group(1)
    return sentence


_AROUND = [
    re.compile(re.escape(template).replace("a\\ \\{\\}", "an?\\ (.+)").replace("\\{\\}", "(.+)"))
    for template in sorted({*PHOTO_TEMPLATES, *EVENT_TEMPLATES, *TEMPLATES} - {"{}"}, key=len, reverse=True)
]


def polishing(corpus: Corpus, pictures: Sequence[str], important: Sequence[str], plan: TextPlan) -> Corpus:
    """Return the last stage's texts: the pictures' sentences, the important ones again, and some others."""
    guard = HoldOut(corpus.held_out)
    named = [text for text in dict.fromkeys(pictures) if not guard.contains(text)]
    several = concepts(important)
    wanted = {text for name, texts in several.items() if not name.startswith("letter ") for text in texts}
    others = sorted(set(corpus.texts) - set(named))
    random.Random(0).shuffle(others)
    again = [text for text in named if text in wanted] * plan.again
    return Corpus((*named, *others[: plan.others]), corpus.held_out, {"pictures": len(named)}, tuple(again))
