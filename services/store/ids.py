"""Ids of rows."""

import secrets
import time


def new_id(prefix: str) -> str:
    """An opaque id that sorts by the time it was made: 48 bits of milliseconds, then 48 random bits."""
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(6)}"
