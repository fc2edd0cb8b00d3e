"""A trained CompressionState for the tests of workers.compression."""

from contextlib import nullcontext
from functools import cache

from search.contract.augmentation import Policy
from search.contract.candidate import Layer
from tests.unit.training_sets import BACKBONE, coloured, coloured_images, small_candidate, small_network
from workers.augmentation.training_input import TrainingInput, training_input
from workers.compression.state import CompressionState
from workers.export import load_weights, save_weights
from workers.models import Network
from workers.training.engine import TrainingPlan, train


@cache
def _trained_weights(backbone: tuple[Layer, ...]) -> bytes:
    network = small_network(backbone=backbone)
    plan = TrainingPlan(epochs=6, batch_size=16, learning_rate=0.1, optimizer="sgd", seed=0)
    prepared = _training()
    for _ in train(network, prepared.training, coloured(24, seed=1), plan, augment=prepared.augment):
        pass
    return save_weights(network)


def _training() -> TrainingInput:
    return training_input(coloured(96), Policy(max_ops=0), seed=0)


def trained(backbone: tuple[Layer, ...] = BACKBONE) -> Network:
    network = small_network(backbone=backbone)
    load_weights(network, _trained_weights(backbone))
    return network


def compression_state(*, backbone: tuple[Layer, ...] = BACKBONE, network: Network | None = None) -> CompressionState:
    calibration, _ = coloured_images(16, seed=3)
    return CompressionState(
        network=trained(backbone) if network is None else network,
        candidate=small_candidate(backbone=backbone),
        training=_training,
        validation=coloured(48, seed=1),
        calibration=calibration,
        seed=0,
        working=nullcontext,
    )
