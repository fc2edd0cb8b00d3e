"""Learning rate schedules: the fraction of the highest rate at each step, as a pure function of the steps.

Each takes steps float64 [n], counted from 0, and the number of all steps, and returns fractions [n]. They are evaluated
once, before the training: the step looks its fraction up on the device.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from search.contract.training_settings import ScheduleName

Schedule = Callable[[Tensor, int], Tensor]

_RISE, _FIRST, _LAST = 0.3, 1 / 25, 1 / 25e4


def one_cycle(steps: Tensor, total: int) -> Tensor:
    """Rise from 1/25 over the first 30% of the steps, fall to nearly 0 (https://arxiv.org/abs/1708.07120).

    The numbers are those of ``torch.optim.lr_scheduler.OneCycleLR``.
    """
    top = max(_RISE * total - 1, 0.0)
    rise = _between(_FIRST, 1.0, steps / max(top, 1.0))
    fall = _between(1.0, _LAST, (steps - top) / max(total - 1 - top, 1.0))
    return torch.where(steps < top, rise, fall)


def cosine(steps: Tensor, total: int) -> Tensor:
    """From the highest rate to 0 in half a wave, without restarts (SGDR, https://arxiv.org/abs/1608.03983)."""
    return _between(1.0, 0.0, steps / total)


def _between(start: float, end: float, progress: Tensor) -> Tensor:
    return end + (start - end) / 2 * (1 + torch.cos(math.pi * progress))


SCHEDULES: dict[ScheduleName, Schedule] = {"one-cycle": one_cycle, "cosine": cosine}


def rate_fractions(name: ScheduleName, total: int) -> Tensor:
    """The fractions of all ``total`` steps, float32 [total]."""
    return SCHEDULES[name](torch.arange(total, dtype=torch.float64), total).to(torch.float32)
