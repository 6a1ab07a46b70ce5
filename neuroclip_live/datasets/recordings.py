"""Recordings as a data set: ``<label>/*.aedat4``, or ``<label>.aedat4`` alone.

A recording goes through the recognizer slice by slice exactly as it does live, and every window of T
timesteps with motion is a sample. Neighboring windows share slices and all windows of a file show one scene,
so nothing is split at random within a recording: a label with several files is split by file, a label with
one by time. Its shots are windows that end in the first third, its tests windows that begin in the last, and
the third between them keeps the two apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.files.open_file import is_recording
from neuroclip_drivers.files.registry import TEXT_SUFFIXES
from neuroclip_live.errors import UserError

if TYPE_CHECKING:
    from neuroclip_drivers.source import EventSource
    from neuroclip_live.model.backbone import Backbone
    from neuroclip_live.recognition.recognizer import RecognizerSettings
    from neuroclip_live.stream.slicing import SliceBy

_LONGEST_GAP_US = 60_000_000

Open = Callable[[Path], "EventSource"]

EXPECTED = (
    "<label>/*.aedat4, or any other format of recordings, or <label>/*.bin, a folder for each label, "
    "or one <label>.aedat4 for each"
)


@dataclass(frozen=True)
class Windows:
    """All windows with motion of one recording.

    Attributes
    ----------
    features : ndarray of float32, shape (N, T, C)
        Raw.
    begin_us, end_us : ndarray of int64, shape (N,)
        Time each window covers. It goes on where the camera's clock began anew, and passes over silences of
        more than a minute, as replay does.
    start_us, stop_us : int
        Time the recording covers.
    losses : str
        What of a damaged recording could not be had; empty for a whole one.
    """

    features: npt.NDArray[np.float32]
    begin_us: npt.NDArray[np.int64]
    end_us: npt.NDArray[np.int64]
    start_us: int
    stop_us: int
    losses: str = ""

    def part(self, begin: float, end: float) -> npt.NDArray[np.float32]:
        """Return the windows that lie wholly between two shares, 0 to 1, of the recording's time."""
        length = self.stop_us - self.start_us
        low, high = self.start_us + begin * length, self.start_us + end * length
        return self.features[(self.begin_us >= low) & (self.end_us <= high)]


def find_recordings(root: Path) -> tuple[tuple[str, ...], list[tuple[Path, int]]]:
    """Find recordings by label.

    Returns
    -------
    labels : tuple of str
        Sorted; underscores become spaces.
    files : list of (Path, label index)

    Raises
    ------
    UserError
        When there are none.
    """
    if not root.is_dir():
        raise UserError(f"no folder {root}: expected there {EXPECTED}")
    inner, outer = _recordings(root, "*/*"), _recordings(root, "*")
    # a table of results beside recordings is none
    for text in (False, True):
        pairs = [(file, file.parent.name) for file in inner if text or not _is_text(file)]
        pairs = pairs or [(file, file.stem) for file in outer if text or not _is_text(file)]
        if pairs:
            break
    if not pairs:
        raise UserError(f"{root} has no recordings by label: expected there {EXPECTED}")
    names = sorted({name for _, name in pairs})
    return tuple(name.replace("_", " ") for name in names), [(f, names.index(n)) for f, n in pairs]


def _recordings(root: Path, pattern: str) -> list[Path]:
    """Return the recordings of any format, in order of name; bare samples (``*.bin``) are none."""
    files = (file for file in sorted(root.glob(pattern)) if not file.name.startswith("."))
    return [file for file in files if file.suffix.lower() != ".bin" and is_recording(file)]


def _is_text(file: Path) -> bool:
    return file.suffix.lower() in TEXT_SUFFIXES


def open_recording(path: Path) -> EventSource:
    """Open a recording to be read as fast as it goes."""
    from neuroclip_drivers.opening import SourceSpec, open_source

    return open_source(SourceSpec("replay", str(path), speed=None))


def read_windows(
    source: EventSource, backbone: Backbone, settings: RecognizerSettings, by: SliceBy
) -> Windows:
    """Turn a source that ends into windows, through the live path; closes it."""
    from neuroclip_live.recognition.recognizer import Recognizer
    from neuroclip_live.recognition.replay_all import Totals, recognize_all

    recognizer = Recognizer(backbone, None, settings)
    windows: list[npt.NDArray[np.float32]] = []
    times: list[tuple[int, int]] = []
    ends: list[int] = []
    first: int | None = None
    last = shift = 0
    try:
        for prediction in recognize_all(source, recognizer, by, Totals()):
            at = prediction.t_us + shift
            if first is not None and not 0 <= at - last <= _LONGEST_GAP_US:
                shift, at = shift + last - at, last
            last = at
            if first is None:
                first = last
            if prediction.state == "no-motion":
                continue
            ends.append(last)
            if prediction.state == "ok":
                windows.append(recognizer.features)
                # the oldest slice is made of hops: it begins where the hop before its first ended
                before = len(ends) - settings.timesteps - by.overlap
                times.append((ends[before] if before >= 0 else first, last))
    finally:
        source.close()
    span = np.array(times, dtype=np.int64).reshape(-1, 2)
    features = np.array(windows, dtype=np.float32).reshape(
        len(windows), settings.timesteps, backbone.info.embed_dim
    )
    losses = str(getattr(getattr(source, "recording", None), "losses", ""))
    return Windows(features, span[:, 0], span[:, 1], first or 0, last, losses)
