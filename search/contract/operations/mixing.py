"""MixUp and CutMix."""

from search.contract.operations.registry import OPERATIONS, OperationTraits

OPERATIONS.add("MixUp", OperationTraits(applied_to="batch"))
OPERATIONS.add("CutMix", OperationTraits(applied_to="batch"))
