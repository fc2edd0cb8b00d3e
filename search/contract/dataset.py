"""DatasetSpec: where the images are, and how they are split."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from search.contract.decoders import DECODERS
from search.contract.registered import NameIn, described
from search.contract.sources import SOURCES
from search.contract.values import NO_NUL, Name

Resize = Literal["pad", "stretch", "crop"]

#: A path as the workers see it, or an fsspec URL such as ``s3://bucket/images``.
Location = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=NO_NUL)]


class DatasetSpec(BaseModel):
    """Where the images are, and how they are split: by class, so that each part has the classes' proportions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Annotated[str, NameIn(SOURCES)] = Field(
        description="the kind of data set; it decides which of the other fields apply"
    )
    path: Location | None = Field(
        default=None,
        description="folder: the folder of class folders, or of train, val and test; coco: the folder of images;"
        " parquet: a file or a folder of them; torchvision: its root; none otherwise",
    )
    name: Name | None = Field(
        default=None, description="torchvision: the class, as in CIFAR10; sklearn: digits, which none means too"
    )
    download: bool = Field(default=False, description="torchvision: download the files that are not under its root")
    annotations: Location | None = Field(default=None, description="coco: the JSON file of boxes; none otherwise")
    classes: Location | dict[Name, Annotated[str, StringConstraints(pattern=NO_NUL)] | None] | None = Field(
        default=None,
        description="coco: category to class, as a mapping or a CSV file of two columns without a header; an empty"
        " class drops the category; none means that each category is a class",
    )
    test_list: Location | None = Field(
        default=None,
        description="folder: a text file that names the images of the test split, one path relative to path a line;"
        " none: the folder test, or test_fraction of each class",
    )
    min_side_px: int = Field(
        default=1, ge=1, le=10_000, description="coco: boxes with a shorter side, in pixels, are dropped"
    )
    margin: float = Field(
        default=0.0, ge=0, le=2, description="coco: margin on each side of a box, as a fraction of that side's length"
    )
    image_column: Name = Field(default="image", description="parquet: the column of encoded images")
    label_column: Name = Field(default="label", description="parquet: the column of class labels")
    resize: Resize = Field(
        default="pad",
        description="how an image becomes square: pad adds black, stretch distorts, crop keeps the middle",
    )
    decoder: Annotated[str, NameIn(DECODERS)] = Field(
        default="pillow", description="what decodes image files; " + described(DECODERS)
    )
    validation_fraction: float = Field(
        default=0.2,
        gt=0,
        lt=1,
        description="fraction of each class held out for validation, unless the data set has a validation split",
    )
    test_fraction: float = Field(
        default=0.15,
        ge=0,
        lt=1,
        description="fraction of each class held out for the test split, which the search never reads, unless the data"
        " set has a test split; 0: there is no test split, and a data set's own serves as validation where it has none",
    )
    subset_fraction: float = Field(
        default=1.0, gt=0, le=1, description="fraction of each class of the training split that a trial trains on"
    )
    seed: int = Field(default=0, ge=0, lt=2**32, description="seed of the test and validation splits and of the subset")

    @model_validator(mode="after")
    def _fields_fit_the_source(self) -> "DatasetSpec":
        fields, source = type(self).model_fields, SOURCES[self.source]
        complaints = [
            f"source {self.source!r} needs {field} ({fields[field].description})"
            for field in source.needs
            if not getattr(self, field)
        ]
        for field in sorted({field for other in SOURCES.values() for field in other.fields}):
            if field not in source.fields and getattr(self, field) != fields[field].default:
                owners = " and ".join(name for name, other in SOURCES.items() if field in other.fields)
                complaints.append(f"source {self.source!r} takes no {field}: it belongs to {owners}")
        if source.names and self.name not in (None, *source.names):
            complaints.append(
                f"source {self.source!r} has {' and '.join(map(repr, source.names))} only, got {self.name!r}"
            )
        if self.test_list and not self.test_fraction:
            complaints.append("test_list names a test split and test_fraction: 0 says there is none: leave out one")
        if complaints:
            raise ValueError("; ".join(complaints))
        return self

    @property
    def locations(self) -> dict[str, str]:
        """Every path and URL that reading the data set opens, by its field, for whoever must allow or resolve them."""
        candidates = {name: getattr(self, name) for name in ("path", "annotations", "classes", "test_list")}
        return {name: location for name, location in candidates.items() if isinstance(location, str)}
