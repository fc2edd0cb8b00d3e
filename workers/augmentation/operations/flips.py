"""The flips."""

from workers.augmentation.kinds import PixelDefinition
from workers.augmentation.library import through
from workers.augmentation.operations.registry import OPERATIONS

OPERATIONS.add(
    "HorizontalFlip",
    PixelDefinition(
        batch=lambda pixels, drawn: pixels.flip(2),
        single=through(lambda library, value: library.HorizontalFlip(p=1)),
    ),
)
OPERATIONS.add(
    "VerticalFlip",
    PixelDefinition(
        batch=lambda pixels, drawn: pixels.flip(1), single=through(lambda library, value: library.VerticalFlip(p=1))
    ),
)
