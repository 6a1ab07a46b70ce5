"""What a server asks of a running pipeline, as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuroclip_live import __version__
from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompt_set import Prompt, PromptSet
from neuroclip_live.recognition.run_facts import Header
from neuroclip_live.stream.frames import event_frame

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    from neuroclip_live.recognition.pipeline import Pipeline

FRAME_US = 40_000
"""A picture shows the events of so long: at 25 a second none is left out."""
LONGEST_LESSON_S = 10.0


class LiveRun:
    """One pipeline, asked and told from a server's threads.

    Parameters
    ----------
    pipeline : callable
        Returns the pipeline of now, or None before there is one. The window makes its own after it is shown.
    """

    def __init__(self, pipeline: Callable[[], Pipeline | None]) -> None:
        self._ask = pipeline
        self._headed: tuple[Header, dict[str, Any]] | None = None
        self._heard: tuple[Pipeline, Callable[[], None]] | None = None

    def wake(self, wake: Callable[[], None] | None) -> None:
        """Have ``wake`` called after each prediction of the pipeline of now; None: no more."""
        pipeline = self._ask() if wake is not None else None
        wanted = (pipeline, wake) if pipeline is not None and wake is not None else None
        if wanted == self._heard:
            return
        if self._heard is not None:
            self._heard[0].news.remove(self._heard[1])
        self._heard = wanted
        if wanted is not None:
            wanted[0].news.add(wanted[1])

    def header(self) -> dict[str, Any] | None:
        """Return the header line of now; another one when the source, the model or the prompts change."""
        pipeline = self._ask()
        if pipeline is None or pipeline.backbone is None:
            return None
        header = pipeline.header()
        if self._headed is None or self._headed[0] != header:
            self._headed = (header, header.to_dict())
        return self._headed[1]

    def lines_after(self, number: int) -> tuple[int, list[dict[str, Any]]]:
        """Return the newest prediction's number and the lines after ``number``."""
        pipeline = self._ask()
        latest = pipeline.prediction() if pipeline is not None else None
        if pipeline is None or latest is None:
            return 0, []
        if latest.number == number:
            return number, []
        predictions = pipeline.predictions(after=number)
        newest = predictions[-1].number if predictions else latest.number
        return newest, [prediction.to_dict() for prediction in predictions]

    def frame(self) -> npt.NDArray[np.uint8]:
        """Return the event frame of now, (H, W) uint8: 127 nothing, 0 ON, 255 OFF."""
        pipeline = self._running()
        return event_frame(pipeline.recent_events(FRAME_US), pipeline.resolution)

    def prompts(self) -> list[str]:
        """Return what is asked for; ``-`` before a negative."""
        return [("-" if p.negative else "") + p.label for p in self._running().prompts.enabled]

    def set_prompts(self, labels: list[str]) -> list[str]:
        """Ask for other words; return them as they are kept.

        Raises
        ------
        UserError
            When there is nothing to look for among them, or one cannot be used.
        """
        pipeline = self._running()
        before = pipeline.prompts
        prompts = PromptSet.of(
            [Prompt(text.removeprefix("-"), negative=text.startswith("-")) for text in labels],
            before.templates,
            before.none_of_these,
        )
        prompts.validate()
        pipeline.set_prompts(prompts)
        return self.prompts()

    def teach(self, label: str, seconds: float) -> int:
        """Learn that the last ``seconds`` showed ``label``; return the number of windows.

        Raises
        ------
        UserError
            When nothing moved, the label is empty, or the time is out of range.
        """
        if not 0 < seconds <= LONGEST_LESSON_S:
            raise UserError(f"seconds: {seconds:g} is out of range; give 0.1 to {LONGEST_LESSON_S:g}")
        labels = PromptSet.of([label]).labels
        if not labels:
            raise UserError("label: it is empty; name what was shown")
        return self._running().teach(labels[0], seconds)

    def status(self) -> dict[str, Any]:
        """Return what is counted, and where the time goes."""
        pipeline = self._ask()
        if pipeline is None:
            return {"version": __version__, "state": "loading", "message": "starting"}
        status = pipeline.status()
        return {
            "version": __version__,
            "state": status.state.value,
            "message": status.message,
            "model": status.model,
            "device": status.device,
            "runtime": status.runtime,
            "source": status.source_name,
            "resolution": list(status.resolution),
            "event_rate_hz": round(status.event_rate_hz, 1),
            "prediction_rate_hz": round(status.prediction_rate_hz, 2),
            "events": status.total_events,
            "dropped_events": status.dropped_events,
            "outside_events": status.outside_events,
            "windows": status.windows,
            "predictions": status.predictions,
            "skipped_windows": status.skipped_windows,
            "latency_ms": {
                stage: {"p50": round(p.p50_ms, 3), "p99": round(p.p99_ms, 3)}
                for stage, p in status.latency.items()
            },
        }

    def _running(self) -> Pipeline:
        pipeline = self._ask()
        if pipeline is None:
            raise UserError("the program is still starting: ask again in a moment")
        return pipeline
