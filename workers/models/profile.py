"""What a network costs before it has weights: multiply-accumulates and parameters, exact."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from search.candidate import Candidate
from workers.models.builder import ArchitectureError, build_network


def profile(candidate: Candidate) -> dict[str, float]:
    """``macs`` of one image and ``params`` of a candidate, computed on the meta device in milliseconds.

    ArchitectureError if the shapes do not work out.
    """
    network = build_network(candidate.architecture, device="meta")
    return {"macs": count_macs(network, candidate.image_size), "params": count_params(network)}


def count_params(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def count_macs(network: nn.Module, side_px: int) -> int:
    """Multiply-accumulates of one image: half the floating-point operations of ``torch.utils.flop_counter``, which
    counts convolutions and matrix products and nothing else.
    """
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    try:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(torch.zeros(1, 3, side_px, side_px, device=device))
    except RuntimeError as error:
        raise ArchitectureError(f"the network does not work at {side_px} px: {error}") from error
    finally:
        network.train(was_training)
    return int(counter.get_total_flops()) // 2
