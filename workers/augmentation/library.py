"""albumentations, imported when an image is first augmented: training, which needs none, is spared its seconds."""

import importlib
import os
from collections.abc import Callable
from functools import cache, lru_cache
from types import ModuleType
from typing import Protocol

from workers.augmentation.kinds import Drawn, Image


class Transform(Protocol):
    """One of albumentations' transforms; the result is under "image"."""

    def __call__(self, *, image: Image) -> dict[str, Image]: ...


@cache
def albumentations() -> ModuleType:
    """The module, without the look for a newer version on the network that its import makes."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    return importlib.import_module("albumentations")


def through(build: Callable[[ModuleType, float], Transform]) -> Callable[[Image, Drawn], Image]:
    """Run the transform that ``build(albumentations, value)`` returns; transforms are kept, for values recur."""
    transform = lru_cache(maxsize=64)(lambda value: build(albumentations(), value))

    def run(image: Image, drawn: Drawn) -> Image:
        return transform(drawn.value.item())(image=image)["image"]

    return run
