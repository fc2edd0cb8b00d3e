"""What chance decides for each image under a policy, drawn at once, so that either executor can be given the same."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TypeVar

import torch
from torch import Tensor

from search.contract.augmentation import Operation, Policy
from workers.augmentation.kinds import AffineDefinition, Definition, Drawn, MixDefinition
from workers.augmentation.operations import OPERATIONS
from workers.augmentation.operations.affine import AffineMap

Kind = TypeVar("Kind", bound=Definition)


def operations_in_order(policy: Policy) -> tuple[Operation, ...]:
    """The operations as a draw numbers them, column by column: of images, then flips, then of the batch."""
    return policy.image_operations + policy.flips + policy.batch_operations


def columns(policy: Policy, kind: type[Kind]) -> Iterator[tuple[int, Kind]]:
    """The columns whose operations are defined as ``kind``, with their definitions."""
    for column, operation in enumerate(operations_in_order(policy)):
        definition = OPERATIONS[operation.name]
        if isinstance(definition, kind):
            yield column, definition


@dataclass(frozen=True, kw_only=True)
class Draw:
    """For n images and the k operations of ``operations_in_order``.

    applied: bool [n, k].
    values: float [n, k], signed, in the operations' own units, and 0 where not applied.
    positions: float [n, k, 2] in [0, 1): row and column of squares.
    """

    applied: Tensor
    values: Tensor
    positions: Tensor

    def column(self, column: int) -> Drawn:
        return Drawn(value=self.values[:, column], position=self.positions[:, column])


class Drawer:
    """Draws for one policy on one device, without a host synchronisation: a CUDA graph may hold it."""

    def __init__(self, policy: Policy, device: torch.device) -> None:
        operations = operations_in_order(policy)
        definitions = [OPERATIONS[operation.name] for operation in operations]
        self._image_operations = len(policy.image_operations)
        self._max_ops = policy.max_ops
        bounds = [kind.full * operation.magnitude for kind, operation in zip(definitions, operations, strict=True)]
        self._bound = torch.tensor(bounds, device=device)
        self._probability = torch.tensor([operation.probability for operation in operations], device=device)
        self._signed = torch.tensor([kind.signed for kind in definitions], dtype=torch.bool, device=device)
        mixes = [isinstance(kind, MixDefinition) for kind in definitions]
        self._mixes = torch.tensor(mixes, dtype=torch.bool, device=device)

    def __call__(self, n: int, generator: torch.Generator) -> Draw:
        order, coin, sign, mixed, *position = torch.rand(
            (6, n, len(self._bound)), generator=generator, device=self._bound.device
        )
        applied = coin < self._probability
        rank = order[:, : self._image_operations].argsort(1).argsort(1)
        applied[:, : self._image_operations] &= rank < self._max_ops
        signs = torch.where(self._signed & (sign < 0.5), -1.0, 1.0)
        fractions = torch.where(self._mixes, mixed, 1.0)
        values = applied * self._bound * signs * fractions
        return Draw(applied=applied, values=values, positions=torch.stack(position, dim=2))


def affine_of(policy: Policy, draw: Draw) -> tuple[AffineMap, Tensor] | None:
    """The map that each image's geometric operations make together, and whether it has any, bool [n].

    None for a policy without geometric operations. Those of one kind add up.
    """
    geometric = list(columns(policy, AffineDefinition))
    if not geometric:
        return None
    parameters = {field.name: torch.zeros_like(draw.values[:, 0]) for field in fields(AffineMap)}
    for column, definition in geometric:
        parameters[definition.parameter] += draw.values[:, column]
    applied = torch.stack([draw.applied[:, column] for column, _ in geometric]).any(0)
    return AffineMap(**parameters), applied
