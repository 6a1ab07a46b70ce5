"""Bad bytes for everything that reads bytes: how to make them, and what has to bear them.

``python -m tests.fuzz --help`` runs millions; ``tests/test_fuzz.py`` runs some thousand, always the same.
Every input follows from (target, seed, batch, place in the batch), so none has to be kept.
"""
