"""What the tests of the search share: a tiny space, a TrialLog in memory, and a searcher on both."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ray import ObjectRef

from search.contract.candidate import Candidate, Enqueued
from search.contract.metrics import Metrics
from search.contract.trials import Assignment, PastTrial, TrialRole
from search.samplers.frontier import TransferData
from search.spaces.architecture_space import ArchitectureSpace, Stage
from search.study.spec import StudySpec
from search.tune.early_stopping import Stopping
from search.tune.searcher import StudySearch

CLASSES = 3
OBJECTIVES = [{"metric": "f1", "goal": "maximize"}, {"metric": "macs", "goal": "minimize"}]
WIDTHS = (8, 16, 24, 32)


#: One convolution of 4 widths and 2 kernels; depthwise ones have no kernel to choose: 12 networks.
TINY = ArchitectureSpace(
    parameters={"width": WIDTHS, "kernel": (3, 5)},
    stages=(
        Stage(
            name="conv",
            blocks={"DWConv": [(1, "DWConv", ("$width", 3, 1))], "Conv": [(1, "Conv", ("$width", "$kernel", 1))]},
        ),
    ),
    head=(Stage(name="head", blocks={"pooled": [(1, "GlobalAvgPool", ()), (1, "FixedConv", ("$classes",))]}),),
)


def tiny_spec(*, learning_rate: Any = 0.1, **fields: Any) -> StudySpec:
    """A study of the 12 networks; every other choice is fixed. TPE is quick, for what is not about samplers."""
    space = {"architecture": TINY, "image_size": 16, "learning_rate": learning_rate}
    fields = {
        "name": "tiny",
        "dataset": {"source": "sklearn"},
        "objectives": OBJECTIVES,
        "space": space,
        "sampler": {"name": "tpe"},
        **fields,
    }
    return StudySpec.model_validate(fields)


def tiny_cost(candidate: Candidate) -> Metrics:
    """A cost that depends on all that TINY chooses."""
    _, block, (width, kernel, _) = candidate.architecture.backbone[0]
    return {"params": width * kernel, "macs": 10 * width * kernel if block == "Conv" else width * kernel}


def tiny_features(candidate: Candidate) -> Metrics:
    _, _, (width, _, _) = candidate.architecture.backbone[0]
    return {"width": width}


class MemoryLog:
    """A TrialLog in memory, with a budget of trials and a queue."""

    def __init__(self, *, budget: int, queue: Mapping[str, Assignment] | None = None) -> None:
        self.budget, self.queue = budget, dict(queue or {})
        self.candidates: list[Candidate] = []
        self.assignments: list[dict[str, Any]] = []
        self.reasons: list[str | None] = []
        self.sampled_s = 0.0
        self.left_s: float | None = None
        self.roles: dict[str, TrialRole] = {}

    def accepts_more(self) -> bool:
        return len(self.candidates) < self.budget

    def time_is_short(self) -> bool:
        return False

    def seconds_left(self) -> float | None:
        return self.left_s

    def enqueued(self) -> Mapping[str, Enqueued]:
        return {
            name: Enqueued(assignment=assignment, role=self.roles.get(name)) for name, assignment in self.queue.items()
        }

    def started(self, *, assignment: Assignment, candidate: Candidate, metrics: Metrics, enqueued: str | None) -> str:
        if enqueued is not None:
            del self.queue[enqueued]
        self._note(assignment, candidate, None)
        return f"trial-{len(self.candidates)}"

    def infeasible(
        self, *, assignment: Assignment, candidate: Candidate, metrics: Metrics, reason: str, enqueued: str | None
    ) -> None:
        if enqueued is not None:
            del self.queue[enqueued]
        self._note(assignment, candidate, reason)

    def sampled(self, elapsed_s: float) -> None:
        self.sampled_s += elapsed_s

    def _note(self, assignment: Assignment, candidate: Candidate, reason: str | None) -> None:
        self.assignments.append(dict(assignment))
        self.candidates.append(candidate)
        self.reasons.append(reason)


def make_search(
    spec: StudySpec,
    log: MemoryLog,
    *,
    history: Sequence[PastTrial] = (),
    stopping: Stopping | None = None,
    transfer: Sequence[TransferData] = (),
    answers: Callable[[], ObjectRef | None] = lambda: None,
) -> StudySearch:
    return StudySearch(
        spec=spec,
        classes=CLASSES,
        history=history,
        log=log,
        profile=tiny_cost,
        features=tiny_features,
        stopping=stopping,
        transfer=transfer,
        answers=answers,
    )
