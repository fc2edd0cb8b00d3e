"""How many jobs a cluster has room for, and which trials its nodes can run."""

import pytest

from search.study.run_spec import ResourcesSpec
from services.ray.capacity import Capacity, capacity_of, offers_of, shortfall
from services.ray.jobs import Node, Resource

GIB = 2**30


def make_node(cpus: float, *, gpus: float = 0, memory_gib: float = 0, is_head: bool = False) -> Node:
    totals = {"CPU": cpus, "GPU": gpus}
    resources = {name: Resource(total=total, used=None) for name, total in totals.items() if total}
    return Node(id="node", name="node", is_head=is_head, resources=resources, memory_bytes=int(memory_gib * GIB))


def capacity(*nodes: Node, max_searches: int | None = None, max_tasks: int | None = None) -> Capacity:
    return capacity_of(nodes, max_searches=max_searches, max_tasks=max_tasks)


@pytest.mark.parametrize(
    ("nodes", "places"),
    [
        ([make_node(2, memory_gib=14, is_head=True)], 2),
        ([make_node(16, memory_gib=9, is_head=True)], 4),
        ([make_node(2, memory_gib=1, is_head=True)], 1),
        ([make_node(0, memory_gib=64, is_head=True), make_node(8, memory_gib=1), make_node(4, memory_gib=1)], 12),
        ([make_node(0, memory_gib=8, is_head=True)], 1),
        ([], 1),
    ],
)
def test_by_default_there_is_a_place_for_each_cpu_and_each_2_gib_of_the_head(nodes: list[Node], places: int) -> None:
    assert (capacity(*nodes).searches, capacity(*nodes).tasks) == (places, places)


def test_a_limit_that_is_set_holds_whatever_the_cluster_has() -> None:
    limited = capacity(make_node(2, memory_gib=14, is_head=True), max_searches=1, max_tasks=5)
    assert (limited.searches, limited.tasks) == (1, 5)


def test_a_trial_needs_its_cpus_and_gpus_on_one_node() -> None:
    offers = offers_of([make_node(64), make_node(2, gpus=1)])
    assert shortfall(ResourcesSpec(cpus_per_trial=64), offers) is None
    assert shortfall(ResourcesSpec(cpus_per_trial=2, gpus_per_trial=0.5), offers) is None
    assert shortfall(ResourcesSpec(cpus_per_trial=4, gpus_per_trial=1), offers) == (
        "no node has 4 CPUs and 1 GPU for a trial (the nodes have: 2 CPUs and 1 GPU; 64 CPUs)"
    )


def test_a_trial_that_no_node_can_run_is_told_what_there_is() -> None:
    small = ResourcesSpec()
    assert shortfall(small, []) == "no node has 1 CPU for a trial (the nodes have: none is alive)"
    assert shortfall(small, offers_of([make_node(0)])) == "no node has 1 CPU for a trial (the nodes have: 0 CPUs)"
