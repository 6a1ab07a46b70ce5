"""Which representations there are: how the events of a slice become the image that the encoder reads.

One is a file here and an entry in :data:`REPRESENTATIONS`, or a file of another package and an entry point::

    [project.entry-points."neuroclip_live.representations"]
    my-surface = "my_package.surface:MySurface"
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from neuroclip_live.errors import UserError
from neuroclip_live.registry import Entry, Registry, fault_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from neuroclip_live.events import Packet, Resolution

DEFAULT = "event-frame"
"""What NeuroCLIP uses, and what models are run with that do not say otherwise."""


class Representation(Protocol):
    """Makes images. It may be called from several threads at once, and keeps nothing between two calls."""

    def __call__(
        self, events: Packet, resolution: Resolution, threshold: int, start_us: int, end_us: int
    ) -> npt.NDArray[np.uint8]:
        """Return the image of a slice.

        Parameters
        ----------
        events : ndarray of EVENT_DTYPE, shape (N,)
            Of the slice, in order of time; N may be 0. Those outside the sensor are left out.
        resolution : Resolution
            Sensor size (width, height) in pixels.
        threshold : int
            A pixel shows when more events than this fell on it.
        start_us, end_us : int
            Time that the slice covers, in microseconds; half open.

        Returns
        -------
        ndarray of uint8, shape (H, W) or (H, W, 3)
            127 where nothing happened: that is the gray which frames are filled up with and cropped by. Three
            channels go to the three that the encoder has; one goes to all of them.
        """
        ...


REPRESENTATIONS = Registry(
    "representation",
    "neuroclip_live.representations",
    (
        Entry(
            DEFAULT,
            "black where ON events fell, white where OFF events did: NeuroCLIP's own",
            f"{__package__}.event_frame:EventFrame",
            capabilities=frozenset({"counts"}),
        ),
        Entry(
            "time-surface",
            "the newest event of a pixel, fading with its age",
            f"{__package__}.time_surface:TimeSurface",
        ),
        Entry(
            "voxel-count",
            "ON less OFF events of a pixel in three parts of the slice, one a color channel",
            f"{__package__}.voxel_count:VoxelCount",
        ),
    ),
    Entry,
)
"""A factory takes nothing and returns a :class:`Representation`.

Capability ``counts``: events counted per pixel are enough for it, as data sets of ready-made frames hold.
"""


@cache
def representation(name: str) -> Representation:
    """Return the representation of a name.

    Raises
    ------
    UserError
        When there is none, or it cannot be had.
    """
    entry = REPRESENTATIONS.find(name)
    make = entry.load()
    if entry in REPRESENTATIONS.built_in:
        own: Representation = make()
        return own
    try:
        made: Representation = make()
        problem = _problem(made)
    except Exception as error:  # noqa: BLE001 - another package's fault is told, whatever it is
        problem = fault_of(error)
    if problem:
        raise UserError(f"the representation {name} cannot be used: {problem}")
    return _Told(name, made)


class _Told:
    """Another package's representation: what it raises is told in a line that names it."""

    def __init__(self, name: str, made: Representation) -> None:
        self._name, self._made = name, made

    def __call__(
        self, events: Packet, resolution: Resolution, threshold: int, start_us: int, end_us: int
    ) -> npt.NDArray[np.uint8]:
        """Return its image."""
        try:
            return self._made(events, resolution, threshold, start_us, end_us)
        except Exception as error:
            raise UserError(f"the representation {self._name} failed: {fault_of(error)}") from error


def _problem(made: Representation) -> str:
    """Say what is wrong with the images that another package's representation makes of two events; or ""."""
    import numpy as np

    from neuroclip_live.events import EVENT_DTYPE, Resolution

    events = np.zeros(2, EVENT_DTYPE)
    events[1] = (1, 15, 7, 1)  # the far corner: x and y exchanged lie outside
    for given in (events, events[:0]):
        frame: Any = made(given, Resolution(16, 8), 0, 0, 2)
        shape, kind = getattr(frame, "shape", None), getattr(frame, "dtype", type(frame).__name__)
        if shape not in ((8, 16), (8, 16, 3)) or kind != "uint8":
            return f"it makes {kind} {shape} of 16 x 8 pixels, not uint8 (8, 16) or (8, 16, 3)"
    return "" if (frame == 127).all() else "where nothing happened its image is not 127"
