"""Sources of events: cameras, recordings, network streams and the simulator."""

from drivers.opening import SourceSpec, open_source

__all__ = ["SourceSpec", "open_source"]
