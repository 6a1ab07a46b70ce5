"""Distil the text tower: ``python -m training.distill_text --out DIR``.

One command from nothing to ``DIR/text_tower.safetensors`` (float32 state of open_clip's ``TextTransformer``,
keys without prefix) and ``DIR/text_scores.json`` (the scores on the held-out lemmas). The teacher's vectors
are kept in ``DIR/cache``, a checkpoint in ``DIR/checkpoint.pt``: an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from torch import nn

from training.distillation import DistillSettings, distil, tokenize
from training.image_tower import TextHead
from training.teacher import MiniLM, Teacher, VectorCache
from training.text_tower import (
    TEXT_CFG,
    TextScores,
    build_tokenizer,
    build_tower,
    encoder,
    evaluate_text,
    forward,
    initialize,
    predicted_vectors,
    token_strings,
)
from training.texts import Corpus, HoldOut, build_corpus

log = logging.getLogger(__name__)


def start_vectors(tokenizer: Any, teacher: Teacher, cache: VectorCache, guard: HoldOut) -> np.ndarray:
    """Return the ``(V - 2, C)`` vectors the table starts from.

    No row is the teacher's answer to a text with a held-out lemma; such rows are predicted.
    """
    strings = token_strings(tokenizer)
    hidden = np.array([guard.contains(text) for text in strings])
    asked = [text if not hide else " " for text, hide in zip(strings, hidden, strict=True)]
    vectors = cache.teach(asked, teacher).astype(np.float32)
    inputs = getattr(teacher, "word_vectors", None)
    if not hidden.any():
        return vectors
    if inputs is None:
        vectors[hidden] = vectors[~hidden].mean(0)
        return vectors
    return predicted_vectors(inputs(strings), vectors, hidden)


def make_text_tower(
    out: Path,
    corpus: Corpus,
    teacher: Teacher,
    settings: DistillSettings,
    *,
    cfg: dict[str, int] | None = None,
    transform: Callable[[Sequence[str], np.ndarray], np.ndarray] | None = None,
    start: Path | None = None,
    cache: Path | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> TextScores:
    """Distil a tower into ``out`` and return its scores on the corpus's held-out lemmas.

    Parameters
    ----------
    transform
        Turns texts and the teacher's vectors of them into the targets, such as ``lambda texts, vectors:
        head(vectors)`` with :func:`through_head`; ``None`` keeps the vectors.
    start
        A ``text_tower.safetensors`` to go on from, instead of starting from the teacher's word vectors.
        If the targets are longer than its outputs, the further outputs start from the best linear guess.
    cache
        Where the teacher's vectors are kept; ``out/cache`` unless given.
    """
    from safetensors.torch import load_file, save_file

    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    known = VectorCache(cache or out / "cache")
    tokenizer = build_tokenizer(cfg)
    texts = (*corpus.texts, *corpus.again)
    vectors = known.teach(texts, teacher, progress=lambda done, of: log.info("teacher: %d of %d", done, of))
    wanted = known.teach(corpus.held_out, teacher)
    if transform is not None:
        vectors = transform(texts, vectors).astype(np.float16)
        wanted = transform(corpus.held_out, wanted)
    tower = build_tower(cfg, vectors.shape[1])
    tokens, lengths = tokenize(texts, tokenizer)
    if start is not None:
        tower.load_state_dict(widened(load_file(start), cfg, tokens, lengths, vectors))
    else:
        guard = HoldOut(corpus.held_out)
        initialize(tower, start_vectors(tokenizer, teacher, known, guard), seed=settings.seed)
    before = evaluate_text(encoder(tower, tokenizer), corpus.held_out, wanted, timed=0)
    log.info("before training: cosine %.3f, %d-way %.3f", before.cosine, before.ways, before.retrieval)
    begin = time.monotonic()
    distil(tower, tokens, lengths, vectors, settings, checkpoint=out / "checkpoint.pt", progress=progress)
    log.info("trained %d steps of %d in %.0f s", settings.steps, settings.batch, time.monotonic() - begin)
    save_file({k: v.contiguous() for k, v in tower.state_dict().items()}, out / "text_tower.safetensors")
    scores = evaluate_text(encoder(tower, tokenizer), corpus.held_out, wanted)
    facts = {"scores": scores.as_dict(), "texts": len(corpus.texts), "sources": corpus.sources}
    (out / "text_scores.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return scores


def through_head(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """Return the map that the image side's text head (``text_head.safetensors``) applies to unit vectors."""
    from safetensors.torch import load_file

    head = TextHead()
    head.load_state_dict(load_file(path))

    def transform(vectors: np.ndarray) -> np.ndarray:
        out = np.empty_like(vectors)
        with torch.inference_mode():
            for start in range(0, len(vectors), 16384):
                part = torch.from_numpy(vectors[start : start + 16384]).float()
                out[start : start + 16384] = head(nn.functional.normalize(part, dim=-1)).numpy()
        return out

    return transform


def by_head(path: Path) -> Callable[[Sequence[str], np.ndarray], np.ndarray]:
    """Return :func:`through_head` as a transform of :func:`make_text_tower`."""
    through = through_head(path)
    return lambda texts, vectors: through(vectors)


def widened(
    state: dict[str, torch.Tensor],
    cfg: dict[str, int] | None,
    tokens: torch.Tensor,
    lengths: torch.Tensor,
    targets: np.ndarray,
) -> dict[str, torch.Tensor]:
    """Return a tower's state with as many outputs as ``targets`` (N, C) has; the same where it has them.

    The further outputs are the least-squares guess of their targets, at the length that the first ones have.
    """
    projection = state["text_projection"]
    given, wanted = projection.shape[1], targets.shape[1]
    if given == wanted:
        return state
    plain = build_tower(cfg, len(projection))
    plain.load_state_dict({**state, "text_projection": torch.eye(len(projection))})
    plain.eval()
    rows = np.random.default_rng(0).permutation(len(tokens))[:_GUESSED]
    with torch.inference_mode():
        pooled = torch.cat(
            [
                forward(plain, tokens[part][:, : int(lengths[part].max())].long())
                for part in np.array_split(rows, -(-len(rows) // 512))
            ]
        )
    known = torch.from_numpy(targets[rows].astype(np.float32))
    first = known[:, :given].norm(dim=-1, keepdim=True).clamp(min=1e-3)
    length = (pooled @ projection).norm(dim=-1, keepdim=True) / first
    further = torch.linalg.lstsq(pooled, known[:, given:] * length).solution
    return {**state, "text_projection": torch.cat([projection, further], 1)}


_GUESSED = 12_000
_FILE = click.Path(path_type=Path, exists=True)


@click.command(help=__doc__)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for all that is made.")
@click.option("--extra", type=_FILE, help="Further texts, one a line: names of pictures, sentences of them.")
@click.option("--wordnet", type=_FILE, help="Folder with WordNet's index.noun, index.adj, index.verb.")
@click.option("--words", type=_FILE, help="Word list, one a line.")
@click.option("--again", default=0, show_default=True, help="How many times more to show the further texts.")
@click.option("--steps", default=DistillSettings.steps, show_default=True)
@click.option("--batch", default=DistillSettings.batch, show_default=True)
@click.option("--lr", default=DistillSettings.lr, show_default=True)
@click.option("--limit", type=int, help="Use only this many texts.")
@click.option("--seed", default=0, show_default=True)
@click.option("--start", type=_FILE, help="Tower to go on from.")
@click.option("--head", type=_FILE, help="Text head: learn head(teacher) instead of the teacher.")
@click.option("--cache", type=click.Path(path_type=Path), help="The teacher's vectors; default OUT/cache.")
@click.option("--threads", type=int, help="CPU threads.")
def main(
    out: Path,
    extra: Path | None,
    again: int,
    wordnet: Path | None,
    words: Path | None,
    steps: int,
    batch: int,
    lr: float,
    limit: int | None,
    seed: int,
    start: Path | None,
    head: Path | None,
    cache: Path | None,
    threads: int | None,
) -> None:
    """Run from the command line; the log goes to ``out/distill.log`` too."""
    from rich.progress import Progress

    out.mkdir(parents=True, exist_ok=True)
    handlers = [logging.StreamHandler(), logging.FileHandler(out / "distill.log", encoding="utf-8")]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", handlers=handlers)
    if threads:
        torch.set_num_threads(threads)
    more = extra.read_text(encoding="utf-8").splitlines() if extra else []
    corpus = build_corpus(extra=more, again=again, wordnet=wordnet, words=words, limit=limit)
    log.info("%d texts: %s", len(corpus.texts), corpus.sources)
    log.info("%s, text_cfg %s", settings := DistillSettings(steps, batch, lr, seed=seed), TEXT_CFG)
    with Progress() as bar:
        task = bar.add_task("distilling", total=steps)

        def progress(step: int, loss: float) -> None:
            bar.update(task, completed=step, description=f"loss {loss:.4f}")
            if step % 100 == 0:
                log.info("step %d loss %.4f", step, loss)

        scores = make_text_tower(
            out,
            corpus,
            MiniLM(),
            settings,
            transform=by_head(head) if head else None,
            start=start,
            cache=cache,
            progress=progress,
        )
    log.info("held out: %s", scores)


if __name__ == "__main__":
    main()
