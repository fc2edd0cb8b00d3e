"""Decoder ``dali``."""

from search.contract.decoders.registry import DECODERS

DECODERS.add("dali", "faster for JPEG files, needs the extra of that name")
