"""Start-up promises that need a fresh process: what is not imported, and how soon --help answers."""

from __future__ import annotations

import subprocess
import sys
import time

LIMIT_S = 0.7
HEAVY = ("torch", "PySide6", "numba", "cv2", "dv_processing", "open_clip")

code = f"import sys, neuroclip_live; print([m for m in {HEAVY!r} if m in sys.modules])"
loaded = subprocess.run(
    [sys.executable, "-c", code], capture_output=True, text=True, check=True
).stdout.strip()
if loaded != "[]":
    sys.exit(f"import neuroclip_live imports {loaded}")

times = []
for _ in range(5):
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-m", "neuroclip_live", "--help"], capture_output=True, check=True)
    times.append(time.perf_counter() - begin)
best = sorted(times)[len(times) // 2]
sys.stdout.write(f"neuroclip-live --help: median {best:.2f} s of 5\n")
if best > LIMIT_S:
    sys.exit(f"--help takes {best:.2f} s, more than {LIMIT_S} s")
