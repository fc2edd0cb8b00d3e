"""How many networks an architecture space holds: a count over its stages, without drawing any."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import NamedTuple

from search.spaces.architecture_space import ArchitectureSpace, Block, Scope, Stage, reference

#: Additions of one count. Parameters that stages share make them grow by powers of 2, so that they need a limit.
_MOST_STEPS = 100_000
#: A count that goes on for longer asks this often whether it shall.
_STEPS_BETWEEN_LOOKS = 5_000


class UncountableError(ValueError):
    """The space holds too many combinations to count them."""


class CountStoppedError(Exception):
    """Nobody waits for the count any more."""


@dataclass(kw_only=True)
class Work:
    """What counting may still take; ``is_wanted`` says whether to go on."""

    is_wanted: Callable[[], bool] = lambda: True
    steps: int = field(default=0, init=False)

    def step(self) -> None:
        """UncountableError after too many steps, CountStoppedError if the count is no longer wanted."""
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise UncountableError(f"counting the space's networks takes more than {_MOST_STEPS} steps")
        if self.steps % _STEPS_BETWEEN_LOOKS == 0 and not self.is_wanted():
            raise CountStoppedError


class _State(NamedTuple):
    """What the choices so far leave for later ones: everything else about them no longer matters."""

    downsamplings: int
    shared: frozenset[str]
    repeated: bool


class _Filled(NamedTuple):
    """A block of a stage: its shared and its other parameters' numbers of values, and what of them repeats nothing."""

    shared: dict[str, int]
    own: int
    once: Callable[[int], int]
    strided: bool


_Ways = Counter[_State]


def space_size(space: ArchitectureSpace, *, side_px: int) -> int:
    """In how many different ways a network for images of ``side_px`` can be drawn, exactly.

    Ways differ in at least one drawn parameter. A continuous range counts as one value. UncountableError.
    """
    return space_sizes(space, [side_px], Work())


def space_sizes(space: ArchitectureSpace, sides_px: Sequence[int], work: Work) -> int:
    """The sum of the space's sizes over images of these sides. UncountableError; CountStoppedError."""
    halvings = Counter((side_px // space.least_side_px).bit_length() for side_px in sides_px)
    examples = {(side_px // space.least_side_px).bit_length(): side_px for side_px in sides_px}
    return sum(number * _size(space, examples[halved], work) for halved, number in halvings.items())


def _size(space: ArchitectureSpace, side_px: int, work: Work) -> int:
    ways: _Ways = Counter({_State(0, frozenset(), False): 1})
    total = 0
    head = [(stage, _filled(space, stage)) for stage in space.head]
    for count, stage in enumerate(space.stages, start=1):
        ways = _after(space, stage, _filled(space, stage), ways, side_px, work)
        if count == len(space.stages) if space.stage_count is None else count in space.stage_count:
            ended = ways
            for last, blocks in head:
                ended = _after(space, last, blocks, ended, side_px, work)
            total += _scaled(space, ended)
    return total


def _scaled(space: ArchitectureSpace, ways: _Ways) -> int:
    depths, widths = space.depth_multiple.count or 1, space.width_multiple.count or 1
    return sum(number * widths * (depths if state.repeated else 1) for state, number in ways.items())


def _after(
    space: ArchitectureSpace, stage: Stage, blocks: Sequence[_Filled], ways: _Ways, side_px: int, work: Work
) -> _Ways:
    after: _Ways = Counter()
    for state, number in ways.items():
        strides = space.strides(stage, downsamplings=state.downsamplings, side_px=side_px)
        for block in blocks:
            fresh = block.shared.keys() - state.shared
            total = block.own * prod(block.shared[name] for name in fresh)
            once = block.once(total)
            for stride in strides if block.strided else (1,):
                work.step()
                shared = state.shared | fresh
                downsamplings = state.downsamplings + stride - 1
                after[_State(downsamplings, shared, state.repeated)] += number * once
                after[_State(downsamplings, shared, True)] += number * (total - once)
    return after


def _filled(space: ArchitectureSpace, stage: Stage) -> list[_Filled]:
    return list(_blocks(space, stage))


def _blocks(space: ArchitectureSpace, stage: Stage) -> Iterator[_Filled]:
    for label, block in stage.blocks.items():
        scope = space.scope(stage, label)
        names = {name for name in block.references if name in scope}
        shared = {name: scope[name][1].count or 1 for name in names if scope[name][0] in space.parameters}
        own = prod(scope[name][1].count or 1 for name in names - shared.keys())
        yield _Filled(shared, own, _without_repeats(block, scope), "stride" in block.references)


def _without_repeats(block: Block, scope: Scope) -> Callable[[int], int]:
    """How many of all ways to fill in a block repeat none of its lines, as a function of their number."""
    factors = []
    for repeat in set(block.repeats):
        if isinstance(repeat, int):
            factors.append((1, int(repeat == 1)))
        else:
            repeats = scope[reference(repeat)][1]
            factors.append((repeats.count or 1, int(1 in repeats)))

    def count(total: int) -> int:
        for values, values_of_one in factors:
            total = total // values * values_of_one
        return total

    return count
