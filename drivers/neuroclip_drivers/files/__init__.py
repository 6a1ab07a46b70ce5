"""Recordings in every format that people keep events in, a file per format behind one protocol."""
