"""One contender of the recording benchmark, in a process of its own, as its users would run it.

Reads a word a line from standard input: ``go`` replays the file once and answers with the seconds it took,
``check`` answers with what was seen of every slice. Allocation is set for a whole process, so contenders in
one process would not be what their users have.
"""

from __future__ import annotations

import json
import sys
import time
import zlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np

SLICE_MS = 10
_CHECKED = 20
"""Slices whose picture is compared too."""

See = Callable[[int, Any], None]
"""Told the number of events in a slice and its frame."""


def ours(path: str, see: See) -> None:
    """Run our replay, cut into slices, every slice made a frame."""
    from neuroclip_drivers.replay import ReplaySource
    from neuroclip_live.recognition.replay_all import Totals, slices_of
    from neuroclip_live.stream.frames import event_frame
    from neuroclip_live.stream.slicing import SliceBy

    source = ReplaySource(path, speed=None)
    by = SliceBy("time", time_us=SLICE_MS * 1000, overlap=1)
    for piece in slices_of(source, by, Totals()):
        see(len(piece.events), event_frame(piece.events, source.resolution))
    source.close()


def ours_bare(path: str, see: See) -> None:
    """Run our replay and do nothing with the events."""
    from neuroclip_drivers.replay import ReplaySource

    source = ReplaySource(path, speed=None)
    for packet in source.packets():
        see(len(packet), None)
    source.close()


def dv_loop(path: str, see: See) -> None:
    """Run the loop that dv-processing's documentation shows."""
    import dv_processing as dv

    recording = dv.io.MonoCameraRecording(path)
    size = recording.getEventResolution()
    visualizer = dv.visualization.EventVisualizer(size, (127, 127, 127), (0, 0, 0), (255, 255, 255))
    slicer = dv.EventStreamSlicer()
    slicer.doEveryTimeInterval(
        timedelta(milliseconds=SLICE_MS), lambda store: see(store.size(), visualizer.generateImage(store))
    )
    while (batch := recording.getNextEventBatch()) is not None:
        slicer.accept(batch)


def dv_bare(path: str, see: See) -> None:
    """Run dv-processing's reading loop and do nothing with the events."""
    import dv_processing as dv

    recording = dv.io.MonoCameraRecording(path)
    while (batch := recording.getNextEventBatch()) is not None:
        see(batch.size(), None)


CONTENDERS = {"ours": ours, "ours bare": ours_bare, "dv loop": dv_loop, "dv bare": dv_bare}


def _ignore(events: int, frame: Any) -> None:
    return


def _checked(run: Callable[[str, See], None], path: str) -> dict[str, Any]:
    counts: list[int] = []
    pictures: list[int] = []

    def see(events: int, frame: Any) -> None:
        counts.append(events)
        if frame is not None and len(pictures) < _CHECKED:
            painted = (frame if frame.ndim == 2 else frame[:, :, 0]) != 127
            pictures.append(zlib.crc32(np.packbits(painted).tobytes()))

    run(path, see)
    return {"events": sum(counts), "slices": counts if pictures else [], "pictures": pictures}


def main(name: str, path: str) -> None:
    """Answer until standard input ends."""
    run = CONTENDERS[name]
    if name.startswith("ours"):
        from neuroclip_live.cli.malloc_tuning import keep_memory

        keep_memory()  # as the command line does
    for word in sys.stdin:
        if word.strip() == "check":
            answer = _checked(run, path)
        else:
            begin = time.perf_counter()
            run(path, _ignore)
            answer = {"seconds": time.perf_counter() - begin}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
