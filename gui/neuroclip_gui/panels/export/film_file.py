"""Films on disk: MP4 by OpenCV, which the program has anyway, and GIF by Pillow, which torchvision brings.

MPEG-4 part 2 is what OpenCV's wheels can write everywhere; H.264 is not in them. A film is written beside its
name and takes it at the end, so that one broken off leaves nothing.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError

Picture = npt.NDArray[np.uint8]
MOST_GIF_FRAMES = 600
"""A GIF is held in memory until it is whole."""


class FilmFile(Protocol):
    """Something pictures are added to, one after the other."""

    def add(self, picture: Picture) -> None:
        """Add a picture, (H, W, 3) uint8, red first; all of one size, with even sides."""
        ...

    def finish(self) -> None:
        """Write what is left to write."""
        ...

    def discard(self) -> None:
        """Leave nothing behind."""
        ...


class Mp4:
    """An MP4 file."""

    def __init__(self, path: Path, fps: float) -> None:
        self._path, self._fps = path, fps
        self._part = path.with_name(f".{path.stem}.part.mp4")
        self._writer: Any = None

    def add(self, picture: Picture) -> None:
        """Add a picture."""
        import cv2

        if self._writer is None:
            size = picture.shape[1], picture.shape[0]
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self._part), cv2.CAP_FFMPEG, code, self._fps, size)
            if not self._writer.isOpened():
                raise UserError(f"cannot write {self._path}: is the folder there and writable?")
        self._writer.write(np.ascontiguousarray(picture[..., ::-1]))

    def finish(self) -> None:
        """Close the file and give it its name."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None
            try:
                self._part.replace(self._path)
            except OSError as error:
                raise UserError(f"cannot write {self._path}: {error.strerror or error}") from None

    def discard(self) -> None:
        """Take the unfinished file away."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None
        self._part.unlink(missing_ok=True)


class Gif:
    """A GIF file, of 256 colors a picture."""

    def __init__(self, path: Path, fps: float) -> None:
        self._path, self._fps = path, fps
        self._pictures: list[Any] = []

    def add(self, picture: Picture) -> None:
        """Add a picture."""
        from PIL import Image

        if len(self._pictures) >= MOST_GIF_FRAMES:
            raise UserError(
                f"a GIF holds at most {MOST_GIF_FRAMES} pictures here; choose a shorter stretch, or MP4"
            )
        image = Image.fromarray(picture)
        self._pictures.append(image.quantize(128, dither=Image.Dither.NONE))

    def finish(self) -> None:
        """Write all of it."""
        if not self._pictures:
            return
        part = self._path.with_name(f".{self._path.stem}.part.gif")
        first, *rest = self._pictures
        try:
            first.save(part, save_all=True, append_images=rest, duration=round(1000 / self._fps), loop=0)
            part.replace(self._path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise UserError(f"cannot write {self._path}: {error.strerror or error}") from None

    def discard(self) -> None:
        """Forget the pictures."""
        self._pictures = []


class Film:
    """A film being written: ``with Film(path, 25) as film: film.add(picture)``.

    Parameters
    ----------
    path : Path
        Its ending, ``.mp4`` or ``.gif``, says what it becomes.
    fps : float
        Pictures a second.

    Raises
    ------
    UserError
        When the ending is another, or it cannot be written.
    """

    def __init__(self, path: Path, fps: float) -> None:
        kinds: dict[str, type[Mp4] | type[Gif]] = {".mp4": Mp4, ".gif": Gif}
        kind = kinds.get(path.suffix.lower())
        if kind is None:
            raise UserError(f"{path.name}: films end in .mp4 or .gif")
        self._file: FilmFile = kind(path, fps)
        self.pictures = 0

    def add(self, picture: Picture) -> None:
        """Add a picture, (H, W, 3) uint8, red first, with even sides."""
        self._file.add(picture)
        self.pictures += 1

    def __enter__(self) -> Film:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._file.finish()
        else:
            self._file.discard()
