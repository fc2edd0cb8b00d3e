"""DatasetSpec: where the images are, and how they are split."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class DatasetSpec(BaseModel):
    """Where the images are and how they are split.

    ``validation_fraction`` is the stratified share held out; ``subset_fraction`` the stratified share of the
    training split that a trial sees; ``seed`` fixes both.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Literal["folder", "sklearn"]
    path: str | None = Field(default=None, description="the folder of class folders")
    name: Literal["digits"] = Field(default="digits", description="for source sklearn")
    validation_fraction: float = Field(default=0.2, gt=0, lt=1)
    subset_fraction: float = Field(default=1.0, gt=0, le=1)
    seed: int = Field(default=0, ge=0, lt=2**32)

    @model_validator(mode="after")
    def _source_has_its_place(self) -> "DatasetSpec":
        if self.source == "folder" and not self.path:
            raise ValueError("source 'folder' needs a path: the folder that holds one folder a class")
        if self.source == "sklearn" and self.path:
            raise ValueError("source 'sklearn' takes no path: its images come with scikit-learn")
        return self
