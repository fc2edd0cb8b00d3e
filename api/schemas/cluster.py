"""The Ray cluster and its queues."""

from pydantic import BaseModel, Field


class ResourceView(BaseModel):
    """One resource of a node."""

    total: float = Field(description="How much of it the node offers.")
    used: float | None = Field(description="How much of it is in use; null until the node has reported.")


class NodeView(BaseModel):
    """A node of the Ray cluster."""

    id: str = Field(description="Ray's id of the node.")
    name: str = Field(description="The node's host name or address.")
    is_head: bool = Field(description="Whether it is the head node.")
    resources: dict[str, ResourceView] = Field(
        description="By name, the resources that studies use: CPU, GPU, benchmark_slot (latency measurements at a "
        "time) and compression (recipes at a time)."
    )


class ClusterView(BaseModel):
    """The nodes of the cluster, and the work that waits for them."""

    ray_url: str = Field(description="Ray's dashboard, as the server reaches it.")
    nodes: list[NodeView] = Field(description="The nodes that are alive.")
    queues: dict[str, dict[str, int]] = Field(
        description="Counts by state of studies, compression_jobs, trainings and dataset_checks."
    )
