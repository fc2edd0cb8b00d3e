"""StudySpec, the public contract: what a user asks for, validated whole, with all errors reported together.

Units are in the names. Unknown keys are rejected everywhere.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from search.contract.dataset import DatasetSpec
from search.contract.metrics import TRAINED_METRICS, Constraint, Goal, Objective, Score
from search.contract.targets import TargetSpec
from search.contract.trials import Cohort
from search.contract.values import NO_NUL, Name, one_or_more
from search.spaces.chooser import family_of
from search.spaces.presets import families
from search.spaces.pretrained import (
    PRETRAINED_COMPRESSION,
    PRETRAINED_EPOCHS,
    TEACHER_WEIGHTS,
    pretrained_families,
)
from search.spaces.values import Scalar
from search.study.compression_spec import RECIPES_TAGS, CompressionSpec, RetrainSpec
from search.study.draw import EPOCHS
from search.study.part import SpecPart
from search.study.run_spec import BudgetSpec, ResourcesSpec, SamplerSpec, SchedulerSpec
from search.study.space_spec import SpaceSpec
from search.study.yardsticks import first_points

#: auto, none, or the path of an ONNX file.
Teacher = Annotated[str, Field(min_length=1, max_length=1000, pattern=NO_NUL)]
_MOST_PROBLEMS = 100
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


class StudySpec(SpecPart):
    """A study: data set, space, objectives and limits, budget and what to do with the best.

    ``spec_problems`` makes validation errors readable.
    """

    name: Name = Field(description="the study's name in lists; several studies may share it")
    dataset: DatasetSpec = Field(description="the images, and how they are split")
    space: SpaceSpec = Field(default=SpaceSpec(), description="what the search may choose from")
    objectives: Annotated[tuple[Objective, ...], Field(max_length=6), AfterValidator(_different_metrics)] = Field(
        default=DEFAULT_OBJECTIVES, description="metrics to maximize or minimize together; two are best"
    )
    constraints: tuple[Constraint, ...] = Field(
        default=(), max_length=20, description="limits on metrics; a trial that breaks one is infeasible"
    )
    teacher: Teacher = Field(
        default="auto",
        description="whose answers on the training images trials may learn beside the labels: auto is the whole"
        " pretrained network, which is trained first, and none in a space without one; or the path of an ONNX"
        " classifier that the workers can read",
    )
    sampler: SamplerSpec = Field(default=SamplerSpec(), description="what proposes the next trial")
    scheduler: SchedulerSpec | None = Field(
        default=None, description="what stops trials early; none means that every trial runs to its end"
    )
    warm_start: Annotated[tuple[Name, ...], Field(max_length=20), AfterValidator(_each_once)] = Field(
        default=(),
        description="ids or names of earlier studies, on the same or other data, that the sampler frontier learns from",
    )
    enqueue: Annotated[tuple[dict[Name, Scalar], ...], Field(max_length=1000)] | None = Field(
        default=None,
        description="points to try first, each a mapping from parameters to values; none means cuts of the pretrained"
        " networks, where the space has such",
    )
    budget: BudgetSpec = Field(default=BudgetSpec(), description="when the search ends")
    resources: ResourcesSpec = Field(
        default=ResourcesSpec(), description="how many trials run at a time, and what each of them gets"
    )
    retrain: RetrainSpec = Field(
        default=RetrainSpec(), description="full trainings of the best candidates, between search and compression"
    )
    target: TargetSpec = Field(
        default=TargetSpec(), description="what trials are timed on, and the only target with a score"
    )
    more_targets: tuple[TargetSpec, ...] = Field(
        default=(), max_length=8, description="further targets that compressed models are timed on"
    )
    score: Score = Field(default=Score(), description="constants of the competition's score; lower scores are better")
    compression: CompressionSpec = Field(
        default=CompressionSpec(), description="which candidates are compressed, and by which recipes"
    )

    @property
    def targets(self) -> tuple[TargetSpec, ...]:
        """Everything that compressed models are timed on, ``target`` first."""
        return (self.target, *self.more_targets)

    @property
    def first_points(self) -> tuple[Mapping[str, Scalar], ...]:
        """What to try before the sampler's own choices, beside the trials with a role."""
        return first_points(self.space) if self.enqueue is None else self.enqueue

    def epochs_for(self, assignment: Mapping[str, object]) -> int:
        """The training epochs of a trial with these choices."""
        if self.space.epochs is None:
            return self.budget.epochs_of.get(family_of(assignment) or "", self.budget.epochs)
        epochs = assignment.get(EPOCHS, self.space.epochs[0])
        assert isinstance(epochs, int)
        return epochs

    def cohort_of(self, assignment: Mapping[str, object]) -> Cohort:
        """The trials with whose learning curves that of a trial with these choices is compared."""
        return Cohort(epochs=self.epochs_for(assignment), family=family_of(assignment))

    @property
    def most_epochs(self) -> int:
        """Of any trial."""
        return max(self.space.epochs or (self.budget.epochs, *self.budget.epochs_of.values()))

    @property
    def teacher_file(self) -> str | None:
        """The ONNX file that teaches, if one does."""
        return None if self.teacher in ("auto", "none") else self.teacher

    @property
    def trains_teacher(self) -> bool:
        """Whether one of the study's own trials teaches the others."""
        is_wanted = self.teacher == "auto" and self.space.has_teacher_weight
        return is_wanted and bool(pretrained_families(self.space.architecture))

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_teacher(cls, value: object) -> object:
        """A file is there to be used, and without a teacher there is no weight to choose."""
        if not isinstance(value, Mapping) or not isinstance(teacher := value.get("teacher", "auto"), str):
            return value
        space = value.get("space", {})
        if teacher == "auto" or not isinstance(space, Mapping):
            return value
        weights = [0.0] if teacher == "none" else list(TEACHER_WEIGHTS)
        return {**value, "space": {"distillation_weight": weights, **space}}

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_architecture(cls, value: object) -> object:
        if not isinstance(value, Mapping) or not isinstance(space := value.get("space"), Mapping):
            return value
        if not pretrained_families(space.get("architecture")):
            return value
        budget, compression = value.get("budget", {}), value.get("compression", {})
        if isinstance(budget, Mapping) and not budget.keys() & {"epochs", "epochs_of"}:
            space = {"epochs": PRETRAINED_EPOCHS, **space}
        if isinstance(compression, Mapping):
            compression = {**PRETRAINED_COMPRESSION, **compression}
        return {**value, "space": space, "compression": compression}

    @model_validator(mode="after")
    def _epochs_of_its_families(self) -> "StudySpec":
        several = families(self.space.architecture)
        unknown = sorted(set(self.budget.epochs_of) - set(several if len(several) > 1 else ()))
        if unknown:
            known = f"there are {', '.join(several)}" if len(several) > 1 else "there is one: give budget.epochs"
            raise ValueError(f"budget.epochs_of names no family of this study ({', '.join(unknown)}); {known}")
        return self

    @model_validator(mode="after")
    def _different_targets(self) -> "StudySpec":
        for position, target in enumerate(self.targets):
            if target in self.targets[:position]:
                raise ValueError(f"the same target twice ({target}): leave one out of more_targets")
        return self

    @model_validator(mode="after")
    def _with_a_teacher(self) -> "StudySpec":
        if self.space.has_teacher_weight and self.teacher_file is None and not self.trains_teacher:
            raise ValueError(
                "space.distillation_weight is the weight of a teacher, and this study has none: leave it out, name a"
                " teacher's file, or search pretrained networks with teacher: auto"
            )
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
    """Pydantic's error details as ``{"field": "space.image_size[0]", "message": ...}``, in order.

    After the first ``_MOST_PROBLEMS`` the last one says how many more there are.
    """
    every = list(details)
    problems = [
        {"field": _path(detail["loc"]), "message": detail["msg"].removeprefix("Value error, ")}
        for detail in every[:_MOST_PROBLEMS]
    ]
    more = len(every) - len(problems)
    return [*problems, {"field": "(the whole)", "message": f"{more} more problems"}] if more else problems


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for key in location:
        if key in RECIPES_TAGS:
            continue
        path += f"[{key}]" if isinstance(key, int) else f".{key}"
    return path.removeprefix(".") or "(the whole)"
