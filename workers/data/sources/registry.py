"""The sources of images by the name that a data set's spec gives."""

from collections.abc import Callable

from search.contract.dataset import DatasetSpec
from search.registry import Registry
from workers.data.listing import Listing

#: What a spec's images are, without decoding. DataError where there are none. Packages that only this source needs are
#: imported when it is called.
Source = Callable[[DatasetSpec], Listing]

SOURCES = Registry[Source]("source")
