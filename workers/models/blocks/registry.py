"""Block, the blocks by the name that a backbone uses, and what several of them are made of."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from search.registry import Registry
from workers.models.arguments import Parameter, checked, parameters_of

#: Makes a block from the number of input channels and the arguments of its line in the backbone; returns the module
#: and its number of output channels.
BlockBuilder = Callable[..., tuple[nn.Module, int]]
_MULTIPLE = 8


@dataclass(frozen=True, kw_only=True)
class Block:
    """A registered block. ``widths`` are the positions of the arguments that the width multiple scales, ``stride`` is
    that of the one that is 1 in all repeats but the first. ``functional`` is a block that multiplies elsewhere than in
    convolution and linear modules, as attention does: counting its multiplications takes longer.
    """

    build: BlockBuilder
    parameters: tuple[Parameter, ...]
    widths: tuple[int, ...]
    stride: int | None
    functional: bool

    def arguments(self, given: tuple[object, ...], *, width_multiple: float = 1.0) -> tuple[object, ...]:
        """All arguments of the first of the repeats. ValueError if they do not fit the block's parameters."""
        arguments = list(checked(self.parameters, given))
        if width_multiple != 1.0:
            for position in self.widths:
                width = arguments[position]
                assert isinstance(width, int)
                arguments[position] = multiple_of_8(width * width_multiple)
        return tuple(arguments)

    def repeated(self, arguments: tuple[object, ...]) -> tuple[object, ...]:
        """The arguments of the further repeats."""
        if self.stride is None:
            return arguments
        return (*arguments[: self.stride], 1, *arguments[self.stride + 1 :])


class Unprunable(nn.Module):
    """A block whose channels structured pruning leaves as they are, with those of the layers around it."""


BLOCKS = Registry[Block]("block")


def block(
    name: str, *, widths: tuple[str, ...] = (), stride: str | None = None, functional: bool = False
) -> Callable[[BlockBuilder], BlockBuilder]:
    """Register a block under the name that the backbone uses for it; ``widths`` and ``stride`` are its parameters'."""

    def register(build: BlockBuilder) -> BlockBuilder:
        parameters = parameters_of(build)
        names = [parameter.name for parameter in parameters]
        made = Block(
            build=build,
            parameters=parameters,
            widths=tuple(names.index(width) for width in widths),
            stride=None if stride is None else names.index(stride),
            functional=functional,
        )
        BLOCKS.add(name, made)
        return build

    return register


def multiple_of_8(width: float) -> int:
    """The nearest multiple of 8, never below 8."""
    return max(_MULTIPLE, int(width + _MULTIPLE / 2) // _MULTIPLE * _MULTIPLE)


def halves(block_name: str, out: int) -> int:
    """Half of ``out``. ValueError if it is odd."""
    if out % 2:
        raise ValueError(f"{block_name} makes its channels in two halves: choose an even width, such as {out + 1}")
    return out // 2


def conv_norm(
    channels_in: int, channels_out: int, kernel: int, stride: int = 1, *, groups: int = 1, padding: int | None = None
) -> list[nn.Module]:
    """Convolution without bias, padded to keep the side at stride 1, and batch normalization."""
    pad = kernel // 2 if padding is None else padding
    return [
        nn.Conv2d(channels_in, channels_out, kernel, stride, pad, groups=groups, bias=False),
        nn.BatchNorm2d(channels_out),
    ]
