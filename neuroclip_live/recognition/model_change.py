"""Loading another model beside the one at work, which goes on predicting meanwhile."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from neuroclip_live.errors import UserError

if TYPE_CHECKING:
    from neuroclip_live.model.backbone import Backbone

log = logging.getLogger(__name__)

Progress = Callable[[str, "float | None"], None]
Load = Callable[[Progress], "Backbone"]


class ModelChange:
    """At most one model is on its way; asking for another puts the former out of mind.

    Attributes
    ----------
    message : str
        What the loading is at, or why it failed; empty when there is nothing to say.
    progress : float or None
        Share done, 0 to 1, where it is known.
    """

    def __init__(self, ready: Callable[[], None]) -> None:
        self.message = ""
        self.progress: float | None = None
        self._ready = ready
        self._lock = threading.Lock()
        self._turn = 0
        self._loaded: Backbone | None = None
        self._loading = False

    @property
    def loading(self) -> bool:
        """Whether a model is on its way."""
        return self._loading

    def begin(self, load: Load) -> None:
        """Load in a thread of its own: a download may take minutes, and nothing waits for it."""
        with self._lock:
            self._turn += 1
            turn = self._turn
            self._loaded, self._loading = None, True
            self.message, self.progress = "loading the model", None
        threading.Thread(target=self._work, args=(load, turn), name="model-load", daemon=True).start()

    def cancel(self) -> None:
        """Keep the model at work; what is being loaded is thrown away when it comes."""
        with self._lock:
            self._turn += 1
            self._loaded, self._loading = None, False
            self.message, self.progress = "", None

    def take(self) -> Backbone | None:
        """Return the model that has come, once; for the inference thread."""
        if self._loaded is None:
            return None
        with self._lock:
            loaded, self._loaded = self._loaded, None
            return loaded

    def _work(self, load: Load, turn: int) -> None:
        def tell(text: str, share: float | None) -> None:
            if turn == self._turn and self._loading:
                self.message, self.progress = text, share
            elif turn == self._turn:  # at work by now: it left the GPU, say
                self.message = text

        loaded, failure = None, ""
        try:
            loaded = load(tell)
        except UserError as error:
            failure = str(error)
        except Exception as error:
            log.exception("a model could not be loaded")
            failure = f"the model could not be loaded: {error}"
        with self._lock:
            if turn != self._turn:
                return
            self._loaded, self._loading = loaded, False
            self.message, self.progress = failure, None
        self._ready()
