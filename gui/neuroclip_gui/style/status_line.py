"""The line at the bottom: what runs, on what, and whether anything was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLabel, QStatusBar

from neuroclip_gui.panels.health.health_panel import amount
from neuroclip_gui.style.elided import ElidedLabel

if TYPE_CHECKING:
    from neuroclip_live.recognition.pipeline_state import Status

FIELDS: tuple[tuple[str, str], ...] = (
    ("source", "Where events come from, and the sensor's size"),
    ("rate", "Events per second"),
    ("lost", "Events lost before recognition, and slices it had no time for"),
    ("latency", "Last event to label: half of all within, and 99 % within"),
    ("model", "The model, what runs it, and where"),
    ("paint", "Pictures painted per second"),
)
_NAMES = ("source", "model")
"""What names files, addresses and models: they may be of any length, and are cut to the room there is."""


class StatusLine(QStatusBar):
    """Shows the newest status in words."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizeGripEnabled(False)
        self.fields: dict[str, QLabel] = {}
        for key, meaning in FIELDS:
            label = ElidedLabel() if key in _NAMES else QLabel()
            label.setToolTip(meaning)
            label.setAccessibleName(meaning)
            label.setProperty("role", "small")
            label.setContentsMargins(8, 0, 8, 2)
            self.fields[key] = label
            if key == "source":
                self.addWidget(label, 1)
            else:
                self.addPermanentWidget(label)

    def show_status(self, status: Status, paint_hz: float) -> None:
        """Show the newest numbers."""
        total = status.latency.get("total")
        model = " · ".join(part for part in (status.model, status.runtime, status.device) if part)
        texts = {
            "source": f"waiting for {status.source_name}"
            if status.source.state.value == "waiting"
            else f"{status.source_name}   {status.resolution.width} × {status.resolution.height}",
            "rate": f"{amount(status.event_rate_hz)} events/s",
            "lost": f"{amount(status.dropped_events)} dropped · {amount(status.skipped_windows)} skipped",
            "latency": f"event to label {total.p50_ms:.0f} ms, p99 {total.p99_ms:.0f}" if total else "",
            "model": model or "loading the model",
            "paint": f"{paint_hz:.0f} fps",
        }
        grown = False
        for key, text in texts.items():
            label = self.fields[key]
            if label.text() != text:
                label.setText(text)
                if key in _NAMES:
                    label.setToolTip(f"{text}\n{label.accessibleName()}")
                else:  # grows to the widest text, so that changing numbers move nothing
                    if label.sizeHint().width() > label.minimumWidth():
                        label.setMinimumWidth(label.sizeHint().width())
                        grown = True
        role = "warn" if status.dropped_events else "small"
        lost = self.fields["lost"]
        if lost.property("role") != role:
            lost.setProperty("role", role)
            lost.style().polish(lost)
        row = self.layout()
        if grown and row is not None:  # at once: painted before it, texts would lie over each other
            row.activate()
