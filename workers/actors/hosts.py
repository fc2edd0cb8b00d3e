"""Which host of the cluster times a target, and the benchmark slot there: one actor a host that offers one."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from search.contract.targets import TargetSpec
from workers.actors.slot import BenchmarkSlot

NAMESPACE = "seedleaf"
RESOURCE = "benchmark_slot"
#: A node may join the cluster later than the work that needs it: after the loss of a head, as soon as it has noticed,
#: ended and been started again.
PATIENCE_S = 120.0
_POLL_S = 0.5

Node = Mapping[str, Any]


class TargetMissingError(RuntimeError):
    """No node of the cluster offers the target, or the one that does cannot time it."""


class Slots:
    """The benchmark slots of the cluster. What no node offers is waited for once, for ``patience_s``."""

    def __init__(self, *, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._missed_since: dict[TargetSpec, float] = {}

    def of(self, target: TargetSpec) -> ActorHandle:
        """The slot's actor on the host that times ``target``; TargetMissingError if there is none."""
        return _slot_on(str(self.await_host(target)["NodeID"]))

    def ready(self, target: TargetSpec) -> ActorHandle:
        """``of``, once the slot has said that it can time ``target``; TargetMissingError with its reason if not."""
        slot = self.of(target)
        if (reason := ray.get(slot.missing.remote(target))) is not None:
            raise TargetMissingError(f"the target ({target}) cannot be timed: {reason}")
        return slot

    def await_host(self, target: TargetSpec) -> Node:
        """The node that times ``target``; TargetMissingError if there is none."""
        while (node := host_of(ray.nodes(), target)) is None:
            since = self._missed_since.setdefault(target, time.monotonic())
            if time.monotonic() - since >= self._patience_s:
                raise TargetMissingError(missing(target))
            time.sleep(_POLL_S)
        self._missed_since.pop(target, None)
        return node


def host_of(nodes: Sequence[Node], target: TargetSpec) -> Node | None:
    """Of Ray's nodes the one that times ``target``: the first by name, so that it stays the same; None if none does."""
    wanted = {RESOURCE, target.node} - {None}
    offering = [node for node in nodes if node["Alive"] and wanted <= node["Resources"].keys()]
    return min(offering, key=lambda node: (node["NodeManagerHostname"], node["NodeID"]), default=None)


def missing(target: TargetSpec) -> str:
    """That no node offers the target, and how one would."""
    resources = {RESOURCE: 1, **({target.node: 1} if target.node else {})}
    written = ", ".join(f'"{name}": {count}' for name, count in resources.items())
    return f"no node of the Ray cluster offers the target ({target}): ray start --resources='{{{written}}}'"


def _slot_on(node_id: str) -> ActorHandle:
    """The slot that runs on a node already, or a new one."""
    actor = ray.remote(BenchmarkSlot).options(
        name=f"benchmark-slot-{node_id}",
        namespace=NAMESPACE,
        get_if_exists=True,
        lifetime="detached",
        num_cpus=0,
        resources={RESOURCE: 1},
        # Nor is it taken from the resources that Tune reserved for the trial that asks first.
        scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False),
        max_restarts=-1,
        max_task_retries=1,
    )
    return actor.remote()
