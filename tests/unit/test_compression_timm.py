"""Compression of networks of timm: it works on them as on blocks of our own."""

from functools import cache

import pytest

from search.contract.candidate import Layer
from search.contract.recipes import default_recipe
from tests.unit.compressing import compress
from tests.unit.compression_states import compression_state
from tests.unit.training_sets import CLASSES, coloured_images
from workers.compression.pipeline import Compressed

NAME = "mobilenetv2_050"
BACKBONE: tuple[Layer, ...] = (
    (1, "TimmStem", (NAME, 1.0, None)),
    (1, "TimmStage", (NAME, 1, 1, 1.0)),
    (1, "TimmStage", (NAME, 2, 2, 1.0)),
    (1, "GlobalAvgPool", ()),
    (1, "FixedConv", (CLASSES,)),
)
IMAGES, LABELS = coloured_images(48, seed=1)


@cache
def made(recipe: str) -> Compressed:
    return compress(default_recipe(recipe), compression_state(backbone=BACKBONE), IMAGES, LABELS)


@pytest.mark.parametrize("recipe", ["fp32", "structured", "static-int8", "structured-static-int8"])
def test_a_recipe_ends_in_a_file_that_predicts_as_its_network_does(recipe: str) -> None:
    assert made(recipe).parity.agreement >= 0.9
    assert made(recipe).scores.f1 > 0.8


def test_pruning_removes_channels_and_costs() -> None:
    assert made("structured").params < made("fp32").params
    assert made("structured").macs < made("fp32").macs


def test_int8_makes_the_file_smaller() -> None:
    assert len(made("static-int8").model) < len(made("fp32").model)
