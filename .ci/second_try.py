"""Give tests that failed one more try in a fresh process, and say plainly what came of it.

    python .ci/second_try.py STATUS CACHE

``STATUS`` is what the first run of pytest ended with, ``CACHE`` its cache directory. A run is only saved when
at most three tests failed and all of them pass now, or when it crashed and the whole suite passes now. Each
of those is a line that begins with FLAKY: something to mend, not to forget. Exit status 0 then, else 1.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

MOST = 3
FAILED = 1
"""What pytest ends with when tests failed; anything else below 128 is no matter of chance."""


def say(text: str) -> None:
    """Write a line at once: it is read beside what pytest writes."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def failed_tests(cache: Path) -> list[str]:
    """Return the names of the tests that failed."""
    try:
        return sorted(json.loads((cache / "v" / "cache" / "lastfailed").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return []


def passes(tests: list[str]) -> bool:
    """Run tests, all of them where none are named, in a process of their own."""
    return subprocess.run([sys.executable, "-m", "pytest", *tests]).returncode == 0


def main() -> int:
    """Return 0 when the second try saves the run, 1 otherwise."""
    status, cache = int(sys.argv[1]), Path(sys.argv[2])
    if status > 128:
        name = signal.Signals(status - 128).name
        say(f"\n== pytest was ended by {name}; the whole suite once more, in a fresh process ==")
        if passes([]):
            say(f"FLAKY: the first run was ended by {name}, see above; the second one passed whole")
            return 0
        return 1
    failed = failed_tests(cache) if status == FAILED else []
    if not 0 < len(failed) <= MOST:
        say(f"No second try: status {status}, {len(failed)} failed; only 1 to {MOST} failed tests get one.")
        return 1
    say(f"\n== {len(failed)} failed; once more, in a fresh process ==")
    if not passes(failed):
        return 1
    for test in failed:
        say(f"FLAKY: {test} failed among all, see above, and passed on the second try")
    return 0


if __name__ == "__main__":
    sys.exit(main())
