"""A network is scored without its batch normalizations, and to the same effect."""

import torch
from torch import nn

from tests.unit.training_sets import EVERY_BLOCK, SIDE_PX, small_network
from workers.training.folding import folded


def test_what_is_scored_computes_the_same_and_leaves_the_network_as_it_was() -> None:
    network = small_network(backbone=EVERY_BLOCK)
    images = torch.rand(8, 3, 4 * SIDE_PX, 4 * SIDE_PX, generator=torch.Generator().manual_seed(0))
    network.train()(images)  # gives the normalizations statistics
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    scored = folded(network)
    assert network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    with torch.no_grad():
        expected, found = network.eval()(images), scored(images)
    assert torch.allclose(found, expected, rtol=1e-3, atol=1e-4)
    norms, left = (sum(isinstance(part, nn.BatchNorm2d) for part in model.modules()) for model in (network, scored))
    assert left < norms / 2
