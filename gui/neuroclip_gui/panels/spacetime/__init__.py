"""Events as points in space and time."""
