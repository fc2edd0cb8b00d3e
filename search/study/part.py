"""SpecPart, the base of everything that a study's spec is made of."""

from pydantic import BaseModel, ConfigDict


class SpecPart(BaseModel):
    """Frozen; rejects unknown keys, infinities and NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
