"""What the model of a search is told of a network."""

import math

import pytest

from search.contract.candidate import Architecture, Candidate
from workers.models import features

NETWORK = Architecture(
    backbone=(
        (1, "Conv", (8, 3, 2)),
        (2, "DWConv", (16, 3, 2)),
        (1, "GlobalAvgPool", ()),
        (1, "FixedConv", (5,)),
    )
)


def test_a_network_without_weights_is_told_too() -> None:
    pooled = Architecture(backbone=((1, "GlobalAvgPool", ()), (1, "Flatten", ())))
    told = features(
        Candidate.model_validate(
            {"architecture": pooled, "image_size": 16, "batch_size": 8, "learning_rate": 0.1, "optimizer": "sgd"}
        )
    )
    assert told["depth"] == told["share_of_Conv"] == 0


def test_a_network_is_told_by_its_costs_its_kinds_of_blocks_and_where_in_it_they_lie() -> None:
    told = features(
        Candidate.model_validate(
            {"architecture": NETWORK, "image_size": 16, "batch_size": 8, "learning_rate": 0.1, "optimizer": "sgd"}
        )
    )
    first, second = 8 * 8 * 8, (8 + 16 + 16 + 16) * 4 * 4
    assert told["level1.log_activations"] == pytest.approx(math.log1p(first))
    assert told["level2.log_activations"] == pytest.approx(math.log1p(second))
    assert told["log_activations"] == pytest.approx(math.log1p(first + second + 5))
    assert (told["share_of_Conv"], told["share_of_DWConv"], told["share_of_FixedConv"]) == (0.25, 0.5, 0.25)
    assert told["share_of_GlobalAvgPool"] == told["share_of_Ghost"] == 0
    assert (told["depth"], told["level2.depth"], told["level2.log_width"]) == (4, 2, math.log1p(16))


@pytest.mark.parametrize("weights", ["default", None])
def test_of_a_pretrained_network_its_blocks_and_its_weights_are_told(weights: str | None) -> None:
    name = "mobilenetv3_small_050"
    lines = (
        (1, "TimmStem", (name, 1.0, weights)),
        (1, "TimmStage", (name, 1, 1, 1.0)),
        (1, "TimmStage", (name, 2, 2, 0.5)),
    )
    network = Architecture(backbone=(*lines, (1, "GlobalAvgPool", ()), (1, "FixedConv", (5,))))
    settings = {"batch_size": 8, "learning_rate": 0.1, "optimizer": "sgd"}
    told = features(Candidate.model_validate({"architecture": network, "image_size": 32, **settings}))
    assert told["is_pretrained"] == (weights is not None)
    assert told["depth"] == 1 + 1 + 2 + 1
