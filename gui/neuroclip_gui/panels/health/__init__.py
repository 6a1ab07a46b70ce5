"""Rates, losses and latencies."""
