"""What a cluster has room for: how many jobs of each kind run at a time, and which trials its nodes can run."""

from collections.abc import Sequence
from dataclasses import dataclass

from search.study.run_spec import ResourcesSpec
from services.ray.jobs import Node

#: A driver takes 1 GB of the head's memory; as much again is left for a trial beside it.
_JOB_BYTES = 2 * 2**30
_MOST_NAMED = 4


@dataclass(frozen=True, kw_only=True)
class Offer:
    """The CPUs and GPUs of a node, in use or not."""

    cpus: float
    gpus: float

    def __str__(self) -> str:
        return _amount(self.cpus, self.gpus)


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """At most ``searches`` drivers run at a time, and ``tasks`` jobs of each kind of task; both are at least 1.

    ``offers`` are those of the nodes that are alive.
    """

    searches: int
    tasks: int
    offers: Sequence[Offer]

    def shortfall(self, resources: ResourcesSpec) -> str | None:
        """Why no node can run a trial with these resources, whatever else ends; None if one can."""
        return shortfall(resources, self.offers)


def capacity_of(nodes: Sequence[Node], *, max_searches: int | None, max_tasks: int | None) -> Capacity:
    """The capacity of these nodes.

    A limit that is None is one job per CPU of the cluster and per 2 GiB of the head's memory, whichever is less.
    """
    offers = offers_of(nodes)
    head_bytes = max((node.memory_bytes for node in nodes if node.is_head), default=0)
    room = max(min(int(sum(offer.cpus for offer in offers)), head_bytes // _JOB_BYTES), 1)
    return Capacity(searches=max_searches or room, tasks=max_tasks or room, offers=offers)


def offers_of(nodes: Sequence[Node]) -> list[Offer]:
    return [Offer(cpus=node.total("CPU"), gpus=node.total("GPU")) for node in nodes]


def shortfall(resources: ResourcesSpec, offers: Sequence[Offer]) -> str | None:
    """As ``Capacity.shortfall``."""
    cpus, gpus = resources.cpus_per_trial, resources.gpus_per_trial
    if any(cpus <= offer.cpus and gpus <= offer.gpus for offer in offers):
        return None
    kinds = sorted({(offer.gpus, offer.cpus): str(offer) for offer in offers}.items(), reverse=True)
    largest = "; ".join(text for _, text in kinds[:_MOST_NAMED]) or "none is alive"
    return f"no node has {_amount(cpus, gpus)} for a trial (the nodes have: {largest})"


def _amount(cpus: float, gpus: float) -> str:
    counted = f"{cpus:g} CPU{'' if cpus == 1 else 's'}"
    return f"{counted} and {gpus:g} GPU{'' if gpus == 1 else 's'}" if gpus else counted
