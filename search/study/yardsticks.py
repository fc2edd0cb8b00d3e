"""What a study of pretrained networks runs first, so that every later model can be compared with it."""

from search.contract.augmentation import FLIP_ONLY
from search.contract.candidate import Candidate, Enqueued
from search.contract.trials import Assignment, ParameterValue, TrialRole
from search.spaces.pretrained import PLAIN_LEARNING_RATE, pretrained_families, whole_network
from search.study.enqueue import candidate_at
from search.study.space_spec import SpaceSpec


def yardsticks(space: SpaceSpec) -> tuple[Enqueued, ...]:
    """The trials with a role, in the order in which they start; none without pretrained networks."""
    if not pretrained_families(space.architecture):
        return ()
    return (
        Enqueued(assignment=_whole(space, side_px=probe_side_px(space)), role=TrialRole.PROBE),
        Enqueued(assignment=_plain(space), role=TrialRole.PLAIN),
    )


def first_side_px(space: SpaceSpec) -> int:
    """The side of the images that the first trial is likely to need."""
    return probe_side_px(space) if pretrained_families(space.architecture) else space.image_size[0]


def probe_side_px(space: SpaceSpec) -> int:
    """The middle one of the sides, the larger of two."""
    return sorted(space.image_size)[len(space.image_size) // 2]


def probe_candidate(space: SpaceSpec, assignment: Assignment, *, classes: int) -> Candidate:
    """What a probe tries. Its training settings, the least of the space, are those of recipes that fine-tune it."""
    candidate = candidate_at(space, assignment, classes=classes)
    return candidate.model_copy(update={"method": "linear-probe", "augmentation": FLIP_ONLY})


def _whole(space: SpaceSpec, *, side_px: int) -> dict[str, ParameterValue]:
    sides = {"image_size": side_px} if len(space.image_size) > 1 else {}
    return {**whole_network(space.architecture), **sides}


def _plain(space: SpaceSpec) -> dict[str, ParameterValue]:
    """The whole network at the largest side, with the usual rate or the one nearest to it in the space."""
    point = _whole(space, side_px=max(space.image_size))
    rate = space.learning_rate
    if rate.low < rate.high:
        point["learning_rate"] = min(max(PLAIN_LEARNING_RATE, rate.low), rate.high)
    if space.has_teacher_weight and 0.0 in space.distillation_weight:
        point["distillation_weight"] = 0.0
    return point
