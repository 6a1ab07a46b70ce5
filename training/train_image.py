"""Train the image tower: a few processes of one thread each film scenes and average their gradients.

One thread for each process, and one exchange a step, loses less on a small machine than threads that wait
for each other in every layer. Runs until a number of steps or a deadline; checkpoints every few minutes; a
run that finds its checkpoint goes on from there.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional

from training.bank import Bank
from training.image_tower import TextHead, build_tower, copy_state, normalize_frames, update_average
from training.lessons import Batch, Lesson
from training.studio import Studio


@dataclass(frozen=True)
class Turn:
    """What changes once ``share`` of the steps is done; ``None`` leaves it.

    ``reuse`` is how often a frame is shown, about. A frozen head keeps its averaged weights: from there on
    the text tower's target stands still.
    """

    share: float
    mix: tuple[float, ...] | None = None
    reuse: float | None = None
    freeze_head: bool = False


TURNS = (
    Turn(0.5, mix=(0.46, 0.22, 0.21, 0.08, 0.03)),
    Turn(0.598, mix=(0.6, 0.19, 0.14, 0.05, 0.02)),
    Turn(0.721, freeze_head=True),
    Turn(0.765, reuse=1.0),
)
"""The turns of the bundled model: more photographs as time goes on, then new frames only."""


@dataclass(frozen=True)
class Plan:
    """What to train for how long.

    ``stages`` are (share of the run's steps, input side); frames are filmed at ``size`` and shrunk in
    earlier stages. ``mix`` weighs photographs, icons, solids, handwritten and printed digits, printed
    letters; ``turns`` change it on the way. ``gentle`` and ``photo_power`` are those of
    :meth:`training.bank.Studio.take_photographs`; ``scale`` is where the logit scale starts. ``batch`` is
    each process's own.
    """

    steps: int = 4600
    batch: int = 32
    size: int = 96
    stages: tuple[tuple[float, int], ...] = ((0.567, 64), (1.0, 96))
    mix: tuple[float, ...] = (0.36, 0.25, 0.22, 0.13, 0.04)
    rate: float = 1.2e-3
    weight_decay: float = 0.03
    warm_up: int = 150
    decay: float = 0.998
    candidates: int = 1024
    seed: int = 0
    buffer: int = 3000
    reuse: float = 2.0
    save_every_s: float = 180.0
    gentle: float = 0.0
    photo_power: float = 0.75
    scale: float = 20.0
    imagenet: bool = True
    turns: tuple[Turn, ...] = TURNS


class FrameBuffer:
    """A shuffled store of filmed frames; old ones give way to new ones."""

    def __init__(self, studio: Studio, index: dict[str, int], capacity: int, size: int, seed: int) -> None:
        self._studio, self._index = studio, index
        self._frames = np.full((capacity, size, size), 127, np.uint8)
        self._concepts = np.zeros(capacity, np.int64)
        self._photographs = np.full(capacity, -1, np.int64)
        self._filled = 0
        self._random = np.random.default_rng(seed)

    def film(self, frames: int) -> None:
        """Add at least ``frames`` new frames, over random old ones once full."""
        added = 0
        while added < frames:
            made, noun = self._studio.scene()
            for frame in made:
                if self._filled < len(self._frames):
                    place, self._filled = self._filled, self._filled + 1
                else:
                    place = int(self._random.integers(len(self._frames)))
                self._frames[place], self._concepts[place] = frame, self._index[noun]
                self._photographs[place] = self._studio.photograph
                added += 1

    def batch(self, size: int, side: int) -> Batch:
        """Draw ``size`` frames, each shifted a little, shrunk to ``side``."""
        chosen = self._random.choice(self._filled, min(size, self._filled), replace=False)
        frames = self._frames[chosen]
        full = frames.shape[1]
        reach = full // 24
        padded = np.pad(frames, ((0, 0), (reach, reach), (reach, reach)), constant_values=127)
        for i, (dy, dx) in enumerate(self._random.integers(0, 2 * reach + 1, (len(frames), 2))):
            frames[i] = padded[i, dy : dy + full, dx : dx + full]
        images = normalize_frames(frames)
        if side != full:
            images = functional.interpolate(images, size=(side, side), mode="bilinear", antialias=True)
        return Batch(images, self._concepts[chosen], self._photographs[chosen])


def side_at(plan: Plan, step: int) -> int:
    """Return the input side of a step."""
    for share, side in plan.stages:
        if step < share * plan.steps:
            return side
    return plan.stages[-1][1]


def turn_at(plan: Plan, step: int) -> Turn:
    """Return the mix, the reuse and whether the head is frozen, at a step."""
    now = Turn(0.0, plan.mix, plan.reuse)
    for turn in plan.turns:
        if step >= turn.share * plan.steps:
            now = Turn(
                turn.share, turn.mix or now.mix, turn.reuse or now.reuse, turn.freeze_head or now.freeze_head
            )
    return now


def rate_at(plan: Plan, step: int) -> float:
    """Return the learning rate of a step: a short warm-up, then a cosine to nearly nothing."""
    if step < plan.warm_up:
        return plan.rate * (step + 1) / plan.warm_up
    progress = min(1.0, (step - plan.warm_up) / max(1, plan.steps - plan.warm_up))
    return plan.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


def train(
    plan: Plan,
    lesson: Lesson,
    bank: Bank,
    index: dict[str, int],
    folder: Path,
    rank: int = 0,
    world: int = 1,
    report: Callable[[int, dict[str, Any]], None] | None = None,
) -> Path:
    """Train, as process ``rank`` of ``world``; return the path of the last checkpoint (written by rank 0).

    Convolutions run in float32 with the channels last: backwards through bfloat16's took 1.6 times as long.

    Raises
    ------
    FloatingPointError
        If the loss stops being a number.
    """
    torch.manual_seed(plan.seed)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "checkpoint.pt"
    model = lesson.model.to(memory_format=torch.channels_last)
    log_scale = nn.Parameter(torch.tensor(math.log(plan.scale)))
    learnt = [*model.parameters(), log_scale]
    optimizer = _optimizer(model, log_scale, plan)
    step, average = 0, copy_state(model)
    if path.exists():
        saved = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimiser"])
        log_scale.data.copy_(saved["log_scale"])
        step, average = int(saved["step"]), saved["average"]
    seed = plan.seed * 1_000_003 + step * 101 + rank
    now = turn_at(plan, step)
    studio = Studio(bank, now.mix or plan.mix, seed, plan.size)
    studio.take_photographs(plan.gentle, plan.photo_power)
    buffer = FrameBuffer(studio, index, plan.buffer, plan.size, seed + 1)
    lesson.start(seed + 2)
    buffer.film(min(plan.buffer, plan.batch * 40))
    saved_at, told_at, facts_sum = time.monotonic(), time.monotonic(), []
    while step < plan.steps:
        now = turn_at(plan, step)
        studio.use(now.mix or plan.mix)
        if now.freeze_head:
            freeze_head(model, average)
        buffer.film(max(1, round(plan.batch / (now.reuse or 1.0))))
        side = side_at(plan, step)
        for group in optimizer.param_groups:
            group["lr"] = rate_at(plan, step)
        model.train()
        loss, facts = lesson.loss(buffer.batch(plan.batch, side), log_scale.exp())
        if not torch.isfinite(loss):
            raise FloatingPointError(
                f"the loss is {float(loss)} at step {step}: lower the rate and start again"
            )
        optimizer.zero_grad()
        loss.backward()
        _average_gradients(learnt, world)
        nn.utils.clip_grad_norm_(learnt, 2.0)
        optimizer.step()
        log_scale.data.clamp_(max=math.log(60.0))
        step += 1
        update_average(average, model, min(plan.decay, (1 + step) / (10 + step)))
        facts_sum.append(facts)
        if rank == 0 and (step % 50 == 0 or step == plan.steps):
            told = {key: round(float(np.mean([f[key] for f in facts_sum])), 4) for key in facts_sum[0]}
            speed = len(facts_sum) * plan.batch * world / max(time.monotonic() - told_at, 1e-6)
            told |= {
                "scale": round(float(log_scale.detach().exp()), 2),
                "side": side,
                "images_per_s": round(speed, 1),
            }
            told_at, facts_sum = time.monotonic(), []
            with (folder / "log.jsonl").open("a") as log:
                log.write(json.dumps({"step": step, **told}) + "\n")
            if report:
                report(step, told)
        if rank == 0 and (time.monotonic() - saved_at > plan.save_every_s or step == plan.steps):
            state = {"model": model.state_dict(), "optimiser": optimizer.state_dict(), "average": average}
            state |= {"log_scale": log_scale.detach(), "step": step, "plan": json.dumps(asdict(plan))}
            _save(path, state)
            saved_at = time.monotonic()
    return path


def freeze_head(model: nn.ModuleDict, average: dict[str, Tensor]) -> None:
    """Let the text head stand still from here on, at its averaged weights."""
    head = model["head"]
    if all(weight.requires_grad for weight in head.parameters()):
        mean = {k.removeprefix("head."): v for k, v in average.items() if k.startswith("head.")}
        head.load_state_dict(mean)
        head.requires_grad_(False)


def _optimizer(model: nn.Module, log_scale: nn.Parameter, plan: Plan) -> torch.optim.Optimizer:
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": plan.weight_decay},
        {"params": [*plain, log_scale], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=plan.rate, betas=(0.9, 0.98))


def load_averaged(path: Path, size: int) -> tuple[nn.Module, nn.Module | None]:
    """Return the tower and, if one was trained, the head of a file that :func:`train` wrote, averaged."""
    average = torch.load(path, map_location="cpu", weights_only=True)["average"]
    dim = len(average["tower.head.proj.weight"])
    model = nn.ModuleDict({"tower": build_tower(size, imagenet=False, dim=dim)})
    if any(name.startswith("head.") for name in average):
        model["head"] = TextHead()
    model.load_state_dict(average)
    model.eval()
    return model["tower"], model["head"] if "head" in model else None


def _average_gradients(parameters: list[nn.Parameter], world: int) -> None:
    if world == 1:
        return
    grads = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.flatten() for g in grads])
    dist.all_reduce(flat)
    flat /= world
    offset = 0
    for grad in grads:
        grad.copy_(flat[offset : offset + grad.numel()].view_as(grad))
        offset += grad.numel()


def _save(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint so that an interrupted write leaves the old one."""
    fresh = path.with_suffix(".new")
    torch.save(state, fresh)
    os.replace(fresh, path)
