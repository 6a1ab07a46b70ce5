"""What ``--simulate`` is given: nothing, a picture, a folder of pictures, or a film."""

from __future__ import annotations

from pathlib import Path

from neuroclip_drivers.film.source import FilmSource, open_film
from neuroclip_drivers.opening import SourceSpec
from neuroclip_drivers.simulator.pictures import is_picture
from neuroclip_drivers.simulator.source import SimulatorSource
from neuroclip_live.errors import UserError

MOST_PICTURES = 1000
"""Of a folder; each is read at the start."""


def open_simulator(spec: SourceSpec) -> SimulatorSource | FilmSource:
    """Simulate a camera before what ``spec`` names; without a target before what ships with the program.

    Raises
    ------
    UserError
        When it is nothing that can be shown.
    """
    if not spec.target:
        return _before([], spec)
    path = Path(spec.target).expanduser()
    if path.is_dir():
        return _before(pictures_in(path), spec)
    if not path.is_file():
        raise UserError(f"there is no {path}; give the path of a picture, a film, or a folder of pictures")
    more = [Path(other).expanduser() for other in spec.more]
    return _before([path, *more], spec) if is_picture(path) else open_film(spec)


def _before(pictures: list[Path], spec: SourceSpec) -> SimulatorSource:
    return SimulatorSource(pictures, realtime=spec.speed is not None, duration_s=spec.end_s)


def pictures_in(folder: Path) -> list[Path]:
    """Return a folder's pictures in order of their names.

    Raises
    ------
    UserError
        When there are none, too many, or it cannot be read.
    """
    try:
        found = sorted(path for path in folder.iterdir() if path.is_file() and is_picture(path))
    except OSError as error:
        raise UserError(f"cannot read {folder}: {error.strerror}; give a folder of pictures") from None
    if not found:
        raise UserError(f"there are no pictures in {folder}; give a folder of PNG or JPEG files")
    if len(found) > MOST_PICTURES:
        raise UserError(f"{folder} holds {len(found):,} pictures; give at most {MOST_PICTURES:,}")
    return found
