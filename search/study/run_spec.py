"""How a search runs: what proposes its trials, what ends one early, what it may spend, and what a trial gets."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from search.contract.values import Name
from search.samplers.named import SamplerName
from search.study.part import SpecPart


class SamplerSpec(SpecPart):
    """Which sampler proposes the next trial."""

    name: SamplerName = Field(
        default="frontier",
        description="what proposes the next trial; frontier is Seedleaf's own, the others are Optuna's",
    )
    seed: int = Field(
        default=0, ge=0, lt=2**32, description="seed of the random numbers of the sampler and of the trials' training"
    )


class SchedulerSpec(SpecPart):
    """What stops a trial early; without a scheduler every trial runs to its end."""

    name: Literal["curve-forecast", "moasha"] = Field(
        default="curve-forecast",
        description="curve-forecast stops a trial that can hardly reach the front any more; moasha is its former name",
    )


class BudgetSpec(SpecPart):
    """The search ends at the first of these limits."""

    max_trials: int = Field(
        default=20,
        ge=1,
        le=1_000_000,
        description="most trials; 1000 where only max_minutes is given. A trial that a limit rules out before it runs"
        " does not count",
    )
    epochs: int = Field(default=5, ge=1, le=10_000, description="training epochs of each trial")
    epochs_of: dict[Name, Annotated[int, Field(ge=1, le=10_000)]] = Field(
        default={},
        max_length=50,
        description="training epochs of the trials of a family, by its name, where they differ from epochs; for a study"
        " of several architectures",
    )
    max_minutes: float | None = Field(
        default=None, gt=0, description="minutes that the search may take; none means no limit"
    )
    max_failures: int = Field(default=5, ge=1, description="failed trials in a row after which the search gives up")

    @model_validator(mode="before")
    @classmethod
    def _minutes_alone(cls, value: object) -> object:
        if isinstance(value, Mapping) and value.get("max_minutes") is not None:
            return {"max_trials": 1000, **value}
        return value


#: Ray packs no more trials than this onto a core, or onto a GPU.
LEAST_CPUS, LEAST_GPUS = 0.5, 0.02


def _share_or_whole(gpus: float) -> float:
    if 0 < gpus < LEAST_GPUS:
        raise ValueError(f"0, or at least {LEAST_GPUS:g} of a GPU: each trial holds memory of its own on it")
    if gpus > 1 and gpus != int(gpus):
        raise ValueError("above 1, a whole number of GPUs")
    return gpus


class ResourcesSpec(SpecPart):
    """How many trials run at a time and what each of them gets; ``auto`` alone instead means ``{auto: true}``."""

    auto: bool = Field(
        default=False,
        description="choose the other three from what the cluster has and what a trial is measured to need",
    )
    concurrency: int = Field(default=2, ge=1, le=10_000, description="trials that run at the same time")
    cpus_per_trial: float = Field(
        default=1,
        ge=LEAST_CPUS,
        description="CPU cores reserved for each trial; it trains on as many threads, at least 1",
    )
    gpus_per_trial: Annotated[float, AfterValidator(_share_or_whole)] = Field(
        default=0,
        ge=0,
        description="GPUs for each trial; below 1, trials share a GPU and its memory, 50 at most; 0 trains on the CPU",
    )

    @model_validator(mode="before")
    @classmethod
    def _a_word(cls, value: Any) -> Any:
        return {"auto": True} if value == "auto" else value

    @model_validator(mode="after")
    def _chosen_or_given(self) -> "ResourcesSpec":
        if self.auto and self != ResourcesSpec.model_construct(auto=True):
            raise ValueError("auto chooses concurrency, cpus_per_trial and gpus_per_trial: leave them out")
        return self

    @property
    def threads(self) -> int:
        return max(int(self.cpus_per_trial), 1)

    @property
    def device(self) -> Literal["cpu", "cuda"]:
        return "cuda" if self.gpus_per_trial else "cpu"

    @property
    def memory_share(self) -> float:
        """What a trial may take of a GPU's memory."""
        return min(self.gpus_per_trial, 1.0) or 1.0
