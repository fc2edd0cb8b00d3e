"""A cluster of its own for tests that kill its parts, and a study that searches on while they do."""

from collections.abc import Iterator

import pytest

from tests.faults.cluster import Cluster, cluster
from tests.faults.study import LongStudy


@pytest.fixture(scope="module")
def parts() -> Iterator[Cluster]:
    with cluster() as running:
        yield running


@pytest.fixture(scope="module")
def study(parts: Cluster) -> LongStudy:
    return LongStudy.start(parts, parts.start_server())
