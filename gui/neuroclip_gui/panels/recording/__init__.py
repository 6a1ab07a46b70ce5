"""Recording from the window."""
