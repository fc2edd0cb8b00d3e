"""Array types of the frontier sampler. The letters for their shapes are the same in every file:

q  candidates              m  objectives, all of them losses to be minimized
n  observed points         d  features of a point, standardized
p  pending points          s  samples of the pending outcomes (fantasies)
u  nodes in cost space     c  columns of the features that one kernel component uses
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
