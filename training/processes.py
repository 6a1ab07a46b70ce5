"""Run the image tower's training in several processes, with a progress bar; and the text tower's bar."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from training.bank import Bank
from training.lessons import Lesson
from training.train_image import Plan, train


def train_in_processes(
    processes: int,
    plan: Plan,
    lesson: Callable[[], Lesson],
    bank: Bank,
    index: dict[str, int],
    folder: Path,
    what: str = "image tower",
) -> None:
    """Train the image tower to the plan's last step, in as many processes as asked for.

    Each process calls ``lesson`` for a lesson of its own; ``index`` is name → concept.
    """
    if processes == 1:
        _worker(0, 1, 0, plan, lesson, bank, index, folder, what)
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = (processes, port, plan, lesson, bank, index, folder, what)
    torch.multiprocessing.start_processes(_worker, arguments, processes, start_method="fork")


@contextmanager
def told(what: str, steps: int, hidden: bool = False) -> Iterator[Callable[[int, str], None]]:
    """Show a progress bar; yields what takes the step and a few facts."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[facts]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, disable=hidden) as bar:
        task = bar.add_task(what, total=steps, facts="")
        yield lambda step, facts: bar.update(task, completed=step, facts=facts)


def _worker(
    rank: int,
    world: int,
    port: int,
    plan: Plan,
    lesson: Callable[[], Lesson],
    bank: Bank,
    index: dict[str, int],
    folder: Path,
    what: str,
) -> None:
    import cv2
    import torch.distributed as dist

    cv2.setNumThreads(1)
    if world > 1:
        torch.set_num_threads(1)
        os.environ["OMP_NUM_THREADS"] = "1"
        dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=world)
    with told(what, plan.steps, hidden=rank != 0) as tell:

        def report(step: int, facts: dict[str, Any]) -> None:
            speed = f"{facts['images_per_s']:.0f}/s"
            tell(step, f"loss {facts['loss']:.2f} accuracy {facts['accuracy']:.2f} {speed}")

        torch.manual_seed(plan.seed)  # every process starts from the same weights
        train(plan, lesson(), bank, index, folder, rank, world, report=report)
    if world > 1:
        dist.destroy_process_group()
