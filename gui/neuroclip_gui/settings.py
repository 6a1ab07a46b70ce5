"""What the window remembers: one small JSON file, versioned, that can never keep the window from opening.

Every value is checked on its own; one that makes no sense becomes its default. A file that is no JSON at
all is set aside beside the new one, so nothing a user wrote is lost. A file from a newer version is read as
far as it makes sense and is not overwritten.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from neuroclip_gui.style.palettes import EVENT_COLORS, PALETTES
from neuroclip_live.bounded import read_json
from neuroclip_live.config import DEFAULT, SAVED

log = logging.getLogger(__name__)

VERSION = 1
_COLOR = re.compile("#[0-9a-f]{6}")
RECENT = 8


@dataclass
class WindowSettings:
    """Everything remembered between two runs.

    Attributes
    ----------
    theme : str
        A key of ``PALETTES``.
    event_colors : str
        A key of ``EVENT_COLORS``; "" follows the theme.
    accumulate : str
        "time", "count" or "fade".
    accumulate_ms, accumulate_events : int
    smoothing_s, threshold : float
    show_frames : bool
        A DAVIS camera's intensity frames beside the events.
    loop : bool
        Whether recordings opened from the window begin again at their end.
    recent : list of str
        Paths of recordings, the newest first.
    geometry, docks : str
        Qt's own bytes, base64.
    model, device, slice : str
    overlap, timesteps : int
    motion : str
    objects : bool
        How to recognize; as the options of the command line of these names, which win over them.
    cameras : dict
        What was set on live sources, by their names; see :mod:`neuroclip_gui.panels.camera.cameras`.
    prompt_sets : dict
        Lists of words by name; see :mod:`neuroclip_gui.panels.prompts.prompt_sets`.
    words : dict
        The list of words as it was left; see :mod:`neuroclip_gui.autosave`. Empty: the program's own.
    colors : dict of str to str
        Colors chosen for words, as #rrggbb.
    region : list of int
        The part of the picture recognized: left, top, right, bottom, and the picture's width and height.
        Empty: all of it.
    index : str
        The index of recordings that is searched; empty before there is one.
    """

    theme: str = "dark"
    event_colors: str = ""
    accumulate: str = "time"
    accumulate_ms: int = 33
    accumulate_events: int = 5000
    smoothing_s: float = 0.3
    threshold: float = 0.3
    show_frames: bool = True
    loop: bool = True
    recent: list[str] = None  # type: ignore[assignment]
    geometry: str = ""
    docks: str = ""
    model: str = DEFAULT.model
    device: str = DEFAULT.device
    slice: str = DEFAULT.slice
    overlap: int = DEFAULT.overlap
    timesteps: int = DEFAULT.timesteps
    motion: str = DEFAULT.motion
    objects: bool = DEFAULT.objects
    cameras: dict[str, dict[str, Any]] = field(default_factory=dict)
    prompt_sets: dict[str, dict[str, Any]] = field(default_factory=dict)
    words: dict[str, Any] = field(default_factory=dict)
    colors: dict[str, str] = field(default_factory=dict)
    region: list[int] = field(default_factory=list)
    index: str = ""

    def __post_init__(self) -> None:
        if self.recent is None:
            self.recent = []

    def remember(self, path: str) -> None:
        """Put a recording in front of the recent ones."""
        self.recent = [path, *(p for p in self.recent if p != path)][:RECENT]


_ALLOWED: dict[str, Any] = {
    **SAVED,
    "theme": lambda v: v in PALETTES,
    "event_colors": lambda v: v == "" or v in EVENT_COLORS,
    "accumulate": lambda v: v in ("time", "count", "fade"),
    "accumulate_ms": lambda v: 1 <= v <= 1000,
    "accumulate_events": lambda v: 100 <= v <= 1_000_000,
    "smoothing_s": lambda v: 0 <= v <= 5,
    "threshold": lambda v: 0 <= v <= 1,
    "prompt_sets": lambda v: len(v) <= 1000 and all(isinstance(kept, dict) for kept in v.values()),
    "colors": lambda v: len(v) <= 10_000 and all(_COLOR.fullmatch(str(c)) for c in v.values()),
    "cameras": lambda v: len(v) <= 100 and all(isinstance(kept, dict) for kept in v.values()),
    "region": lambda v: len(v) in (0, 6) and all(type(n) is int and abs(n) < 1 << 20 for n in v),
    "recent": lambda v: all(isinstance(p, str) for p in v) and len(v) <= 100,
}


def settings_file() -> Path:
    """Return where this platform keeps such files."""
    from platformdirs import user_config_path

    return user_config_path("neuroclip-live") / "window.json"


class SettingsStore:
    """Reads and writes :class:`WindowSettings`.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    complaint : str
        What of the file could not be used; empty when all could.
    frozen : bool
        It is of a newer version, and nothing is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.complaint = self.trouble = ""
        self.frozen = False

    def load(self) -> WindowSettings:
        """Return the settings; what cannot be used becomes a default and a :attr:`complaint`."""
        settings = WindowSettings()
        try:
            data = read_json(self.path)
        except FileNotFoundError:
            return settings
        except (OSError, ValueError) as error:
            self._set_aside(error)
            return settings
        if not isinstance(data, dict):
            self._set_aside(TypeError("not an object"))
            return settings
        version = data.get("version")
        if isinstance(version, int) and version > VERSION:
            self.frozen = True
            self.complaint = (
                f"{self.path.name} was written by a newer version: it is read as far as it makes sense "
                "and left as it is"
            )
        for each in fields(WindowSettings):
            if each.name in data:
                _take(settings, each.name, data[each.name])
        return settings

    def save(self, settings: WindowSettings) -> None:
        """Write the settings, whole or not at all; why they cannot be is :attr:`trouble`."""
        if self.frozen:
            return
        from neuroclip_live.atomic import write_atomically
        from neuroclip_live.errors import UserError

        text = json.dumps({"version": VERSION, **asdict(settings)}, indent=2) + "\n"
        try:
            write_atomically(self.path, lambda stream: stream.write(text.encode()))
        except UserError as error:
            self.trouble = str(error)
            log.warning("%s", error)
        else:
            self.trouble = ""

    def _set_aside(self, error: Exception) -> None:
        broken = self.path.with_suffix(".broken.json")
        self.complaint = f"The settings file could not be read ({error}); defaults are used"
        try:
            self.path.replace(broken)
        except OSError as failure:
            log.warning("could not set %s aside: %s", self.path, failure)
        else:
            self.complaint += f", and it was kept as {broken.name}"


def _take(settings: WindowSettings, name: str, value: object) -> None:
    """Take over one value where it has the type of its default and makes sense."""
    default = getattr(settings, name)
    number = isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool)
    if type(value) is not type(default) and not number:
        log.warning("setting %s: %r is of the wrong kind", name, value)
        return
    if number:
        try:
            value = float(value)  # type: ignore[arg-type]
        except OverflowError:  # a whole number of hundreds of digits
            value = float("inf")
    if not _ALLOWED.get(name, lambda _: True)(value):
        log.warning("setting %s: %r makes no sense", name, value)
        return
    setattr(settings, name, value)
