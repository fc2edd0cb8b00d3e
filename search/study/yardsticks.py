"""What a study of pretrained networks runs first: trials with which later ones can be compared, and some cuts."""

from collections.abc import Callable, Sequence

from search.contract.augmentation import FLIP_ONLY
from search.contract.candidate import Candidate, Enqueued
from search.contract.trials import Assignment, ParameterValue, TrialRole
from search.spaces.pretrained import USUAL_LEARNING_RATE, first_cuts, pretrained_families, short_cuts, whole_network
from search.study.draw import EPOCHS
from search.study.enqueue import candidate_at
from search.study.space_spec import SpaceSpec


def yardsticks(space: SpaceSpec) -> tuple[Enqueued, ...]:
    """The trials with a role, in the order in which they start; none without pretrained networks."""
    if not pretrained_families(space.architecture):
        return ()
    probe = {**whole_network(space.architecture), **_side(space, probe_side_px(space))}
    return (
        Enqueued(assignment=probe, role=TrialRole.PROBE),
        Enqueued(assignment=_plain(space), role=TrialRole.PLAIN),
    )


def first_points(space: SpaceSpec) -> tuple[dict[str, ParameterValue], ...]:
    """Cuts of the pretrained networks, trained as by hand: short ones at the least side, then all at the middle one.

    None without pretrained networks.
    """
    if not pretrained_families(space.architecture):
        return ()
    least, middle = _side(space, min(space.image_size)), _side(space, probe_side_px(space))
    placed = [(network, least) for network in short_cuts(space.architecture) if least != middle]
    placed += [(network, middle) for network in first_cuts(space.architecture)]
    places = [{**network, **side} for network, side in placed]
    training, plain = _usual_training(space), _plain(space)
    return tuple({**place, **training} for place in places if not place.items() <= plain.items())


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


def _plain(space: SpaceSpec) -> dict[str, ParameterValue]:
    """The whole network at the largest side, trained as one would by hand, and for as long as any."""
    side = _side(space, max(space.image_size))
    training = {**_usual_training(space), **_epochs(space, max)}
    return {**whole_network(space.architecture), **side, **training, **_untaught(space)}


def _side(space: SpaceSpec, side_px: int) -> dict[str, ParameterValue]:
    return {"image_size": side_px} if len(space.image_size) > 1 else {}


def _usual_training(space: SpaceSpec) -> dict[str, ParameterValue]:
    """The usual rate or the one nearest to it in the space, the fewest epochs, and horizontal flips alone."""
    choices: dict[str, ParameterValue] = {}
    rate = space.learning_rate
    if rate.low < rate.high:
        choices["learning_rate"] = min(max(USUAL_LEARNING_RATE, rate.low), rate.high)
    choices |= _epochs(space, min)
    if space.augmentation is not None and space.augmentation.fixed is None:
        choices |= {f"augmentation.{name}": name == "HorizontalFlip" for name in space.augmentation.ops}
    return choices


def _epochs(space: SpaceSpec, chosen: Callable[[Sequence[int]], int]) -> dict[str, ParameterValue]:
    return {EPOCHS: chosen(space.epochs)} if space.epochs is not None and len(space.epochs) > 1 else {}


def _untaught(space: SpaceSpec) -> dict[str, ParameterValue]:
    return {"distillation_weight": 0.0} if space.has_teacher_weight and 0.0 in space.distillation_weight else {}
