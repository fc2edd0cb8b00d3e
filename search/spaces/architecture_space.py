"""An architecture space as plain data: stages in order, the blocks that each may be, and what each block is given."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from search.contract.candidate import MOST_REPEATS
from search.spaces.values import Scalar, Text, Values

#: What a block may refer to beside parameters: the stage's stride, the data set's classes, the image's side.
GIVEN = ("stride", "classes", "side_px")
_OWN_NAMES = ("stages", "depth_multiple", "width_multiple")
_STAGE_NAMES = ("block", "stride")

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=40)]
Parameters = Annotated[dict[Word, Values], Field(max_length=20)]
#: ``(repeat, module, arguments)`` as in a backbone, where ``$name`` stands for a parameter or for one of GIVEN.
Line = tuple[int | Text, Text, Annotated[tuple[Scalar, ...], Field(max_length=20)]]
#: Where a reference of a block leads: the name of the drawn parameter, and its values.
Scope = dict[str, tuple[str, Values]]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Block(_Part):
    """Lines of a backbone with references, and the block's own parameters. The short form is the list of lines."""

    layers: tuple[Line, ...] = Field(
        min_length=1,
        max_length=20,
        description="lines [repeat, module, arguments]; $name stands for a parameter, $stride, $classes or $side_px",
    )
    parameters: Parameters = Field(default={}, description="parameters of this block only, by name")

    @model_validator(mode="before")
    @classmethod
    def _from_short_form(cls, value: object) -> object:
        return {"layers": value} if isinstance(value, list | tuple) else value

    @property
    def references(self) -> tuple[str, ...]:
        """The names behind the dollars, each once, in order."""
        written = [part for repeat, _, arguments in self.layers for part in (repeat, *arguments)]
        return tuple(dict.fromkeys(reference(part) for part in written if is_reference(part)))

    @property
    def repeats(self) -> tuple[int | str, ...]:
        return tuple(repeat for repeat, _, _ in self.layers)


def is_reference(value: Scalar) -> bool:
    return isinstance(value, str) and value.startswith("$")


def reference(value: Scalar) -> str:
    return str(value).removeprefix("$")


class Stage(_Part):
    """A position in the network: one of ``blocks``, with parameters that they share.

    ``$stride`` is one of ``stride``; it is 2 where there were fewer than ``least_downsamplings`` before, and 1 where
    another halving would break a limit of the space. Parameters are drawn as ``stage.name``, those of a block as
    ``stage.block.name``, the block itself as ``stage.block`` and the stride as ``stage.stride``.
    """

    name: Word = Field(description="the stage's name, which starts its parameters' names")
    blocks: dict[Word, Block] = Field(
        min_length=1, max_length=50, description="the blocks to choose from, each with a name"
    )
    parameters: Parameters = Field(default={}, description="parameters that the blocks of this stage share, by name")
    stride: tuple[Annotated[int, Field(ge=1, le=2)], ...] = Field(
        default=(1,), min_length=1, max_length=2, description="strides to choose from; 2 halves the image's side"
    )
    least_downsamplings: int = Field(
        default=0, ge=0, le=10, description="the stride is 2 where the stages before have fewer halvings than this"
    )


class ArchitectureSpace(_Part):
    """Networks of ``stages`` and a ``head``.

    ``stage_count`` is drawn as ``stages``; ``parameters`` are drawn once per network, under their own names. The limits
    ``least_side_px`` and ``max_downsamplings`` do not count strides that are written as numbers into a block.
    """

    stages: tuple[Stage, ...] = Field(min_length=1, max_length=64, description="the stages in order")
    head: tuple[Stage, ...] = Field(default=(), max_length=8, description="stages at the end, always used")
    stage_count: Values | None = Field(
        default=None, description="how many of the stages are used, the first ones; none means all"
    )
    parameters: Annotated[dict[Word, Values], Field(max_length=8)] = Field(
        default={}, description="parameters that all stages share, by name"
    )
    depth_multiple: Values = Field(
        default=Values(choices=(1.0,)), description="factor of every repeat above 1; 1 changes nothing"
    )
    width_multiple: Values = Field(
        default=Values(choices=(1.0,)),
        description="factor of every layer's channels, in multiples of 8; 1 changes nothing",
    )
    max_downsamplings: int | None = Field(
        default=None, ge=0, le=10, description="most halvings of the image's side; none means no limit"
    )
    least_side_px: int = Field(
        default=1, ge=1, le=1024, description="side in pixels below which no stage halves the feature map"
    )

    @model_validator(mode="after")
    def _sound(self) -> "ArchitectureSpace":
        if problems := list(dict.fromkeys(self._problems())):
            raise ValueError("; ".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        names = [stage.name for stage in (*self.stages, *self.head)]
        yield from (f"two stages are called {name}" for name in sorted(names) if names.count(name) > 1)
        yield from _taken("the space", self.parameters, (*GIVEN, *_OWN_NAMES, *names))
        if self.stage_count is not None and not self.stage_count.are_whole(1, len(self.stages)):
            yield f"stage_count must be whole numbers from 1 to {len(self.stages)}, as there are stages"
        for name, values in (("depth_multiple", self.depth_multiple), ("width_multiple", self.width_multiple)):
            numbers = values.choices if values.choices is not None else (values.low,)
            if not all(type(number) in (int, float) and 0 < float(str(number)) <= 16 for number in numbers):
                yield f"{name} must be numbers above 0 and up to 16"
        for stage in (*self.stages, *self.head):
            yield from self._problems_of(stage)
        used = {name for stage in (*self.stages, *self.head) for name, _ in self._drawn(stage)}
        yield from (f"parameter {name} is used by no block" for name in self.parameters if name not in used)

    def _problems_of(self, stage: Stage) -> Iterator[str]:
        where = f"stage {stage.name}"
        yield from _taken(where, stage.parameters, (*GIVEN, *_STAGE_NAMES))
        for label, block in stage.blocks.items():
            yield from _taken(f"{where}, block {label}", block.parameters, GIVEN)
            scope = self.scope(stage, label)
            unknown = [name for name in block.references if name not in scope and name not in GIVEN]
            yield from (f"{where}, block {label}: ${name} is no parameter" for name in unknown)
            if not unknown:
                yield from self._repeat_problems(f"{where}, block {label}", block, scope)
        used = {name for name, _ in self._drawn(stage)}
        own = {f"{stage.name}.{name}": name for name in stage.parameters}
        for label, block in stage.blocks.items():
            own |= {f"{stage.name}.{label}.{name}": name for name in block.parameters}
        yield from (f"parameter {name} is used by no block" for name in own if name not in used)
        strided = any("stride" in block.references for block in stage.blocks.values())
        if not strided and (stage.stride != (1,) or stage.least_downsamplings):
            yield f"{where}: no block uses $stride"

    def _repeat_problems(self, where: str, block: Block, scope: Scope) -> Iterator[str]:
        for repeat in block.repeats:
            if isinstance(repeat, int):
                sound = 1 <= repeat <= MOST_REPEATS
            else:
                name, values = scope.get(reference(repeat), (repeat, None))
                sound = is_reference(repeat) and values is not None and values.are_whole(1, MOST_REPEATS)
                if name in self.parameters:
                    yield f"{where}: a repeat is a parameter of its stage or block, {repeat} is one of the space"
            if not sound:
                yield f"{where}: a repeat is a whole number from 1 to {MOST_REPEATS}, got {repeat}"

    def _drawn(self, stage: Stage) -> Iterator[tuple[str, Values]]:
        for label, block in stage.blocks.items():
            scope = self.scope(stage, label)
            yield from (scope[name] for name in block.references if name in scope)

    def scope(self, stage: Stage, label: str) -> Scope:
        """What the references of a block mean: its own parameters before the stage's before the space's."""
        return {
            **{name: (name, values) for name, values in self.parameters.items()},
            **{name: (f"{stage.name}.{name}", values) for name, values in stage.parameters.items()},
            **{
                name: (f"{stage.name}.{label}.{name}", values)
                for name, values in stage.blocks[label].parameters.items()
            },
        }

    def strides(self, stage: Stage, *, downsamplings: int, side_px: int) -> tuple[int, ...]:
        """The strides that ``stage`` may have after so many ``downsamplings`` of an image of ``side_px``."""
        limit = self.max_downsamplings
        if side_px >> (downsamplings + 1) < self.least_side_px or (limit is not None and downsamplings >= limit):
            return (1,)
        return (2,) if downsamplings < stage.least_downsamplings else stage.stride

    @property
    def names(self) -> frozenset[str]:
        """What its parameters' names begin with."""
        return frozenset((*_OWN_NAMES, *self.parameters, *(stage.name for stage in (*self.stages, *self.head))))


def _taken(where: str, parameters: Parameters, taken: tuple[str, ...]) -> Iterator[str]:
    yield from (f"{where}: no parameter can be called {name}" for name in parameters if name in taken)
