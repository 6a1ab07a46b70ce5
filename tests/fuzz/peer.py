"""What dv-processing's reader does with the same bad recordings: ``python -m tests.fuzz.peer --inputs 60``.

Each in a process of its own. It is the reason why recordings are read by the project's own code.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import click

from .dice import dice_for
from .places import file
from .targets import TARGETS

PATIENCE_S = 5


def _read(path: Path) -> None:
    import dv_processing as dv

    recording = dv.io.MonoCameraRecording(str(path))
    while recording.getNextEventBatch() is not None:
        pass


def fate(path: Path) -> str:
    """Read a file in a child; return how that ended."""
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE_S)
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        try:
            _read(path)
        except RuntimeError:
            os._exit(3)
        except BaseException:  # noqa: BLE001 - counted
            os._exit(4)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    told = {0: "read to the end", 3: "refused", 4: "another exception", -signal.SIGALRM: "hung for 5 s"}
    return told.get(code, f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit {code}")


@click.command()
@click.option("--inputs", type=int, default=60, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
def main(inputs: int, seed: int) -> None:
    """Count what becomes of dv-processing's reader."""
    import dv_processing  # noqa: F401 - once, before the children

    target, fates = TARGETS["recording"], Counter[str]()
    dice = dice_for(target.name, seed, 0)
    for _ in range(inputs):
        fates[fate(file(target.input(dice), "peer.aedat4"))] += 1
    for told, count in fates.most_common():
        click.echo(f"{count:>6,}  {told}")


if __name__ == "__main__":
    main()
