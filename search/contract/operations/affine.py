"""Operations that move the pixels of an image."""

from search.contract.operations.registry import OPERATIONS, OperationTraits

for _name in ("Rotate", "ShearX", "ShearY", "TranslateX", "TranslateY"):
    OPERATIONS.add(_name, OperationTraits())
