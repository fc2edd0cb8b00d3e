"""The activations, each by the name that a block's arguments use for it."""

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from torch import nn

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "ReLU": lambda: nn.ReLU(inplace=True),
    "ReLU6": lambda: nn.ReLU6(inplace=True),
    "LeakyReLU": lambda: nn.LeakyReLU(inplace=True),
    "ELU": lambda: nn.ELU(inplace=True),
    "SiLU": lambda: nn.SiLU(inplace=True),
    "Hardswish": lambda: nn.Hardswish(inplace=True),
    "GELU": nn.GELU,
    "Mish": lambda: nn.Mish(inplace=True),
    "Hardsigmoid": lambda: nn.Hardsigmoid(inplace=True),
    "Sigmoid": nn.Sigmoid,
    "Tanh": nn.Tanh,
    "Identity": nn.Identity,
}
ACTIVATION_TYPES = tuple(type(make()) for make in ACTIVATIONS.values())


def _known(name: str) -> str:
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}; known: {', '.join(ACTIVATIONS)}")
    return name


#: An activation's name; null means none.
ActivationName = Annotated[
    str,
    Field(strict=True),
    AfterValidator(_known),
    BeforeValidator(lambda name: "Identity" if name is None else name),
]


def activation(name: str) -> nn.Module:
    return ACTIVATIONS[name]()
