"""Muon (https://kellerjordan.github.io/posts/muon/), for convolutions too, scaled as in https://arxiv.org/abs/2502.16982.

torch.optim.Muon takes two-dimensional parameters only and reads the learning rate on the host, so that no CUDA graph
can hold it.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

_COEFFICIENTS, _ITERATIONS, _EPSILON = (3.4445, -4.7750, 2.0315), 5, 1e-7
_MOMENTUM = 0.95


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made nearly orthogonal, for weights [out, ...] seen as matrices [out, rest].

    The update's root mean square is that of AdamW, so AdamW's rates and weight decay serve. ``lr`` of every group is a
    tensor on the parameters' device.
    """

    def __init__(self, groups: Iterable[dict[str, object]]) -> None:
        super().__init__(groups, {})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            rate, decay = group["lr"], group["weight_decay"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                state["momentum"].lerp_(parameter.grad, 1 - _MOMENTUM)
                update = orthogonalized(parameter.grad.lerp(state["momentum"], _MOMENTUM).flatten(1))
                scale = 0.2 * math.sqrt(max(update.shape))
                parameter.mul_(1 - rate * decay).sub_(update.view(parameter.shape) * (rate * scale))


def orthogonalized(matrix: Tensor) -> Tensor:
    """The matrix [m, n] with its singular values brought near 1 (0.5 to 1.5) by a Newton-Schulz iteration.

    In bfloat16 on CUDA, where that is enough and fast; in the matrix's own type elsewhere.
    """
    a, b, c = _COEFFICIENTS
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = wide.to(torch.bfloat16) if matrix.is_cuda else wide
    x = x / x.norm().clamp(min=_EPSILON)
    for _ in range(_ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    result = x if wide is matrix else x.T
    return result.to(matrix.dtype).contiguous()
