"""The loop that distils: batches of like length, loss, schedule, checkpoints.

The loss is ``1 - cosine`` to the teacher plus a relational term: over a batch, the distribution of the
student's similarities to all the teacher's vectors is drawn to the teacher's own distribution. The first term
places a word, the second keeps neighbors apart, which is what retrieval and zero-shot decisions live on.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.text_tower import forward

log = logging.getLogger(__name__)

_MEGABATCH = 50  # batches within which texts are sorted by length


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


def tokenize(texts: Sequence[str], tokenizer: Any) -> tuple[Tensor, Tensor]:
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
    optimizer = torch.optim.AdamW(
        groups, lr=settings.lr, betas=(0.9, 0.98), weight_decay=settings.weight_decay, fused=True
    )
    done = 0
    if checkpoint is not None and checkpoint.is_file():
        state = torch.load(checkpoint, weights_only=True)
        tower.load_state_dict(state["tower"])
        optimizer.load_state_dict(state["optimiser"])
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
        for group in optimizer.param_groups:
            group["lr"] = settings.lr * _schedule(step, settings)
        longest = int(lengths[rows].max())
        with torch.autocast("cpu", torch.bfloat16):
            features = forward(tower, tokens[rows, :longest].long())
        wanted = nn.functional.normalize(vectors[rows].float(), dim=-1)
        loss = loss_of(features.float(), wanted, settings)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(tower.parameters(), 1.0)
        optimizer.step()
        value = loss.item()
        mean_loss = value if math.isnan(mean_loss) else 0.98 * mean_loss + 0.02 * value
        if progress is not None:
            progress(step + 1, mean_loss)
        if checkpoint is not None and ((step + 1) % settings.save_every == 0 or step + 1 == settings.steps):
            state = {"tower": tower.state_dict(), "optimiser": optimizer.state_dict(), "step": step + 1}
            torch.save(state, checkpoint.with_suffix(".tmp"))
            checkpoint.with_suffix(".tmp").replace(checkpoint)


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
