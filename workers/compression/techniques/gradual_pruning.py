"""Global pruning in a training: more zeros in each epoch (https://arxiv.org/abs/1710.01878)."""

from search.contract.recipes import GradualPruning
from workers.compression.masks import prune_globally
from workers.compression.state import CompressionState
from workers.compression.techniques.registry import NETWORK_TECHNIQUES
from workers.compression.training import train_on

#: The part of the epochs in which the fraction of zeros rises; it stays at its last in the others.
_RISE = 2 / 3


@NETWORK_TECHNIQUES.register("gradual_pruning")
def prune_gradually(config: GradualPruning, state: CompressionState) -> None:
    """Global pruning again before each epoch, with more zeros each time."""
    prune_globally(state, rising_fraction(config, 1))

    def prune_on(epoch: int) -> None:
        if epoch < config.epochs:
            prune_globally(state, rising_fraction(config, epoch + 1))

    train_on(config, state, after_epoch=prune_on)


def rising_fraction(config: GradualPruning, epoch: int) -> float:
    """The fraction of zeros in an epoch, which counts from 1: ``ratio`` times 1 - (1 - progress) ** 3."""
    progress = min(epoch / max(_RISE * config.epochs, 1), 1.0)
    return config.ratio * (1 - (1 - progress) ** 3)
