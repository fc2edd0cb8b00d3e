"""The compressors of a real Ray cluster, whose nodes come and go."""

import os
from collections.abc import Iterator

import pytest
import ray
from ray.cluster_utils import Cluster

from search.contract.reports import CompressedModel, CompressionFailed, CompressionResult
from tests.server import wait_for
from workers.actors.compressors import RESOURCE, Compressors, NotStored, WorkerLost


class Worker:
    """Does what its task says."""

    def run(self, task: str) -> CompressionResult:
        if task == "die":
            os._exit(1)
        if task == "fail":
            raise ValueError("no such network")
        return CompressedModel(variants=(), not_timed=task)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    # Any port for the dashboard: of a given one that is taken, Ray leaves the socket open that it tried it with.
    noticing = {"health_check_period_ms": 500, "health_check_initial_delay_ms": 500}
    head = {"num_cpus": 1, "resources": {RESOURCE: 1}, "dashboard_port": None, "_system_config": noticing}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    ray.init(address=cluster.address, log_to_driver=False)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def _wait_for_free(compressors: Compressors, count: int) -> None:
    def enough() -> bool:
        compressors.adjust(10)
        return compressors.free == count

    wait_for(enough, timeout_s=120, what=f"{count} free compressors")


def _outcome(compressors: Compressors, task: str) -> CompressionResult | WorkerLost | NotStored:
    compressor = compressors.take()
    assert compressor is not None
    compressors.start(compressor, "job", task)
    (finished,) = compressors.finished(timeout_s=120)
    assert finished.job_id == "job"
    return finished.outcome


def test_what_a_task_raises_is_its_failure_and_what_its_worker_dies_of_is_not(cluster: Cluster) -> None:
    compressors = Compressors(Worker)
    _wait_for_free(compressors, 1)
    assert _outcome(compressors, "prune") == CompressedModel(variants=(), not_timed="prune")
    failed = _outcome(compressors, "fail")
    assert isinstance(failed, CompressionFailed)
    assert "no such network" in failed.reason
    assert compressors.free == 1
    lost = _outcome(compressors, "die")
    assert isinstance(lost, WorkerLost)
    assert lost.reason
    assert compressors.free == 0
    _wait_for_free(compressors, 1)


def test_slots_are_filled_when_a_node_joins_and_left_when_it_goes(cluster: Cluster) -> None:
    compressors = Compressors(Worker)
    _wait_for_free(compressors, 1)
    node = cluster.add_node(num_cpus=1, resources={RESOURCE: 2})
    _wait_for_free(compressors, 3)
    cluster.remove_node(node, allow_graceful=False)
    wait_for(lambda: compressors.slots == 1, timeout_s=120, what="the cluster to notice")
    living = [compressor for _ in range(3) if (compressor := compressors.take()) is not None]
    assert len(living) == 1
