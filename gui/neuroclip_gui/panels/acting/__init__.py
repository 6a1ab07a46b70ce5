"""Actions in the window."""
