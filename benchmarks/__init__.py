"""Measurements side by side with peers: ``python -m benchmarks all --out results.csv``."""
