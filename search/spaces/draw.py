"""From an architecture space to one architecture: each choice is asked of a chooser, and only where it matters."""

from dataclasses import dataclass, field

from search.contract.candidate import Architecture, Layer
from search.spaces.architecture_space import ArchitectureSpace, Stage, is_reference, reference
from search.spaces.chooser import Chooser, choose
from search.spaces.values import Scalar, Values

_DECIMALS = 9


def draw_architecture(space: ArchitectureSpace, chooser: Chooser, *, side_px: int, classes: int) -> Architecture:
    """Draw a network for images of ``side_px`` and that many ``classes``; a fixed value is no parameter."""
    drawing = _Drawing(space=space, chooser=chooser, side_px=side_px, classes=classes)
    count = len(space.stages) if space.stage_count is None else _whole(drawing.value("stages", space.stage_count))
    layers = [layer for stage in (*space.stages[:count], *space.head) for layer in drawing.layers(stage)]
    depth = 1.0
    if any(repeat > 1 for repeat, _, _ in layers):
        depth = _real(drawing.value("depth_multiple", space.depth_multiple))
    return Architecture(
        backbone=tuple(layers),
        depth_multiple=depth,
        width_multiple=_real(drawing.value("width_multiple", space.width_multiple)),
    )


@dataclass
class _Drawing:
    space: ArchitectureSpace
    chooser: Chooser
    side_px: int
    classes: int
    downsamplings: int = 0
    shared: dict[str, Scalar] = field(default_factory=dict)

    def layers(self, stage: Stage) -> list[Layer]:
        label = choose(self.chooser, f"{stage.name}.block", sorted(stage.blocks))
        block, scope = stage.blocks[label], self.space.scope(stage, label)
        drawn: dict[str, Scalar] = {"classes": self.classes, "side_px": self.side_px}
        for name in block.references:
            if name == "stride":
                drawn[name] = self._stride(stage)
            elif name in scope:
                drawn[name] = self._parameter(*scope[name])

        def meant(part: Scalar) -> Scalar:
            return drawn[reference(part)] if is_reference(part) else part

        return [
            (_whole(meant(repeat)), module, tuple(meant(argument) for argument in arguments))
            for repeat, module, arguments in block.layers
        ]

    def _stride(self, stage: Stage) -> int:
        strides = self.space.strides(stage, downsamplings=self.downsamplings, side_px=self.side_px)
        stride = choose(self.chooser, f"{stage.name}.stride", strides)
        self.downsamplings += stride - 1
        return stride

    def _parameter(self, name: str, values: Values) -> Scalar:
        if name not in self.space.parameters:
            return self.value(name, values)
        if name not in self.shared:
            self.shared[name] = self.value(name, values)
        return self.shared[name]

    def value(self, name: str, values: Values) -> Scalar:
        """One of ``values``; real ones are rounded, since 1.0 and two steps of 0.1 are not 1.2 in floating point."""
        if values.choices is not None:
            return choose(self.chooser, name, values.choices)
        low, high, step = values.low, values.high, values.step
        assert low is not None
        assert high is not None
        if low == high:
            return low
        if values.whole:
            return self.chooser.suggest_int(name, int(low), int(high), step=int(step or 1), log=values.log)
        return round(self.chooser.suggest_float(name, low, high, step=step, log=values.log), _DECIMALS)


def _whole(value: Scalar) -> int:
    assert isinstance(value, int)
    return value


def _real(value: Scalar) -> float:
    assert isinstance(value, int | float)
    return float(value)
