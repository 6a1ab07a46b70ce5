"""Distil the text tower: ``python -m training.distill_text --out DIR``.

One command from nothing to ``DIR/text_tower.safetensors`` (float32 state of open_clip's ``TextTransformer``,
keys without prefix) and ``DIR/text_scores.json`` (the scores on the held-out lemmas). The teacher's vectors
are kept in ``DIR/cache``, a checkpoint in ``DIR/checkpoint.pt``: an interrupted run goes on where it stopped.

The loss is ``1 - cosine`` to the teacher plus a relational term: over a batch, the distribution of the
student's similarities to all the teacher's vectors is drawn to the teacher's own distribution. The first term
places a word, the second keeps neighbours apart, which is what retrieval and zero-shot decisions live on.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from torch import Tensor, nn

from training.teacher import MiniLM, Teacher, VectorCache
from training.text_tower import (
    TEXT_CFG,
    TextScores,
    build_tokenizer,
    build_tower,
    encoder,
    evaluate_text,
    forward,
    initialise,
    predicted_vectors,
    token_strings,
)
from training.texts import Corpus, HoldOut, build_corpus

log = logging.getLogger(__name__)

_MEGABATCH = 50


@dataclass(frozen=True)
class DistillSettings:
    """How the tower is trained.

    Attributes
    ----------
    steps, batch
        Optimiser steps and texts in each.
    lr, warmup
        Peak learning rate, and the share of the steps that rise to it; a cosine falls to a hundredth after.
    relational, temperature
        Weight of the relational term, and the temperature of its two softmaxes.
    seed
        Of initial weights and of the order of texts.
    save_every
        Steps between checkpoints.
    """

    steps: int = 3000
    batch: int = 512
    lr: float = 1.5e-3
    warmup: float = 0.05
    relational: float = 0.2
    temperature: float = 0.05
    weight_decay: float = 0.01
    seed: int = 0
    save_every: int = 200


def loss_of(features: Tensor, targets: Tensor, settings: DistillSettings) -> Tensor:
    """Return the loss of ``(B, C)`` features (any length) against ``(B, C)`` unit targets."""
    ours = nn.functional.normalize(features, dim=-1)
    cosine = 1 - (ours * targets).sum(-1).mean()
    wanted = (targets @ targets.T / settings.temperature).softmax(-1)
    got = (ours @ targets.T / settings.temperature).log_softmax(-1)
    return cosine + settings.relational * nn.functional.kl_div(got, wanted, reduction="batchmean")


def tokenise(texts: Sequence[str], tokenizer: Any) -> tuple[Tensor, Tensor]:
    """Return ``(N, L)`` int32 tokens and the ``(N,)`` lengths including start and end."""
    tokens = torch.cat([tokenizer(list(texts[i : i + 8192])).int() for i in range(0, len(texts), 8192)])
    return tokens, tokens.argmax(-1) + 1


def batches(lengths: Tensor, batch: int, seed: int, epoch: int) -> list[Tensor]:
    """Cut a shuffled epoch into batches of texts of like length, shuffled too; remainders are left out."""
    generator = torch.Generator().manual_seed(seed * 1009 + epoch)
    order = torch.randperm(len(lengths), generator=generator)
    cut: list[Tensor] = []
    for mega in order.split(batch * _MEGABATCH):
        mega = mega[lengths[mega].argsort(stable=True)]
        whole = [part for part in mega.split(batch) if len(part) == batch or len(mega) < batch]
        cut += whole
    return [cut[i] for i in torch.randperm(len(cut), generator=generator).tolist()]


def distil(
    tower: nn.Module,
    tokens: Tensor,
    lengths: Tensor,
    targets: np.ndarray,
    settings: DistillSettings,
    *,
    checkpoint: Path | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> None:
    """Train ``tower`` in place; go on from ``checkpoint`` when that file is there, and keep it up to date.

    ``targets`` is ``(N, C)``, float16 or float32, unit rows. ``progress`` gets the step and a running mean of
    the loss.
    """
    table = [p for name, p in tower.named_parameters() if p.ndim < 2 or "embedding" in name]
    others = [p for name, p in tower.named_parameters() if not (p.ndim < 2 or "embedding" in name)]
    groups = [{"params": table, "weight_decay": 0.0}, {"params": others}]
    optimiser = torch.optim.AdamW(
        groups, lr=settings.lr, betas=(0.9, 0.98), weight_decay=settings.weight_decay, fused=True
    )
    done = 0
    if checkpoint is not None and checkpoint.is_file():
        state = torch.load(checkpoint, weights_only=True)
        tower.load_state_dict(state["tower"])
        optimiser.load_state_dict(state["optimiser"])
        done = state["step"]
        log.info("going on from step %d", done)
    tower.train()
    vectors = torch.from_numpy(targets)
    mean_loss = float("nan")
    for step, rows in enumerate(_endless(lengths, settings)):
        if step >= settings.steps:
            break
        if step < done:
            continue
        for group in optimiser.param_groups:
            group["lr"] = settings.lr * _schedule(step, settings)
        longest = int(lengths[rows].max())
        with torch.autocast("cpu", torch.bfloat16):
            features = forward(tower, tokens[rows, :longest].long())
        wanted = nn.functional.normalize(vectors[rows].float(), dim=-1)
        loss = loss_of(features.float(), wanted, settings)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(tower.parameters(), 1.0)
        optimiser.step()
        value = loss.item()
        mean_loss = value if math.isnan(mean_loss) else 0.98 * mean_loss + 0.02 * value
        if progress is not None:
            progress(step + 1, mean_loss)
        if checkpoint is not None and ((step + 1) % settings.save_every == 0 or step + 1 == settings.steps):
            state = {"tower": tower.state_dict(), "optimiser": optimiser.state_dict(), "step": step + 1}
            torch.save(state, checkpoint.with_suffix(".tmp"))
            checkpoint.with_suffix(".tmp").replace(checkpoint)


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
    transform: Callable[[np.ndarray], np.ndarray] | None = None,
    start: Path | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> TextScores:
    """Distil a tower into ``out`` and return its scores on the corpus's held-out lemmas.

    Parameters
    ----------
    transform
        Turns the teacher's vectors into the targets (the image side's text head); ``None`` keeps them.
    start
        A ``text_tower.safetensors`` to go on from, instead of starting from the teacher's word vectors.
    """
    from safetensors.torch import load_file, save_file

    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    cache = VectorCache(out / "cache")
    tokenizer = build_tokenizer(cfg)
    vectors = cache.teach(
        corpus.texts, teacher, progress=lambda done, of: log.info("teacher: %d of %d", done, of)
    )
    wanted = cache.teach(corpus.held_out, teacher)
    if transform is not None:
        vectors, wanted = transform(vectors).astype(np.float16), transform(wanted)
    tower = build_tower(cfg, vectors.shape[1])
    if start is not None:
        tower.load_state_dict(load_file(start))
    else:
        guard = HoldOut(corpus.held_out)
        initialise(tower, start_vectors(tokenizer, teacher, cache, guard), seed=settings.seed)
    before = evaluate_text(encoder(tower, tokenizer), corpus.held_out, wanted, timed=0)
    log.info("before training: cosine %.3f, %d-way %.3f", before.cosine, before.ways, before.retrieval)
    tokens, lengths = tokenise(corpus.texts, tokenizer)
    begin = time.monotonic()
    distil(tower, tokens, lengths, vectors, settings, checkpoint=out / "checkpoint.pt", progress=progress)
    log.info("trained %d steps of %d in %.0f s", settings.steps, settings.batch, time.monotonic() - begin)
    save_file({k: v.contiguous() for k, v in tower.state_dict().items()}, out / "text_tower.safetensors")
    scores = evaluate_text(encoder(tower, tokenizer), corpus.held_out, wanted)
    facts = {"scores": scores.as_dict(), "texts": len(corpus.texts), "sources": corpus.sources}
    (out / "text_scores.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return scores


def _endless(lengths: Tensor, settings: DistillSettings) -> Iterator[Tensor]:
    epoch = 0
    while True:
        yield from batches(lengths, settings.batch, settings.seed, epoch)
        epoch += 1


def _schedule(step: int, settings: DistillSettings) -> float:
    warm = max(settings.warmup * settings.steps, 1.0)
    if step < warm:
        return (step + 1) / warm
    through = (step - warm) / max(settings.steps - warm, 1.0)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * through))


_FILE = click.Path(path_type=Path, exists=True)


@click.command(help=__doc__)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for all that is made.")
@click.option("--names", type=_FILE, help="TSV whose first column holds the names pictures have.")
@click.option("--wordnet", type=_FILE, help="Folder with WordNet's index.noun, index.adj, index.verb.")
@click.option("--words", type=_FILE, help="Word list, one a line.")
@click.option("--steps", default=DistillSettings.steps, show_default=True)
@click.option("--batch", default=DistillSettings.batch, show_default=True)
@click.option("--lr", default=DistillSettings.lr, show_default=True)
@click.option("--limit", type=int, help="Use only this many texts.")
@click.option("--seed", default=0, show_default=True)
@click.option("--start", type=_FILE, help="Tower to go on from.")
@click.option("--threads", type=int, help="CPU threads.")
def main(
    out: Path,
    names: Path | None,
    wordnet: Path | None,
    words: Path | None,
    steps: int,
    batch: int,
    lr: float,
    limit: int | None,
    seed: int,
    start: Path | None,
    threads: int | None,
) -> None:
    """Run from the command line; the log goes to ``out/distill.log`` too."""
    from rich.progress import Progress

    out.mkdir(parents=True, exist_ok=True)
    handlers = [logging.StreamHandler(), logging.FileHandler(out / "distill.log", encoding="utf-8")]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", handlers=handlers)
    if threads:
        torch.set_num_threads(threads)
    known = [line.split("\t")[0] for line in names.read_text(encoding="utf-8").splitlines()] if names else []
    corpus = build_corpus(names=known, wordnet=wordnet, words=words, limit=limit)
    log.info("%d texts: %s", len(corpus.texts), corpus.sources)
    log.info("%s, text_cfg %s", settings := DistillSettings(steps, batch, lr, seed=seed), TEXT_CFG)
    with Progress() as bar:
        task = bar.add_task("distilling", total=steps)

        def progress(step: int, loss: float) -> None:
            bar.update(task, completed=step, description=f"loss {loss:.4f}")
            if step % 100 == 0:
                log.info("step %d loss %.4f", step, loss)

        scores = make_text_tower(out, corpus, MiniLM(), settings, start=start, progress=progress)
    log.info("held out: %s", scores)


if __name__ == "__main__":
    main()
