"""Slices a second of event-nano beside a real CLIP's: ``python -m training.measure_speed``.

Turn by turn, so that both see the same load of the machine.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import click
import numpy as np

from neuroclip_live.backbone import Backbone, load_backbone
from training.measuring import Line

WARM_UP = 5

PEER = "ViT-B-32"
"""The CLIP whose speed is measured beside ours; untrained, which costs the same."""


def beside_a_clip(model: str) -> list[Line]:
    """Measure a model and :data:`PEER` on the CPU, in the fastest runtime there is and in plain torch."""
    ours = [load_backbone(model, device="cpu", runtime=runtime) for runtime in ("auto", "torch")]
    peers = [load_backbone(PEER, weights="random", device="cpu", runtime=name) for name in ("auto", "torch")]
    return speed_lines([*ours, *peers])


def speed_lines(models: Sequence[Backbone], runs: int = 200) -> list[Line]:
    """Time one slice, batch 1, from a 128 x 128 frame to its feature, for each model in turn.

    The interval is that of single slices. The last model is the one the others are compared with.
    """
    frame = np.full((1, 128, 128), 127, np.uint8)
    frame[0, 40:80, 30:90] = 255
    times = np.empty((runs, len(models)))
    for run in range(-WARM_UP, runs):
        for k, backbone in enumerate(models):
            start = time.perf_counter()
            backbone.encode_frames(frame)
            if run >= 0:
                times[run, k] = time.perf_counter() - start
    ratios = times[:, -1:] / times
    lines = []
    for k, backbone in enumerate(models):
        note = "" if k == len(models) - 1 else f"{np.median(ratios[:, k]):.1f} times the last line's"
        low, high = np.percentile(1 / times[:, k], [2.5, 97.5])
        name = f"slices a second, batch 1: {backbone.info.name}, {backbone.info.runtime}"
        lines.append(Line(name, float(1 / np.median(times[:, k])), float(low), float(high), runs, "", note))
    return lines


@click.command(help=__doc__)
@click.option("--model", default="event-nano", show_default=True, help="A model folder, or a name.")
def main(model: str) -> None:
    """Run from the command line."""
    for line in beside_a_clip(model):
        click.echo(f"{line.measured_on}: {line.value:.1f} ({line.low:.1f} to {line.high:.1f}) {line.note}")


if __name__ == "__main__":
    main()
