"""What is missing from a recording, in words."""

from __future__ import annotations


def left_out(packets: int, events: int) -> str:
    """Say how many damaged packets were left out, and about how many events were in them."""
    of_events = f" (about {events:,} events)" if events else ""
    return f"{packets} damaged {'packet was' if packets == 1 else 'packets were'} left out{of_events}"


def describe(lost: int, missing: int, size: int, cut: bool) -> str:
    """Say what bytes are missing from a recording; empty when none are.

    Parameters
    ----------
    lost : int
        Bytes in the file that belong to no packet.
    missing : int
        Bytes that the header promises beyond its end.
    size : int
        Of the file, in bytes.
    cut : bool
        Whether it ends in the middle of a packet.
    """
    total = size + missing
    gone = lost + missing
    if not gone and not cut:
        return ""  # never closed, but every packet is whole
    if not gone:
        return "the recording ends in the middle of a packet: it was cut off; what came before is played"
    share = f"{_megabytes(gone)} of {_megabytes(total)}, {100 * gone / total:.1f} %"
    return f"the recording is damaged: {share}, is lost; the rest is played"


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
