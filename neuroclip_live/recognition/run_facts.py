"""What is said of a run before its first prediction and after its last: the header and the summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neuroclip_live import __version__
from neuroclip_live.events import Resolution
from neuroclip_live.objects.found import Missed
from neuroclip_live.prompting.prompts import PromptSet
from neuroclip_live.recognition.pipeline_state import PipelineSettings, Status
from neuroclip_live.recognition.prediction import SCHEMA_VERSION

if TYPE_CHECKING:
    from neuroclip_live.model.backbone import BackboneInfo
    from neuroclip_live.stream.latency import Percentiles


@dataclass(frozen=True)
class Header:
    """Everything needed to understand the predictions that follow, or to make them again.

    Attributes
    ----------
    source : str
    resolution : Resolution
        Of the sensor.
    model : BackboneInfo or None
        None while it is still loading.
    prompts : PromptSet
    settings : PipelineSettings
    """

    source: str
    resolution: Resolution
    model: BackboneInfo | None
    prompts: PromptSet
    settings: PipelineSettings

    def to_dict(self) -> dict[str, Any]:
        """Return the header as a JSON line has it."""
        by, model, prompts = self.settings.slice_by, self.model, self.prompts
        decision = self.settings.decision
        return {
            "type": "header",
            "schema": SCHEMA_VERSION,
            "version": __version__,
            "model": model.name if model is not None else None,
            "device": model.device if model is not None else None,
            "runtime": model.runtime if model is not None else None,
            "representation": model.representation if model is not None else None,
            "prompts": [p.label for p in prompts.enabled if not p.negative],
            "negatives": [p.label for p in prompts.enabled if p.negative],
            "none_of_these": prompts.none_of_these,
            "template": list(prompts.templates),
            "slicing": {"kind": by.kind, "time_us": by.time_us, "count": by.count, "overlap": by.overlap},
            "timesteps": self.settings.recognizer.timesteps,
            "events": self.settings.road.to_dict(),
            "decision": {"smoothing_s": decision.smoothing_s, "threshold": decision.threshold},
            "source": self.source,
            "resolution": list(self.resolution),
        }


@dataclass(frozen=True)
class Summary:
    """What was counted.

    Attributes
    ----------
    events, windows, predictions, skipped_windows, dropped_events, outside_events, stray_events : int
        ``windows`` = ``predictions`` + ``skipped_windows``.
    unwritten_predictions : int
        Made, but not written: whoever reads the output was too slow.
    missed : Missed or None
        What there was no time or room for of the things; None where none were looked for.
    total : Percentiles or None
        Of the latency from a slice's last event to its prediction.
    wall_s : float
    """

    events: int = 0
    windows: int = 0
    predictions: int = 0
    skipped_windows: int = 0
    dropped_events: int = 0
    outside_events: int = 0
    stray_events: int = 0
    unwritten_predictions: int = 0
    missed: Missed | None = None
    total: Percentiles | None = None
    wall_s: float = 0.0

    @classmethod
    def of(cls, status: Status, *, unwritten: int = 0, wall_s: float = 0.0) -> Summary:
        """Return the summary of a pipeline's run so far."""
        return cls(
            events=status.total_events,
            windows=status.windows,
            predictions=status.predictions,
            skipped_windows=status.skipped_windows,
            dropped_events=status.dropped_events,
            outside_events=status.outside_events,
            stray_events=status.stray_events,
            unwritten_predictions=unwritten,
            missed=status.missed,
            total=status.latency.get("total"),
            wall_s=wall_s,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as a JSON line has it; latencies in milliseconds."""
        total = self.total
        missed = {} if self.missed is None else {"objects": self.missed.to_dict()}
        return {
            "type": "summary",
            "schema": SCHEMA_VERSION,
            "events": self.events,
            "windows": self.windows,
            "predictions": self.predictions,
            "skipped_windows": self.skipped_windows,
            "dropped_events": self.dropped_events,
            "outside_events": self.outside_events,
            "stray_events": self.stray_events,
            "unwritten_predictions": self.unwritten_predictions,
            **missed,
            "latency_ms": {"p50": total.p50_ms if total else None, "p99": total.p99_ms if total else None},
            "wall_s": round(self.wall_s, 3),
        }
