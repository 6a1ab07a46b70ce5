"""Sources of events: cameras, recordings, network streams and the simulator."""

from neuroclip_drivers.opening import SourceSpec, open_source

__all__ = ["SourceSpec", "open_source"]
