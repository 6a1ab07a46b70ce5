"""The text tower against its teacher, on lemmas that distillation never saw; and what a prompt costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from neuroclip_live.model.backbone import Backbone
from training.measuring import Array, Line, unit
from training.text_tower import evaluate_text
from training.texts import held_out_lemmas

Words = Callable[[Sequence[str]], Array]


def text_lines(backbone: Backbone, targets: Mapping[str, Words], lemmas: Sequence[str] = ()) -> list[Line]:
    """Measure the text tower through the product's door; of longer outputs, those that stand for the target.

    Parameters
    ----------
    targets : mapping
        Name → texts to (N, C) unit vectors: the teacher, or what else the tower was taught.
    lemmas : sequence of str, optional
        Texts that no training text contained; :func:`training.texts.held_out_lemmas` by default.
    """
    lemmas = list(lemmas) or held_out_lemmas()
    lines = []
    for name, target in targets.items():
        wanted = np.asarray(target(lemmas))

        def words(texts: Sequence[str], dim: int = wanted.shape[1]) -> Array:
            return unit(backbone.encode_texts(list(texts))[:, :dim])

        scores = evaluate_text(words, lemmas, wanted, timed=0)
        cosine = (scores.cosine, scores.cosine_low, scores.cosine_high, scores.count)
        hits = (scores.retrieval, scores.retrieval_low, scores.retrieval_high, scores.count)
        lines.append(Line(f"text, lemmas never distilled: mean cosine with {name}", *cosine))
        lines.append(Line(f"… {scores.ways}-way retrieval", *hits, f"{1 / scores.ways:.2f}"))
    return [*lines, prompt_time(backbone, lemmas[:100])]


def prompt_time(backbone: Backbone, prompts: Sequence[str]) -> Line:
    """Time single new prompts; the interval is that of single ones, not of the median."""
    backbone.encode_texts(["warm up"])
    times = []
    for prompt in prompts:
        start = time.perf_counter()
        backbone.encode_texts([prompt])
        times.append(1e3 * (time.perf_counter() - start))
    low, high = np.percentile(times, [2.5, 97.5])
    return Line("a new prompt, milliseconds", float(np.median(times)), float(low), float(high), len(times))
