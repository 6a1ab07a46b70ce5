"""The aedat4 format: its bytes, reading with and without an index, writing, and copying packet by packet."""
