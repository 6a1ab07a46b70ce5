"""Whether a downloaded file is the one the hub announced: its client looks at the length alone.

The hub names every file by a digest of its content, and its client's cache keeps them under these names:
SHA-256 for large files, git's own SHA-1 for small ones. What is compared is therefore what arrived with what
the hub said would come. Who said it is a matter of the connection (HTTPS) and of the revision asked for.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

_BLOCK = 1 << 22
_SHA256, _GIT_SHA1 = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{40}")


def announced(path: Path) -> str | None:
    """Return the digest under which the hub's cache keeps a file; None where it keeps it otherwise."""
    kept = path.resolve()
    if kept.parent.name != "blobs" or not (_SHA256.fullmatch(kept.name) or _GIT_SHA1.fullmatch(kept.name)):
        return None
    return kept.name


def digest_like(path: Path, other: str) -> str:
    """Return a file's digest, of the kind that ``other`` is: SHA-256 or git's SHA-1 of a blob."""
    if len(other) == 64:
        digest = hashlib.sha256()
    else:
        digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def discard_if_altered(path: Path) -> bool:
    """Compare a file in the hub's cache with its announced digest; where they differ, delete it.

    Returns
    -------
    bool
        Whether it differed.
    """
    expected = announced(path)
    if expected is None or digest_like(path, expected) == expected:
        return False
    kept = path.resolve()
    path.unlink(missing_ok=True)
    kept.unlink(missing_ok=True)
    return True
