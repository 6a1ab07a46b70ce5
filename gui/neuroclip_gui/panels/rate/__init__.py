"""Events per second over time."""
