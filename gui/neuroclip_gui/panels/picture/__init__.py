"""The live picture of events, and a region drawn on it."""
