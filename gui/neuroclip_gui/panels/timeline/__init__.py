"""The last minutes of scores."""
