"""Where predictions go: JSON lines, the live table, and what other packages add."""
