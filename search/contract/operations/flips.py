"""The flips."""

from search.contract.operations.registry import OPERATIONS, OperationTraits

OPERATIONS.add("HorizontalFlip", OperationTraits(applied_to="flip", has_magnitude=False))
OPERATIONS.add("VerticalFlip", OperationTraits(applied_to="flip", has_magnitude=False))
