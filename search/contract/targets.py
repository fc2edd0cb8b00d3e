"""TargetSpec: what the models will run on. A study's figures are those of its targets, each with its host's name."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from search.contract.registered import NameIn, described
from search.contract.runtimes import TARGET_RUNTIMES

#: What runs the files that are shipped. ``seedleaf bench`` has more: PyTorch's.
RuntimeName = Annotated[str, NameIn(TARGET_RUNTIMES)]


class TargetSpec(BaseModel):
    """Where latency is measured, batch 1: with which runtime, on how many threads, on which nodes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    runtime: RuntimeName = Field(
        default="onnxruntime",
        description="what runs the model file, on nodes that have it (`seedleaf bench --list` shows which do); "
        + described(TARGET_RUNTIMES),
    )
    threads: int = Field(default=1, ge=1, le=256, description="CPU threads that one inference may use")
    node: str | None = Field(
        default=None,
        max_length=80,
        pattern=r"^[A-Za-z][A-Za-z0-9_-]*$",
        description="the custom Ray resource that this target's nodes offer; none means any node",
    )

    def __str__(self) -> str:
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.runtime}, {threads}" if self.node is None else f"{self.runtime}, {threads}, node {self.node}"

    def name_host(self, label: str) -> str:
        """A host's label, led by the node's name where the target asks for one."""
        return label if self.node is None else f"{self.node}: {label}"
