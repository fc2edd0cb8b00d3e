"""Spaces of architectures as data: what they hold, how a network is drawn, how many there are, and the file format."""
