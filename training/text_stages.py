"""The text tower's three stages: the teacher alone, the teacher through the head, the pictures' own names.

Each is kept in a folder of its own and passed over when it is done; the teacher's vectors are kept once for
all of them.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from pathlib import Path

from training.distill_text import make_text_tower, through_head
from training.processes import told
from training.settings import TextPlan
from training.teacher import Teacher
from training.texts import Corpus, HoldOut, build_corpus
from training.vocabulary import concepts

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
    """
    pictures = [sentence for several in concepts(nouns).values() for sentence in several]
    general = corpus or build_corpus(limit=plan.limit)
    named = corpus or build_corpus(extra=pictures, limit=plan.limit)
    last = polishing(named, pictures, important, plan)
    through = through_head(head)
    start = None
    stages = (
        ("1_plain", general, plan.plain, None),
        ("2_through_head", named, plan.through_head, through),
        ("3_names", last, plan.polish, through),
    )
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
