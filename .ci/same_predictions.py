"""Compare the predictions of two JSON-lines files: labels equal, probabilities to 1e-4."""

from __future__ import annotations

import json
import sys
from pathlib import Path

one, other = (
    [each for each in map(json.loads, Path(name).read_text().splitlines()) if each["type"] == "prediction"]
    for name in sys.argv[1:3]
)
if len(one) != len(other) or not one:
    sys.exit(f"{len(one)} and {len(other)} predictions")
largest = 0.0
for a, b in zip(one, other, strict=True):
    if (a["t_us"], a["label"]) != (b["t_us"], b["label"]):
        sys.exit(f"at {a['t_us']} us: {a['label']} and {b['label']} at {b['t_us']} us")
    largest = max([largest, *(abs(a["scores"][label] - b["scores"][label]) for label in a["scores"])])
sys.stdout.write(f"{len(one)} predictions; probabilities differ by {largest:.1e} at the most\n")
if largest > 1e-4:
    sys.exit(1)
