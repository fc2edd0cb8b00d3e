"""The pretrained weights that a study's networks start from."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

#: What a network's line says for the weights that are looked up by the network's name.
DEFAULT = "default"
Place = Literal["file", "folder", "package", "cache", "download"]


class StartingWeights(BaseModel):
    """Weights of one network, and what is known of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: str = Field(description="The network's name; torchvision's begin with torchvision-.")
    weights: str = Field(description="`default`, or the path of a file, as the space gives it.")
    place: Place = Field(
        description="Where they were found: a `file` of the space, the weights `folder`, an installed `package`, a "
        "`cache` of earlier downloads, or nowhere yet, but they can be downloaded (`download`)."
    )
    origin: str = Field(description="The package, the hub's repository or the file that they come from.")
    license: str | None = Field(description="Their licence; null if it is not known.")
