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

from neuroclip_gui.jobs import Jobs
from neuroclip_gui.panel_spec import Context
from neuroclip_gui.settings import SettingsStore
from neuroclip_live.errors import UserError

if TYPE_CHECKING:
    from neuroclip_live.recognition.pipeline_protocol import PipelineProtocol

log = logging.getLogger(__name__)


class KeptLessons:
    """Between a window's teacher and the files of lessons beside its settings.

    Parameters
    ----------
    context : Context
    store : SettingsStore
        Beside whose file they lie.
    jobs : Jobs
        Writes them: none that may hang on a source.
    """

    def __init__(self, context: Context, store: SettingsStore, jobs: Jobs) -> None:
        self._context, self._store, self._jobs = context, store, jobs
        self._teacher: Any = None
        self._book: Any = None
        self._reading = False

    def look(self, pipeline: PipelineProtocol, given: frozenset[str], *, closing: bool = False) -> None:
        """Bring back what a teacher that is new was taught; have what changed written, unless ``closing``."""
        teacher = getattr(pipeline, "teacher", None)
        if teacher is None or not hasattr(teacher, "model"):
            return
        if teacher is not self._teacher:
            self.close()
            self._teacher, self._book = teacher, teacher.book
            path, own = self.path(teacher), not given & {"taught", "adapter"}
            if own and teacher.status().labels:
                self._book = None  # taught within the first moment
            elif own and path.exists() and not closing:
                self._read(teacher, path)
        elif teacher.book is not self._book and not self._reading and not closing:
            self._book = book = teacher.book
            self._jobs.do(lambda: self._write(teacher, book), _nothing, self._complain)

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
        store = self._store.path
        return store.with_name(f"{store.stem}-lessons") / name

    def _read(self, teacher: Any, path: Path) -> None:
        self._reading = True

        def come(_: object) -> None:
            self._reading = False
            if teacher is self._teacher:
                self._book = teacher.book

        def failed(message: str) -> None:
            self._reading = False
            broken = path.with_suffix(".broken.safetensors")
            try:
                path.replace(broken)
            except OSError as error:
                log.warning("could not set %s aside: %s", path, error)
            self._context.complain(f"The lessons of the last time cannot be used: {message}")

        self._context.jobs.do(lambda: teacher.load(path), come, failed)

    def _complain(self, message: str) -> None:
        self._context.complain(f"What was taught could not be kept: {message}")

    def _write(self, teacher: Any, book: Any) -> None:
        path = self.path(teacher)
        if self._store.frozen:
            return
        if book is teacher.book and teacher.status().labels:
            teacher.save(path)
        elif not teacher.status().labels:
            path.unlink(missing_ok=True)


def _nothing(_: object) -> None:
    """Take the result."""
