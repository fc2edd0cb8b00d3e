"""Decoder ``pillow``."""

from search.contract.decoders.registry import DECODERS

DECODERS.add("pillow", "every format and every box")
