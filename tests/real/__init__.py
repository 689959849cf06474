"""Tests against real servers and clients; each is marked ``real``."""
