"""Measurements, side by side with other tools. Nothing here is tested for its time."""
