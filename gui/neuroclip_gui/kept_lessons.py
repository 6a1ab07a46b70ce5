"""What was taught, kept as it changes and there again at the next start; by model and number of timesteps.

Lessons belong to one model and one T. So each pair has a file of its own, and whoever changes back to a model
finds what it was taught.
"""

from __future__ import annotations

import logging
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroclip_gui.panels.teach.teach_commands import Teaching
from neuroclip_live.errors import UserError

if TYPE_CHECKING:
    from neuroclip_gui.main_window import MainWindow
    from neuroclip_live.recognition.pipeline_protocol import PipelineProtocol

log = logging.getLogger(__name__)


class KeptLessons:
    """Between a window's teacher and the files of lessons beside its settings.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._teacher: Any = None
        self._book: Any = None
        self._reading = False

    def look(self, pipeline: PipelineProtocol, *, closing: bool = False) -> None:
        """Bring back what a teacher that is new was taught; have what changed written, unless ``closing``."""
        teacher = getattr(pipeline, "teacher", None)
        if teacher is None or not hasattr(teacher, "model"):
            return
        if teacher is not self._teacher:
            self.close()
            self._teacher, self._book = teacher, teacher.book
            path, own = self.path(teacher), not self._window.recognition.given & {"taught", "adapter"}
            if own and teacher.status().labels:
                self._book = None  # taught within the first moment
            elif own and path.exists() and not closing:
                self._read(teacher, path)
        elif teacher.book is not self._book and not self._reading and not closing:
            self._book = book = teacher.book
            self._window.recording.jobs.do(
                lambda: self._write(teacher, book), _nothing, _complain(self._window)
            )

    def close(self) -> None:
        """Write now what is not written yet."""
        teacher = self._teacher
        if teacher is not None and not self._reading and teacher.book is not self._book:
            self._book = teacher.book
            try:
                self._write(teacher, self._book)
            except UserError as error:
                log.warning("%s", error)

    def path(self, teacher: Any) -> Path:
        """Return the file of a teacher's model and T."""
        plain = re.sub(r"[^A-Za-z0-9.-]+", "-", teacher.model).strip("-.")[:60]
        name = f"{plain}-{zlib.crc32(teacher.model.encode()):08x}-T{teacher.timesteps}.safetensors"
        store = self._window.store.path
        return store.with_name(f"{store.stem}-lessons") / name

    def _read(self, teacher: Any, path: Path) -> None:
        self._reading = True

        def come(_: object) -> None:
            self._reading = False
            if teacher is self._teacher:
                self._book = teacher.book
                self._window.panel(Teaching).look()

        def failed(message: str) -> None:
            self._reading = False
            broken = path.with_suffix(".broken.safetensors")
            try:
                path.replace(broken)
            except OSError as error:
                log.warning("could not set %s aside: %s", path, error)
            self._window.complain(f"The lessons of the last time cannot be used: {message}")

        self._window.jobs.do(lambda: teacher.load(path), come, failed)

    def _write(self, teacher: Any, book: Any) -> None:
        path = self.path(teacher)
        if self._window.store.frozen:
            return
        if book is teacher.book and teacher.status().labels:
            teacher.save(path)
        elif not teacher.status().labels:
            path.unlink(missing_ok=True)


def _nothing(_: object) -> None:
    """Take the result."""


def _complain(window: MainWindow) -> Any:
    return lambda message: window.complain(f"What was taught could not be kept: {message}")
