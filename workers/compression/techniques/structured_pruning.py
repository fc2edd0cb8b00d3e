"""Structured pruning: whole channels go, across all layers that depend on each other.

DepGraph, https://arxiv.org/abs/2301.12900, by the package torch-pruning.
"""

import warnings

import torch
import torch_pruning
from torch.nn import functional

from search.contract.recipes import Importance, StructuredPruning
from workers.compression.state import CompressionState, NotApplicableError
from workers.compression.techniques.registry import NETWORK_TECHNIQUES
from workers.models import ArchitectureError, Network
from workers.models.blocks.registry import Unprunable
from workers.models.profile import count_macs, count_params
from workers.training.device_dataset import DeviceDataset, pixels

_CHANNELS_MULTIPLE = 8
#: No layer loses more than this when channels of all layers are ranked together, unless the ratio itself is higher.
_MOST_OF_A_LAYER = 0.75
_GRADIENT_IMAGES, _GRADIENT_BATCH = 512, 64

_IMPORTANCES: dict[Importance, torch_pruning.importance.Importance] = {
    "magnitude": torch_pruning.importance.GroupMagnitudeImportance(p=2),
    "batchnorm": torch_pruning.importance.BNScaleImportance(),
    "taylor": torch_pruning.importance.GroupTaylorImportance(),
}


@NETWORK_TECHNIQUES.register("structured_pruning")
def prune(config: StructuredPruning, state: CompressionState) -> None:
    """Remove channels to multiples of 8; the classifier keeps its outputs, and blocks that cannot be pruned keep their
    channels.

    NotApplicableError if nothing could be removed, or torch-pruning cannot tell which channels depend on each other.
    """
    if state.masks:
        raise NotApplicableError("structured pruning changes the shapes of pruned weights: put it before unstructured")
    network, before = state.network, count_params(state.network)
    network.eval()
    if config.importance == "taylor":
        _accumulate_gradients(network, state.training().training, seed=state.seed)
    try:
        _prune(config, network, state.candidate.image_size)
    except (ZeroDivisionError, RuntimeError, ArchitectureError) as error:
        raise NotApplicableError(f"torch-pruning cannot follow this network: {error}") from error
    network.zero_grad(set_to_none=True)
    if count_params(network) == before:
        raise NotApplicableError(
            f"no group of channels is wide enough to lose {config.ratio:.0%} in steps of {_CHANNELS_MULTIPLE} by "
            f"{config.importance}"
        )


def _prune(config: StructuredPruning, network: Network, side_px: int) -> None:
    with warnings.catch_warnings():
        # torch-pruning warns of parameters outside its layers that it leaves alone.
        warnings.simplefilter("ignore")
        pruner = torch_pruning.pruner.BasePruner(
            network,
            torch.zeros(1, 3, side_px, side_px),
            importance=_IMPORTANCES[config.importance],
            pruning_ratio=config.ratio,
            global_pruning=config.scope == "global",
            max_pruning_ratio=max(config.ratio, _MOST_OF_A_LAYER),
            round_to=_CHANNELS_MULTIPLE,
            ignored_layers=[
                network.classifier,
                *(module for module in network.modules() if isinstance(module, Unprunable)),
            ],
        )
        pruner.step()
    count_macs(network, side_px)


def _accumulate_gradients(network: Network, training: DeviceDataset, *, seed: int) -> None:
    """The gradients of the cross-entropy of some training images, which tell what a channel does for the loss."""
    generator = torch.Generator(device=training.images.device).manual_seed(seed)
    order = torch.randperm(len(training), generator=generator, device=training.images.device)
    for index in torch.split(order[:_GRADIENT_IMAGES], _GRADIENT_BATCH):
        logits = network(pixels(training.images_at(index)))
        functional.cross_entropy(logits, training.labels[index]).backward()
