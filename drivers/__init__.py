"""Sources of events: cameras, recordings, network streams and the simulator."""
