"""StudySpec, the one public contract: what a user asks for, validated whole, with every mistake told at once.

Units are in the names. Unknown keys are rejected everywhere.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from search.contract.augmentation import OPERATION_NAMES, OperationName, Policy
from search.contract.candidate import LossName, OptimizerName, ScheduleName
from search.contract.dataset import DatasetSpec
from search.contract.metrics import TRAINED_METRICS, Constraint, Goal, Objective, Score
from search.contract.recipes import DEFAULT_RECIPES, Recipe, default_recipe
from search.contract.targets import TargetSpec
from search.contract.values import BatchSizes, CopyCounts, EmaDecays, Name, Range, Sides, choices_of, one_or_more
from search.samplers.registry import SamplerName
from search.spaces.presets import ArchitectureChoice, architecture_space
from search.spaces.values import Scalar


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _all_operations(value: Any) -> Any:
    return OPERATION_NAMES if value == "all" else value


class AugmentationSpec(_Part):
    """The policies that may be drawn: each operation on or off with a magnitude, ``max_ops`` an image, copies.

    Or ``fixed``: the one policy of every trial.
    """

    fixed: Policy | None = Field(default=None, description="the one policy of every trial; nothing is searched then")
    ops: Annotated[
        tuple[OperationName, ...],
        AfterValidator(one_or_more),
        BeforeValidator(_all_operations),
    ] = OPERATION_NAMES
    max_ops: int = Field(default=2, ge=1, le=8, description="at most so many operations an image; 1 to it is searched")
    magnitude: Annotated[Range, AfterValidator(lambda magnitude: magnitude.within(0.0, 1.0))] = Range(low=0.0, high=1.0)
    copies: CopyCounts = (0,)

    @model_validator(mode="after")
    def _fixed_or_searched(self) -> "AugmentationSpec":
        if self.fixed is not None and self != AugmentationSpec.model_construct(fixed=self.fixed):
            raise ValueError("a fixed policy is not searched: leave out ops, max_ops, magnitude and copies beside it")
        return self


class SpaceSpec(_Part):
    architecture: ArchitectureChoice = "blocks-small"
    image_size: Sides = (64,)
    batch_size: BatchSizes = (64,)
    learning_rate: Annotated[Range, AfterValidator(lambda rate: rate.within(1e-6, 10.0))] = Range(
        low=0.01, high=0.3, log=True
    )
    optimizer: Annotated[tuple[OptimizerName, ...], *choices_of(OptimizerName)] = ("sgd",)
    schedule: Annotated[tuple[ScheduleName, ...], *choices_of(ScheduleName)] = ("one-cycle",)
    loss: Annotated[tuple[LossName, ...], *choices_of(LossName)] = ("cross-entropy",)
    label_smoothing: Annotated[Range, AfterValidator(lambda share: share.within(0.0, 0.9))] = Range(low=0.1, high=0.1)
    weight_decay: Annotated[Range, AfterValidator(lambda decay: decay.within(0.0, 1.0))] = Range(low=5e-4, high=5e-4)
    ema_decay: EmaDecays = Field(
        default=(0.0,), description="of the moving average of the weights that is kept instead of them; 0 for none"
    )
    augmentation: AugmentationSpec | None = Field(
        default=None, description="policies to search; none means horizontal flips only"
    )

    @model_validator(mode="after")
    def _different_parameters(self) -> "SpaceSpec":
        taken = architecture_space(self.architecture).names & set(type(self).model_fields)
        if taken:
            raise ValueError(
                f"rename what the architecture calls {', '.join(sorted(taken))}: the space has that itself"
            )
        return self


class SamplerSpec(_Part):
    name: SamplerName = "frontier"
    seed: int = Field(default=0, ge=0, lt=2**32)


class SchedulerSpec(_Part):
    """``curve-forecast`` stops a trial once it can hardly reach the front any more; ``moasha`` is its former name.

    Without a scheduler every trial runs to its end.
    """

    name: Literal["curve-forecast", "moasha"] = "curve-forecast"


class BudgetSpec(_Part):
    """A search ends at the first of these; ``max_failures`` counts failed trials in a row."""

    max_trials: int = Field(default=20, ge=1, le=1_000_000)
    epochs: int = Field(default=5, ge=1, le=10_000)
    max_minutes: float | None = Field(default=None, gt=0)
    max_failures: int = Field(default=5, ge=1)


class ResourcesSpec(_Part):
    """How many trials run at a time and what each of them gets; ``auto`` alone in its place means ``{auto: true}``."""

    auto: bool = Field(
        default=False, description="choose all of it by what the cluster has and what a trial is measured to need"
    )
    concurrency: int = Field(default=2, ge=1, le=10_000)
    cpus_per_trial: float = Field(default=1, gt=0)
    gpus_per_trial: float = Field(default=0, ge=0)

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


class RetrainSpec(_Part):
    """Which of the best candidates are trained again after the search, on the whole training split, before they are
    compressed: ``top`` of them, each with ``seeds`` seeds, ranked by their mean f1.
    """

    top: int = Field(default=0, ge=0, le=1000)
    seeds: int = Field(default=3, ge=1, le=20)
    epochs: int | None = Field(default=None, ge=1, le=10_000, description="none means the budget's")


def _named_recipe(value: Any) -> Any:
    return default_recipe(value) if isinstance(value, str) else value


def _default_recipes(value: Any) -> Any:
    return DEFAULT_RECIPES if value == "default" else value


def _different_names(recipes: tuple[Recipe, ...]) -> tuple[Recipe, ...]:
    one_or_more(tuple(recipe.name for recipe in recipes))
    return recipes


_LISTED, _SEARCHED = "listed", "searched"
_Recipes = Annotated[
    Annotated[
        tuple[Annotated[Recipe, BeforeValidator(_named_recipe)], ...], AfterValidator(_different_names), Tag(_LISTED)
    ]
    | Annotated[Literal["search"], Tag(_SEARCHED)],
    Discriminator(lambda value: _SEARCHED if value == "search" else _LISTED),
    BeforeValidator(_default_recipes),
]


class RecipeBudget(_Part):
    """What the search for the recipes of one candidate may spend; it ends at the first of these."""

    evaluations: int = Field(default=24, ge=1, le=10_000, description="recipes tried for each candidate")
    max_minutes: float | None = Field(
        default=None, gt=0, description="the sum of the time that the evaluations of each candidate took"
    )


class CompressionSpec(_Part):
    """Which finished candidates are compressed (the front, or the best by score) and by which recipes: the default
    ones, those of a list, or what a search with ``budget`` finds for each candidate.
    """

    candidates: Literal["pareto", "top"] = "pareto"
    max_candidates: int = Field(default=5, ge=0, le=1000)
    recipes: _Recipes = Field(
        default=DEFAULT_RECIPES, description="default, search, or a list of names and written-out recipes"
    )
    budget: RecipeBudget | None = Field(default=None, description="of recipes: search; none means 24 evaluations")

    @model_validator(mode="after")
    def _budget_of_a_search(self) -> "CompressionSpec":
        if self.budget is not None and self.recipes != "search":
            raise ValueError("a budget is for recipes: search; a list is tried to its end: leave budget out")
        return self

    @property
    def search_budget(self) -> RecipeBudget:
        return self.budget or RecipeBudget()


DEFAULT_OBJECTIVES = (
    Objective(metric="f1", goal=Goal.MAXIMIZE),
    Objective(metric="latency_ms", goal=Goal.MINIMIZE),
)


def _different_metrics(objectives: tuple[Objective, ...]) -> tuple[Objective, ...]:
    if not objectives:
        raise ValueError("an empty list: name at least one objective")
    metrics = [objective.metric for objective in objectives]
    repeated = sorted({metric for metric in metrics if metrics.count(metric) > 1})
    if repeated:
        raise ValueError(f"a metric is an objective twice: {', '.join(repeated)}")
    return objectives


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    return one_or_more(names) if names else names


class StudySpec(_Part):
    """A study: data set, space, objectives and limits, budget and what to do with the best.

    ``spec_problems`` makes the mistakes readable that validation finds.
    """

    name: Name
    dataset: DatasetSpec
    space: SpaceSpec = SpaceSpec()
    objectives: Annotated[tuple[Objective, ...], Field(max_length=6), AfterValidator(_different_metrics)] = (
        DEFAULT_OBJECTIVES
    )
    constraints: tuple[Constraint, ...] = Field(default=(), max_length=20)
    sampler: SamplerSpec = SamplerSpec()
    scheduler: SchedulerSpec | None = None
    warm_start: Annotated[tuple[Name, ...], Field(max_length=20), AfterValidator(_each_once)] = Field(
        default=(),
        description="ids or names of earlier studies, of the same or of other data, that frontier learns from",
    )
    enqueue: tuple[dict[Name, Scalar], ...] = Field(
        default=(), max_length=1000, description="points to try first: choices by parameter"
    )
    budget: BudgetSpec = BudgetSpec()
    resources: ResourcesSpec = ResourcesSpec()
    retrain: RetrainSpec = RetrainSpec()
    target: TargetSpec = Field(default=TargetSpec(), description="what trials are timed on, and what the score counts")
    more_targets: tuple[TargetSpec, ...] = Field(
        default=(), max_length=8, description="where compressed models are timed as well"
    )
    score: Score = Score()
    compression: CompressionSpec = CompressionSpec()

    @property
    def targets(self) -> tuple[TargetSpec, ...]:
        """Everything that compressed models are timed on, ``target`` first."""
        return (self.target, *self.more_targets)

    @model_validator(mode="after")
    def _different_targets(self) -> "StudySpec":
        for position, target in enumerate(self.targets):
            if target in self.targets[:position]:
                raise ValueError(f"the same target twice ({target}): leave one out of more_targets")
        return self

    @model_validator(mode="after")
    def _able_to_learn(self) -> "StudySpec":
        if self.warm_start and self.sampler.name != "frontier":
            raise ValueError(
                f"sampler {self.sampler.name} learns from no other study: leave out warm_start, or use frontier"
            )
        return self

    @model_validator(mode="after")
    def _followed_from_epoch_to_epoch(self) -> "StudySpec":
        metrics = {objective.metric for objective in self.objectives}
        if self.scheduler is not None and ("f1" not in metrics or metrics & set(TRAINED_METRICS) - {"f1"}):
            raise ValueError(
                f"scheduler {self.scheduler.name} forecasts f1 from epoch to epoch and knows only costs beside it: "
                "make f1 an objective, and accuracy and score none"
            )
        return self


def spec_problems(details: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Pydantic's error details as ``{"field": "space.image_size[0]", "message": ...}``, every mistake, in order."""
    return [
        {"field": _path(detail["loc"]), "message": detail["msg"].removeprefix("Value error, ")} for detail in details
    ]


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for key in location:
        if key in (_LISTED, _SEARCHED):
            continue
        path += f"[{key}]" if isinstance(key, int) else f".{key}"
    return path.removeprefix(".") or "(the whole)"
