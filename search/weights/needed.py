"""Which pretrained weights the networks of a space start from."""

from collections.abc import Iterator
from dataclasses import dataclass

from search.contract.candidate import Architecture
from search.spaces.architecture_space import ArchitectureSpace, Scope, is_reference, reference
from search.spaces.presets import Choice, families
from search.spaces.values import Scalar
from search.weights.catalog import TORCHVISION

#: What the names of a block's networks begin with here. Its first argument is the name, its third are the weights.
_BLOCKS = {"TimmStem": "", "TorchVision": TORCHVISION}
_LEAST_ARGUMENTS = 3


@dataclass(frozen=True, kw_only=True)
class Need:
    """``weights`` are ``default`` or the path of a file."""

    network: str
    weights: str


def needs_of_space(choice: Choice | tuple[Choice, ...]) -> list[Need]:
    """What any network of the spaces may start from, each once, in order."""
    needs = (need for space in families(choice).values() for need in _of_space(space))
    return list(dict.fromkeys(needs))


def needs_of_network(architecture: Architecture) -> list[Need]:
    """What this network starts from."""
    lines = ((module, arguments) for _, module, arguments in architecture.backbone)
    return list(dict.fromkeys(need for module, arguments in lines for need in _of_line(module, arguments, {})))


def _of_space(space: ArchitectureSpace) -> Iterator[Need]:
    for stage in (*space.stages, *space.head):
        for label, block in stage.blocks.items():
            scope = space.scope(stage, label)
            for _, module, arguments in block.layers:
                yield from _of_line(module, arguments, scope)


def _of_line(module: str, arguments: tuple[Scalar, ...], scope: Scope) -> Iterator[Need]:
    if module not in _BLOCKS or len(arguments) < _LEAST_ARGUMENTS:
        return
    for name in _values(arguments[0], scope):
        for weights in _values(arguments[2], scope):
            if isinstance(name, str) and isinstance(weights, str):
                yield Need(network=f"{_BLOCKS[module]}{name}", weights=weights)


def _values(written: Scalar, scope: Scope) -> tuple[Scalar, ...]:
    """What an argument may be. Ranges of numbers are neither names nor weights."""
    if not is_reference(written):
        return (written,)
    _, values = scope.get(reference(written), (None, None))
    return () if values is None or values.choices is None else values.choices
