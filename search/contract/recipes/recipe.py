"""Recipe: steps in an order that works."""

from typing import TYPE_CHECKING, Annotated, Union

from pydantic import BaseModel, ConfigDict, Field, model_validator

from search.contract.recipes.calibration import CalibratedInt8
from search.contract.recipes.config import FileStepConfig, StepConfig
from search.contract.recipes.techniques import TECHNIQUES
from search.contract.recipes.techniques.distillation import Distillation
from search.contract.recipes.techniques.quantization_aware_training import QuantizationAwareTraining

#: The config of any technique.
if TYPE_CHECKING:
    Step = StepConfig
else:  # a union that type checkers cannot know: its members are those that are registered
    Step = Annotated[Union[tuple(TECHNIQUES.values())], Field(discriminator="technique")]  # noqa: UP007


class Recipe(BaseModel):
    """Steps in order. Quantization comes last: it works on the exported file. No steps: the fp32 reference."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        min_length=1,
        max_length=80,
        pattern=r"^[a-z0-9][a-z0-9_.-]*$",
        description="the recipe's name, in lowercase letters, digits, dots, hyphens and underscores",
    )
    steps: tuple[Step, ...] = Field(
        default=(), max_length=20, description="techniques in order; without any the network is exported as trained"
    )

    @model_validator(mode="after")
    def _in_order(self) -> "Recipe":
        for step, following in zip(self.steps, self.steps[1:], strict=False):
            if isinstance(step, FileStepConfig):
                raise ValueError(f"{step.technique} works on the exported file: it must be the last step")
            if isinstance(step, QuantizationAwareTraining) and not isinstance(following, CalibratedInt8):
                raise ValueError(_AWARE_OF_WHAT)
        if self.steps and isinstance(self.steps[-1], QuantizationAwareTraining):
            raise ValueError(_AWARE_OF_WHAT)
        return self

    @property
    def network_steps(self) -> tuple[Step, ...]:
        """The steps that change the network, which come first."""
        return tuple(step for step in self.steps if not isinstance(step, FileStepConfig))

    @property
    def file_steps(self) -> tuple[Step, ...]:
        """The steps that change the exported file."""
        return self.steps[len(self.network_steps) :]

    @property
    def learns_from_study(self) -> bool:
        """Whether a step wants the study's best model as its teacher."""
        return any(isinstance(step, Distillation) and step.teacher is None for step in self.steps)


_AWARE_OF_WHAT = "quantization_aware_training prepares for int8: static_int8 or mixed_int8 must be the next step"
