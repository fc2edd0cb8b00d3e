"""A whole recipe in one call."""

import numpy as np
from numpy.typing import NDArray

from search.contract.recipes import Recipe
from workers.compression.pipeline import Compressed, change_network, finish
from workers.compression.state import CompressionState


def compress(
    recipe: Recipe, state: CompressionState, images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> Compressed:
    """Apply ``recipe`` to ``state``, and score the file on ``images`` uint8 [n, side, side, 3] with ``labels`` [n]."""
    change_network(recipe.network_steps, state)
    return finish(recipe.file_steps, state, images, labels)
