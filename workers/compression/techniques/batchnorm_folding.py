"""Folding batch normalizations into the convolutions before them, by watching which one feeds which."""

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from search.contract.recipes import BatchNormFolding
from workers.compression.state import CompressionState, NotApplicableError
from workers.compression.techniques.registry import NETWORK_TECHNIQUES
from workers.models import Network


@NETWORK_TECHNIQUES.register("batchnorm_folding")
def fold(config: BatchNormFolding, state: CompressionState) -> None:
    """NotApplicableError if no batch normalization directly follows a convolution."""
    if state.masks:
        raise NotApplicableError("folding replaces the weights that are pruned: put it before unstructured pruning")
    pairs = _pairs(state.network, state.candidate.image_size)
    if not pairs:
        raise NotApplicableError("the network has no convolution with a batch normalization right after it")
    images = torch.rand(2, 3, state.candidate.image_size, state.candidate.image_size)
    with torch.no_grad():
        expected = state.network(images)
        for convolution, (name, norm) in pairs.items():
            _fold(convolution, norm)
            state.network.set_submodule(name, nn.Identity())
        folded = state.network(images)
    if not torch.allclose(folded, expected, rtol=1e-3, atol=1e-3):
        raise NotApplicableError("a convolution's output is used elsewhere than in its batch normalization")


def _pairs(network: Network, side_px: int) -> dict[nn.Conv2d, tuple[str, nn.BatchNorm2d]]:
    """The batch normalization, with its name, that takes a convolution's output and nobody else does."""
    made: dict[int, nn.Conv2d] = {}
    takers: dict[nn.Conv2d, list[tuple[str, nn.Module]]] = {}
    kept: list[Tensor] = []

    def note_output(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(module, nn.Conv2d)
        made[id(output)] = module
        kept.append(output)  # so that no other tensor gets its id

    names = {module: name for name, module in network.named_modules()}

    def note_input(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if inputs and (convolution := made.get(id(inputs[0]))) is not None:
            takers.setdefault(convolution, []).append((names[module], module))

    leaves = [module for module in network.modules() if not any(True for _ in module.children())]
    hooks = [module.register_forward_pre_hook(note_input) for module in leaves]
    hooks += [module.register_forward_hook(note_output) for module in leaves if isinstance(module, nn.Conv2d)]
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, 3, side_px, side_px))
    finally:
        for hook in hooks:
            hook.remove()
    return {
        convolution: (name, norm)
        for convolution, [(name, norm), *others] in takers.items()
        if isinstance(norm, nn.BatchNorm2d) and norm.track_running_stats and not others
    }


def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    convolution.weight, convolution.bias = fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
    )
