"""Slices a second of event-nano beside a real CLIP's, and its prompts: ``python -m training.measure_speed``.

Turn by turn, so that both see the same load of the machine.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import click
import numpy as np

from neuroclip_live.model.backbone import Backbone, load_backbone
from training.measure_text import prompt_time
from training.measuring import Line
from training.texts import held_out_lemmas

WARM_UP = 5

PEER = "ViT-B-32"
"""The CLIP whose speed is measured beside ours; untrained, which costs the same."""


def beside_a_clip(model: str, runs: int = 100) -> list[Line]:
    """Measure a model and :data:`PEER` on the CPU, in the fastest runtime there is and in plain torch."""
    ours = [load_backbone(model, device="cpu", runtime=runtime) for runtime in ("auto", "torch")]
    peers = [load_backbone(PEER, weights="random", device="cpu", runtime=name) for name in ("auto", "torch")]
    return speed_lines([*ours, *peers], runs)


def speed_lines(models: Sequence[Backbone], runs: int) -> list[Line]:
    """Time one slice, batch 1, from a 128 x 128 frame to its feature, for each model in turn.

    The interval is that of single slices. The notes give processor time too, all threads together, which
    depends far less on what else the machine does, and both compared with the last model's.
    """
    frame = np.full((1, 128, 128), 127, np.uint8)
    frame[0, 40:80, 30:90] = 255
    wall, work = np.empty((2, runs, len(models)))
    for run in range(-WARM_UP, runs):
        for k, backbone in enumerate(models):
            start, used = time.perf_counter(), time.process_time()
            backbone.encode_frames(frame)
            if run >= 0:
                wall[run, k] = time.perf_counter() - start
                work[run, k] = time.process_time() - used
    lines = []
    for k, backbone in enumerate(models):
        faster, lighter = (float(np.median(times[:, -1] / times[:, k])) for times in (wall, work))
        note = f"{1e3 * np.median(work[:, k]):.2f} ms of processor time"
        if k < len(models) - 1:
            note += f"; {faster:.1f} times as fast as the last line, {lighter:.1f} times by processor time"
        low, high = np.percentile(1 / wall[:, k], [2.5, 97.5])
        name = f"slices a second, batch 1: {backbone.info.name}, {backbone.info.runtime}"
        lines.append(Line(name, float(1 / np.median(wall[:, k])), float(low), float(high), runs, "", note))
    return lines


@click.command(help=__doc__)
@click.option("--model", default="event-nano", show_default=True, help="A model folder, or a name.")
@click.option("--runs", default=100, show_default=True)
def main(model: str, runs: int) -> None:
    """Run from the command line."""
    prompt = prompt_time(load_backbone(model, device="cpu"), held_out_lemmas()[:100])
    for line in [*beside_a_clip(model, runs), prompt]:
        click.echo(f"{line.measured_on}: {line.value:.1f} ({line.low:.1f} to {line.high:.1f}) {line.note}")


if __name__ == "__main__":
    main()
