"""Blend image towers of one origin by their weights: ``python -m training.blend A=0.4 B=0.6 --out FILE``.

Towers that went on from the same weights blend without a step of training: what each learned anew and what
all still know stays. A file is a model's ``open_clip_model.safetensors``, or a checkpoint of the third part;
of wider heads only the words and looks are taken. Shares are chosen on simulated validation. The result is an
``open_clip_model.safetensors`` for ``training.export_words --image``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import torch
from torch import Tensor

from training.export_words import read_tower

HEAD = "head.proj"


def blended(towers: Sequence[tuple[float, Mapping[str, Tensor]]]) -> dict[str, Tensor]:
    """Return the weighted mean of towers' tensors; the first has the width of the head.

    Raises
    ------
    ValueError
        If the shares do not add up to 1, or the tensors do not fit each other.
    """
    if abs(sum(share for share, _ in towers) - 1) > 1e-6:
        raise ValueError(f"shares add up to {sum(share for share, _ in towers):g}, not to 1")
    first = towers[0][1]
    mixed = {}
    for name, value in first.items():
        if not value.is_floating_point():
            mixed[name] = value
            continue
        total = torch.zeros(value.shape)
        for share, tower in towers:
            mine = tower[name][: len(value)] if name.startswith(HEAD) else tower[name]
            if mine.shape != value.shape:
                raise ValueError(
                    f"{name} is {tuple(mine.shape)} in one tower, {tuple(value.shape)} in another"
                )
            total += share * mine.float()
        mixed[name] = total
    return mixed


@click.command(help=__doc__)
@click.argument("towers", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(towers: Sequence[str], out: Path) -> None:
    """Run from the command line."""
    from safetensors.torch import save_file

    read = []
    for tower in towers:
        path, _, share = tower.rpartition("=")
        try:
            read.append((float(share), read_tower(Path(path))))
        except ValueError:
            raise click.ClickException(f"{tower}: a tower is given as FILE=SHARE") from None
    try:
        mixed = blended(read)
    except (ValueError, KeyError) as error:
        raise click.ClickException(f"the towers do not blend: {error}") from error
    save_file({f"visual.{name}": value.contiguous() for name, value in mixed.items()}, out, {"format": "pt"})


if __name__ == "__main__":
    main()
