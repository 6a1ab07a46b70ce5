"""What is dropped on the window: recordings are played, pictures and films go before the simulated camera."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QMimeData

from neuroclip_gui.sources import Sources

PICTURES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp"))
"""What the simulated camera can be held before."""
_FILMS = frozenset((".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".gif"))


@dataclass(frozen=True)
class Dropped:
    """Paths of local files that come together; the kind of the first decides what is done.

    Attributes
    ----------
    recordings, pictures, films : tuple of str
        By their names: what is neither picture nor film may be a recording in any format.
    """

    recordings: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    films: tuple[str, ...] = ()

    @classmethod
    def of(cls, mime: QMimeData) -> Dropped:
        """Return what a drag carries."""
        paths = [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]
        kinds = [Path(path).suffix.lower() for path in paths]
        if kinds and kinds[0] in PICTURES:
            return cls(pictures=tuple(p for p, kind in zip(paths, kinds, strict=True) if kind in PICTURES))
        if kinds and kinds[0] in _FILMS:
            return cls(films=tuple(p for p, kind in zip(paths, kinds, strict=True) if kind in _FILMS))
        others = PICTURES | _FILMS
        return cls(recordings=tuple(p for p, kind in zip(paths, kinds, strict=True) if kind not in others))

    def promise(self) -> str:
        """Return what dropping it does; empty where there is nothing to be dropped."""
        if self.pictures:
            several = f" and {len(self.pictures) - 1} more" if len(self.pictures) > 1 else ""
            return f"Drop to hold a simulated camera before {Path(self.pictures[0]).name}{several}"
        if self.films:
            one_of = f", the first of {len(self.films)}" if len(self.films) > 1 else ""
            return f"Drop to hold a simulated camera before {Path(self.films[0]).name}{one_of}"
        if self.recordings:
            several = f" and {len(self.recordings) - 1} more" if len(self.recordings) > 1 else ""
            return f"Drop to play {Path(self.recordings[0]).name}{several}"
        return ""

    def open(self, sources: Sources) -> str:
        """Do what was promised; return what there is to say about the rest."""
        if self.pictures:
            sources.open_pictures(self.pictures)
        elif self.films:
            sources.open_pictures(self.films[:1])
            left = len(self.films) - 1
            verb = "is" if left == 1 else "are"
            return f"Films are played one at a time: {left} of those dropped {verb} left out" if left else ""
        else:
            sources.open_files(self.recordings)
        return ""
