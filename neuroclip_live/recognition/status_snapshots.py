"""Snapshots of everything that is counted while a pipeline runs."""

from __future__ import annotations

from time import monotonic

from neuroclip_live.recognition.desired_state import DesiredState
from neuroclip_live.recognition.inference_loop import InferenceLoop
from neuroclip_live.recognition.pipeline_state import Rate, Status, told_by
from neuroclip_live.stream.latency import LatencyStats

STALLED_S = 5.0
"""One slice that takes longer is told: the model hangs, or the machine does."""


class StatusSnapshots:
    """Takes them; rates are those of about the last second of being asked.

    Parameters
    ----------
    desired : DesiredState
    loop : InferenceLoop
    latency : LatencyStats

    Attributes
    ----------
    reported : str
        What went wrong beside recognition: an output that cannot be written.
    """

    def __init__(self, desired: DesiredState, loop: InferenceLoop, latency: LatencyStats) -> None:
        self.reported = ""
        self._desired, self._loop, self._latency = desired, loop, latency
        self._event_rate, self._prediction_rate = Rate(), Rate()

    def take(self) -> Status:
        """Return one; from any thread."""
        loop, capture = self._loop, self._desired.capture
        counts, change, backbone = loop.outcome, loop.change, loop.model.backbone
        predictions, skipped = counts.predictions, counts.skipped  # once each, so that windows are their sum
        ring, source = capture.ring.status(), capture.source.status()
        totals = capture.totals()
        info = backbone.info if backbone is not None else None
        busy_since = loop.busy_since
        stalled = busy_since is not None and monotonic() - busy_since > STALLED_S
        recognition = loop.message, loop.failing
        message, lost = told_by(recognition, change.message, stalled, capture.failure, self.reported, source)
        return Status(
            state=loop.state,
            message=message,
            lost=lost,
            failure=capture.failure,
            progress=change.progress if change.loading else loop.progress,
            changing=change.loading,
            stalled=stalled,
            model=info.name if info else "",
            device=info.device if info else "",
            runtime=info.runtime if info else "",
            source_name=capture.source.name,
            source=source,
            resolution=capture.resolution,
            removed_share=capture.treater.removed_share,
            event_rate_hz=self._event_rate.update(totals.entered),
            total_events=totals.entered,
            dropped_events=loop.dropped,
            outside_events=totals.outside,
            stray_events=totals.strays,
            windows=predictions + skipped,
            predictions=predictions,
            skipped_windows=skipped,
            missed=counts.missed,
            prediction_rate_hz=self._prediction_rate.update(predictions),
            ring_fill=ring.fill,
            latency=self._latency.percentiles(),
        )
