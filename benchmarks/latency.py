"""One file as A and as B, measured in pairs while other cores are kept busy: do their latencies tie, as they should?

Both ways measure the same pairs in turn: by the protocol of workers/latency, and the plain way (a session each with
default settings, 100 runs after one to warm up, A and then B, no pinning). Intervals are 95% of the median; a pair
whose intervals do not overlap would be told apart though there is nothing to tell. The pairs without a hog at the end
show what the reference is good for: A's latency in all pairs, as it is and as a multiple of the reference's.
"""

import argparse
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import onnxruntime
import torch

from benchmarks.parts.machine import describe, spread
from search.contract.candidate import Architecture
from workers.export import to_onnx
from workers.latency.cores import chosen
from workers.latency.gate import HostGate
from workers.latency.interval import median, median_interval
from workers.latency.protocol import QUICK, THOROUGH, Effort, Latency, measure
from workers.latency.result import overlap
from workers.latency.runtimes import CPU
from workers.latency.subject import model_subject
from workers.models import build_network

_SIDE_PX, _PLAIN_RUNS = 64, 100
Interval = tuple[float, float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=40, help="with a hog on every other core")
    parser.add_argument("--quiet-pairs", type=int, default=10, help="without, at the end")
    parser.add_argument("--effort", choices=["thorough", "quick"], default="thorough")
    options = parser.parse_args()
    model, effort = _model(), {"thorough": THOROUGH, "quick": QUICK}[options.effort]
    with _hogs():
        busy = [(_by_protocol(model, effort), _plainly(model)) for _ in range(options.pairs)]
    quiet = [_by_protocol(model, effort) for _ in range(options.quiet_pairs)]
    protocol, plain = [pair for pair, _ in busy], [pair for _, pair in busy]
    print(f"{describe()}; one thread, a hog on each other core, load {os.getloadavg()[0]:.1f}, effort {options.effort}")
    apart = sum(not overlap(a, b) for a, b in protocol)
    unstable = sum(not a.stable for a, _ in protocol)
    print(f"protocol: {apart} of {len(protocol)} pairs apart; B over A {spread(_ratios(protocol))}")
    print(f"  {unstable} with a drifting reference; half the interval {_share(_half_widths(protocol))} of the median")
    apart = sum(a[1] > b[2] or b[1] > a[2] for a, b in plain)
    print(f"plain: {apart} of {len(plain)} pairs apart; B over A {spread([b[0] / a[0] for a, b in plain])}")
    everything = [a for a, _ in (*protocol, *quiet)]
    print(f"A in all pairs: {spread([a.p50_ms for a in everything])} ms, {_scatter([a.p50_ms for a in everything])}")
    multiples = [a.p50_ms / a.reference_ms for a in everything]
    print(f"  as a multiple of the reference: {spread(multiples)}, {_scatter(multiples)}")


def _by_protocol(model: bytes, effort: Effort) -> tuple[Latency, Latency]:
    subjects = [model_subject(key, CPU, model) for key in "AB"]
    a, b = measure(subjects, threads=1, gate=HostGate(), effort=effort)
    return a, b


def _plainly(model: bytes) -> tuple[Interval, Interval]:
    return _plain_interval(model), _plain_interval(model)


def _plain_interval(model: bytes) -> Interval:
    """Median, low and high in milliseconds, as if the runs were independent of each other."""
    session = onnxruntime.InferenceSession(model)
    images = {session.get_inputs()[0].name: np.random.default_rng(0).random((1, 3, 64, 64), dtype=np.float32)}
    session.run(None, images)
    stamps_s = [time.perf_counter()]
    for _ in range(_PLAIN_RUNS):
        session.run(None, images)
        stamps_s.append(time.perf_counter())
    times_ms = np.array([1000 * (end - start) for start, end in pairwise(stamps_s)])
    low_ms, high_ms = median_interval(times_ms[:, None])
    return median(times_ms), low_ms, high_ms


def _model() -> bytes:
    """A small network of inverted residuals for six classes."""
    torch.manual_seed(0)
    backbone = (
        (1, "Conv", (16, 3, 2)),
        (1, "InvertedResidualv2", (24, 4, 2, 3)),
        (2, "InvertedResidualv2", (24, 4, 1, 3)),
        (1, "InvertedResidualv2", (40, 4, 2, 3)),
        (2, "InvertedResidualv2", (40, 4, 1, 3)),
        (1, "Conv", (128, 1, 1)),
        (1, "GlobalAvgPool", ()),
        (1, "FixedConv", (6,)),
    )
    return to_onnx(build_network(Architecture(backbone=backbone)), _SIDE_PX)


@contextmanager
def _hogs() -> Iterator[None]:
    """Matrix products on every core that the measurement does not take."""
    allowed = os.sched_getaffinity(0)
    context = multiprocessing.get_context("spawn")
    others = allowed - chosen(allowed, threads=1)
    hogs = [context.Process(target=_hog, args=(core,), daemon=True) for core in others]
    for hog in hogs:
        hog.start()
    try:
        yield
    finally:
        for hog in hogs:
            hog.terminate()
            hog.join()


def _hog(core: int) -> None:
    os.sched_setaffinity(0, {core})
    torch.set_num_threads(1)
    matrix = torch.rand(512, 512)
    while True:
        torch.mm(matrix, matrix)


def _ratios(pairs: list[tuple[Latency, Latency]]) -> list[float]:
    return [b.p50_ms / a.p50_ms for a, b in pairs]


def _half_widths(pairs: list[tuple[Latency, Latency]]) -> list[float]:
    return [(latency.high_ms - latency.low_ms) / 2 / latency.p50_ms for pair in pairs for latency in pair]


def _share(shares: list[float]) -> str:
    return f"{np.median(shares):.2%}"


def _scatter(values: list[float]) -> str:
    """The middle half's width as a share of the median."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return f"the middle half within {(high - low) / middle:.1%}"


if __name__ == "__main__":
    main()
