"""Cutout: a black square."""

from search.contract.operations.registry import OPERATIONS, OperationTraits

OPERATIONS.add("Cutout", OperationTraits())
