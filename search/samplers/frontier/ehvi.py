"""Expected hypervolume improvement (EHVI), in closed form where all objectives but one may be exact.

Notation: q candidates, k points of a front, u nodes, m objectives, all to be minimized. One objective is the
``primary`` one; the others are ``costs``, float [., m - 1]. A node is a point of the space of costs. The front's
attainment level at a node is the least primary value among its points that exceed the node in no cost.

A candidate improves the level at each node that its costs do not exceed. Its hypervolume improvement is the integral of
that improvement over the space of costs, and EHVI is the expectation of it. The objectives are independent, so the
expectation is a product at each node: the probability that the costs do not exceed the node, times the expected
improvement of the level. Emmerich et al. 2011 and Daulton et al. 2020 compute the same number by boxes. Where costs are
exact, the probabilities are 0 or 1. docs/search.md has the equations.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from search.samplers.frontier.arrays import Floats
from search.samplers.frontier.surrogate import Prediction


def attainment(nodes: Floats, costs: Floats, primary: Floats, reference: float) -> Floats:
    """The attainment level at each node [u]; ``reference`` where every point exceeds the node in some cost.

    ``costs`` [k, m - 1] and ``primary`` [k] are those of the points, which need not be a front.
    """
    levels, open_nodes = np.full(len(nodes), reference), np.arange(len(nodes))
    for index in primary.argsort():
        if not len(open_nodes) or primary[index] >= reference:
            break
        within = (costs[index] <= nodes[open_nodes]).all(axis=1)
        levels[open_nodes[within]] = primary[index]
        open_nodes = open_nodes[~within]
    return levels


def ehvi(primary: Prediction, costs: Sequence[Prediction], nodes: Floats, levels: Floats) -> Floats:
    """EHVI of each candidate [q], as a fraction of the nodes' volume times the unit of the primary objective."""
    distinct, which = np.unique(levels, return_inverse=True)
    within = np.ones((len(primary.mean), len(nodes)))
    for column, cost in enumerate(costs):
        within *= _probability_within(cost, nodes[:, column])
    # The expected improvement is the same at all nodes of one level: [q, u] shrinks to [q, levels].
    volume = np.zeros((len(primary.mean), len(distinct)))
    order = np.argsort(which, kind="stable")
    starts = np.searchsorted(which[order], np.arange(len(distinct)))
    np.add.reduceat(within[:, order], starts, axis=1, out=volume)
    improvement = expected_improvement(primary.mean[:, None], primary.std[:, None], distinct[None])
    return np.asarray((volume * improvement).sum(axis=1) / len(nodes))


def expected_improvement(mean: Floats, std: Floats, level: Floats) -> Floats:
    """How far a normal value is expected to lie below ``level``; broadcasts (Jones, Schonlau, Welch 1998)."""
    scale = np.maximum(std, 1e-12)
    z = (level - mean) / scale
    return np.asarray(scale * (z * ndtr(z) + np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)))


def _probability_within(cost: Prediction, node: Floats) -> Floats:
    """The probability [q, u] that a candidate's cost does not exceed the node's."""
    exact = cost.std <= 0.0
    if exact.all():
        return np.asarray(cost.mean[:, None] <= node[None], dtype=np.float64)
    scale = np.where(exact, 1e-300, cost.std)
    difference = node[None] - cost.mean[:, None]
    return np.where(exact[:, None], difference >= 0.0, ndtr(difference / scale[:, None]))
