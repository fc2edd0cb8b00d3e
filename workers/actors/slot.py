"""The benchmark slot as a Ray actor: one a host, it times exported files and networks while nothing else runs there.

The actor takes no core of Ray's: the HostGate stops the work of that host's trials and fine-tunings instead, for as
long as a measurement takes. So a trial may wait for the slot without locking up a host whose cores are all taken.
``workers/actors/hosts.py`` says which host times what.
"""

import numpy as np
from numpy.typing import NDArray

from search.contract.candidate import Architecture
from search.contract.latency import HostLatency, Latency
from search.contract.targets import TargetSpec
from workers.latency.cores import usable_cores
from workers.latency.gate import HostGate
from workers.latency.host import this_host
from workers.latency.protocol import QUICK, THOROUGH, Effort, measure
from workers.latency.reference import reference_for
from workers.latency.runtimes import EAGER, RUNTIMES, Eager, Runtime
from workers.latency.subject import Subject, model_subject
from workers.predictors import runtime_predictor

_TIMEOUT_S = 300.0
#: In one unit of work, so that a measurement need not wait long for it.
_IMAGES_AT_A_TIME = 64


class BenchmarkSlot:
    """Times and scores models on this host, one measurement at a time."""

    def missing(self, target: TargetSpec) -> str | None:
        """Why this host cannot time ``target``, and what to do; None if it can."""
        cores = usable_cores()
        if target.threads > cores:
            return f"a host that times {target} lets its processes use {cores} cores: ask for fewer threads"
        return RUNTIMES[target.runtime].missing

    def time_file(self, model: bytes, *, target: TargetSpec) -> HostLatency:
        """A quick measurement of one ONNX file, for trials."""
        runtime = RUNTIMES[target.runtime]
        (latency,) = _measured(runtime, target, QUICK, model_subject("trial", runtime, model))
        return HostLatency(latency=latency, host=_host(runtime, target))

    def time_variant(self, variant: bytes, parent: bytes, *, target: TargetSpec) -> HostLatency:
        """A thorough measurement of a variant's ONNX file, interleaved with its parent's unless that is the same."""
        runtime = RUNTIMES[target.runtime]
        files = [variant] if variant == parent else [variant, parent]
        subjects = [model_subject(f"file {number}", runtime, file) for number, file in enumerate(files)]
        latency, *others = _measured(runtime, target, THOROUGH, *subjects)
        (parent_latency,) = others or [latency]
        return HostLatency(latency=latency, host=_host(runtime, target), parent_ms=parent_latency.p50_ms)

    def predict(self, model: bytes, images: NDArray[np.uint8], *, target: TargetSpec) -> NDArray[np.int64]:
        """The classes that an ONNX file gives to uint8 [n, side, side, 3] in the target's runtime."""
        predict, gate = runtime_predictor(RUNTIMES[target.runtime], model, threads=target.threads), HostGate()
        classes = []
        for start in range(0, len(images), _IMAGES_AT_A_TIME):
            with gate.working(timeout_s=_TIMEOUT_S):
                classes.append(predict(images[start : start + _IMAGES_AT_A_TIME]).argmax(1))
        return np.concatenate(classes)

    def time_eager(
        self, architecture: Architecture, weights: bytes, side_px: int, *, target: TargetSpec
    ) -> HostLatency:
        """A quick measurement of the trial's own network in eager PyTorch, which takes a second to open."""
        from workers.export import load_weights
        from workers.models import Network, build_network

        def make() -> Network:
            network = build_network(architecture, pretrained=False)
            load_weights(network, weights)
            return network

        subject = model_subject("eager", EAGER, Eager(make=make, shape=(1, 3, side_px, side_px)))
        (latency,) = _measured(EAGER, target, QUICK, subject)
        return HostLatency(latency=latency, host=_host(EAGER, target))


def _measured(runtime: Runtime, target: TargetSpec, effort: Effort, *subjects: Subject) -> tuple[Latency, ...]:
    reference = reference_for(runtime)
    return measure(
        subjects, threads=target.threads, gate=HostGate(), effort=effort, reference=reference, timeout_s=_TIMEOUT_S
    )


def _host(runtime: Runtime, target: TargetSpec) -> str:
    return target.name_host(this_host(runtime=runtime, threads=target.threads).label)
