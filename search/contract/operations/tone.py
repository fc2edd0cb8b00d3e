"""Operations that look at one grey level at a time."""

from search.contract.operations.registry import OPERATIONS, OperationTraits

OPERATIONS.add("Identity", OperationTraits(has_magnitude=False))
OPERATIONS.add("Invert", OperationTraits(has_magnitude=False))
OPERATIONS.add("Solarize", OperationTraits())
OPERATIONS.add("Posterize", OperationTraits())
