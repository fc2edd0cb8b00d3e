"""Every operation by the name that policies use. A new one is a file beside this one, and its line here."""

from search.contract.augmentation import OperationName
from workers.augmentation.kinds import Definition
from workers.augmentation.operations import affine, enhance, histogram, mixing, square, tone

DEFINITIONS: dict[OperationName, Definition] = {
    **tone.DEFINITIONS,
    **enhance.DEFINITIONS,
    **histogram.DEFINITIONS,
    **square.DEFINITIONS,
    **affine.DEFINITIONS,
    **mixing.DEFINITIONS,
}
