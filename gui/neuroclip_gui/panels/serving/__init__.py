"""Serving from the window."""
