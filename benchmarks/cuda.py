"""The encoder and the counting of events on a GPU; ready to run where there is one.

``python -m benchmarks encoder --device cuda``. What to expect is worked out in docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.events import HD, VGA, moving_edge
from benchmarks.timing import Options, Row, absent, alternate, compared
from neuroclip_live.events import Packet, Resolution
from neuroclip_live.model.runtimes.plain_torch import TorchRuntime
from neuroclip_live.stream.frames import count_events

EQUAL = 2e-2
"""Half precision has three digits; features are compared relative to the largest of them."""


def run(options: Options) -> Iterator[Row]:
    """Measure encoding in half precision and counting on the device."""
    import torch

    if not torch.cuda.is_available():
        yield absent("encoder", f"device {options.device}", "this machine has no CUDA device")
        return
    from benchmarks.encoder import MODELS, frame_batch, tower_of

    for name, weights, _ in MODELS[:1] if options.quick else MODELS:
        tower, size = tower_of(name, weights)
        batch = frame_batch(size)
        plain = tower.to(options.device)

        def eager(plain: Any = plain, batch: Any = batch) -> Any:
            with torch.no_grad():
                return plain(torch.from_numpy(batch).to(options.device)).cpu().numpy()

        wanted = eager()
        ours = TorchRuntime(tower, options.device)
        difference = float(np.abs(ours(batch) - wanted).max() / np.abs(wanted).max())
        if difference > EQUAL:
            raise RuntimeError(f"half precision differs by {difference:.1e} on {name}")
        samples = alternate(
            {"ours": lambda ours=ours, batch=batch: ours(batch), "open_clip eager": eager},  # type: ignore[misc]
            options.repeats,
        )
        yield compared(
            "encoder",
            f"{name} {size} px on {torch.cuda.get_device_name()}",
            samples,
            "ours",
            "open_clip eager",
            note=f"outputs equal to {difference:.0e}",
        )
    for sensor in (VGA, HD):
        events = moving_edge(100_000 if options.quick else 1_000_000, sensor)
        if not np.array_equal(count_on(events, sensor, options.device), count_events(events, sensor)):
            raise RuntimeError("counting on the device gives other counts")
        samples = alternate(
            {
                "on the host": lambda e=events, s=sensor: count_events(e, s),  # type: ignore[misc]
                "on the device": lambda e=events, s=sensor: count_on(e, s, options.device),  # type: ignore[misc]
            },
            options.repeats,
        )
        yield compared(
            "encoder", f"counting {len(events):,} events {sensor}", samples, "on the device", "on the host"
        )


def count_on(events: Packet, resolution: Resolution, device: str) -> Any:
    """Count events on a device of torch's; (2, H, W) int32 on the host, equal to :func:`count_events`.

    What travels is the word of x, y and polarity, 8 bytes an event; picking it apart happens there. Events
    outside the sensor are left out. Works on the CPU too, which is how it is tested without a GPU.
    """
    import torch

    plain = np.array(events) if not events.flags.writeable else events
    words = torch.from_numpy(plain.view(np.int64).reshape(-1, 2)[:, 1].copy())
    words = words.to(device, non_blocking=True)
    x, y, p = words & 0xFFFF, (words >> 16) & 0xFFFF, (words >> 32) & 0xFF
    inside = (x < resolution.width) & (y < resolution.height)
    on = ((p > 0) & (p < 128)).long()
    at = ((on * resolution.height + y) * resolution.width + x)[inside]
    counts = torch.bincount(at, minlength=2 * resolution.area)
    shape = (2, resolution.height, resolution.width)
    return counts.clamp(max=65535).reshape(shape).to("cpu", torch.int32).numpy()
