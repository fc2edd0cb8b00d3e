"""Samplers: what a search tries next, for networks and for compression recipes."""
