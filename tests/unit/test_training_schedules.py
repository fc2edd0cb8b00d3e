"""Learning rate schedules against PyTorch's."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from search.contract.training_settings import ScheduleName
from workers.training.schedules import rate_fractions

TOTALS = [7, 10, 64, 1000]


def of_pytorch(make: Callable[[torch.optim.Optimizer], Any], total: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = make(optimizer)
    rates = []
    for _ in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(rates) < total:
            schedule.step()
    return rates


@pytest.mark.parametrize("total", TOTALS)
def test_one_cycle_is_that_of_pytorch(total: int) -> None:
    expected = of_pytorch(
        lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=1.0, total_steps=total, cycle_momentum=False
        ),
        total,
    )
    assert rate_fractions("one-cycle", total).tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("total", TOTALS)
def test_cosine_is_that_of_pytorch(total: int) -> None:
    expected = of_pytorch(lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total), total)
    assert rate_fractions("cosine", total).tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ["one-cycle", "cosine"])
@pytest.mark.parametrize("total", [1, 2, 3])
def test_the_shortest_trainings_have_a_rate(name: ScheduleName, total: int) -> None:
    found = rate_fractions(name, total)
    assert ((found >= 0) & (found <= 1)).all()
    assert found.max() > 0.1
