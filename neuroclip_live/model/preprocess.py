"""From event frames of the sensor's size to the numbers an image encoder expects.

What the numbers are belongs to the model (its mean, standard deviation, input size), not to us: a CLIP fed
``x / 255 - 0.5``, as NeuroCLIP's published code does, sees values its weights never saw. That form is kept as
normalization "reference" so that results can be compared. Frames are resized bilinearly for every model, as
in the reference; three gray levels leave nothing for a sharper filter to keep.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from neuroclip_live.stream.frames import Fit, crop, fit_frame, focus_box

Normalization = Literal["model", "reference"]
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Preprocess:
    """How one model wants its frames.

    Parameters
    ----------
    size : int
        Side of the square input in pixels.
    mean, std : tuple of three floats
        Per channel, on the scale where white is 1.
    fit : {"letterbox", "squash"}
        Keep shapes and pad with gray, or stretch to the square.
    focus : bool
        Crop to where the activity is before fitting.
    normalization : {"model", "reference"}
        ``(x / 255 - mean) / std``, or the reference's ``x / 255 - 0.5``.
    """

    size: int
    mean: Triple = (0.5, 0.5, 0.5)
    std: Triple = (0.5, 0.5, 0.5)
    fit: Fit = "letterbox"
    focus: bool = False
    normalization: Normalization = "model"

    def __call__(self, frames: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Fit and normalize.

        Parameters
        ----------
        frames : ndarray of uint8, shape (N, H, W) or (N, H, W, 3)

        Returns
        -------
        ndarray of float32, shape (N, 3, size, size)

        Raises
        ------
        ValueError
            If ``frames`` is not a stack of non-empty uint8 images.
        """
        if frames.ndim not in (3, 4) or frames.shape[3:] not in ((), (3,)) or frames.dtype != np.uint8:
            raise ValueError(f"frames are (N, H, W) or (N, H, W, 3) uint8, not {frames.shape} {frames.dtype}")
        levels = _levels(self.mean, self.std, self.normalization)
        batch = np.empty((len(frames), 3, self.size, self.size), dtype=np.float32)
        for frame, planes in zip(frames, batch, strict=True):
            fitted = self.fitted(frame)
            for channel, (level, plane) in enumerate(zip(levels, planes, strict=True)):
                plane[...] = level[fitted if fitted.ndim == 2 else fitted[..., channel]]
        return batch

    def fitted(self, frame: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """Return what the encoder will see of ``frame`` (H, W, …), still in bytes (size, size, …)."""
        seen = crop(frame, focus_box(frame)) if self.focus else frame
        return fit_frame(seen, self.size, self.fit)


@lru_cache(maxsize=16)
def _levels(mean: Triple, std: Triple, normalization: Normalization) -> npt.NDArray[np.float32]:
    """Return the value of each of the 256 gray levels, per channel (3, 256).

    A frame has one byte a pixel, so a table look-up replaces the arithmetic.
    """
    gray = np.arange(256, dtype=np.float64) / 255
    if normalization == "reference":
        return np.tile(gray - 0.5, (3, 1)).astype(np.float32)
    return np.stack([(gray - m) / s for m, s in zip(mean, std, strict=True)]).astype(np.float32)
