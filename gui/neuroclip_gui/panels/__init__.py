"""The window's panels, a folder each."""
