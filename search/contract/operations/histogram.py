"""Operations that spread the levels of an image."""

from search.contract.operations.registry import OPERATIONS, OperationTraits

for _name in ("AutoContrast", "Equalize"):
    OPERATIONS.add(_name, OperationTraits(has_magnitude=False))
