"""One architecture as a space: the network of a model.yaml, trained and compressed like any other."""

from search.contract.candidate import Architecture
from search.spaces.architecture_space import ArchitectureSpace, Block, Stage
from search.spaces.values import Values


def fixed_space(architecture: Architecture) -> ArchitectureSpace:
    """The space of this architecture alone. ValueError beyond 64 layers, or if it takes no RGB images."""
    if architecture.input_channels != 3:
        raise ValueError(f"input_channel is {architecture.input_channels}: data sets have 3 channels")
    stages = [
        Stage(name=f"layer{number}", blocks={"fixed": Block(layers=(layer,))})
        for number, layer in enumerate(architecture.backbone, start=1)
    ]
    return ArchitectureSpace(
        stages=tuple(stages),
        depth_multiple=Values(choices=(architecture.depth_multiple,)),
        width_multiple=Values(choices=(architecture.width_multiple,)),
    )
