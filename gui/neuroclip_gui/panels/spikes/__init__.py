"""Spikes of the adapter's neurons."""
