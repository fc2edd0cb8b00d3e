"""The benchmark slot as a Ray actor: one a host, it times exported files and networks while nothing else runs there.

Every host that offers the Ray resource ``benchmark_slot`` can hold one. The actor takes no core of Ray's: the HostGate
stops the work of that host's trials and fine-tunings instead, for as long as a measurement takes. So a trial may wait
for the slot without locking up a host whose cores are all taken.
"""

from dataclasses import asdict
from typing import Any

import ray

from search.candidate import Architecture
from workers.export import load_weights
from workers.latency.gate import HostGate
from workers.latency.host import Runtime, this_host
from workers.latency.protocol import QUICK, THOROUGH, measure
from workers.latency.runtimes import onnx_subject, torch_subject

NAMESPACE = "seedleaf"
RESOURCE = "benchmark_slot"
_TIMEOUT_S = 300.0

Timing = dict[str, Any]


class BenchmarkSlot:
    """Each method returns one dict of ``latency.Latency``'s fields for each subject, with the host's label."""

    def time_file(self, model: bytes, *, threads: int) -> Timing:
        """A quick look at one ONNX file, for trials."""
        timings = measure(
            [onnx_subject("trial", model)], threads=threads, gate=HostGate(), effort=QUICK, timeout_s=_TIMEOUT_S
        )
        return {**asdict(timings[0]), "host": _host("onnxruntime", threads)}

    def time_variant(self, variant: bytes, parent: bytes, *, threads: int) -> Timing:
        """A thorough measurement of a variant's ONNX file, interleaved with its parent's as the reference."""
        subjects = [onnx_subject("variant", variant), onnx_subject("parent", parent)]
        timings = measure(subjects, threads=threads, gate=HostGate(), effort=THOROUGH, timeout_s=_TIMEOUT_S)
        return {
            **asdict(timings[0]),
            "parent_ms": timings[1].p50_ms,
            "host": _host("onnxruntime", threads),
        }

    def time_eager(self, architecture: dict[str, Any], weights: bytes, side_px: int, *, threads: int) -> Timing:
        """A thorough measurement of the trial's own network in eager PyTorch."""
        from workers.models import build_network

        def make() -> Any:
            network = build_network(Architecture.model_validate(architecture), pretrained=False)
            load_weights(network, weights)
            return network

        subject = torch_subject("eager", make, (3, side_px, side_px))
        timings = measure([subject], threads=threads, gate=HostGate(), effort=THOROUGH, timeout_s=_TIMEOUT_S)
        return {**asdict(timings[0]), "host": _host("torch", threads)}


def _host(runtime: Runtime, threads: int) -> str:
    return this_host(runtime=runtime, threads=threads).label


def benchmark_slot() -> Any:
    """The slot's actor: the one that runs already, or a new one on a node that offers a slot."""
    actor = ray.remote(BenchmarkSlot).options(
        name="benchmark-slot",
        namespace=NAMESPACE,
        get_if_exists=True,
        lifetime="detached",
        num_cpus=0,
        resources={RESOURCE: 1},
        # Not within the resources that Tune reserved for the trial that asks first.
        scheduling_strategy="DEFAULT",
        max_restarts=-1,
        max_task_retries=1,
    )
    return actor.remote()
