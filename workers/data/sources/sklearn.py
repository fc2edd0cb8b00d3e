"""Source ``sklearn``: the 1,797 handwritten digits of 8 x 8 pixels that come with scikit-learn."""

from functools import partial

import numpy as np

from search.contract.dataset import DatasetSpec
from workers.data.decode import to_ppm
from workers.data.listing import Listing, Photo, Sample
from workers.data.sources.registry import SOURCES


@SOURCES.register("sklearn")
def list_samples(spec: DatasetSpec) -> Listing:
    import sklearn.datasets

    digits = sklearn.datasets.load_digits()
    pixels = np.round(digits.images * (255 / 16)).astype(np.uint8)
    return Listing(
        classes=tuple(str(name) for name in digits.target_names),
        photos=tuple(
            Photo(name=f"digit {index}", stamp=f"sklearn {sklearn.__version__}", read=partial(to_ppm, image))
            for index, image in enumerate(pixels)
        ),
        samples=tuple(Sample(photo=index, label=int(label)) for index, label in enumerate(digits.target)),
    )
