"""The decoders, by the name that a spec gives; a new one is a file here and a line below.

A decoder's module has ``version() -> str``, which changes when its pixels may, and ``decode_rows``, as in pillow.py;
it is imported only when it is asked for.
"""

from importlib import import_module
from typing import Any

from workers.data.errors import MissingPackageError

DECODERS = {
    "dali": "workers.data.decoders.dali",
    "pillow": "workers.data.decoders.pillow",
}


def decoder(name: str) -> Any:
    """The decoder's module. Raises MissingPackageError."""
    try:
        return import_module(DECODERS[name])
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"decoder {name!r} needs a package that is not installed ({error}): install seedleaf[{name}] on every"
            " machine that works, or choose decoder: pillow"
        ) from error
