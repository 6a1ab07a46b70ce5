"""Measuring a model: few-shot tables, accuracy with intervals, confusion."""
