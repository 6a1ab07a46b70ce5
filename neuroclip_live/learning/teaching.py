"""Teaching labels while the stream runs: show a thing, name it, and it competes with the typed prompts.

The inference thread hands over every window's features (:meth:`Teacher.observe`); lessons are made of those,
so teaching costs no encoding. Changes wake one background thread that first swaps in a *steer*
(milliseconds, see :mod:`neuroclip_live.learning.gated_adapter`) and then trains the spiking adapter and swaps
that in. A swap is one assignment, so a prediction is made with the old adapter or with the new one, never
with half of each. The thread runs at low priority on one core, and begins anew when overtaken by another
lesson.

    begin("mug") … end()      what passes by in between, or
    cancel()                  never mind
    teach("mug", last_s=2)    what has just passed by
    counter_example("mug")    that was no mug
    undo() · forget("mug") · save(path) · load(path)
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError
from neuroclip_live.extras import have, need
from neuroclip_live.learning.lesson_file import read_lessons, write_lessons
from neuroclip_live.learning.lesson_training import Lessons, LessonTrainer, warm_up
from neuroclip_live.learning.shotbook import Lesson, ShotBook
from neuroclip_live.learning.teaching_status import TeachingStatus
from neuroclip_live.learning.thread_priority import lower_priority
from neuroclip_live.learning.window_buffer import Collector

if TYPE_CHECKING:
    from neuroclip_live.learning.gated_adapter import TaughtAdapter

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]


class Teacher:
    """Collects lessons and keeps an adapter trained on them.

    Parameters
    ----------
    model : str
        Name of the encoder, kept in what is saved.
    embed_dim, timesteps : int
        C and T of the windows.
    logit_scale : float
    swap : callable
        Given each new adapter, from the background thread; None when nothing is taught any more.
    """

    def __init__(
        self,
        model: str,
        embed_dim: int,
        timesteps: int,
        logit_scale: float,
        swap: Callable[[TaughtAdapter | None], None],
    ) -> None:
        self.model = model
        self.embed_dim = embed_dim
        self.timesteps = timesteps
        self._trainer = LessonTrainer(model, logit_scale, swap)
        self._windows = Collector()
        self._book = ShotBook()
        self._labels: tuple[str, ...] = ()
        self._text: Floats = np.zeros((0, embed_dim), np.float32)
        self._changed = threading.Condition()
        self._version = 0
        self._served = 0  # the version whose training has ended
        self._training: float | None = None
        self._message = ""
        self._closed = False
        self._thread: threading.Thread | None = None
        self._preparing: threading.Thread | None = None

    # ---- the inference thread

    def observe(self, features: Floats, t_us: int, moving: bool = True) -> None:
        """Take note of a window; cheap. Only whole windows with motion are kept.

        Parameters
        ----------
        features : ndarray of float32, shape (≤ T, C)
            Raw; kept by reference, so it must not change afterwards.
        t_us : int
            Its time in the stream.
        moving : bool
        """
        if moving and features.shape != (self.timesteps, self.embed_dim):
            return
        with self._changed:
            self._windows.pass_by()
            if moving:
                self._windows.add(t_us, features)

    def set_labels(self, labels: Sequence[str], text_features: Floats) -> None:
        """Say which labels compete now, taught or only typed, and their unit text features (K, C)."""
        with self._changed:
            if tuple(labels) == self._labels and np.array_equal(text_features, self._text):
                return
            self._labels, self._text = tuple(labels), np.array(text_features, dtype=np.float32)
            if self._book.lessons:
                self._touch()

    # ---- commands: any thread

    def teach(self, label: str, last_s: float = 2.0) -> int:
        """Learn that the last seconds showed ``label``; return how many windows that were.

        Raises
        ------
        UserError
            When nothing moved in that time.
        """
        return self._learn(label, last_s, True)

    def counter_example(self, label: str | None = None, last_s: float = 2.0) -> int:
        """Learn that the last seconds did not show ``label``, or none of the taught labels."""
        return self._learn(label, last_s, False)

    def learn_from(self, label: str | None, windows: Sequence[Floats], is_it: bool = True) -> int:
        """Learn from windows (T, C) of one thing among several that it is, or is not, ``label``.

        Raises
        ------
        UserError
            When there are none, or they are of another model or T.
        """
        _need_torch()
        if any(window.shape != (self.timesteps, self.embed_dim) for window in windows):
            raise UserError("it was seen by another model, or with another T: let it move on, then teach it")
        with self._changed:
            return self._add(label, list(windows), is_it)

    def begin(self, label: str, is_it: bool = True) -> None:
        """Collect windows of ``label`` from now on, until :meth:`end`."""
        _need_torch()
        with self._changed:
            self._windows.begin(label, is_it)

    def end(self) -> int:
        """Learn what was collected; return how many windows that were.

        Raises
        ------
        UserError
            When nothing moved or was recognized meanwhile, or nothing was begun.
        """
        with self._changed:
            return self._add(*self._windows.end())

    def cancel(self) -> None:
        """Collect no more, and learn nothing of it."""
        with self._changed:
            self._windows.cancel()

    def undo(self) -> None:
        """Take back the latest change: a lesson, a counter-example, or forgetting one.

        Raises
        ------
        UserError
            When there is none.
        """
        with self._changed:
            self._book = self._book.undo()
            self._touch()

    def forget(self, label: str) -> None:
        """Forget everything about a label.

        Raises
        ------
        UserError
            When it was not taught.
        """
        with self._changed:
            self._book = self._book.forget(label)
            self._touch()

    @property
    def book(self) -> ShotBook:
        """Everything taught; another object after every change. For :meth:`restore`."""
        return self._book

    def restore(self, book: ShotBook) -> None:
        """Teach what a former :attr:`book` of this teacher held, and nothing else."""
        with self._changed:
            self._book = book
            self._touch()

    def clear(self) -> None:
        """Forget everything; can be undone."""
        with self._changed:
            self._book = self._book.clear()
            self._touch()

    def save(self, path: Path) -> None:
        """Write all lessons; :meth:`load` trains on them anew, which takes a second.

        Raises
        ------
        UserError
            When nothing was taught or the file cannot be written; an old file stays as it was.
        """
        with self._changed:
            book = self._book
        if not book.lessons:
            raise UserError("nothing was taught yet, so there is nothing to save")
        write_lessons(path, book, self.model, self.embed_dim, self.timesteps)

    def load(self, path: Path) -> tuple[str, ...]:
        """Replace all lessons by saved ones; return their labels. Can be undone.

        Raises
        ------
        UserError
            When the file cannot be read, is damaged, or was made with another model or T.
        """
        _need_torch()
        book = read_lessons(path, self.model, self.embed_dim, self.timesteps)
        with self._changed:
            self._book = ShotBook(book.lessons, self._book)
            self._touch()
        return book.labels

    def status(self) -> TeachingStatus:
        """Return a snapshot; cheap."""
        with self._changed:
            book, showing = self._book, self._windows.showing
            return TeachingStatus(
                labels=tuple((label, book.count(label)) for label in book.labels),
                counter_examples=sum(len(x.features) for x in book.counter_examples),
                collecting=None if showing is None else showing[0],
                collected=self._windows.collected,
                training=self._training,
                trained=bool(book.labels) and self._served == self._version,
                message=self._message,
            )

    def wait(self, timeout_s: float = 30.0) -> bool:
        """Wait until everything taught so far is trained and swapped in; return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed or self._served == self._version, timeout_s)

    def close(self, timeout_s: float = 2.0) -> bool:
        """End the background threads; return whether they ended in time. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            threads = [thread for thread in (self._thread, self._preparing) if thread is not None]
        until = monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, until - monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def prepare(self) -> None:
        """Import what training needs in the background, once, so that the first lesson need not wait."""
        if not have("torch"):
            return
        with self._changed:
            if self._preparing is None and not self._closed:
                self._preparing = threading.Thread(target=self._prepare, name="teaching", daemon=True)
                self._preparing.start()

    # ---- inside

    def _learn(self, label: str | None, last_s: float, is_it: bool) -> int:
        _need_torch()
        with self._changed:
            return self._add(label, self._windows.last(last_s), is_it)

    def _add(self, label: str | None, windows: list[Floats], is_it: bool) -> int:
        shape = (len(windows), self.timesteps, self.embed_dim)
        self._book = self._book.add(Lesson(label, np.array(windows, np.float32).reshape(shape), is_it))
        self._touch()
        return len(windows)

    def _touch(self) -> None:
        """Wake the background thread; the lock is held."""
        self._version += 1
        self._message = ""
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._work, name="teaching", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _prepare(self) -> None:
        # at normal priority: an import holds the interpreter lock, and a thread that waits for a core while
        # it holds that keeps everybody waiting
        try:
            warm_up(self.embed_dim, self.timesteps)
        except Exception:
            log.exception("teaching could not be prepared; the first lesson will take longer")

    def _work(self) -> None:
        self._prepare()
        lower_priority()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._served != self._version)
                if self._closed:
                    return
                version, lessons = self._version, Lessons(self._book, self._labels, self._text)
            message = ""
            try:
                self._trainer.make(lessons, self._progress, partial(self._overtaken, version))
            except UserError as error:
                message = str(error)
            except Exception as error:
                # the steer, or what was there before, goes on working
                log.exception("training on the lessons failed")
                message = f"training failed: {error}"
            with self._changed:
                self._training = None
                if version == self._version:
                    self._served, self._message = version, message
                self._changed.notify_all()

    def _progress(self, share: float) -> None:
        self._training = share

    def _overtaken(self, version: int) -> bool:
        return self._closed or version != self._version


def _need_torch() -> None:
    need("teaching", "torch", "spikingjelly")
