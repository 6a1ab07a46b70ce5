"""Recognizing while events come in: the threads, and what is known of the last minutes."""
