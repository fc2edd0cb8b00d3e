"""The blocks, each registered by its file."""

from workers.models.blocks import conv, heads, inverted_residual

__all__ = ["conv", "heads", "inverted_residual"]
