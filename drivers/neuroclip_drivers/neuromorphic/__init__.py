"""Prophesee's cameras and others through neuromorphic-drivers."""
