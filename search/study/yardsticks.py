"""What a study of pretrained networks runs first, so that every later model can be compared with it."""

from search.contract.candidate import Enqueued
from search.contract.trials import ParameterValue, TrialRole
from search.spaces.pretrained import PLAIN_LEARNING_RATE, pretrained_families, whole_network
from search.study.space_spec import SpaceSpec


def yardsticks(space: SpaceSpec) -> tuple[Enqueued, ...]:
    """The trials with a role, in the order in which they start; none without pretrained networks."""
    if not pretrained_families(space.architecture):
        return ()
    return (Enqueued(assignment=_plain(space), role=TrialRole.PLAIN),)


def _plain(space: SpaceSpec) -> dict[str, ParameterValue]:
    """The whole network at the largest side, with the usual rate or the one nearest to it in the space."""
    point: dict[str, ParameterValue] = dict(whole_network(space.architecture))
    if len(space.image_size) > 1:
        point["image_size"] = max(space.image_size)
    rate = space.learning_rate
    if rate.low < rate.high:
        point["learning_rate"] = min(max(PLAIN_LEARNING_RATE, rate.low), rate.high)
    return point
