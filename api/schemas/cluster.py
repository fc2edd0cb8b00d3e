"""The Ray cluster and its queues."""

from pydantic import BaseModel, Field


class ResourceView(BaseModel):
    """What a node offers of a resource; ``used`` is null until it has reported."""

    total: float
    used: float | None


class NodeView(BaseModel):
    """A node of the Ray cluster with what matters to a study: CPU, GPU, benchmark_slot (what times) and compression
    (recipes at a time).
    """

    id: str
    name: str
    is_head: bool
    resources: dict[str, ResourceView]


class ClusterView(BaseModel):
    """``queues`` counts studies, compression_jobs, trainings and dataset_checks by state."""

    ray_url: str = Field(description="Ray's dashboard, as the server reaches it")
    nodes: list[NodeView]
    queues: dict[str, dict[str, int]]
