"""How many networks an architecture space holds: a count over its stages, without drawing any."""

from collections import Counter
from dataclasses import dataclass, replace
from math import prod

from search.spaces.architecture_space import ArchitectureSpace, Block, Scope, Stage, reference


@dataclass(frozen=True, kw_only=True)
class _State:
    """What the choices so far leave for later ones: everything else about them no longer matters."""

    downsamplings: int = 0
    shared: frozenset[str] = frozenset()
    repeated: bool = False


_Ways = Counter[_State]


def space_size(space: ArchitectureSpace, *, side_px: int) -> int:
    """In how many different ways a network for images of ``side_px`` can be drawn, exactly.

    Ways differ in at least one drawn parameter. A continuous range counts as one value.
    """
    ways: _Ways = Counter({_State(): 1})
    total = 0
    for count, stage in enumerate(space.stages, start=1):
        ways = _after(space, stage, ways, side_px)
        if count == len(space.stages) if space.stage_count is None else count in space.stage_count:
            total += _ended(space, ways, side_px)
    return total


def _ended(space: ArchitectureSpace, ways: _Ways, side_px: int) -> int:
    for stage in space.head:
        ways = _after(space, stage, ways, side_px)
    depths, widths = space.depth_multiple.count or 1, space.width_multiple.count or 1
    return sum(number * widths * (depths if state.repeated else 1) for state, number in ways.items())


def _after(space: ArchitectureSpace, stage: Stage, ways: _Ways, side_px: int) -> _Ways:
    after: _Ways = Counter()
    for state, number in ways.items():
        strides = space.strides(stage, downsamplings=state.downsamplings, side_px=side_px)
        for label, block in stage.blocks.items():
            scope = space.scope(stage, label)
            names = {name for name in block.references if name in scope}
            shared = {name for name in names if scope[name][0] in space.parameters}
            fresh = shared - state.shared
            total = prod(scope[name][1].count or 1 for name in (names - shared) | fresh)
            once = _ways_without_repeats(block, scope, total)
            for stride in strides if "stride" in block.references else (1,):
                next_state = replace(state, downsamplings=state.downsamplings + stride - 1, shared=state.shared | fresh)
                after[next_state] += number * once
                after[replace(next_state, repeated=True)] += number * (total - once)
    return after


def _ways_without_repeats(block: Block, scope: Scope, total: int) -> int:
    """How many of the ``total`` ways to fill in a block repeat none of its lines."""
    for repeat in set(block.repeats):
        if isinstance(repeat, int):
            values_of_one, values = int(repeat == 1), 1
        else:
            repeats = scope[reference(repeat)][1]
            values_of_one, values = int(1 in repeats), repeats.count or 1
        total = total // values * values_of_one
    return total
