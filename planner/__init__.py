"""Lint cluster specs, plan what a private registry must hold, fill it, and prove it."""

__version__ = "0.1.0"
