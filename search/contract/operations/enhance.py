"""Operations that move an image away from a plain version of itself."""

from search.contract.operations.registry import OPERATIONS, OperationTraits

for _name in ("Brightness", "Contrast", "Color", "Sharpness"):
    OPERATIONS.add(_name, OperationTraits())
