"""Say which tests were skipped, and why: by reason, the most first, one line each.

    python .ci/skipped.py LOG [FILE ...]

``LOG`` is what ``pytest -rs`` wrote. Tests of each FILE ran by themselves afterwards, and are left out.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

LINE = re.compile(r"^SKIPPED \[(\d+)\] (.+?\.py)(?::\d+)?: (.*)$", re.MULTILINE)


def skipped(log: str, ran: list[str]) -> list[str]:
    """Return a line for each reason, with how many tests and which files."""
    counts: Counter[str] = Counter()
    files: defaultdict[str, set[str]] = defaultdict(set)
    for count, file, reason in LINE.findall(log):
        if file not in ran:
            counts[reason] += int(count)
            files[reason].add(Path(file).name)
    return [
        f"SKIPPED: {count} in {', '.join(sorted(files[reason]))}: {reason}"
        for reason, count in counts.most_common()
    ]


def main() -> int:
    """Print the lines."""
    log = Path(sys.argv[1]).read_text(encoding="utf-8", errors="replace")
    lines = skipped(log, sys.argv[2:]) or ["SKIPPED: none"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
