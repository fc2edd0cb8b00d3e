"""Which of Ray's nodes times a target."""

from typing import Any

import pytest

from search.contract.targets import TargetSpec
from workers.actors.hosts import host_of, missing


def _node(name: str, *resources: str, alive: bool = True) -> dict[str, Any]:
    return {
        "NodeID": f"id-{name}",
        "NodeManagerHostname": name,
        "Alive": alive,
        "Resources": {"CPU": 2.0, **dict.fromkeys(resources, 1.0)},
    }


NODES = [
    _node("trainer", "compression"),
    _node("bench-2", "benchmark_slot"),
    _node("bench-1", "benchmark_slot"),
    _node("board", "benchmark_slot", "jetson"),
    _node("aged", "benchmark_slot", "raspberry", alive=False),
    _node("slotless", "raspberry"),
]


@pytest.mark.parametrize(("node", "host"), [(None, "bench-1"), ("jetson", "board"), ("raspberry", None)])
def test_a_living_node_with_a_slot_and_the_targets_resource_times_it(node: str | None, host: str | None) -> None:
    for nodes in (NODES, NODES[::-1]):
        found = host_of(nodes, TargetSpec(node=node))
        assert (found and found["NodeManagerHostname"]) == host


def test_what_no_node_offers_is_said_with_the_command_that_offers_it() -> None:
    assert missing(TargetSpec(node="jetson", threads=4)) == (
        "no node of the Ray cluster offers the target (onnxruntime, 4 threads, node jetson): "
        """ray start --resources='{"benchmark_slot": 1, "jetson": 1}'"""
    )


def test_a_host_is_named_by_its_node() -> None:
    assert TargetSpec(node="jetson").name_host("ARM, 4 cores") == "jetson: ARM, 4 cores"
    assert TargetSpec().name_host("ARM, 4 cores") == "ARM, 4 cores"
